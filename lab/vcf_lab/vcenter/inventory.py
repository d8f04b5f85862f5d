# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory by REST: lists with filters, and one object by its identifier."""

from __future__ import annotations

from typing import Any, Protocol

from aiohttp import web

from .errors import ApiError, missing
from .wcp_request import body as read_body
from .wcp_request import check

NETWORK_TYPES = {
    "Network": "STANDARD_PORTGROUP",
    "dvs.DistributedVirtualPortgroup": "DISTRIBUTED_PORTGROUP",
    "OpaqueNetwork": "OPAQUE_NETWORK",
}
# Kinds of vim objects behind each REST collection, and the fields that its list shows.
COLLECTIONS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "cluster": (("ClusterComputeResource",), ("ha_enabled", "drs_enabled")),
    "datacenter": (("Datacenter",), ()),
    "datastore": (("Datastore",), ("type", "free_space", "capacity")),
    "folder": (("Folder",), ("type",)),
    "host": (("HostSystem",), ("connection_state", "power_state")),
    "network": (tuple(NETWORK_TYPES), ("type",)),
}
# Query parameters of each list and the field of an object that they are compared with.
# `folders` is the folder that holds an object directly, as `parent_folders` is for folders.
FILTERS: dict[str, dict[str, str]] = {
    "cluster": {"clusters": "id", "names": "name", "folders": "parent", "datacenters": "datacenter"},
    "datacenter": {"datacenters": "id", "names": "name", "folders": "parent"},
    "datastore": {"datastores": "id", "names": "name", "types": "type", "folders": "parent", "datacenters": "datacenter"},
    "folder": {"folders": "id", "names": "name", "type": "type", "parent_folders": "parent", "datacenters": "datacenter"},
    "host": {"hosts": "id", "names": "name", "clusters": "parent", "folders": "parent", "datacenters": "datacenter"},
    "network": {"networks": "id", "names": "name", "types": "type", "folders": "parent", "datacenters": "datacenter"},
}
# Types that a filter takes; another word is a fault of the client.
TYPES = {
    "datastore": ("VMFS", "NFS", "NFS41", "CIFS", "VSAN", "VFFS", "VVOL"),
    "folder": ("DATACENTER", "DATASTORE", "HOST", "NETWORK", "VIRTUAL_MACHINE"),
    "network": ("STANDARD_PORTGROUP", "DISTRIBUTED_PORTGROUP", "OPAQUE_NETWORK"),
}
MAXIMUM = {"cluster": 1000, "datacenter": 1000, "datastore": 2500, "host": 2500}
DATASTORES_PER_CHECK = 1024

routes = web.RouteTableDef()


class Simulator(Protocol):
    """What tells all objects of the data centre, and which datastores fit a policy."""

    async def objects(self) -> list[dict[str, Any]]: ...
    async def policies(self) -> list[dict[str, Any]]: ...
    async def compatible(self, policy: str, datastores: list[str]) -> list[str]: ...


class Inventory:
    """What other parts of the front ask about the data centre."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator

    async def collection(self, what: str) -> list[dict[str, Any]]:
        """All objects of a REST collection, with more fields than REST shows."""
        kinds = COLLECTIONS[what][0]
        found = [dict(entry) for entry in await self._simulator.objects() if entry["kind"] in kinds]
        for entry in found:
            entry[what] = entry["id"]
            entry.setdefault("type", NETWORK_TYPES.get(entry["kind"]))
        return found

    async def clusters(self) -> list[dict[str, Any]]:
        """{cluster, name, ha_enabled, drs_enabled}."""
        return await self.collection("cluster")

    async def datastores(self) -> list[dict[str, Any]]:
        """{datastore, name, type, free_space, capacity}."""
        return await self.collection("datastore")

    async def networks(self) -> list[dict[str, Any]]:
        """{network, name, type}."""
        return await self.collection("network")

    async def policies(self) -> list[dict[str, Any]]:
        """{policy, name, description}."""
        found: list[dict[str, Any]] = await self._simulator.policies()
        return found

    async def compatible(self, policy: str, datastores: list[str]) -> list[str]:
        """Datastores that a policy accepts."""
        found: list[str] = await self._simulator.compatible(policy, datastores)
        return found


def _shown(what: str, entry: dict[str, Any]) -> dict[str, Any]:
    keys = (what, "name", *COLLECTIONS[what][1])
    return {key: entry[key] for key in keys if entry.get(key) is not None}


def _check_filters(what: str, request: web.Request) -> None:
    """INVALID_ARGUMENT for a filter that the list does not have, or a type that there is not."""
    for name in set(request.query):
        if name not in FILTERS[what]:
            raise ApiError("INVALID_ARGUMENT", f"Unknown filter '{name}'", id="vapi.rest.query.unknown", args=[name])
        if name in ("type", "types"):
            check(request.query.getall(name), [TYPES[what]], name)


def _matches(what: str, entry: dict[str, Any], request: web.Request) -> bool:
    """Every filter that is given must hold; values of one filter are alternatives."""
    for name in set(request.query):
        wanted = request.query.getall(name)
        if entry.get(FILTERS[what][name]) not in wanted:
            return False
    return True


@routes.get("/api/vcenter/{what:cluster|datacenter|datastore|folder|host|network}")
async def list_objects(request: web.Request) -> web.Response:
    """The list of one collection."""
    what = request.match_info["what"]
    _check_filters(what, request)
    found = [entry for entry in await request.app["inventory"].collection(what) if _matches(what, entry, request)]
    if len(found) > MAXIMUM.get(what, 1000):
        raise ApiError("UNABLE_TO_ALLOCATE_RESOURCE", "More objects match than one answer may hold.")
    return web.json_response([_shown(what, entry) for entry in found])


@routes.get("/api/vcenter/{what:cluster|datacenter|datastore}/{identifier}")
async def show_object(request: web.Request) -> web.Response:
    """One object; its fields are not those of the list."""
    what, identifier = request.match_info["what"], request.match_info["identifier"]
    objects = await request.app["inventory"].collection(what)
    entry = next((entry for entry in objects if entry["id"] == identifier), None)
    if entry is None:
        raise missing(what.capitalize(), identifier)
    shown = {"name": entry["name"]}
    if what == "cluster":
        shown["resource_pool"] = entry["resource_pool"]
    if what == "datastore":
        shown |= {key: entry[key] for key in ("type", "free_space", "accessible")}
        shown |= {"multiple_host_access": True, "thin_provisioning_supported": True}
    return web.json_response(shown)


@routes.get("/api/vcenter/storage/policies")
async def list_policies(request: web.Request) -> web.Response:
    """There is no filter by name, as on a real server."""
    wanted = request.query.getall("policies", [])
    found = await request.app["inventory"].policies()
    return web.json_response([entry for entry in found if not wanted or entry["policy"] in wanted])


@routes.post("/api/vcenter/storage/policies/{policy}")
async def check_compatibility(request: web.Request) -> web.Response:
    """Which of the named datastores fit a policy."""
    if request.query.get("action", "check-compatibility") != "check-compatibility":
        raise web.HTTPNotFound
    policy = request.match_info["policy"]
    inventory: Inventory = request.app["inventory"]
    asked = (await read_body(request, {"datastores*": [str]}, "check_compatibility"))["datastores"]
    if len(asked) > DATASTORES_PER_CHECK:
        raise ApiError("UNABLE_TO_ALLOCATE_RESOURCE", "More than 1024 datastores.")
    if policy not in {entry["policy"] for entry in await inventory.policies()}:
        raise missing("Storage policy", policy)
    known = {entry["datastore"] for entry in await inventory.datastores()}
    for entry in asked:
        if entry not in known:
            raise missing("Datastore", entry)
    fit = await inventory.compatible(policy, asked)
    return web.json_response({"compatible_datastores": [{"datastore": entry} for entry in fit]})
