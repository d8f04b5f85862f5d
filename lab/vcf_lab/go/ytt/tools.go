//go:build tools

// Package ytt names the command that the lab builds.
package ytt

import _ "carvel.dev/ytt/cmd/ytt"
