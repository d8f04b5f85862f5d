# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The view of Supervisors by cluster: 7.0's, deprecated but served to this day, and compatibility."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from vcf_lab.vcenter import nsx, supervisor_cluster_info, supervisor_enable, supervisors
from vcf_lab.vcenter.errors import missing
from vcf_lab.vcenter.supervisors import cluster_names, supervisor_of_cluster
from vcf_lab.vcenter.wcp_request import flag, has, invalid, message, no_content, since, unknown_operation

routes = web.RouteTableDef()
BASE = "/api/vcenter/namespace-management"


@routes.get(BASE + "/clusters")
async def list_clusters(request: web.Request) -> web.Response:
    """One entry per cluster: a Supervisor on three zones has three."""
    names = await cluster_names(request.app)
    items = [
        {
            "cluster": cluster,
            "cluster_name": names.get(cluster, ""),
            "stats": dict(supervisors.STATS),
            "config_status": record["config_status"],
            "kubernetes_status": record["kubernetes_status"],
        }
        for record in request.app["store"]["supervisors"].values()
        for cluster in supervisors.clusters_of(record)
    ]
    return web.json_response(items)


@routes.get(BASE + "/clusters/{cluster}")
async def get_cluster(request: web.Request) -> web.Response:
    return web.json_response(supervisor_cluster_info.info(request, await supervisor_of_cluster(request)))


@routes.post(BASE + "/clusters/{cluster}")
async def change_cluster(request: web.Request) -> web.Response:
    """`enable` is the only way in before 8.0, `disable` the only way out before 9.1."""
    action = request.query.get("action")
    if action == "disable":
        supervisors.remove(request.app, (await supervisor_of_cluster(request))["supervisor"])
        return no_content()
    if action == "enable":
        await supervisor_enable.enable_v1(request)
        return no_content()
    raise unknown_operation(request)


async def _compatibility(request: web.Request, provider: str) -> list[dict[str, Any]]:
    """One summary per cluster: taken clusters and networks that the lab lacks are the reasons."""
    store, items = request.app["store"], []
    for cluster, name in (await cluster_names(request.app)).items():
        reasons = [] if provider in ("VSPHERE", "VSPHERE_NETWORK") else nsx.reasons(store)
        if supervisors.on_cluster(store, cluster) is not None:
            text = f"Cluster {name} already has Workload Management enabled."
            reasons.append(message(text, "vcenter.wcp.cluster.incompatible.enabled"))
        items.append({"cluster": cluster, "compatible": not reasons, "incompatibility_reasons": reasons})
    return items


def _provider(request: web.Request, known: tuple[str, ...], default: str) -> str:
    """The network provider of the query; without one it is NSX, on every release."""
    word = request.query.get("network_provider", default)
    if word not in known or (word == "NSX_VPC" and not has(request, "9.0")):
        raise invalid(f"'{word}' is not a value of 'network_provider'.", "network_provider", word)
    return word


@routes.get(BASE + "/cluster-compatibility")
async def compatibility(request: web.Request) -> web.Response:
    known = ("NSXT_CONTAINER_PLUGIN", "VSPHERE_NETWORK", "NSX_VPC")
    items, wanted = await _compatibility(request, _provider(request, known, known[0])), flag(request, "compatible")
    return web.json_response([item for item in items if wanted is None or item["compatible"] == wanted])


@routes.get(BASE + "/cluster-compatibility/v2")
@since("8.0.1")
async def compatibility_v2(request: web.Request) -> web.Response:
    """By zone, for the zones of the query or all of them."""
    store, zones = request.app["store"], request.app["store"]["zones"]
    provider = _provider(request, ("NSXT", "VSPHERE", "NSX_VPC"), "NSXT")
    by_cluster = {item["cluster"]: item for item in await _compatibility(request, provider)}
    wanted = request.query.getall("zones", [])
    for name in wanted:
        if name not in store["zones"]:
            raise missing("Zone", name)
    summaries, only = [], flag(request, "compatible")
    for name in wanted or zones:
        items = [by_cluster[cluster] for cluster in zones[name]["clusters"] if cluster in by_cluster]
        fit = bool(items) and all(item["compatible"] for item in items)
        if not only or fit:
            summaries.append({"zone": name, "compatible": fit, "cluster_summaries": items})
    reasons = nsx.reasons(store) if provider != "VSPHERE" else []
    fit = bool(summaries) and all(item["compatible"] for item in summaries)
    return web.json_response({"compatible": fit, "zone_summaries": summaries, "incompatibility_reasons": reasons})


@routes.get(BASE + "/software/clusters")
async def software(request: web.Request) -> web.Response:
    names = await cluster_names(request.app)
    items = [
        {"cluster": cluster, "cluster_name": names.get(cluster, ""), **_software(record)}
        for record in request.app["store"]["supervisors"].values()
        for cluster in supervisors.clusters_of(record)
    ]
    return web.json_response(items)


@routes.get(BASE + "/software/clusters/{cluster}")
async def software_of_cluster(request: web.Request) -> web.Response:
    return web.json_response({**_software(await supervisor_of_cluster(request)), "messages": []})


def _software(record: dict[str, Any]) -> dict[str, Any]:
    return {
        "current_version": supervisors.KUBERNETES_VERSION,
        "desired_version": supervisors.KUBERNETES_VERSION,
        "state": "READY" if record["config_status"] == "RUNNING" else "PENDING",
        "available_versions": [],
    }


@routes.get(BASE + "/software/cluster-available-versions")
async def available_versions(request: web.Request) -> web.Response:
    version = {"version": supervisors.KUBERNETES_VERSION, "name": supervisors.KUBERNETES_VERSION, "description": ""}
    return web.json_response([version])
