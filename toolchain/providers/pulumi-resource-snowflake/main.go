// The Snowflake provider plugin.
package main

import (
	"github.com/Snowflake-Labs/terraform-provider-snowflake/pkg/provider"

	"quant/toolchain/providers/bridge"
)

func main() {
	bridge.Serve(provider.Provider(), bridge.Options{
		Name:    "snowflake",
		Version: "2.22.0",
		Spelled: []string{"snowflake_schema", "snowflake_service_user", "snowflake_warehouse"},
	})
}
