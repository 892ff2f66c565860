package bridge

import (
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	shim "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim"
)

// Fields are the inputs of a resource or of a block in it, by the names that the engine uses; a plain value has none.
type Fields map[string]Fields

func inputs(info tfbridge.ProviderInfo) map[string]Fields {
	found := map[string]Fields{}
	for name, resource := range info.Resources {
		found[string(resource.Tok)] = fields(info.P.ResourcesMap().Get(name).Schema(), resource.Fields)
	}
	return found
}

func fields(schemas shim.SchemaMap, infos map[string]*tfbridge.SchemaInfo) Fields {
	found := Fields{}
	schemas.Range(func(name string, schema shim.Schema) bool {
		if schema.Optional() || schema.Required() {
			found[tfbridge.TerraformToPulumiNameV2(name, schemas, infos)] = inner(schema, infos[name])
		}
		return true
	})
	return found
}

func inner(schema shim.Schema, info *tfbridge.SchemaInfo) Fields {
	var elem *tfbridge.SchemaInfo
	if info != nil {
		elem = info.Elem
	}
	switch of := schema.Elem().(type) {
	case shim.Resource:
		if elem != nil {
			return fields(of.Schema(), elem.Fields)
		}
		return fields(of.Schema(), nil)
	case shim.Schema:
		return inner(of, elem)
	}
	return nil
}
