package bridge

import (
	"context"
	"reflect"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
	"github.com/mitchellh/copystructure"
)

var alike = cmp.Options{
	cmpopts.IgnoreUnexported(schema.Resource{}),
	cmp.FilterValues(areFunctions, cmp.Comparer(func(one, other any) bool {
		return reflect.ValueOf(one).Pointer() == reflect.ValueOf(other).Pointer()
	})),
}

func areFunctions(one, other any) bool {
	return reflect.ValueOf(one).Kind() == reflect.Func && reflect.ValueOf(other).Kind() == reflect.Func
}

// unlike tells by resource where the SDK as patched here differs from the SDK itself: in the copy of a schema, which the SDK
// makes by reflection, in what a change of that copy reaches, and in the schema of the protocol, which it makes anew each time.
func unlike(provider *schema.Provider) map[string]string {
	found := map[string]string{}
	for name, resource := range provider.ResourcesMap {
		fields := schema.InternalMap(resource.SchemaMap())
		reflected := *copystructure.Must(copystructure.Config{Lock: true}.Copy(&fields)).(*schema.InternalMap)
		copied := fields.DeepCopy()
		found[name] += cmp.Diff(reflected, copied, alike)
		turn(copied)
		found[name] += cmp.Diff(reflected, fields, alike)
		anew := &schema.Resource{
			Schema: resource.SchemaMap(), SchemaVersion: resource.SchemaVersion, Timeouts: resource.Timeouts,
			Description: resource.Description, DeprecationMessage: resource.DeprecationMessage,
		}
		if !reflect.DeepEqual(resource.ProtoSchema(context.Background())(), anew.ProtoSchema(context.Background())()) {
			found[name] += "another schema of the protocol"
		}
		if !resource.CoreConfigSchema().ImpliedType().Equals(anew.CoreConfigSchema().ImpliedType()) {
			found[name] += "another implied type"
		}
		if found[name] == "" {
			delete(found, name)
		}
	}
	return found
}

// turn changes what schema.ResourceDiff.ForceNew changes, in every field.
func turn(fields map[string]*schema.Schema) {
	for _, field := range fields {
		field.ForceNew = !field.ForceNew
		switch elem := field.Elem.(type) {
		case *schema.Schema:
			elem.ForceNew = !elem.ForceNew
		case *schema.Resource:
			turn(elem.Schema)
		}
	}
}
