# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The view of Supervisors by cluster: 7.0's, deprecated but served to this day, and compatibility."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from vcf_lab.vcenter import supervisors
from vcf_lab.vcenter.errors import ApiError, missing
from vcf_lab.vcenter.wcp_request import flag, has, message, no_content, since, unknown_operation

routes = web.RouteTableDef()
BASE = "/api/vcenter/namespace-management"


async def cluster_names(app: web.Application) -> dict[str, str]:
    """All clusters of the inventory, identifier to name."""
    return {entry["cluster"]: entry["name"] for entry in await app["inventory"].clusters()}


async def supervisor_of_cluster(request: web.Request) -> dict[str, Any]:
    """The Supervisor of the path's cluster: NOT_FOUND without the cluster, UNSUPPORTED without a Supervisor."""
    cluster = request.match_info["cluster"]
    record = supervisors.on_cluster(request.app["store"], cluster)
    if record is not None:
        return record
    if cluster not in await cluster_names(request.app):
        raise missing("ClusterComputeResource", cluster)
    raise ApiError("UNSUPPORTED", f"Cluster {cluster} does not have Workload Management enabled.", args=[cluster])


@routes.get(BASE + "/clusters")
async def list_clusters(request: web.Request) -> web.Response:
    names = await cluster_names(request.app)
    items = []
    for record in request.app["store"]["supervisors"].values():
        answer = supervisors.info(record)
        items.append(
            {
                "cluster": record["cluster"],
                "cluster_name": names.get(record["cluster"], ""),
                "stats": answer["stats"],
                "config_status": answer["config_status"],
                "kubernetes_status": answer["kubernetes_status"],
            }
        )
    return web.json_response(items)


@routes.get(BASE + "/clusters/{cluster}")
async def get_cluster(request: web.Request) -> web.Response:
    record = await supervisor_of_cluster(request)
    answer: dict[str, Any] = {
        "config_status": record["config_status"],
        "kubernetes_status": record["kubernetes_status"],
        "messages": [{"severity": entry["severity"], "details": entry["details"]} for entry in record["messages"]],
        "kubernetes_status_messages": [],
        "network_provider": "VSPHERE_NETWORK",
        "stats": supervisors.info(record)["stats"],
        "api_servers": [],
    }
    if record["config_status"] == "RUNNING":
        answer["api_server_cluster_endpoint"] = record["vip"]
        answer["api_server_management_endpoint"] = record["vip"]
        answer["api_servers"] = [record["vip"]]
        certificate = request.app["lab"].state / "pki" / "apiserver.crt"
        if certificate.exists():
            answer["tls_endpoint_certificate"] = certificate.read_text()
    if has(request, "8.0.1"):
        answer["conditions"] = record["conditions"]
    return web.json_response(answer)


@routes.post(BASE + "/clusters/{cluster}")
async def change_cluster(request: web.Request) -> web.Response:
    """`disable` is the only removal before 9.1."""
    action = request.query.get("action")
    if action == "disable":
        supervisors.remove(request.app, (await supervisor_of_cluster(request))["supervisor"])
        return no_content()
    if action == "enable":
        raise ApiError("UNSUPPORTED", "This vCenter enables by enable_on_compute_cluster only.")
    raise unknown_operation(request)


async def _compatibility(request: web.Request, providers: tuple[str, ...], provider: str) -> list[dict[str, Any]]:
    """One summary per cluster: taken clusters and networks that the lab lacks are the reasons."""
    items = []
    for cluster, name in (await cluster_names(request.app)).items():
        reasons = []
        if provider not in providers:
            reasons.append(message("The vCenter has no NSX Manager.", "vcenter.wcp.cluster.incompatible.nsx"))
        if supervisors.on_cluster(request.app["store"], cluster) is not None:
            text = f"Cluster {name} already has Workload Management enabled."
            reasons.append(message(text, "vcenter.wcp.cluster.incompatible.enabled"))
        items.append({"cluster": cluster, "compatible": not reasons, "incompatibility_reasons": reasons})
    wanted = flag(request, "compatible")
    return [item for item in items if wanted is None or item["compatible"] == wanted]


@routes.get(BASE + "/cluster-compatibility")
async def compatibility(request: web.Request) -> web.Response:
    provider = request.query.get("network_provider", "NSXT_CONTAINER_PLUGIN")
    return web.json_response(await _compatibility(request, ("VSPHERE_NETWORK",), provider))


@routes.get(BASE + "/cluster-compatibility/v2")
@since("8.0.1")
async def compatibility_v2(request: web.Request) -> web.Response:
    provider = request.query.get("network_provider", "VSPHERE")
    zones = request.query.getall("zones", [])
    items = await _compatibility(request, ("VSPHERE",), provider)
    found = [
        {"zone": item["cluster"], "compatible": item["compatible"], "cluster_summaries": [item]}
        for item in items
        if not zones or item["cluster"] in zones
    ]
    answer = {
        "compatible": bool(found) and all(item["compatible"] for item in found),
        "zone_summaries": found,
        "incompatibility_reasons": [],
    }
    return web.json_response(answer)


@routes.get(BASE + "/software/clusters")
async def software(request: web.Request) -> web.Response:
    records = request.app["store"]["supervisors"].values()
    return web.json_response([_software(record) for record in records])


@routes.get(BASE + "/software/clusters/{cluster}")
async def software_of_cluster(request: web.Request) -> web.Response:
    record = await supervisor_of_cluster(request)
    answer = _software(record)
    del answer["cluster"], answer["cluster_name"]
    return web.json_response({**answer, "available_versions": [], "messages": []})


def _software(record: dict[str, Any]) -> dict[str, Any]:
    return {
        "cluster": record["cluster"],
        "cluster_name": record["name"],
        "current_version": supervisors.KUBERNETES_VERSION,
        "desired_version": supervisors.KUBERNETES_VERSION,
        "state": "READY" if record["config_status"] == "RUNNING" else "PENDING",
        "available_versions": [],
    }


@routes.get(BASE + "/software/cluster-available-versions")
async def available_versions(request: web.Request) -> web.Response:
    version = {"version": supervisors.KUBERNETES_VERSION, "name": supervisors.KUBERNETES_VERSION, "description": ""}
    return web.json_response([version])


@routes.get("/api/vcenter/consumption-domains/zones")
@since("8.0.1")
async def zones(request: web.Request) -> web.Response:
    """Each cluster is a zone of its own, as after enable_on_compute_cluster."""
    items = [
        {"zone": record["zone"], "info": {"description": ""}}
        for record in request.app["store"]["supervisors"].values()
    ]
    return web.json_response({"items": items})
