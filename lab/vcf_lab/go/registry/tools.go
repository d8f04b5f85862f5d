//go:build tools

// Package registry names the command that the lab builds.
package registry

import _ "github.com/distribution/distribution/v3/cmd/registry"
