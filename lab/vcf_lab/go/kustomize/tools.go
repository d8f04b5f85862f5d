//go:build tools

// Package kustomize names the command that the lab builds.
package kustomize

import _ "sigs.k8s.io/kustomize/kustomize/v5"
