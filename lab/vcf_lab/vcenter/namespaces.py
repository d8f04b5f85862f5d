# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""vSphere Namespaces: two forms of create and read, one of everything else."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from aiohttp import web

from vcf_lab.vcenter import namespace_lifecycle, namespace_network, namespace_quota, namespace_spec, namespace_zones, supervisors
from vcf_lab.vcenter.errors import ApiError, missing
from vcf_lab.vcenter.supervisors import cluster_names
from vcf_lab.vcenter.wcp_jobs import jobs
from vcf_lab.vcenter.wcp_request import body, found, has, no_content, since, wrong_state

routes = web.RouteTableDef()
BASE = "/api/vcenter/namespaces/instances"
Record = dict[str, Any]


def namespace(request: web.Request) -> Record:
    """The namespace that the path names."""
    return found(request.app["store"]["namespaces"], "Namespace", request.match_info["namespace"])


def changeable(record: Record) -> None:
    """NOT_ALLOWED_IN_CURRENT_STATE for a namespace that goes."""
    if record["config_status"] == "REMOVING":
        raise wrong_state(f"Namespace {record['namespace']} is being removed.", record["namespace"])


def touch(app: web.Application, record: Record) -> None:
    """Keep the record and let Kubernetes follow."""
    app["store"].changed()
    name = record["namespace"]
    jobs(app).add(f"namespace {name}", lambda: namespace_lifecycle.follow(app, name))


def refresh(app: web.Application, concerned: Callable[[Record], bool]) -> None:
    """Let those namespaces follow that something outside them concerns (a class, a library)."""
    for record in app["store"]["namespaces"].values():
        if record["config_status"] != "REMOVING" and concerned(record):
            touch(app, record)


def resume(app: web.Application) -> None:
    """After a restart: all namespaces follow, half-done removals go on."""
    for name, record in app["store"]["namespaces"].items():
        if record["config_status"] == "REMOVING":
            jobs(app).add(f"namespace {name}", partial(namespace_lifecycle.remove, app, name))
        else:
            touch(app, record)


def _common(record: Record) -> Record:
    """What summaries and Infos share."""
    return {
        "description": record["description"],
        "config_status": record["config_status"],
        "stats": {"cpu_used": 0, "memory_used": 0, "storage_used": 0},
        "self_service_namespace": False,
    }


def _info(request: web.Request, record: Record) -> Record:
    libraries = [entry["content_library"] for entry in record["libraries"]]
    answer = {
        **_common(record),
        "messages": record["messages"],
        "access_list": record["access_list"],
        "storage_specs": record["storage_specs"],
        "vm_service_spec": {"vm_classes": record["vm_classes"], "content_libraries": libraries},
        "creator": record["creator"],
    }
    if record["network_provider"] == "VSPHERE_NETWORK":
        answer["networks"] = record["networks"]
    if record.get("resource_spec"):
        answer["resource_spec"] = record["resource_spec"]
    if has(request, "8.0.3"):
        default: dict[str, Any] = {"writable": False}
        if has(request, "9.0"):
            default |= {"allow_import": False, "resource_naming_strategy": "FROM_ITEM_ID"}
        answer["content_libraries"] = [{**default, **entry} for entry in record["libraries"]]
    if has(request, "9.1"):
        answer |= {field: record.get(field, []) for field in ("edges", "infrastructure_policies")}
    return answer


async def _create(request: web.Request, spec: Record, supervisor: Record) -> web.Response:
    store = request.app["store"]
    name = namespace_spec.name_of(spec)
    if name in store["namespaces"] or await request.app["kube"].get("Namespace", name) is not None:
        raise ApiError("ALREADY_EXISTS", f"Namespace {name} already exists.", id="vcenter.wcp.namespace.exists", args=[name])
    supervisors.running(supervisor)
    networks = namespace_network.made(supervisor, spec)
    namespace_zones.check(request.app, supervisor, spec.get("zones", []))
    await namespace_spec.validate(request.app, spec, _cleared())
    user, _, domain = str(request.get("user", "")).partition("@")
    record = {
        "namespace": name,
        "supervisor": supervisor["supervisor"],
        "cluster": supervisor["cluster"],
        "zones": namespace_zones.made(supervisor, spec.get("zones", [])),
        "network_provider": namespace_network.provider(supervisor),
        **networks,
        "creator": spec.get("creator", {"subject": user, "domain": domain}),
        "config_status": "CONFIGURING",
        "messages": [],
        **_cleared(),
    }
    _update(record, spec)
    record["resource_spec"] = spec.get("resource_spec", {})
    store["namespaces"][name] = record
    touch(request.app, record)
    return no_content()


def _cleared() -> Record:
    """The fields that an update may change, empty."""
    return {"description": "", "access_list": [], "storage_specs": [], "vm_classes": [], "libraries": []}


def _update(record: Record, spec: Record) -> None:
    """What is given replaces what was, whole; what is not given stays."""
    record["libraries"] = namespace_spec.libraries_after(record, spec)
    for field in ("description", "access_list", "storage_specs", "edges", "infrastructure_policies"):
        if field in spec:
            record[field] = spec[field]
    if "vm_service_spec" in spec:
        record["vm_classes"] = list(dict.fromkeys(spec["vm_service_spec"].get("vm_classes", [])))


@routes.post(BASE)
async def create(request: web.Request) -> web.Response:
    spec = await body(request, namespace_spec.CREATE, "CreateSpec")
    supervisor = supervisors.on_cluster(request.app["store"], spec["cluster"])
    if supervisor is None:
        if spec["cluster"] not in await cluster_names(request.app):
            raise missing("ClusterComputeResource", spec["cluster"])
        raise ApiError("UNSUPPORTED", f"Cluster {spec['cluster']} does not have Workload Management enabled.")
    return await _create(request, spec, supervisor)


@routes.post(BASE + "/v2")
@since("8.0.1")
async def create_v2(request: web.Request) -> web.Response:
    spec = await body(request, namespace_spec.CREATE_V2, "CreateSpecV2")
    return await _create(request, spec, supervisors.supervisor(request.app["store"], spec["supervisor"]))


@routes.get(BASE)
async def list_namespaces(request: web.Request) -> web.Response:
    records = request.app["store"]["namespaces"].values()
    items = [{"cluster": entry["cluster"], "namespace": entry["namespace"], **_common(entry)} for entry in records]
    return web.json_response(items)


@routes.get(BASE + "/v2")
@since("8.0.1")
async def list_namespaces_v2(request: web.Request) -> web.Response:
    records = request.app["store"]["namespaces"].values()
    items = [{"supervisor": entry["supervisor"], "namespace": entry["namespace"], **_common(entry)} for entry in records]
    return web.json_response(items)


@routes.get(BASE + "/{namespace}")
async def get(request: web.Request) -> web.Response:
    record = namespace(request)
    return web.json_response({"cluster": record["cluster"], **_info(request, record)})


@routes.get(BASE + "/v2/{namespace}")
@since("8.0.1")
async def get_v2(request: web.Request) -> web.Response:
    record = namespace(request)
    answer = {"supervisor": record["supervisor"], **_info(request, record)}
    if has(request, "9.0"):
        answer["zones"] = namespace_zones.shown(record)
        network_spec = namespace_network.shown(record, newer=has(request, "9.1"))
        if network_spec is not None:
            answer["network_spec"] = network_spec
    return web.json_response(answer)


@routes.patch(BASE + "/{namespace}")
async def update(request: web.Request) -> web.Response:
    record = namespace(request)
    spec = await body(request, namespace_spec.UPDATE, "UpdateSpec")
    supervisor = await _changeable_to(request, record, spec)
    namespace_zones.check(request.app, supervisor, spec.get("zones", []))
    _update(record, spec)
    record["resource_spec"] = namespace_quota.changed(record["resource_spec"], spec.get("resource_spec", {}))
    record["zones"] = namespace_zones.changed(record, spec.get("zones", []))
    namespace_network.update(record, spec)
    touch(request.app, record)
    return no_content()


@routes.put(BASE + "/{namespace}")
async def replace(request: web.Request) -> web.Response:
    """What is not given is cleared."""
    record = namespace(request)
    spec = await body(request, namespace_spec.SET, "SetSpec")
    await _changeable_to(request, record, spec)
    record.update(_cleared())
    _update(record, spec)
    record["resource_spec"] = spec.get("resource_spec", {})
    namespace_network.update(record, spec)
    touch(request.app, record)
    return no_content()


async def _changeable_to(request: web.Request, record: Record, spec: Record) -> Record:
    """All checks of an update; the Supervisor of the namespace."""
    changeable(record)
    supervisor = supervisors.supervisor(request.app["store"], record["supervisor"])
    namespace_network.check_update(supervisor, record, spec)
    await namespace_spec.validate(request.app, spec, record)
    return supervisor


@routes.delete(BASE + "/{namespace}/zones/{zone}")
@since("9.0")
async def delete_zone(request: web.Request) -> web.Response:
    record = namespace(request)
    changeable(record)
    namespace_zones.leave(record, request.match_info["zone"])
    touch(request.app, record)
    return no_content()


@routes.delete(BASE + "/{namespace}")
async def delete(request: web.Request) -> web.Response:
    app, record = request.app, namespace(request)
    changeable(record)
    record.update(config_status="REMOVING", messages=[])
    app["store"].changed()
    name = record["namespace"]
    jobs(app).instead(f"namespace {name}", lambda: namespace_lifecycle.remove(app, name))
    return no_content()
