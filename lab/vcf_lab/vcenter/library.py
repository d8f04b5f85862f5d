# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Content libraries by REST."""

from __future__ import annotations

import uuid
from typing import Any

from aiohttp import web

from .errors import ApiError, missing, required
from .library_shapes import MODEL, SUBSCRIPTION
from .library_sync import POLICY, Synchronizer
from .store import Store, new_id, now
from .subscription import ProbeFailed, valid_thumbprint
from .wcp_request import body as read_body
from .wcp_request import has, unknown_operation

HIDDEN = ("sync_error",)
SECRETS = ("password", "current_password")

routes = web.RouteTableDef()


def shown(library: dict[str, Any]) -> dict[str, Any]:
    """A library as clients see it: passwords never."""
    model = {key: value for key, value in library.items() if key not in HIDDEN}
    for part in ("subscription_info", "publish_info"):
        if part in model:
            model[part] = {key: value for key, value in model[part].items() if key not in SECRETS}
    return model


def library_of(request: web.Request, kind: str | None = None) -> dict[str, Any]:
    """The library of the path; INVALID_ELEMENT_TYPE when it is of the other kind."""
    identifier = request.match_info["library"]
    library: dict[str, Any] | None = request.app["store"]["libraries"].get(identifier)
    if library is None:
        raise missing("Library", identifier)
    if kind is not None and library["type"] != kind:
        raise ApiError("INVALID_ELEMENT_TYPE", f"The library {identifier} is not of type {kind}.", args=[identifier])
    return library


def _kind(request: web.Request) -> str:
    return request.match_info["kind"].upper()


@routes.get("/api/content/security-policies")
async def list_policies(request: web.Request) -> web.Response:
    """Every vCenter has this one policy."""
    return web.json_response([POLICY])


@routes.get("/api/content/library")
async def list_all(request: web.Request) -> web.Response:
    """Identifiers of all libraries."""
    return web.json_response(list(request.app["store"]["libraries"]))


@routes.post("/api/content/library")
async def find(request: web.Request) -> web.Response:
    """Identifiers by name (without regard to case) and type."""
    if request.query.get("action") != "find":
        raise unknown_operation(request)
    wanted = await read_body(request, {"name": str, "type": ("LOCAL", "SUBSCRIBED"), "storage_backing": dict}, "spec")
    if not wanted:
        raise ApiError("INVALID_ARGUMENT", "At least one property of the specification is required.")
    found = [
        key
        for key, library in request.app["store"]["libraries"].items()
        if wanted.get("name", library["name"]).lower() == library["name"].lower()
        and wanted.get("type", library["type"]) == library["type"]
    ]
    return web.json_response(found)


@routes.get("/api/content/library/{library}")
async def get(request: web.Request) -> web.Response:
    """A library of either type."""
    return web.json_response(shown(library_of(request)))


@routes.get("/api/content/library/{library}/usages")
async def usages(request: web.Request) -> web.Response:
    """Who uses a library."""
    if not has(request, "9.1"):
        raise unknown_operation(request)
    users = _users(request.app["store"], library_of(request)["id"])
    return web.json_response({"usages": [{"usage": name, "resource": name} for name in users]})


@routes.get("/api/content/{kind:local|subscribed}-library")
async def list_of_kind(request: web.Request) -> web.Response:
    """Identifiers of the libraries of a type."""
    libraries = request.app["store"]["libraries"]
    return web.json_response([key for key, library in libraries.items() if library["type"] == _kind(request)])


@routes.get("/api/content/{kind:local|subscribed}-library/{library}")
async def get_of_kind(request: web.Request) -> web.Response:
    """A library of that type."""
    return web.json_response(shown(library_of(request, _kind(request))))


@routes.post("/api/content/{kind:local|subscribed}-library")
async def create_or_probe(request: web.Request) -> web.Response:
    """Create, or with an action ask whether a publisher could be used."""
    action = request.query.get("action")
    if action == "probe" and _kind(request) == "SUBSCRIBED":
        return await _probe(request)
    if action is not None:
        raise unknown_operation(request)
    token = _client_token(request)
    made: dict[str, str] = request.app["library_tokens"]
    if token in made:
        return web.json_response(made[token], status=201)
    model = await read_body(request, MODEL, "create_spec")
    await _check_model(request, model)
    if _kind(request) == "SUBSCRIBED":
        await _check_publisher(request, model["subscription_info"])
    identifier = made[token] = new_id()
    store: Store = request.app["store"]
    store["libraries"][identifier] = {
        "description": "",
        **model,
        "type": _kind(request),
        "id": identifier,
        "creation_time": now(),
        "last_modified_time": now(),
        "version": "1",
        "server_guid": str(uuid.uuid5(uuid.NAMESPACE_DNS, request.host)),
        "state_info": {"state": "ACTIVE"},
    }
    store.changed()
    if model.get("subscription_info", {}).get("automatic_sync_enabled"):
        request.app["synchronizer"].start(identifier)
    return web.json_response(identifier, status=201)


def _client_token(request: web.Request) -> str:
    token = request.headers.get("Client-Token")
    if token is None:
        return new_id()
    try:
        return str(uuid.UUID(token))
    except ValueError as error:
        raise ApiError("INVALID_ARGUMENT", f"The client token '{token}' is not a UUID.", args=[token]) from error


async def _check_model(request: web.Request, model: dict[str, Any]) -> None:
    required(model, "name", "storage_backings")
    if model.get("type", _kind(request)) != _kind(request):
        raise ApiError("INVALID_ARGUMENT", f"The type of the library is not {_kind(request)}.")
    backings = model["storage_backings"]
    if len(backings) > 1:
        raise ApiError("UNSUPPORTED", "A library has exactly one storage backing.")
    if backings[0].get("type", "DATASTORE") == "DATASTORE":
        required(backings[0], "datastore_id")
        datastore = backings[0]["datastore_id"]
        if datastore not in {entry["datastore"] for entry in await request.app["inventory"].datastores()}:
            raise ApiError("INVALID_ARGUMENT", f"The datastore '{datastore}' does not exist.", args=[datastore])
    if _kind(request) == "SUBSCRIBED":
        info = model.get("subscription_info", {})
        required(info, "subscription_url", "authentication_method", "automatic_sync_enabled", "on_demand")
    _check_policy(model)


def _check_policy(model: dict[str, Any]) -> None:
    policy = model.get("security_policy_id")
    if policy is not None and policy != POLICY["policy"]:
        raise ApiError("INVALID_ARGUMENT", f"The security policy '{policy}' does not exist.", args=[policy])


async def _check_publisher(request: web.Request, info: dict[str, Any]) -> None:
    """A library is not made for a publisher that cannot be reached or believed."""
    if info.get("ssl_thumbprint") and not valid_thumbprint(info["ssl_thumbprint"]):
        raise ApiError("INVALID_ARGUMENT", "The SSL thumbprint is neither SHA-256 nor SHA-1.")
    synchronizer: Synchronizer = request.app["synchronizer"]
    try:
        async with synchronizer.publisher(info).connected() as publisher:
            await publisher.library()
    except ProbeFailed as error:
        raise ApiError("RESOURCE_INACCESSIBLE", str(error), id="com.vmware.vdcs.cls-main.publisher") from error


async def _probe(request: web.Request) -> web.Response:
    sent = await read_body(request, {"subscription_info*": SUBSCRIPTION}, "probe")
    info = sent["subscription_info"]
    required(info, "subscription_url")
    answer: dict[str, Any] = {"status": "SUCCESS", "error_messages": []}
    try:
        async with request.app["synchronizer"].publisher(info).connected() as publisher:
            await publisher.library()
    except ProbeFailed as error:
        text = {"id": "com.vmware.vdcs.cls-main.probe", "default_message": str(error), "args": []}
        answer = {"status": error.status, "error_messages": [text]}
        if error.thumbprint:
            answer["ssl_thumbprint"] = error.thumbprint
        if error.certificate and has(request, "9.0"):
            answer["ssl_certificate"] = error.certificate
    return web.json_response(answer)


@routes.patch("/api/content/{kind:local|subscribed}-library/{library}")
async def update(request: web.Request) -> web.Response:
    """Change what is sent; type and storage are ignored, as the vendor says."""
    library = library_of(request, _kind(request))
    changes = await read_body(request, MODEL, "update_spec")
    if changes.get("version", library["version"]) != library["version"]:
        raise ApiError("CONCURRENT_CHANGE", f"The library is at version {library['version']}.")
    _check_policy(changes)
    info = {**library.get("subscription_info", {}), **changes.get("subscription_info", {})}
    if {"subscription_url", "ssl_thumbprint", "ssl_certificate"} & set(changes.get("subscription_info", {})):
        await _check_publisher(request, info)
    if changes.get("subscription_info"):
        library["subscription_info"] = info
    library |= {key: changes[key] for key in ("name", "description", "security_policy_id") if key in changes}
    if changes.get("unset_security_policy_id"):
        library.pop("security_policy_id", None)
    library["version"] = str(int(library["version"]) + 1)
    library["last_modified_time"] = now()
    request.app["store"].changed()
    return web.Response(status=204)


@routes.delete("/api/content/{kind:local|subscribed}-library/{library}")
async def delete(request: web.Request) -> web.Response:
    """Remove a library that nobody uses."""
    library = library_of(request, _kind(request))
    users = _users(request.app["store"], library["id"])
    if users and has(request, "9.1"):
        text = f"The library {library['name']} is used by {', '.join(users)}."
        raise ApiError("NOT_ALLOWED_IN_CURRENT_STATE", text, args=users)
    _remove(request, library)
    return web.Response(status=204)


def _users(store: Store, identifier: str) -> list[str]:
    return [
        name
        for name, record in store["namespaces"].items()
        if identifier in {entry["content_library"] for entry in record.get("libraries", [])}
    ]


def _remove(request: web.Request, library: dict[str, Any]) -> None:
    store: Store = request.app["store"]
    del store["libraries"][library["id"]]
    request.app["synchronizer"].forget(library["id"])
    store.changed()


@routes.post("/api/content/{kind:local|subscribed}-library/{library}")
async def act(request: web.Request) -> web.Response:
    """sync, evict, force-delete."""
    library = library_of(request, _kind(request))
    action = request.query.get("action")
    synchronizer: Synchronizer = request.app["synchronizer"]
    if action == "force-delete" and has(request, "9.1"):
        _remove(request, library)
    elif action == "sync" and library["type"] == "SUBSCRIBED":
        await _check_publisher(request, library["subscription_info"])
        synchronizer.start(library["id"])
    elif action == "evict" and library["type"] == "SUBSCRIBED":
        if not library["subscription_info"]["on_demand"]:
            raise ApiError("NOT_ALLOWED_IN_CURRENT_STATE", "Only a library that is fetched on demand can be evicted.")
        for item in request.app["store"]["items"].values():
            if item["library_id"] == library["id"]:
                synchronizer.evict_item(item)
    else:
        raise unknown_operation(request)
    return web.Response(status=204)
