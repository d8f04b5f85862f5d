# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What vCenter wants to hear when a Supervisor is enabled, out of the options of the module."""

from __future__ import annotations

import typing as t

PROVIDERS = {"foundation": "VSPHERE_FOUNDATION", "haproxy": "HAPROXY"}


def enable_body(name: str, spec: dict, inventory: t.Any) -> dict:
    """The specification of vCenter out of the options; names become ids."""
    control, work = spec["control_plane"], spec["workloads"]
    balancer = spec.get("load_balancer") or {}
    policy = inventory.policy(spec.get("storage_policy"))
    return pruned(
        {
            "name": name,
            "control_plane": {
                "size": control.get("size"),
                "count": control.get("count"),
                "storage_policy": inventory.policy(control.get("storage_policy")) or policy,
                "network": management_network(control["network"], inventory),
            },
            "workloads": {
                "network": workload_network(work, inventory),
                "edge": edge(balancer),
                "storage": {"ephemeral_storage_policy": policy, "image_storage_policy": policy},
            },
        }
    )


def management_network(network: dict, inventory: t.Any) -> dict:
    segment = {"networks": [inventory.network(network["portgroup"])]}
    return {
        "network": "management",
        "backing": {"backing": "NETWORK_SEGMENT", "network_segment": segment},
        "ip_management": addresses(network, []),
        "services": services(network),
        "proxy": {"proxy_settings_source": "VC_INHERITED"},
    }


def workload_network(work: dict, inventory: t.Any) -> dict:
    service_range = []
    if work.get("service_cidr"):
        start, slash, bits = work["service_cidr"].partition("/")
        service_range = [{"assignee": "SERVICE", "ranges": [{"address": start, "count": 2 ** (32 - int(bits or 32))}]}]
    return {
        "network": "workload",
        "network_type": "VSPHERE",
        "vsphere": {"dvpg": inventory.network(work["portgroup"])},
        "ip_management": addresses(work, service_range),
        "services": services(work),
    }


def addresses(network: dict, more: list[dict]) -> dict:
    """A fixed range where one is given, else DHCP."""
    if not network.get("address"):
        return {"dhcp_enabled": True, "ip_assignments": more}
    node = {"assignee": "NODE", "ranges": [{"address": network["address"], "count": network["count"]}]}
    return {"dhcp_enabled": False, "gateway_address": network.get("gateway"), "ip_assignments": [node, *more]}


def services(network: dict) -> dict:
    domains = network.get("search_domains") or []
    dns = {"servers": network["dns"], "search_domains": domains} if network.get("dns") else None
    return {"dns": dns, "ntp": {"servers": network["ntp"]} if network.get("ntp") else None}


def edge(balancer: dict) -> dict:
    result = {
        "provider": PROVIDERS[balancer.get("provider") or "foundation"],
        "load_balancer_address_ranges": [{"address": r["address"], "count": r["count"]} for r in balancer.get("ranges") or []],
    }
    if result["provider"] == "HAPROXY":
        result["haproxy"] = {
            "servers": [{"host": s["host"], "port": s["port"]} for s in balancer.get("servers") or []],
            "username": balancer.get("username"),
            "password": balancer.get("password"),
            "certificate_authority_chain": balancer.get("certificate_authority"),
        }
    return result


def pruned(value: t.Any) -> t.Any:
    """Without keys that are not set: vCenter reads an explicit null or an empty structure as a value."""
    if isinstance(value, dict):
        inner = {k: pruned(v) for k, v in value.items()}
        return {k: v for k, v in inner.items() if v is not None and v != {} and not (v == [] and k != "search_domains")}
    if isinstance(value, list):
        return [pruned(v) for v in value]
    return value
