# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The networks of a Supervisor: that of its control plane, and the first one of its workloads."""

from __future__ import annotations

import ipaddress
import typing as t

from .._ports import Json, VCenter
from .supervisor_nsx import vpc_profile, vpc_project

# What the two networks are called in Kubernetes.
MANAGEMENT, WORKLOAD = "management", "workload"
# The first release that takes a set of port groups; since then the single one is deprecated.
SEGMENTS = (8, 0, 3)
PROXY_SOURCES = {"vcenter": "VC_INHERITED", "own": "CLUSTER_CONFIGURED", "none": "NONE"}


def management_network(network: Json, client: VCenter) -> Json:
    names = network.get("portgroups") or [network["portgroup"]]
    ids = [client.inventory.network(name) for name in names]
    if client.version >= SEGMENTS:
        backing: Json = {"backing": "NETWORK_SEGMENT", "network_segment": {"networks": ids}}
    else:
        backing = {"backing": "NETWORK", "network": ids[0]}
    return {
        "network": MANAGEMENT,
        "backing": backing,
        "ip_management": addresses(network, []),
        "services": services(network),
        "floating_IP_address": network.get("floating_address"),
        "proxy": proxy(network.get("proxy") or {"source": "vcenter"}),
    }


def proxy(asked: Json) -> Json:
    return {
        "proxy_settings_source": PROXY_SOURCES[asked["source"]],
        "https_proxy_config": asked.get("https"),
        "http_proxy_config": asked.get("http"),
        "no_proxy_config": asked.get("no_proxy"),
        "tls_root_ca_bundle": asked.get("certificate_authority"),
    }


def workload_network(work: Json, client: VCenter) -> Json:
    kind = WORKLOADS[work["kind"]]
    nsx = work.get("nsx") or {}
    asked = (("SERVICE", [work.get("service_cidr") or ""]), ("POD", nsx.get("pod_cidrs")))
    ranges = [assignment(who, cidrs) for who, cidrs in asked if cidrs and cidrs[0]]
    return {
        "network": WORKLOAD,
        **kind(work, client),
        "ip_management": addresses(work, ranges, dhcp=work["kind"] == "vsphere"),
        "services": services(work),
    }


def _vsphere(work: Json, client: VCenter) -> Json:
    return {"network_type": "VSPHERE", "vsphere": {"dvpg": client.inventory.network(work["portgroup"])}}


def _nsx(work: Json, client: VCenter) -> Json:
    nsx = work["nsx"]
    return {"network_type": "NSXT", "nsx": {"dvs": client.inventory.distributed_switch(nsx["distributed_switch"]),
                                            "namespace_subnet_prefix": nsx.get("namespace_subnet_prefix")}}


def _nsx_vpc(work: Json, client: VCenter) -> Json:
    vpc = work["nsx_vpc"]
    project = vpc_project(client, vpc.get("project"))
    return {"network_type": "NSX_VPC", "nsx_vpc": {
        "nsx_project": project,
        "vpc_connectivity_profile": vpc_profile(client, project, vpc.get("connectivity_profile")),
        "default_private_cidrs": [cidr(text) for text in vpc["private_cidrs"]],
    }}


WORKLOADS: dict[str, t.Callable[[Json, t.Any], Json]] = {"vsphere": _vsphere, "nsx": _nsx, "nsx_vpc": _nsx_vpc}


def cidr(text: str) -> Json:
    network = ipaddress.ip_network(text)
    return {"address": str(network.network_address), "prefix": network.prefixlen}


def assignment(assignee: str, cidrs: list[str]) -> Json:
    """vCenter takes ranges of addresses where people think in networks."""
    networks = [ipaddress.ip_network(text) for text in cidrs]
    return {"assignee": assignee, "ranges": [{"address": str(n.network_address), "count": n.num_addresses} for n in networks]}


def addresses(network: Json, more: list[Json], dhcp: bool = True) -> Json:
    """A fixed range where one is given, else DHCP, which NSX has no use for."""
    if not network.get("address"):
        return {"dhcp_enabled": True if dhcp else None, "gateway_address": network.get("gateway"), "ip_assignments": more}
    node = {"assignee": "NODE", "ranges": [{"address": network["address"], "count": network["count"]}]}
    return {"dhcp_enabled": False, "gateway_address": network.get("gateway"), "ip_assignments": [node, *more]}


def services(network: Json) -> Json:
    domains = network.get("search_domains") or []
    dns = {"servers": network["dns"], "search_domains": domains} if network.get("dns") else None
    return {"dns": dns, "ntp": {"servers": network["ntp"]} if network.get("ntp") else None}
