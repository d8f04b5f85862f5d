# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How traffic comes into a Supervisor: one of five load balancers."""

from __future__ import annotations

import typing as t

from .._ports import Json, VCenter
from .supervisor_nsx import edge_cluster, tier0_gateway
from .supervisor_plan import provider_of
from .supervisor_preflight import refuse_unknown_zones

PROVIDERS = {"foundation": "VSPHERE_FOUNDATION", "haproxy": "HAPROXY", "nsx_advanced": "NSX_ADVANCED", "nsx": "NSX", "nsx_vpc": "NSX_VPC"}
INTERFACE_NETWORKS = {"portgroup": "DVPG", "management": "SUPERVISOR_MANAGEMENT", "workload": "PRIMARY_WORKLOAD"}
# Where a controller listens when nothing else is said.
PORTS = {"haproxy": 5556, "nsx_advanced": 443}


def edge(spec: Json, client: VCenter) -> Json:
    provider, balancer = provider_of(spec), spec.get("load_balancer") or {}
    build = OWN.get(provider)
    return {
        "provider": PROVIDERS[provider],
        "load_balancer_address_ranges": ranges(balancer.get("ranges")),
        **({} if build is None else {provider: build(spec, balancer, client)}),
    }


def ranges(asked: list[Json] | None) -> list[Json]:
    return [{"address": r["address"], "count": r["count"]} for r in asked or []]


def _account(balancer: Json) -> Json:
    return {"username": balancer["username"], "password": balancer["password"], "certificate_authority_chain": balancer["certificate_authority"]}


def _servers(provider: str, balancer: Json) -> list[Json]:
    return [{"host": s["host"], "port": s.get("port") or PORTS[provider]} for s in balancer["servers"]]


def _haproxy(spec: Json, balancer: Json, client: VCenter) -> Json:
    return {"servers": _servers("haproxy", balancer), **_account(balancer)}


def _nsx_advanced(spec: Json, balancer: Json, client: VCenter) -> Json:
    return {"server": _servers("nsx_advanced", balancer)[0], **_account(balancer), "cloud_name": balancer.get("cloud")}


def _nsx(spec: Json, balancer: Json, client: VCenter) -> Json:
    asked = balancer.get("nsx") or {}
    return {
        "edge_cluster_ID": edge_cluster(client, asked.get("edge_cluster")),
        "t0_gateway": tier0_gateway(client, asked.get("tier0_gateway"), spec["workloads"]["nsx"]["distributed_switch"]),
        "routing_mode": asked.get("routing_mode"),
        "egress_IP_ranges": ranges(asked.get("egress_ranges")),
        "load_balancer_size": asked.get("size"),
        "default_ingress_TLS_certificate": asked.get("ingress_certificate"),
    }


def _foundation(spec: Json, balancer: Json, client: VCenter) -> Json:
    asked = balancer.get("foundation") or {}
    dns, domains, ntp, syslog = (asked.get(key) for key in ("dns", "search_domains", "ntp", "syslog"))
    if asked.get("zone"):
        refuse_unknown_zones(client, [asked["zone"]])
    return {
        "deployment_target": {
            "zones": [asked["zone"]] if asked.get("zone") else None,
            "storage_policy": client.inventory.policy(asked.get("storage_policy")),
            "deployment_size": asked.get("size"),
            "availability": asked.get("availability"),
        },
        "interfaces": [_interface(entry, client) for entry in asked.get("interfaces") or []],
        "network_services": {
            "dns": {"servers": dns, "search_domains": domains or []} if dns else None,
            "ntp": {"servers": ntp} if ntp else None,
            "syslog": {"endpoint": syslog["endpoint"], "certificate_authority_pem": syslog.get("certificate_authority")} if syslog else None,
        },
    }


def _interface(entry: Json, client: VCenter) -> Json:
    network: dict[str, t.Any] = {"network_type": INTERFACE_NETWORKS[entry["network"]]}
    if entry["network"] == "portgroup":
        fixed = entry.get("ranges")
        network["dvpg_network"] = {
            "name": entry["name"],
            "network": client.inventory.network(entry["portgroup"]),
            "ipam": "STATIC" if fixed else "DHCP",
            "ip_config": {"ip_ranges": ranges(fixed), "gateway": entry.get("gateway")} if fixed else None,
        }
    return {"personas": entry["personas"], "network": network}


OWN: dict[str, t.Callable[[Json, Json, t.Any], Json]] = {"haproxy": _haproxy, "nsx_advanced": _nsx_advanced, "nsx": _nsx, "foundation": _foundation}
