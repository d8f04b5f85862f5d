// A vCenter without data centre: vim25 inventory and storage profiles of govmomi's simulator.
package main

import (
	_ "github.com/vmware/govmomi/pbm/simulator"
	_ "github.com/vmware/govmomi/simulator"
)

func main() {}
