// The Databricks provider plugin.
package main

import (
	"github.com/databricks/terraform-provider-databricks/shim"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"

	"quant/toolchain/providers/bridge"
)

func main() {
	provider := shim.Provider()
	takeBackMail(provider.ResourcesMap["databricks_job"].Schema)
	bridge.Serve(provider, bridge.Options{
		Name:    "databricks",
		Version: "1.118.0",
		Ignored: []string{
			"databricks_aws_s3_mount", "databricks_azure_adls_gen1_mount",
			"databricks_azure_adls_gen2_mount", "databricks_azure_blob_mount",
		},
		Spelled: []string{"databricks_job", "databricks_permissions"},
		// jobs/resource_job.go and permissions/resource_permissions.go, v1.126.0
		Quick: []string{"databricks_job", "databricks_permissions"},
		Adjust: func(info *tfbridge.ProviderInfo) {
			// A resource called "provider" would collide with the package's own.
			info.Resources["databricks_provider"] = &tfbridge.ResourceInfo{
				Tok: "databricks:index/metastoreProvider:MetastoreProvider",
			}
		},
	})
}
