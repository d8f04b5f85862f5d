# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The enable specification of a Supervisor: its structure, and what it names in the inventory."""

from __future__ import annotations

import ipaddress
from typing import Any

from aiohttp import web

from vcf_lab import settings
from vcf_lab.vcenter.errors import ApiError, missing
from vcf_lab.vcenter.wcp_request import invalid

_RANGES = [{"address*": str, "count*": int}]
_SERVICES = {
    "dns": {"servers*": [str], "search_domains*": [str]},
    "ntp": {"servers*": [str]},
}
_IP_MANAGEMENT = {
    "dhcp_enabled": bool,
    "gateway_address": str,
    "ip_assignments": [{"assignee": ("NODE", "POD", "SERVICE"), "ranges*": _RANGES}],
}
_PROXY = {
    "proxy_settings_source*": ("VC_INHERITED", "CLUSTER_CONFIGURED", "NONE"),
    "https_proxy_config": str,
    "http_proxy_config": str,
    "no_proxy_config": [str],
    "tls_root_ca_bundle": str,
}
_CONTROL_PLANE = {
    "network*": {
        "network": str,
        "backing*": {
            "backing*": ("NETWORK", "NETWORK_SEGMENT"),
            "network": str,
            "network_segment": {"networks*": [str]},
        },
        "services": _SERVICES,
        "ip_management": _IP_MANAGEMENT,
        "floating_IP_address": str,
        "proxy": _PROXY,
    },
    "size": ("TINY", "SMALL", "MEDIUM", "LARGE"),
    "size_v2": str,
    "storage_policy": str,
    "count": int,
    "login_banner": str,
}
_WORKLOAD_NETWORK = {
    "network": str,
    "network_type*": ("VSPHERE", "NSXT", "NSX_VPC"),
    "vsphere": {"dvpg*": str},
    "nsx": dict,
    "nsx_vpc": dict,
    "services": _SERVICES,
    "ip_management": _IP_MANAGEMENT,
}
_HAPROXY = {
    "servers*": [{"host*": str, "port*": int}],
    "username*": str,
    "password*": str,
    "certificate_authority_chain*": str,
}
_FOUNDATION = {
    "deployment_target": {
        "zones": [str],
        "storage_policy": str,
        "deployment_size": ("SMALL", "MEDIUM", "LARGE", "X_LARGE"),
        "availability": ("SINGLE_NODE", "ACTIVE_PASSIVE"),
    },
    "interfaces": [
        {
            "personas*": [("MANAGEMENT", "WORKLOAD", "FRONTEND")],
            "network*": {
                "network_type*": str,
                "dvpg_network": {"name*": str, "network*": str, "ipam*": str, "ip_config": dict},
            },
        }
    ],
    "network_services": dict,
}
_EDGE = {
    "id": str,
    "provider": ("HAPROXY", "NSX", "NSX_ADVANCED", "NSX_VPC", "VSPHERE_FOUNDATION"),
    "load_balancer_address_ranges": _RANGES,
    "haproxy": _HAPROXY,
    "nsx_advanced": dict,
    "nsx": dict,
    "foundation": _FOUNDATION,
}
ENABLE = {
    "name*": str,
    "zone": str,
    "control_plane*": _CONTROL_PLANE,
    "workloads*": {
        "network*": _WORKLOAD_NETWORK,
        "edge*": _EDGE,
        "kube_API_server_options": {"security": {"certificate_dns_names*": [str]}},
        "images": {
            "registry": dict,
            "repository": str,
            "kubernetes_content_library": str,
            "content_libraries": [
                {"content_library*": str, "supervisor_services": [str], "resource_naming_strategy": str}
            ],
        },
        "storage": {
            "ephemeral_storage_policy": str,
            "image_storage_policy": str,
            "cloud_native_file_volume": dict,
        },
    },
}


async def validate(app: web.Application, cluster: str, spec: dict[str, Any]) -> None:
    """What the structure alone does not show; raises ApiError that names the field or the object."""
    inventory = app["inventory"]
    if cluster not in {entry["cluster"] for entry in await inventory.clusters()}:
        raise missing("ClusterComputeResource", cluster)
    if not spec["name"]:
        raise invalid("The name of a Supervisor cannot be empty.", "name")
    if spec["control_plane"].get("count", 3) not in (1, 3):
        raise invalid("control_plane.count is 1 or 3.", "control_plane.count")
    _unsupported_here(spec)
    policies = {entry["policy"] for entry in await inventory.policies()}
    for field, policy in _policies(spec):
        if policy not in policies:
            raise invalid(f"{field}: the storage policy '{policy}' does not exist.", field, policy)
    networks = {entry["network"]: entry for entry in await inventory.networks()}
    for field, network in _networks(spec):
        if network not in networks:
            raise invalid(f"{field}: the network '{network}' does not exist.", field, network)
    dvpg = spec["workloads"]["network"]["vsphere"]["dvpg"]
    if networks[dvpg]["type"] != "DISTRIBUTED_PORTGROUP":
        raise invalid(
            f"workloads.network.vsphere.dvpg: '{dvpg}' is not a distributed port group.",
            "workloads.network.vsphere.dvpg",
            dvpg,
        )
    for library in spec["workloads"].get("images", {}).get("content_libraries", []):
        if library["content_library"] not in app["store"]["libraries"]:
            raise invalid(f"The content library '{library['content_library']}' does not exist.")
    _addresses(spec)


def _unsupported_here(spec: dict[str, Any]) -> None:
    network, edge = spec["workloads"]["network"], spec["workloads"]["edge"]
    if network["network_type"] != "VSPHERE":
        raise ApiError("UNSUPPORTED", f"This vCenter has no NSX; network_type {network['network_type']} cannot be used.")
    if "vsphere" not in network:
        raise invalid("workloads.network.vsphere has to be given with network_type VSPHERE.", "workloads.network.vsphere")
    provider = edge.get("provider", "HAPROXY")
    if provider not in ("HAPROXY", "VSPHERE_FOUNDATION"):
        raise ApiError("UNSUPPORTED", f"The load balancer {provider} is not available on this vCenter.")
    if provider == "HAPROXY" and "haproxy" not in edge:
        raise invalid("workloads.edge.haproxy has to be given with provider HAPROXY.", "workloads.edge.haproxy")


def _policies(spec: dict[str, Any]) -> list[tuple[str, str]]:
    control_plane, workloads = spec["control_plane"], spec["workloads"]
    if "storage_policy" not in control_plane:
        raise invalid("control_plane.storage_policy has to be given.", "control_plane.storage_policy")
    named = [("control_plane.storage_policy", control_plane["storage_policy"])]
    for field in ("ephemeral_storage_policy", "image_storage_policy"):
        if field in workloads.get("storage", {}):
            named.append((f"workloads.storage.{field}", workloads["storage"][field]))
    target = workloads["edge"].get("foundation", {}).get("deployment_target", {})
    if "storage_policy" in target:
        named.append(("workloads.edge.foundation.deployment_target.storage_policy", target["storage_policy"]))
    return named


def _networks(spec: dict[str, Any]) -> list[tuple[str, str]]:
    backing = spec["control_plane"]["network"]["backing"]
    at = "control_plane.network.backing"
    if backing["backing"] == "NETWORK":
        if "network" not in backing:
            raise invalid(f"{at}.network has to be given with backing NETWORK.", f"{at}.network")
        named = [(f"{at}.network", backing["network"])]
    else:
        if not backing.get("network_segment", {}).get("networks"):
            raise invalid(f"{at}.network_segment.networks has to be given with backing NETWORK_SEGMENT.", at)
        named = [(f"{at}.network_segment.networks", name) for name in backing["network_segment"]["networks"]]
    named.append(("workloads.network.vsphere.dvpg", spec["workloads"]["network"]["vsphere"]["dvpg"]))
    for interface in spec["workloads"]["edge"].get("foundation", {}).get("interfaces", []):
        if "dvpg_network" in interface["network"]:
            named.append(("workloads.edge.foundation.interfaces", interface["network"]["dvpg_network"]["network"]))
    return named


def _addresses(spec: dict[str, Any]) -> None:
    """Addresses that parse, and a load balancer range that this lab's network can carry."""
    for part in ("control_plane", "workloads"):
        management = spec[part]["network"].get("ip_management", {})
        gateway = management.get("gateway_address")
        if gateway is not None:
            _parsed(f"{part}.network.ip_management.gateway_address", gateway, ipaddress.IPv4Interface)
        if part == "control_plane" and management.get("dhcp_enabled") is False and gateway is None:
            raise invalid(f"{part}.network.ip_management.gateway_address has to be given without DHCP.", part)
        for assignment in management.get("ip_assignments", []):
            for entry in assignment["ranges"]:
                _parsed(f"{part}.network.ip_management.ip_assignments", entry["address"], ipaddress.IPv4Address)
    field = "workloads.edge.load_balancer_address_ranges"
    ranges = spec["workloads"]["edge"].get("load_balancer_address_ranges", [])
    if not ranges:
        raise invalid(f"{field} has to be given.", field)
    lab = ipaddress.IPv4Network(f"{settings.BRIDGE_IP}/{settings.NETWORK_PREFIX}", strict=False)
    for entry in ranges:
        first = _parsed(field, entry["address"], ipaddress.IPv4Address)
        if entry["count"] < 1 or first not in lab or first + entry["count"] - 1 not in lab:
            raise invalid(f"{field}: {entry['count']} addresses from {first} are not all in {lab}.", field)


def _parsed(field: str, text: str, kind: type) -> Any:
    try:
        return kind(text)
    except ValueError as error:
        raise invalid(f"{field}: '{text}' is not an address: {error}", field, text) from error


def remembered(spec: dict[str, Any]) -> dict[str, Any]:
    """The specification without the load balancer's password, which no read gives back."""
    edge = dict(spec["workloads"]["edge"])
    if "haproxy" in edge:
        edge["haproxy"] = {key: value for key, value in edge["haproxy"].items() if key != "password"}
    return {**spec, "workloads": {**spec["workloads"], "edge": edge}}
