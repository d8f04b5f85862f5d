# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Content libraries by REST: local and subscribed ones."""

from __future__ import annotations

import uuid
from typing import Any

from aiohttp import web

from vcf_lab import settings

from . import library_publish
from .errors import ApiError
from .library_checks import (
    REACHED_BY,
    check_model,
    check_policy,
    check_publisher,
    check_subscription,
    check_version,
    client_token,
    library_of,
    made_with,
    probe,
    users,
)
from .library_shapes import FIND, MODEL, SET_AT_CREATION, shown
from .library_sync import POLICY, Synchronizer
from .store import Store, new_id, now
from .wcp_request import body as read_body
from .wcp_request import has, since, unknown_operation

SERVER = str(uuid.uuid5(uuid.NAMESPACE_DNS, settings.VCENTER_HOST))

table = web.RouteTableDef()


def _kind(request: web.Request) -> str:
    return request.match_info["kind"].upper()


@table.get("/api/content/security-policies")
async def list_policies(request: web.Request) -> web.Response:
    """Every vCenter has this one policy."""
    return web.json_response([POLICY])


@table.get("/api/content/library")
async def list_all(request: web.Request) -> web.Response:
    """Identifiers of all libraries."""
    return web.json_response(list(request.app["store"]["libraries"]))


@table.post("/api/content/library")
async def find(request: web.Request) -> web.Response:
    """Identifiers by name (without regard to case) and type."""
    if request.query.get("action") != "find":
        raise unknown_operation(request)
    wanted = await read_body(request, FIND, "spec")
    if not wanted:
        raise ApiError("INVALID_ARGUMENT", "At least one property of the specification is required.")
    found = [
        key
        for key, library in request.app["store"]["libraries"].items()
        if wanted.get("name", library["name"]).lower() == library["name"].lower()
        and wanted.get("type", library["type"]) == library["type"]
        and wanted.get("storage_backing", library["storage_backings"][0]) == library["storage_backings"][0]
    ]
    return web.json_response(found)


@table.get("/api/content/library/{library}")
async def get(request: web.Request) -> web.Response:
    """A library of either type."""
    return _answer(request, library_of(request))


@table.get("/api/content/{kind:local|subscribed}-library")
async def list_of_kind(request: web.Request) -> web.Response:
    """Identifiers of the libraries of a type."""
    libraries = request.app["store"]["libraries"]
    return web.json_response([key for key, library in libraries.items() if library["type"] == _kind(request)])


@table.get("/api/content/{kind:local|subscribed}-library/{library}")
async def get_of_kind(request: web.Request) -> web.Response:
    """A library of that type."""
    return _answer(request, library_of(request, _kind(request)))


def _answer(request: web.Request, library: dict[str, Any]) -> web.Response:
    model = shown(library)
    if has(request, "9.0"):
        model["state_info"] = {"state": "ACTIVE"}
    if has(request, "9.1"):
        model["configuration_info"] = {"apply_library_usage_to_items": False, **library.get("configuration_info", {})}
    return web.json_response(model)


@table.get("/api/content/library/{library}/usages")
@since("9.1")
async def usages(request: web.Request) -> web.Response:
    """Who uses a library."""
    names = users(request.app["store"], library_of(request)["id"])
    listed = [{"usage": _usage(name), "resource_urn": f"urn:vmomi:namespace:{name}"} for name in names]
    return web.json_response({"library_usage_list": listed})


def _usage(namespace: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{namespace}.usage"))


@table.post("/api/content/{kind:local|subscribed}-library")
async def create_or_probe(request: web.Request) -> web.Response:
    """Create, or with an action ask whether a publisher could be used."""
    action = request.query.get("action")
    if action == "probe" and _kind(request) == "SUBSCRIBED":
        return await probe(request)
    if action is not None:
        raise unknown_operation(request)
    token = client_token(request)
    model = await read_body(request, MODEL, "create_spec")
    async with request.app["synchronizer"].creating:  # a token that comes twice at once is made once
        made = made_with(request.app["store"]["libraries"], token) or await _create(request, model, token)
    return web.json_response(made, status=201)


async def _create(request: web.Request, model: dict[str, Any], token: str) -> str:
    kind = _kind(request)
    await check_model(request, model, kind)
    library = {
        "description": "",
        **{key: model[key] for key in SET_AT_CREATION if key in model},
        "type": kind,
        "id": new_id(),
        "creation_time": now(),
        "last_modified_time": now(),
        "version": "1",
        "server_guid": SERVER,
        "client_token": token,
    }
    if kind == "SUBSCRIBED":
        info = library["subscription_info"] = model.get("subscription_info", {})
        check_subscription(info)
        await check_publisher(request, info)
    else:
        library["publish_info"] = library_publish.created(library["id"], model.get("publish_info"))
    request.app["store"]["libraries"][library["id"]] = library
    library_publish.changed(request.app, library)
    if library.get("subscription_info", {}).get("automatic_sync_enabled"):
        request.app["synchronizer"].start(library["id"])
    return str(library["id"])


@table.patch("/api/content/library/{library}")
async def update_any(request: web.Request) -> web.Response:
    """What both types have in common; of a version that is stale this operation says INVALID_ARGUMENT."""
    library = library_of(request)
    changes = await read_body(request, MODEL, "update_spec")
    if changes.get("version", library["version"]) != library["version"]:
        raise ApiError("INVALID_ARGUMENT", f"'{library['name']}' is at version {library['version']}.")
    check_policy(changes)
    _apply(request, library, {key: value for key, value in changes.items() if not key.endswith("_info")})
    return web.Response(status=204)


@table.patch("/api/content/{kind:local|subscribed}-library/{library}")
async def update(request: web.Request) -> web.Response:
    """Change what is sent; type and storage are ignored, as the vendor says."""
    library = library_of(request, _kind(request))
    changes = await read_body(request, MODEL, "update_spec")
    check_version(library, changes)
    check_policy(changes)
    if library["type"] == "LOCAL" and "publish_info" in changes:
        changes["publish_info"] = library_publish.updated(library["publish_info"], changes["publish_info"])
    sent = changes.get("subscription_info") if library["type"] == "SUBSCRIBED" else None
    source = library.get("subscription_info", {}).get("subscription_url")
    if sent:
        info = changes["subscription_info"] = {**library["subscription_info"], **sent}
        check_subscription(info)
        if REACHED_BY & set(sent):
            await check_publisher(request, info)
        check_version(library, changes)  # the publisher took its time, and others go on meanwhile
    _apply(request, library, changes)
    if sent and changes["subscription_info"]["subscription_url"] != source:
        request.app["synchronizer"].restart(library["id"])
    return web.Response(status=204)


def _apply(request: web.Request, library: dict[str, Any], changes: dict[str, Any]) -> None:
    part = "publish_info" if library["type"] == "LOCAL" else "subscription_info"
    kept = ("name", "description", "security_policy_id", "configuration_info", part)
    if changes.get("name") == "":
        raise ApiError("INVALID_ARGUMENT", "The name of a library is not empty.", args=["name"])
    library |= {key: changes[key] for key in kept if key in changes}
    if changes.get("unset_security_policy_id"):
        library.pop("security_policy_id", None)
    library["version"] = str(int(library["version"]) + 1)
    library["last_modified_time"] = now()
    library_publish.changed(request.app, library)


@table.delete("/api/content/library/{library}")
@since("9.1")
async def delete_any(request: web.Request) -> web.Response:
    """Remove a library of either type."""
    return _delete(request, library_of(request))


@table.delete("/api/content/{kind:local|subscribed}-library/{library}")
async def delete(request: web.Request) -> web.Response:
    """Remove a library of that type."""
    return _delete(request, library_of(request, _kind(request)))


def _delete(request: web.Request, library: dict[str, Any]) -> web.Response:
    """Since 9.1 only when nobody uses it."""
    in_use = users(request.app["store"], library["id"])
    if in_use and has(request, "9.1"):
        text = f"The library {library['name']} is used by {', '.join(in_use)}."
        raise ApiError("NOT_ALLOWED_IN_CURRENT_STATE", text, args=in_use)
    _remove(request, library)
    return web.Response(status=204)


def _remove(request: web.Request, library: dict[str, Any]) -> None:
    store: Store = request.app["store"]
    del store["libraries"][library["id"]]
    request.app["synchronizer"].forget(library["id"])
    store.changed()


@table.post("/api/content/library/{library}")
@since("9.1")
async def act_on_any(request: web.Request) -> web.Response:
    """force-delete is all that both types share."""
    if request.query.get("action") != "force-delete":
        raise unknown_operation(request)
    _remove(request, library_of(request))
    return web.Response(status=204)


@table.post("/api/content/{kind:local|subscribed}-library/{library}")
async def act(request: web.Request) -> web.Response:
    """sync and evict of a subscribed library, publish of a local one, force-delete of both."""
    kind, action = _kind(request), request.query.get("action")
    library = library_of(request, kind)
    synchronizer: Synchronizer = request.app["synchronizer"]
    if action == "force-delete" and has(request, "9.1"):
        _remove(request, library)
    elif (kind, action) == ("SUBSCRIBED", "sync"):
        await check_publisher(request, library["subscription_info"])
        synchronizer.start(library["id"])
    elif (kind, action) == ("SUBSCRIBED", "evict"):
        if not library["subscription_info"]["on_demand"]:
            raise ApiError("NOT_ALLOWED_IN_CURRENT_STATE", "Only a library that is fetched on demand can be evicted.")
        for item in request.app["store"]["items"].values():
            if item["library_id"] == library["id"]:
                synchronizer.evict_item(item)
    elif (kind, action) == ("LOCAL", "publish"):
        await library_publish.push(request, library)
    else:
        raise unknown_operation(request)
    return web.Response(status=204)


routes: list[web.AbstractRouteDef] = [*table, *library_publish.routes]
