# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""vSphere Zones: which clusters fail together. There are some before any Supervisor."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from vcf_lab.vcenter.errors import ApiError
from vcf_lab.vcenter.store import Store
from vcf_lab.vcenter.wcp_request import body, found, invalid, no_content, release, since, unknown_operation, wrong_state

routes = web.RouteTableDef()
BASE = "/api/vcenter/consumption-domains/zones"
ASSOCIATIONS = BASE + "/cluster/{zone}/associations"
FIRST_RELEASE = "8.0.1"


async def seed(app: web.Application) -> None:
    """One zone per cluster that has a name of its own, once in a vCenter's life; older releases do not know zones.

    A cluster without a zone gets one when a Supervisor is enabled on it.
    """
    store = app["store"]
    store.data.setdefault("zones", {})
    if store.data.get("zones_seeded") or release(app["lab"].version) < release(FIRST_RELEASE):
        return
    clusters = await app["inventory"].clusters()
    names = [entry["name"] for entry in clusters]
    alone = sorted((entry for entry in clusters if names.count(entry["name"]) == 1), key=lambda entry: entry["name"])
    for number, cluster in enumerate(alone, 1):
        add(store, f"zone-{number}", f"Cluster {cluster['name']}", [cluster["cluster"]])
    store.data["zones_seeded"] = True
    store.changed()


def add(store: Store, name: str, description: str, clusters: list[str]) -> dict[str, Any]:
    """A new zone's record, not yet written."""
    record = {"zone": name, "description": description, "clusters": clusters}
    store["zones"][name] = record
    return record


def of_cluster(store: Store, cluster: str) -> dict[str, Any] | None:
    """The zone that a cluster is in."""
    return next((entry for entry in store["zones"].values() if cluster in entry["clusters"]), None)


def for_cluster(store: Store, cluster: str, wanted: str | None) -> dict[str, Any]:
    """The zone of a Supervisor on one cluster: the one that the cluster has, else one is made."""
    there = of_cluster(store, cluster)
    if there is None:
        name = wanted or cluster
        if name in store["zones"]:
            raise invalid(f"The zone '{name}' does not have the cluster '{cluster}'.", "zone", name)
        return add(store, name, "", [cluster])
    if wanted is not None and wanted != there["zone"]:
        raise invalid(f"The cluster '{cluster}' is in the zone '{there['zone']}', not in '{wanted}'.", "zone", wanted)
    if len(there["clusters"]) > 1:
        text = f"The zone '{there['zone']}' has more than one cluster; enable the Supervisor on zones."
        raise ApiError("UNSUPPORTED", text, args=[there["zone"]])
    return there


def topology(store: Store, names: list[str]) -> list[dict[str, Any]]:
    """Zones with their clusters, as a Supervisor's topology tells them; NOT_FOUND for one that is not there."""
    records = [found(store["zones"], "Zone", name) for name in names]
    return [{"zone": entry["zone"], "clusters": list(entry["clusters"])} for entry in records]


def _in_use(store: Store, name: str) -> str | None:
    """The Supervisor that has the zone."""
    for record in store["supervisors"].values():
        if name in {entry["zone"] for entry in record["topology"]}:
            return str(record["name"])
    return None


def _free(store: Store, name: str) -> None:
    supervisor = _in_use(store, name)
    if supervisor is not None:
        raise wrong_state(f"The zone '{name}' is used by the Supervisor {supervisor}.", name)


@routes.get(BASE)
@since(FIRST_RELEASE)
async def list_zones(request: web.Request) -> web.Response:
    wanted = request.query.getall("zones", [])
    items = [
        {"zone": record["zone"], "info": {"description": record["description"]}}
        for record in request.app["store"]["zones"].values()
        if not wanted or record["zone"] in wanted
    ]
    return web.json_response({"items": items})


@routes.post(BASE)
@since(FIRST_RELEASE)
async def create(request: web.Request) -> web.Response:
    spec = await body(request, {"zone*": str, "description": str}, "CreateSpec")
    store = request.app["store"]
    if not spec["zone"]:
        raise invalid("The identifier of a zone cannot be empty.", "zone")
    if spec["zone"] in store["zones"]:
        raise ApiError("ALREADY_EXISTS", f"The zone '{spec['zone']}' already exists.", args=[spec["zone"]])
    add(store, spec["zone"], spec.get("description", ""), [])
    store.changed()
    return web.json_response(spec["zone"], status=201)


@routes.get(BASE + "/{zone}")
@since(FIRST_RELEASE)
async def get(request: web.Request) -> web.Response:
    record = found(request.app["store"]["zones"], "Zone", request.match_info["zone"])
    return web.json_response({"description": record["description"]})


@routes.delete(BASE + "/{zone}")
@since(FIRST_RELEASE)
async def delete(request: web.Request) -> web.Response:
    store, name = request.app["store"], request.match_info["zone"]
    found(store["zones"], "Zone", name)
    _free(store, name)
    del store["zones"][name]
    store.changed()
    return no_content()


@routes.get(ASSOCIATIONS)
@since(FIRST_RELEASE)
async def clusters_of_zone(request: web.Request) -> web.Response:
    return web.json_response(found(request.app["store"]["zones"], "Zone", request.match_info["zone"])["clusters"])


@routes.post(ASSOCIATIONS)
@since(FIRST_RELEASE)
async def change_associations(request: web.Request) -> web.Response:
    """Clusters that cannot be moved are told one by one; the others are."""
    store, name, action = request.app["store"], request.match_info["zone"], request.query.get("action")
    if action not in ("add", "remove"):
        raise unknown_operation(request)
    record = found(store["zones"], "Zone", name)
    clusters = await body(request, [str], "clusters")
    _free(store, name)
    known = {entry["cluster"] for entry in await request.app["inventory"].clusters()}
    failed = {}
    for cluster in clusters:
        other = of_cluster(store, cluster)
        if cluster not in known:
            failed[cluster] = ApiError("NOT_FOUND", f"The cluster '{cluster}' does not exist.").body()
        elif action == "remove" and other is record:
            record["clusters"].remove(cluster)
        elif action == "add" and other not in (None, record):
            failed[cluster] = ApiError("INVALID_ARGUMENT", f"The cluster is in the zone '{other['zone']}'.").body()
        elif action == "add" and other is None:
            record["clusters"].append(cluster)
    store.changed()
    return web.json_response({"success": not failed, "failed_clusters": failed})
