# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Supervisors: enable, read, remove; the Supervisor view (8.0) and the older view of clusters."""

from __future__ import annotations

import ipaddress
from typing import Any

from aiohttp import web

from vcf_lab.vcenter import supervisor_spec
from vcf_lab.vcenter.errors import ApiError
from vcf_lab.vcenter.store import Store, new_id
from vcf_lab.vcenter.supervisor_lifecycle import bring_up, take_down
from vcf_lab.vcenter.wcp_jobs import jobs
from vcf_lab.vcenter.wcp_request import body, found, no_content, since, unknown_operation, wrong_state

routes = web.RouteTableDef()
BASE = "/api/vcenter/namespace-management/supervisors"
KUBERNETES_VERSION = "v1.34.1+vmware.1-fips"


def supervisor(store: Store, name: str) -> dict[str, Any]:
    """The Supervisor's record; a cluster's identifier is not a Supervisor's."""
    return found(store["supervisors"], "Supervisor", name)


def on_cluster(store: Store, cluster: str) -> dict[str, Any] | None:
    """The Supervisor that runs on a cluster."""
    return next((entry for entry in store["supervisors"].values() if entry["cluster"] == cluster), None)


def running(record: dict[str, Any]) -> None:
    """NOT_ALLOWED_IN_CURRENT_STATE for a Supervisor that takes no work yet, or no more."""
    if record["config_status"] != "RUNNING":
        raise wrong_state(
            f"Supervisor {record['supervisor']} is in state {record['config_status']}, not RUNNING.",
            record["supervisor"],
            id="vcenter.wcp.supervisor.not_running",
        )


def info(record: dict[str, Any]) -> dict[str, Any]:
    """The Info of `summary` and `summaries`."""
    answer = {
        "name": record["name"],
        "stats": {
            "cpu_used": 0,
            "cpu_capacity": 0,
            "memory_used": 0,
            "memory_capacity": 0,
            "storage_used": 0,
            "storage_capacity": 0,
        },
        "config_status": record["config_status"],
        "kubernetes_status": record["kubernetes_status"],
        "messages": record["messages"],
    }
    if record["config_status"] == "RUNNING":
        answer["APIEndpoint"] = record["vip"]
    return answer


@routes.post(BASE + "/{cluster}")
@since("8.0.1")
async def enable_on_compute_cluster(request: web.Request) -> web.Response:
    """Answer with the new identifier at once; the work goes on behind it."""
    if request.query.get("action") != "enable_on_compute_cluster":
        raise unknown_operation(request)
    spec = await body(request, supervisor_spec.ENABLE, "EnableOnComputeClusterSpec")
    cluster = request.match_info["cluster"]
    await supervisor_spec.validate(request.app, cluster, spec)
    return web.json_response(enable(request.app, cluster, spec))


@routes.post(BASE)
async def enable_on_zones(request: web.Request) -> web.Response:
    """The three-zone form, for which one lab has too few clusters."""
    if request.query.get("action") != "enable_on_zones":
        raise unknown_operation(request)
    raise ApiError("UNSUPPORTED", "This vCenter enables a Supervisor on one compute cluster only.")


def enable(app: web.Application, cluster: str, spec: dict[str, Any]) -> str:
    """Record the new Supervisor and start the work; refuses a second one."""
    store = app["store"]
    for other in store["supervisors"].values():
        if other["name"] == spec["name"]:
            raise ApiError("ALREADY_EXISTS", f"A Supervisor with {spec['name']} name already exists.")
        if other["cluster"] == cluster:
            raise ApiError("ALREADY_EXISTS", f"The cluster {cluster} already has a Supervisor.")
    if store["supervisors"]:
        raise ApiError("UNSUPPORTED", "This vCenter has the Kubernetes control plane of one Supervisor only.")
    identifier = new_id()
    ranges = spec["workloads"]["edge"]["load_balancer_address_ranges"]
    store["supervisors"][identifier] = {
        "supervisor": identifier,
        "name": spec["name"],
        "cluster": cluster,
        "zone": spec.get("zone", cluster),
        "spec": supervisor_spec.remembered(spec),
        "vip": str(ipaddress.IPv4Address(ranges[0]["address"])),
        "addresses": ranges[0]["count"],
        "config_status": "CONFIGURING",
        "kubernetes_status": "WARNING",
        "messages": [],
        "conditions": [],
    }
    store.changed()
    jobs(app).add(f"supervisor {identifier}", lambda: bring_up(app, identifier))
    return identifier


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
        {"supervisor": record["supervisor"], "info": info(record)}
        for record in request.app["store"]["supervisors"].values()
        if all(not words or record[name] in words for name, words in wanted.items())
    ]
    return web.json_response({"items": items})


@routes.get(BASE + "/{supervisor}/summary")
@since("8.0.1")
async def summary(request: web.Request) -> web.Response:
    return web.json_response(info(supervisor(request.app["store"], request.match_info["supervisor"])))


@routes.get(BASE + "/{supervisor}/conditions")
@since("8.0.1")
async def conditions(request: web.Request) -> web.Response:
    return web.json_response(supervisor(request.app["store"], request.match_info["supervisor"])["conditions"])


@routes.get(BASE + "/{supervisor}/topology")
@since("8.0.1")
async def topology(request: web.Request) -> web.Response:
    record = supervisor(request.app["store"], request.match_info["supervisor"])
    return web.json_response([{"zone": record["zone"], "clusters": [record["cluster"]]}])


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
