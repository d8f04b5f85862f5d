# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the enable specification of a Supervisor means: which parts belong together, and what it names."""

from __future__ import annotations

import ipaddress
from typing import Any

from aiohttp import web

from vcf_lab import settings
from vcf_lab.vcenter import nsx
from vcf_lab.vcenter.errors import missing
from vcf_lab.vcenter.wcp_request import invalid

# Addresses of the load balancer where the specification leaves them to the platform.
DEFAULT_RANGE = {"address": "10.244.1.2", "count": 64}
_LAB = ipaddress.IPv4Network(f"{settings.BRIDGE_IP}/{settings.NETWORK_PREFIX}", strict=False)
# The part of the workload network, and the load balancers, that go with each network type.
_NETWORKS = {"VSPHERE": "vsphere", "NSXT": "nsx", "NSX_VPC": "nsx_vpc"}
_PROVIDERS = {
    "VSPHERE": ("HAPROXY", "NSX_ADVANCED", "VSPHERE_FOUNDATION"),
    "NSXT": ("NSX", "NSX_ADVANCED"),
    "NSX_VPC": ("NSX_VPC",),
}
# The part of the edge that a load balancer cannot do without, or may have.
_NEEDED = {"HAPROXY": "haproxy", "NSX_ADVANCED": "nsx_advanced"}
_EDGES = {**_NEEDED, "NSX": "nsx", "VSPHERE_FOUNDATION": "foundation"}
# Policies whose storage is in one host, so that no zone could take over.
_NOT_ZONAL = "Host-local"
Spec = dict[str, Any]


async def validate(app: web.Application, clusters: list[str], spec: Spec) -> None:
    """What the structure alone does not show; raises ApiError that names the field or the object."""
    known = {entry["cluster"] for entry in await app["inventory"].clusters()}
    for cluster in clusters:
        if cluster not in known:
            raise missing("ClusterComputeResource", cluster)
    if not spec["name"]:
        raise invalid("The name of a Supervisor cannot be empty.", "name")
    if spec["control_plane"].get("count", 3) not in (1, 3):
        raise invalid("control_plane.count is 1 or 3.", "control_plane.count")
    if {"size", "size_v2"} <= set(spec["control_plane"]):
        raise invalid("Only one of control_plane.size and control_plane.size_v2 can be given.", "control_plane.size_v2")
    on_nsx = spec["workloads"]["network"]["network_type"] != "VSPHERE"
    if on_nsx:
        nsx.require(app["store"])
    _parts(spec)
    if on_nsx:
        nsx.check(app["store"], spec)
    await _check_policies(app, spec, zonal=len(clusters) > 1)
    await _check_networks(app, spec)
    _check_libraries(app, spec)
    _addresses(spec)


def provider(spec: Spec) -> str:
    """The load balancer, given or the first of the network type."""
    return str(spec["workloads"]["edge"].get("provider", _PROVIDERS[spec["workloads"]["network"]["network_type"]][0]))


def _parts(spec: Spec) -> None:
    """The network has the part of its type and no other; the same for the edge."""
    network, edge = spec["workloads"]["network"], spec["workloads"]["edge"]
    kind, balancer = network["network_type"], provider(spec)
    _union("workloads.network", network, "network_type", kind, _NETWORKS)
    if _NETWORKS[kind] not in network:
        at = f"workloads.network.{_NETWORKS[kind]}"
        raise invalid(f"{at} has to be given with network_type {kind}.", at)
    if balancer not in _PROVIDERS[kind]:
        text = f"The load balancer {balancer} does not go with network_type {kind}: {', '.join(_PROVIDERS[kind])}."
        raise invalid(text, "workloads.edge.provider", balancer)
    _union("workloads.edge", edge, "provider", balancer, _EDGES)
    if balancer in _NEEDED and _NEEDED[balancer] not in edge:
        at = f"workloads.edge.{_NEEDED[balancer]}"
        raise invalid(f"{at} has to be given with provider {balancer}.", at)
    if "haproxy" in edge and not edge["haproxy"]["servers"]:
        raise invalid("workloads.edge.haproxy.servers cannot be empty.", "workloads.edge.haproxy.servers")


def _union(at: str, value: Spec, tag: str, word: str, parts: dict[str, str]) -> None:
    for other, part in parts.items():
        if other != word and part in value:
            raise invalid(f"{at}.{part} cannot be given with {tag} {word}.", f"{at}.{part}", id="vapi.data.union.extra")


async def _check_policies(app: web.Application, spec: Spec, *, zonal: bool) -> None:
    policies = {entry["policy"]: entry["name"] for entry in await app["inventory"].policies()}
    for field, policy in _policies(spec):
        if policy not in policies:
            raise invalid(f"{field}: the storage policy '{policy}' does not exist.", field, policy)
        if zonal and policies[policy].startswith(_NOT_ZONAL):
            text = f"{field}: the storage policy '{policies[policy]}' is not for zonal topology."
            raise invalid(text, field, policy, id="vcenter.wcp.storage_policy.not_zonal")


def _policies(spec: Spec) -> list[tuple[str, str]]:
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


async def _check_networks(app: web.Application, spec: Spec) -> None:
    networks = {entry["network"]: entry for entry in await app["inventory"].networks()}
    for field, network in _networks(spec):
        if network not in networks:
            raise invalid(f"{field}: the network '{network}' does not exist.", field, network)
        if not field.startswith("control_plane") and networks[network]["type"] != "DISTRIBUTED_PORTGROUP":
            raise invalid(f"{field}: '{network}' is not a distributed port group.", field, network)


def _networks(spec: Spec) -> list[tuple[str, str]]:
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
    if "vsphere" in spec["workloads"]["network"]:
        named.append(("workloads.network.vsphere.dvpg", spec["workloads"]["network"]["vsphere"]["dvpg"]))
    for number, interface in enumerate(spec["workloads"]["edge"].get("foundation", {}).get("interfaces", [])):
        field, network = f"workloads.edge.foundation.interfaces[{number}].network", interface["network"]
        if (network["network_type"] == "DVPG") != ("dvpg_network" in network):
            raise invalid(f"{field}.dvpg_network has to be given with network_type DVPG, and only then.", field)
        if "dvpg_network" in network:
            named.append((f"{field}.dvpg_network.network", network["dvpg_network"]["network"]))
    return named


def _check_libraries(app: web.Application, spec: Spec) -> None:
    images = spec["workloads"].get("images", {})
    named = [entry["content_library"] for entry in images.get("content_libraries", [])]
    if "kubernetes_content_library" in images:
        named.append(images["kubernetes_content_library"])
    for library in named:
        if library not in app["store"]["libraries"]:
            raise invalid(f"The content library '{library}' does not exist.", "workloads.images", library)


def _addresses(spec: Spec) -> None:
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
    if not ranges and provider(spec) not in ("NSX_VPC", "NSX_ADVANCED"):
        raise invalid(f"{field} has to be given with provider {provider(spec)}.", field)
    for entry in ranges:
        first = _parsed(field, entry["address"], ipaddress.IPv4Address)
        if entry["count"] < 1 or first not in _LAB or first + entry["count"] - 1 not in _LAB:
            raise invalid(f"{field}: {entry['count']} addresses from {first} are not all in {_LAB}.", field)


def _parsed(field: str, text: str, kind: type) -> Any:
    try:
        return kind(text)
    except ValueError as error:
        raise invalid(f"{field}: '{text}' is not an address: {error}", field, text) from error


def load_balancer_range(spec: Spec) -> Spec:
    """The first range of addresses; NSX VPC and NSX Advanced have their own."""
    ranges = spec["workloads"]["edge"].get("load_balancer_address_ranges") or [DEFAULT_RANGE]
    return dict(ranges[0])


def remembered(value: Any) -> Any:
    """The specification without any password, which no read gives back."""
    if isinstance(value, dict):
        return {key: remembered(entry) for key, entry in value.items() if key != "password"}
    return [remembered(entry) for entry in value] if isinstance(value, list) else value
