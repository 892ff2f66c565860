// Package bridge serves a Terraform provider to the Pulumi engine under the names that the official packages use.
package bridge

import (
	"context"
	"encoding/json"
	"os"

	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge/tokens"
	shimv2 "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim/sdk-v2"
	pulumischema "github.com/pulumi/pulumi/pkg/v3/codegen/schema"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/cmdutil"
	pulumiprovider "github.com/pulumi/pulumi/sdk/v3/go/pulumi/provider"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// Options are what one provider needs beside its name. Version is the one that the Python package asks for: the engine
// warns of a plugin that reports an older one. What is really built is in go.mod, and `quantctl toolchain` tells it.
type Options struct {
	Name    string
	Version string
	Ignored []string
	Adjust  func(*tfbridge.ProviderInfo)
	// Spelled are resources whose names are written down: those of which there are many, or that have many fields.
	Spelled []string
	// Quick are resources whose CustomizeDiff finds nothing where nothing else differs, unless they lie in another workspace.
	Quick []string
}

// Serve answers the engine until it hangs up; with -inputs alone it prints what each resource takes, with -unlike where our
// patches of the SDK show.
func Serve(provider *schema.Provider, options Options) {
	info := tfbridge.ProviderInfo{
		P:              shimv2.NewProvider(provider),
		Name:           options.Name,
		Version:        options.Version,
		IgnoreMappings: options.Ignored,
		MetadataInfo:   tfbridge.NewProviderMetadata([]byte("{}")),
		Resources:      map[string]*tfbridge.ResourceInfo{},
		DataSources:    map[string]*tfbridge.DataSourceInfo{},
	}
	if options.Adjust != nil {
		options.Adjust(&info)
	}
	info.MustComputeTokens(tokens.SingleModule(options.Name+"_", "index", tokens.MakeStandard(options.Name)))
	info.SetAutonaming(255, "-")
	for _, name := range options.Spelled {
		info.Resources[name].Fields = spelled(info.P.ResourcesMap().Get(name).Schema(), info.Resources[name].Fields)
	}

	if len(os.Args) == 2 && os.Args[1] == "-inputs" {
		tell(inputs(info))
		return
	}
	if len(os.Args) == 2 && os.Args[1] == "-unlike" {
		tell(unlike(provider))
		return
	}
	// The engine asks for a schema only to generate code; the Python packages bring theirs.
	spec, err := json.Marshal(pulumischema.PackageSpec{Name: options.Name, Version: options.Version})
	if err != nil {
		panic(err)
	}
	info.P.InitLogging(context.Background())
	answers := newQuick(provider, info, options.Quick)
	err = pulumiprovider.Main(options.Name, func(host *pulumiprovider.HostClient) (pulumirpc.ResourceProviderServer, error) {
		answers.ResourceProviderServer = tfbridge.NewProvider(
			context.Background(), host, options.Name, options.Version, info.P, info, spec)
		return answers, nil
	})
	if err != nil {
		cmdutil.ExitError(err.Error())
	}
}

func tell(found any) {
	if err := json.NewEncoder(os.Stdout).Encode(found); err != nil {
		panic(err)
	}
}
