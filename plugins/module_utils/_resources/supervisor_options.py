# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of a Supervisor, part by part; what they mean stands in the module."""

from __future__ import annotations

import typing as t

Spec = dict[str, dict[str, t.Any]]
TEXTS = {"type": "list", "elements": "str"}
RANGE: Spec = {"address": {"type": "str", "required": True}, "count": {"type": "int", "required": True}}
RANGES = {"type": "list", "elements": "dict", "options": RANGE}
# Of each network with addresses of its own.
ADDRESSES: Spec = {"gateway": {"type": "str"}, "address": {"type": "str"}, "dns": TEXTS, "search_domains": TEXTS, "ntp": TEXTS}

PROXY: Spec = {
    "source": {"type": "str", "choices": ["vcenter", "own", "none"], "default": "vcenter"},
    # Both may have a login in them.
    "https": {"type": "str", "no_log": True},
    "http": {"type": "str", "no_log": True},
    "no_proxy": TEXTS,
    "certificate_authority": {"type": "str"},
}
MANAGEMENT: Spec = {
    **ADDRESSES,
    "portgroup": {"type": "str"},
    "portgroups": TEXTS,
    "count": {"type": "int", "default": 5},
    "floating_address": {"type": "str"},
    "proxy": {"type": "dict", "options": PROXY, "required_if": [("source", "own", ["https", "http"], True)]},
}
CONTROL_PLANE: Spec = {
    "size": {"type": "str", "choices": ["TINY", "SMALL", "MEDIUM", "LARGE"], "default": "SMALL"},
    "count": {"type": "int", "choices": [1, 3]},
    "storage_policy": {"type": "str"},
    "login_banner": {"type": "str"},
    "network": {
        "type": "dict",
        "required": True,
        "options": MANAGEMENT,
        "mutually_exclusive": [("portgroup", "portgroups")],
        "required_one_of": [("portgroup", "portgroups")],
        "required_by": {"address": ["gateway"]},
    },
}
NSX: Spec = {
    "distributed_switch": {"type": "str", "required": True},
    "namespace_subnet_prefix": {"type": "int"},
    "pod_cidrs": TEXTS,
}
NSX_VPC: Spec = {
    "project": {"type": "str"},
    "connectivity_profile": {"type": "str"},
    "private_cidrs": {**TEXTS, "required": True},
}
REGISTRY: Spec = {
    "hostname": {"type": "str", "required": True},
    "port": {"type": "int"},
    "username": {"type": "str"},
    "password": {"type": "str", "no_log": True},
    "certificate_authority": {"type": "str"},
}
LIBRARY: Spec = {
    "name": {"type": "str", "required": True},
    "services": TEXTS,
    "naming": {"type": "str", "choices": ["FROM_ITEM_ID", "PREFER_ITEM_SOURCE_ID"]},
}
IMAGES: Spec = {
    "content_libraries": {"type": "list", "elements": "dict", "options": LIBRARY},
    "kubernetes_library": {"type": "str"},
    "registry": {"type": "dict", "options": REGISTRY, "required_together": [("username", "password")]},
    "repository": {"type": "str"},
}
STORAGE: Spec = {
    "ephemeral_storage_policy": {"type": "str"},
    "image_storage_policy": {"type": "str"},
    "file_volume_clusters": TEXTS,
}
WORKLOADS: Spec = {
    **ADDRESSES,
    "kind": {"type": "str", "choices": ["vsphere", "nsx", "nsx_vpc"], "default": "vsphere"},
    "portgroup": {"type": "str"},
    "count": {"type": "int", "default": 64},
    "service_cidr": {"type": "str"},
    "nsx": {"type": "dict", "options": NSX},
    "nsx_vpc": {"type": "dict", "options": NSX_VPC},
    "api_server_dns_names": TEXTS,
    "images": {"type": "dict", "options": IMAGES},
    "storage": {"type": "dict", "options": STORAGE},
}
INTERFACE: Spec = {
    "personas": {"type": "list", "elements": "str", "choices": ["MANAGEMENT", "WORKLOAD", "FRONTEND"], "required": True},
    "network": {"type": "str", "choices": ["portgroup", "management", "workload"], "default": "portgroup"},
    "name": {"type": "str"},
    "portgroup": {"type": "str"},
    "ranges": RANGES,
    "gateway": {"type": "str"},
}
FOUNDATION: Spec = {
    "size": {"type": "str", "choices": ["SMALL", "MEDIUM", "LARGE", "X_LARGE"]},
    "availability": {"type": "str", "choices": ["SINGLE_NODE", "ACTIVE_PASSIVE"]},
    "storage_policy": {"type": "str"},
    "zone": {"type": "str"},
    "interfaces": {
        "type": "list",
        "elements": "dict",
        "options": INTERFACE,
        "required_if": [("network", "portgroup", ["portgroup", "name"])],
        "required_together": [("ranges", "gateway")],
    },
    "dns": TEXTS,
    "search_domains": TEXTS,
    "ntp": TEXTS,
    "syslog": {"type": "dict", "options": {"endpoint": {"type": "str", "required": True}, "certificate_authority": {"type": "str"}}},
}
NSX_BALANCER: Spec = {
    "edge_cluster": {"type": "str"},
    "tier0_gateway": {"type": "str"},
    "egress_ranges": RANGES,
    "routing_mode": {"type": "str", "choices": ["NAT", "ROUTED"]},
    "size": {"type": "str", "choices": ["SMALL", "MEDIUM", "LARGE"]},
    # It has its key with it.
    "ingress_certificate": {"type": "str", "no_log": True},
}
SERVER: Spec = {"host": {"type": "str", "required": True}, "port": {"type": "int"}}
LOAD_BALANCER: Spec = {
    "provider": {"type": "str", "choices": ["foundation", "haproxy", "nsx_advanced", "nsx", "nsx_vpc"]},
    "ranges": RANGES,
    "servers": {"type": "list", "elements": "dict", "options": SERVER},
    "username": {"type": "str"},
    "password": {"type": "str", "no_log": True},
    "certificate_authority": {"type": "str"},
    "cloud": {"type": "str"},
    "foundation": {"type": "dict", "options": FOUNDATION},
    "nsx": {"type": "dict", "options": NSX_BALANCER},
}
LOGIN = ["servers", "username", "password", "certificate_authority"]
SPEC: Spec = {
    "name": {"type": "str", "required": True},
    "cluster": {"type": "str"},
    "zones": TEXTS,
    "control_plane": {"type": "dict", "options": CONTROL_PLANE},
    "workloads": {
        "type": "dict",
        "options": WORKLOADS,
        "mutually_exclusive": [("portgroup", "nsx", "nsx_vpc")],
        "required_if": [("kind", "vsphere", ["portgroup"]), ("kind", "nsx", ["nsx"]), ("kind", "nsx_vpc", ["nsx_vpc"])],
        "required_by": {"address": ["gateway"]},
    },
    "load_balancer": {
        "type": "dict",
        "options": LOAD_BALANCER,
        "required_if": [("provider", "haproxy", LOGIN), ("provider", "nsx_advanced", LOGIN)],
    },
    "storage_policy": {"type": "str"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    # A Supervisor takes up to some hours.
    "wait_timeout": {"type": "int", "default": 7200},
}
