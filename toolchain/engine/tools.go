//go:build tools

// Package engine pins the Pulumi engine; the toolchain builds its command-line program.
package engine

import _ "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
