//go:build tools

// Package crane names the command that the lab builds.
package crane

import _ "github.com/google/go-containerregistry/cmd/crane"
