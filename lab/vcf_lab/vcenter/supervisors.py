# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Supervisors: read and remove, in the view that came with 8.0."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from vcf_lab.vcenter.errors import ApiError, missing
from vcf_lab.vcenter.store import Store
from vcf_lab.vcenter.supervisor_lifecycle import take_down
from vcf_lab.vcenter.wcp_jobs import jobs
from vcf_lab.vcenter.wcp_request import body, found, has, no_content, since, wrong_state

routes = web.RouteTableDef()
BASE = "/api/vcenter/namespace-management/supervisors"
KUBERNETES_VERSION = "v1.34.1+vmware.1-fips"
STATS = dict.fromkeys(
    ("cpu_used", "cpu_capacity", "memory_used", "memory_capacity", "storage_used", "storage_capacity"), 0
)


def supervisor(store: Store, name: str) -> dict[str, Any]:
    """The Supervisor's record; a cluster's identifier is not a Supervisor's."""
    return found(store["supervisors"], "Supervisor", name)


def on_cluster(store: Store, cluster: str) -> dict[str, Any] | None:
    """The Supervisor that runs on a cluster."""
    return next((entry for entry in store["supervisors"].values() if cluster in clusters_of(entry)), None)


def clusters_of(record: dict[str, Any]) -> list[str]:
    """All clusters of a Supervisor, zone by zone."""
    return [cluster for zone in record["topology"] for cluster in zone["clusters"]]


async def cluster_names(app: web.Application) -> dict[str, str]:
    """All clusters of the inventory, identifier to name."""
    return {entry["cluster"]: entry["name"] for entry in await app["inventory"].clusters()}


async def supervisor_of_cluster(request: web.Request) -> dict[str, Any]:
    """The Supervisor of the path's cluster: NOT_FOUND without the cluster, UNSUPPORTED without a Supervisor."""
    cluster = request.match_info["cluster"]
    record = on_cluster(request.app["store"], cluster)
    if record is not None:
        return record
    if cluster not in await cluster_names(request.app):
        raise missing("ClusterComputeResource", cluster)
    raise ApiError("UNSUPPORTED", f"Cluster {cluster} does not have Workload Management enabled.", args=[cluster])


def running(record: dict[str, Any]) -> None:
    """NOT_ALLOWED_IN_CURRENT_STATE for a Supervisor that takes no work yet, or no more."""
    if record["config_status"] != "RUNNING":
        raise wrong_state(
            f"Supervisor {record['supervisor']} is in state {record['config_status']}, not RUNNING.",
            record["supervisor"],
            id="vcenter.wcp.supervisor.not_running",
        )


def info(request: web.Request, record: dict[str, Any]) -> dict[str, Any]:
    """The Info of `summary` and `summaries`."""
    answer = {
        "name": record["name"],
        "stats": dict(STATS),
        "config_status": record["config_status"],
        "kubernetes_status": record["kubernetes_status"],
    }
    if has(request, "9.1"):
        answer["messages"] = record["messages"]
    if record["config_status"] == "RUNNING":
        answer["APIEndpoint"] = record["vip"]
    return answer


def remove(app: web.Application, identifier: str) -> None:
    """Start the removal, which nothing may stand in the way of."""
    store = app["store"]
    record = supervisor(store, identifier)
    if record["config_status"] == "REMOVING":
        raise wrong_state(f"Supervisor {identifier} is being removed.", identifier)
    for section, what in (("namespaces", "vSphere Namespaces"), ("installs", "Supervisor Services")):
        key = "namespace" if section == "namespaces" else "supervisor_service"
        left = sorted(e[key] for e in store[section].values() if e["supervisor"] == identifier)
        if left:
            raise wrong_state(
                f"Supervisor {identifier} still has {what}: {', '.join(left)}. Remove them first.",
                *left,
                id=f"vcenter.wcp.supervisor.has_{section}",
            )
    record["config_status"], record["messages"] = "REMOVING", []
    store.changed()
    jobs(app).instead(f"supervisor {identifier}", lambda: take_down(app, identifier))


@routes.delete(BASE + "/{supervisor}")
@since("9.1")
async def delete(request: web.Request) -> web.Response:
    remove(request.app, request.match_info["supervisor"])
    return no_content()


@routes.get(BASE + "/summaries")
@since("8.0.1")
async def summaries(request: web.Request) -> web.Response:
    wanted = {name: request.query.getall(name, []) for name in ("config_status", "kubernetes_status")}
    items = [
        {"supervisor": record["supervisor"], "info": info(request, record)}
        for record in request.app["store"]["supervisors"].values()
        if all(not words or record[name] in words for name, words in wanted.items())
    ]
    return web.json_response({"items": items})


@routes.get(BASE + "/{supervisor}/summary")
@since("8.0.1")
async def summary(request: web.Request) -> web.Response:
    return web.json_response(info(request, supervisor(request.app["store"], request.match_info["supervisor"])))


@routes.get(BASE + "/{supervisor}/conditions")
@since("8.0.1")
async def conditions(request: web.Request) -> web.Response:
    return web.json_response(supervisor(request.app["store"], request.match_info["supervisor"])["conditions"])


@routes.get(BASE + "/{supervisor}/topology")
@since("8.0.1")
async def topology(request: web.Request) -> web.Response:
    return web.json_response(supervisor(request.app["store"], request.match_info["supervisor"])["topology"])


@routes.get(BASE + "/{supervisor}/certificates")
@since("9.1")
async def certificates(request: web.Request) -> web.Response:
    """What a client needs to trust the address of the Supervisor."""
    record = supervisor(request.app["store"], request.match_info["supervisor"])
    if record["config_status"] != "RUNNING":
        return web.json_response({"certificates": []})
    lab = request.app["lab"]
    leaf = (lab.state / "pki" / "apiserver.crt").read_text()
    entry = {
        "endpoint": "VIP",
        "tls_endpoint_certificate": leaf,
        "tls_endpoint_certificate_chain": leaf + lab.ca_cert.read_text(),
    }
    return web.json_response({"certificates": [entry]})


@routes.get(BASE + "/{supervisor}/supervisor-service-settings")
@since("9.1")
async def service_settings(request: web.Request) -> web.Response:
    record = supervisor(request.app["store"], request.match_info["supervisor"])
    return web.json_response({"supervisor_services_enabled": record.get("supervisor_services_enabled", True)})


@routes.patch(BASE + "/{supervisor}/supervisor-service-settings")
@since("9.1")
async def update_service_settings(request: web.Request) -> web.Response:
    record = supervisor(request.app["store"], request.match_info["supervisor"])
    spec = await body(request, {"supervisor_services_enabled": bool}, "UpdateSpec")
    record.update(spec)
    request.app["store"].changed()
    return no_content()
