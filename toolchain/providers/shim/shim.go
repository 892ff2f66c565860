// Package shim lets our provider main reach the Databricks provider, which lies in an internal package: a module whose
// path is below the provider's own may import it.
package shim

import (
	"github.com/databricks/terraform-provider-databricks/internal/providers/sdkv2"
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
)

// Provider is the Terraform provider for Databricks, the part on the plugin SDK that holds every resource we declare.
func Provider() *schema.Provider {
	return sdkv2.DatabricksProvider()
}
