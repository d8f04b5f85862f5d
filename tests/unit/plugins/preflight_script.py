# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the preflight of a VMRayCluster asks a namespace ``ns`` that has all it needs, for a Scripted client."""

from __future__ import annotations

IMAGES = [{"metadata": {"name": "vmi-1"}, "status": {"name": "ubuntu", "conditions": [{"type": "Ready", "status": "True"}]}}]


def vm_class(name: str, devices: dict | None = None) -> dict:
    return {"metadata": {"name": name}, "spec": {"hardware": {"cpus": 2, "memory": "4096Mi", **({"devices": devices} if devices else {})}}}


# Of a cluster that exists, when its image is to be another one.
OFFER = [
    ("list", ("VirtualMachineImage", "ns"), IMAGES),
    ("list", ("VirtualMachineClass", "ns"), [vm_class("small")]),
    ("names", ("StorageClass",), ["fast", "slow"]),
    ("list", ("ResourceQuota", "ns"), []),
]
LEFTOVERS = [
    ("names", ("Secret", "ns"), []),
    ("names", ("VirtualMachine", "ns"), []),
    ("names", ("VirtualMachineService", "ns"), []),
    ("names", ("ServiceAccount", "ns"), ["default"]),
    ("names", ("Role", "ns"), []),
    ("names", ("RoleBinding", "ns"), []),
]
# Of a new cluster.
PREFLIGHT = [*OFFER, *LEFTOVERS]
