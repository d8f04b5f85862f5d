// Copyright: Contributors to the vcf.ray project
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// A vCenter without data centre: vim25 inventory and storage profiles of
// govmomi's simulator, over plain HTTP. The lab's front adds TLS, logins and
// everything that is REST, so the simulator's own vAPI is left out on purpose.
package main

import (
	"flag"
	"fmt"
	"log"
	"net/url"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	_ "github.com/vmware/govmomi/pbm/simulator"
	"github.com/vmware/govmomi/simulator"
)

// One cluster of three hosts, no virtual machines of its own; the port groups
// are one for the control plane and one for the workloads.
func model(version string) *simulator.Model {
	m := simulator.VPX()
	m.Datacenter = 1
	m.Cluster = 1
	m.ClusterHost = 3
	m.Host = 0
	m.Machine = 0
	m.Datastore = 1
	m.Portgroup = 2
	if version != "" {
		m.ServiceContent.About.Version = version
		m.ServiceContent.About.FullName = "VMware vCenter Server " + version
	}
	return m
}

func pinned() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, dep := range info.Deps {
		if dep.Path == "github.com/vmware/govmomi" {
			return dep.Version
		}
	}
	return "unknown"
}

func main() {
	listen := flag.String("l", "127.0.0.1:8989", "address and port to listen on")
	version := flag.String("vcenter-version", "", "version that the vCenter tells")
	show := flag.Bool("version", false, "show the version of govmomi and exit")
	flag.Parse()
	if *show {
		fmt.Println("vcsim govmomi", pinned())
		return
	}

	m := model(*version)
	if err := m.Create(); err != nil {
		log.Fatalf("inventory: %v", err)
	}
	m.Service.Listen = &url.URL{Host: *listen}
	m.Service.RegisterEndpoints = true
	server := m.Service.NewServer()
	log.Printf("listening on %s", server.URL.Host)

	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGINT, syscall.SIGTERM)
	<-stop
	server.Close()
	m.Remove() // its datastores are temporary folders
}
