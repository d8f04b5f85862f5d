# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Supervisor as the view by cluster tells it: one long answer, longer with each release."""

from __future__ import annotations

import ipaddress
from typing import Any

from aiohttp import web

from vcf_lab import settings
from vcf_lab.vcenter import supervisor_networks, supervisors
from vcf_lab.vcenter.wcp_request import has

Record = dict[str, Any]


def info(request: web.Request, record: Record) -> Record:
    """The Info of `clusters/{cluster}`; no password is in it, as none is kept."""
    answer = {
        "config_status": record["config_status"],
        "kubernetes_status": record["kubernetes_status"],
        "messages": [{"severity": entry["severity"], "details": entry["details"]} for entry in record["messages"]],
        "kubernetes_status_messages": [],
        "stat_summary": dict(supervisors.STATS),
        "api_servers": [],
        **_specified(record["spec"]["control_plane"], record["spec"]["workloads"]),
    }
    if record["networks"]:
        networks = [{"network": name, **entry} for name, entry in record["networks"].items()]
        answer["workload_networks"] = {"supervisor_primary_workload_network": networks[0], "network_list": networks}
    if record["config_status"] == "RUNNING":
        answer |= {"api_server_cluster_endpoint": record["vip"], "api_server_management_endpoint": record["vip"]}
        answer["api_servers"] = [record["vip"]]
        certificate = request.app["lab"].state / "pki" / "apiserver.crt"
        if certificate.exists():
            answer["tls_endpoint_certificate"] = certificate.read_text()
    return answer | _newer(request, record)


def _specified(control_plane: Record, workloads: Record) -> Record:
    """What the enabling said, in the words of 7.0."""
    management, storage, images = control_plane["network"], workloads.get("storage", {}), workloads.get("images", {})
    services, master = management.get("services", {}), {"mode": "DHCP"}
    if management.get("ip_management", {}).get("gateway_address"):
        master["mode"] = "STATICRANGE"
    if "network" in management["backing"]:
        master["network"] = management["backing"]["network"]
    policy = control_plane["storage_policy"]
    answer = {
        "network_provider": supervisor_networks.PROVIDERS[workloads["network"]["network_type"]],
        "size_hint": control_plane.get("size", "SMALL"),
        "service_cidr": _service_cidr(workloads["network"]),
        "master_management_network": master,
        "master_DNS": services.get("dns", {}).get("servers", []),
        "master_DNS_search_domains": services.get("dns", {}).get("search_domains", []),
        "master_NTP_servers": services.get("ntp", {}).get("servers", []),
        "master_storage_policy": policy,
        "ephemeral_storage_policy": storage.get("ephemeral_storage_policy", policy),
        "image_storage": {"storage_policy": storage.get("image_storage_policy", policy)},
    }
    if "kubernetes_content_library" in images:
        answer["default_kubernetes_service_content_library"] = images["kubernetes_content_library"]
    if "login_banner" in control_plane:
        answer["login_banner"] = control_plane["login_banner"]
    return answer


def _service_cidr(network: Record) -> Record:
    """The addresses of Services as a network; a count that is no power of two is rounded down."""
    for assignment in network.get("ip_management", {}).get("ip_assignments", []):
        if assignment.get("assignee") == "SERVICE" and assignment["ranges"]:
            first = assignment["ranges"][0]
            return {"address": first["address"], "prefix": 33 - max(first["count"], 1).bit_length()}
    default = ipaddress.IPv4Network(settings.SERVICE_CIDR)
    return {"address": str(default.network_address), "prefix": default.prefixlen}


def _newer(request: web.Request, record: Record) -> Record:
    """What later releases added."""
    answer: Record = {}
    if has(request, "8.0.1"):
        answer["conditions"] = record["conditions"]
    if has(request, "8.0.3"):
        answer["content_libraries"] = record["spec"]["workloads"].get("images", {}).get("content_libraries", [])
    if has(request, "9.0"):
        answer["count"] = record["spec"]["control_plane"].get("count", 3)
        answer["supervisor_services_enabled"] = record.get("supervisor_services_enabled", True)
        answer["vsphere_pods_enabled"] = True
    return answer
