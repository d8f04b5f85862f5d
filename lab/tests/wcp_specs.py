# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Specifications that enable a Supervisor, in the words of each release."""

from __future__ import annotations

from typing import Any

NM = "/api/vcenter/namespace-management"
ENABLE_PATH = f"{NM}/supervisors/domain-c9?action=enable_on_compute_cluster"
POLICY = "aa6d5a82-1c88-45da-85d3-3d74b91a5bad"
PMEM = "c268da1b-b343-49f7-a468-b1deeb7078e0"
HAPROXY = {
    "servers": [{"host": "10.244.0.9", "port": 5556}],
    "username": "wcp",
    "password": "planted",
    "certificate_authority_chain": "pem",
}


def enable_spec_of(version: str) -> dict[str, Any]:
    """The specification in the words of a release from 8.0 on; the Foundation load balancer came with 9.0."""
    spec = enable_spec()
    if version < "9.0":
        del spec["control_plane"]["count"]
        spec["workloads"]["edge"] |= {"provider": "HAPROXY", "haproxy": dict(HAPROXY)}
    return spec


def enable_spec_v1() -> dict[str, Any]:
    """The specification in the words of 7.0."""
    network = {
        "portgroup": "dvportgroup-11",
        "address_ranges": [{"address": "10.244.0.100", "count": 20}],
        "gateway": "10.244.0.1",
        "subnet_mask": "255.255.0.0",
    }
    return {
        "size_hint": "TINY",
        "service_cidr": {"address": "10.96.0.0", "prefix": 16},
        "network_provider": "VSPHERE_NETWORK",
        "workload_networks_spec": {
            "supervisor_primary_workload_network": {
                "network": "primary",
                "network_provider": "VSPHERE_NETWORK",
                "vsphere_network": network,
            }
        },
        "load_balancer_config_spec": {
            "id": "lb",
            "provider": "HA_PROXY",
            "address_ranges": [{"address": "10.244.1.2", "count": 64}],
            "ha_proxy_config_create_spec": dict(HAPROXY),
        },
        "master_management_network": {"network": "dvportgroup-11", "mode": "DHCP"},
        "master_storage_policy": POLICY,
        "ephemeral_storage_policy": POLICY,
        "image_storage": {"storage_policy": POLICY},
    }


def enable_spec() -> dict[str, Any]:
    """A specification with all that is needed and no more."""
    return {
        "name": "sv1",
        "control_plane": {
            "count": 1,
            "size": "SMALL",
            "storage_policy": POLICY,
            "network": {"backing": {"backing": "NETWORK", "network": "dvportgroup-11"}},
        },
        "workloads": {
            "network": {"network_type": "VSPHERE", "vsphere": {"dvpg": "dvportgroup-11"}},
            "edge": {
                "provider": "VSPHERE_FOUNDATION",
                "load_balancer_address_ranges": [{"address": "10.244.1.2", "count": 64}],
            },
        },
    }
