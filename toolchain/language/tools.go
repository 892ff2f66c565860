//go:build tools

// Package language pins the Pulumi Python language host, which does not compile against the engine's own version.
package language

import _ "github.com/pulumi/pulumi/sdk/python/cmd/pulumi-language-python/v3"
