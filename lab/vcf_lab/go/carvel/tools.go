//go:build tools

// Package carvel names the commands that the lab builds.
package carvel

import (
	_ "carvel.dev/imgpkg/cmd/imgpkg"
	_ "carvel.dev/kbld/cmd/kbld"
)
