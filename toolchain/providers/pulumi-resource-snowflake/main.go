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
		Spelled: []string{
			"snowflake_account_role", "snowflake_database_role", "snowflake_grant_account_role", "snowflake_grant_database_role",
			"snowflake_grant_privileges_to_account_role", "snowflake_grant_privileges_to_database_role",
			"snowflake_resource_monitor", "snowflake_schema", "snowflake_service_user", "snowflake_warehouse",
		},
	})
}
