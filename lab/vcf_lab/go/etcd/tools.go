//go:build tools

// Package etcd names the command that the lab builds.
package etcd

import _ "go.etcd.io/etcd/server/v3"
