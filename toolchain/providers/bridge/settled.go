package bridge

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	shim "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"
)

// Values are properties by the names that the engine uses.
type values = map[string]*structpb.Value

const (
	mark     = "4dabf18193072939515e22adb298388d" // of secrets, assets and references: sdk/go/common/resource/sig
	defaults = "__defaults"
	rawDelta = "__pulumi_raw_state_delta"
	meta     = "__meta"
	timeouts = "e2bfb730-ecaa-11e6-8f88-34363bc7c4c0" // schema.TimeoutKey
)

// block holds the fields of a resource, or of a block in it.
type block map[string]*field

type field struct {
	name   string // as Terraform spells it
	schema *schema.Schema
	one    bool // a list of at most one: the engine sees its element
	inner  block
}

// place is where a value lies: its address in Terraform's spelling, and what may suppress a difference there.
type place struct {
	path     string
	suppress []schema.SchemaDiffSuppressFunc
	exact    bool // a set, and first a list, is compared as a whole: nothing in it is suppressed or kept as computed
	asked    map[difference]bool
}

// difference is what such a function is asked about. It says so in the engine's log, so each is asked about once.
type difference struct{ path, before, after string }

func blockOf(schemas map[string]*schema.Schema, shims shim.SchemaMap, infos map[string]*tfbridge.SchemaInfo) block {
	found := block{}
	for name, one := range schemas {
		made := &field{name: name, schema: one, one: tfbridge.IsMaxItemsOne(shims.Get(name), infos[name])}
		if elem, ok := one.Elem.(*schema.Resource); ok {
			var below map[string]*tfbridge.SchemaInfo
			if info := infos[name]; info != nil && info.Elem != nil {
				below = info.Elem.Fields
			}
			made.inner = blockOf(elem.Schema, shims.Get(name).Elem().(shim.Resource).Schema(), below)
		}
		found[tfbridge.TerraformToPulumiNameV2(name, shims, infos)] = made
	}
	return found
}

// settled tells whether schema.Resource.SimpleDiff finds nothing between a state and a configuration, but for what a
// resource's CustomizeDiff adds. False is no statement. It follows schemaMap.diff (helper/schema/schema.go): a value that
// was given and is held is no difference; neither is one that was not given and is empty, computed, the default, or
// suppressed.
func (b block) settled(held, given values, version int, asked map[difference]bool) bool {
	if !current(held[meta], version) || irregular(held[rawDelta]) {
		return false
	}
	state := values{}
	for name, value := range held {
		if name != "id" && name != meta && name != rawDelta {
			state[name] = value
		}
	}
	return b.same(given, state, place{asked: asked})
}

func (b block) same(given, held values, at place) bool {
	for _, side := range []values{given, held} {
		for name := range side {
			if _, known := b[name]; !known && name != defaults {
				return false
			}
		}
	}
	for name, field := range b {
		if !field.same(given[name], held[name], at.at(field)) {
			return false
		}
	}
	return true
}

func (p place) at(f *field) place {
	if p.path != "" {
		p.path += "."
	}
	p.path += f.name
	if f.schema.DiffSuppressFunc != nil {
		p.suppress = append(p.suppress[:len(p.suppress):len(p.suppress)], f.schema.DiffSuppressFunc)
	}
	return p
}

func (p place) element(index int) place {
	p.path += "." + strconv.Itoa(index)
	return p
}

// suppressed asks as schemaMap.diff does; the data is empty because these functions look for an explicit change in it,
// which a plan never holds yet.
func (p place) suppressed(path, before, after string) bool {
	if p.exact {
		return false
	}
	question := difference{path, before, after}
	answer, known := p.asked[question]
	for _, suppress := range p.suppress {
		answer = answer || !known && quietly(suppress, path, before, after)
	}
	p.asked[question] = answer
	return answer
}

func quietly(suppress schema.SchemaDiffSuppressFunc, path, before, after string) (yes bool) {
	defer func() {
		if recover() != nil {
			yes = false
		}
	}()
	return suppress(path, before, after, &schema.ResourceData{})
}

func (f *field) same(given, held *structpb.Value, at place) bool {
	if isNull(given) {
		return f.unset(held, at)
	}
	if f.schema.StateFunc != nil {
		return false
	}
	if plain(f.schema.Type) {
		return fits(given, f.schema.Type) && proto.Equal(given, held)
	}
	if f.schema.Type == schema.TypeMap {
		return given.GetStructValue() != nil && given.GetStructValue().Fields[mark] == nil && proto.Equal(given, held)
	}
	if f.one {
		return f.sameElement(given, held, at.element(0))
	}
	if given.GetListValue() == nil || held.GetListValue() == nil {
		return false
	}
	some, others := given.GetListValue().Values, held.GetListValue().Values
	if len(some) != len(others) {
		return false
	}
	whole := at
	whole.exact = true
	if f.schema.Type == schema.TypeSet {
		return f.sameSet(some, others, whole)
	}
	return f.sameList(some, others, whole) || !at.exact && f.sameList(some, others, at)
}

func (f *field) sameList(given, held []*structpb.Value, at place) bool {
	for index, value := range given {
		if !f.sameElement(value, held[index], at.element(index)) {
			return false
		}
	}
	return true
}

func (f *field) sameElement(given, held *structpb.Value, at place) bool {
	if f.inner != nil {
		return given.GetStructValue() != nil && held.GetStructValue() != nil &&
			f.inner.same(given.GetStructValue().Fields, held.GetStructValue().Fields, at)
	}
	elem, ok := f.schema.Elem.(*schema.Schema)
	return ok && fits(given, elem.Type) && proto.Equal(given, held)
}

func (f *field) sameSet(given, held []*structpb.Value, at place) bool {
	left := append([]*structpb.Value{}, held...)
next:
	for _, value := range given {
		for index, other := range left {
			if f.sameElement(value, other, at) {
				left = append(left[:index], left[index+1:]...)
				continue next
			}
		}
		return false
	}
	return true
}

// unset tells whether a value is held that is no difference where none was given.
func (f *field) unset(held *structpb.Value, at place) bool {
	kind := f.schema.Type
	switch {
	case f.schema.DefaultFunc != nil || !isNull(held) && !f.shaped(held):
		return false
	case f.schema.Default != nil:
		return !isNull(held) && plain(kind) && written(held) == fmt.Sprint(f.schema.Default)
	case isNull(held):
		return !f.schema.Computed || plain(kind) || at.exact // a list that is computed becomes "known after the update"
	case plain(kind) && written(held) == zero(kind):
		return true
	case f.schema.Computed:
		return !at.exact
	case plain(kind):
		return at.suppressed(at.path, written(held), zero(kind))
	case f.one:
		return f.inner != nil && at.suppressed(at.path+".#", "1", "0") &&
			f.inner.same(nil, held.GetStructValue().Fields, at.element(0))
	}
	return len(held.GetListValue().GetValues())+len(held.GetStructValue().GetFields()) == 0
}

// shaped tells whether a value is one that the provider answers for the field.
func (f *field) shaped(value *structpb.Value) bool {
	if f.schema.Type == schema.TypeMap {
		return value.GetStructValue() != nil
	}
	if plain(f.schema.Type) {
		return fits(value, f.schema.Type)
	}
	if f.one {
		return f.shapedElement(value)
	}
	for _, one := range value.GetListValue().GetValues() {
		if !f.shapedElement(one) {
			return false
		}
	}
	return value.GetListValue() != nil
}

func (f *field) shapedElement(value *structpb.Value) bool {
	if f.inner == nil {
		elem, ok := f.schema.Elem.(*schema.Schema)
		return ok && fits(value, elem.Type)
	}
	for name, one := range value.GetStructValue().GetFields() {
		if known := f.inner[name]; known == nil || !isNull(one) && !known.shaped(one) {
			return false
		}
	}
	return value.GetStructValue() != nil
}

func plain(kind schema.ValueType) bool {
	return kind == schema.TypeBool || kind == schema.TypeInt || kind == schema.TypeFloat || kind == schema.TypeString
}

func isNull(value *structpb.Value) bool {
	if value == nil {
		return true
	}
	_, null := value.GetKind().(*structpb.Value_NullValue)
	return null
}

func fits(value *structpb.Value, kind schema.ValueType) bool {
	switch value.GetKind().(type) {
	case *structpb.Value_StringValue:
		return kind == schema.TypeString
	case *structpb.Value_BoolValue:
		return kind == schema.TypeBool
	case *structpb.Value_NumberValue:
		return kind == schema.TypeInt || kind == schema.TypeFloat
	}
	return false
}

// written is a plain value as a Terraform state holds it.
func written(value *structpb.Value) string {
	switch kind := value.GetKind().(type) {
	case *structpb.Value_StringValue:
		return kind.StringValue
	case *structpb.Value_BoolValue:
		return strconv.FormatBool(kind.BoolValue)
	}
	return strconv.FormatFloat(value.GetNumberValue(), 'f', -1, 64)
}

func zero(kind schema.ValueType) string {
	switch kind {
	case schema.TypeBool:
		return "false"
	case schema.TypeInt, schema.TypeFloat:
		return "0"
	}
	return ""
}

// current tells whether a state needs no upgrade: of this version of the resource's schema, with nothing but timeouts beside.
func current(held *structpb.Value, version int) bool {
	if isNull(held) {
		return version == 0
	}
	found := map[string]json.RawMessage{}
	if json.Unmarshal([]byte(held.GetStringValue()), &found) != nil {
		return false
	}
	was := found["schema_version"]
	delete(found, "schema_version")
	delete(found, timeouts)
	return len(found) == 0 && (string(was) == strconv.Quote(strconv.Itoa(version)) || was == nil && version == 0)
}

// irregular tells whether the state holds something else than its outputs say: a delta that replaces or ignores a value.
// https://github.com/pulumi/pulumi-terraform-bridge/blob/v3.137.0/pkg/tfbridge/rawstate.go
func irregular(delta *structpb.Value) bool {
	for _, value := range delta.GetListValue().GetValues() {
		if irregular(value) {
			return true
		}
	}
	for name, value := range delta.GetStructValue().GetFields() {
		if name == "replace" || name == "ignored" || name == "asset" || name == mark || irregular(value) {
			return true
		}
	}
	return false
}
