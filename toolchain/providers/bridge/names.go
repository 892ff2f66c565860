package bridge

import (
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	shim "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim"
)

// spelled writes down the names that the engine uses for the fields of a resource. Without them the bridge makes the names of
// all fields of a block anew whenever it looks for one (PulumiToTerraformName in pkg/tfbridge/names.go, v3.137.0): two thirds
// of what the Diff of a Snowflake user cost.
func spelled(schemas shim.SchemaMap, infos map[string]*tfbridge.SchemaInfo) map[string]*tfbridge.SchemaInfo {
	found := map[string]*tfbridge.SchemaInfo{}
	schemas.Range(func(name string, schema shim.Schema) bool {
		info := &tfbridge.SchemaInfo{}
		if given := infos[name]; given != nil {
			*info = *given
		}
		info.Name = tfbridge.TerraformToPulumiNameV2(name, schemas, infos)
		if below, ok := schema.Elem().(shim.Resource); ok {
			elem := &tfbridge.SchemaInfo{}
			if info.Elem != nil {
				*elem = *info.Elem
			}
			elem.Fields = spelled(below.Schema(), elem.Fields)
			info.Elem = elem
		}
		found[name] = info
		return true
	})
	return found
}
