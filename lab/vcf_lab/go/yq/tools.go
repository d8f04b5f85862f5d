//go:build tools

// Package yq names the command that the lab builds.
package yq

import _ "github.com/mikefarah/yq/v4"
