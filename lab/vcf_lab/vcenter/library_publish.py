# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Local libraries that others subscribe to: what is told of the publishing, and the VCSP side over HTTPS."""

from __future__ import annotations

import base64
import hmac
import json
from typing import Any

from aiohttp import web

from vcf_lab import settings

from .errors import ApiError, missing, required
from .library_sync import Synchronizer
from .store import Store
from .subscription import USER
from .wcp_request import body as read_body

VCSP = "/cls/vcsp/lib/{library}"
UNPUBLISHED = {"published": False, "authentication_method": "NONE", "persist_json_enabled": False}

routes = web.RouteTableDef()


def created(identifier: str, sent: dict[str, Any] | None) -> dict[str, Any]:
    """What a new local library says of its publishing; without a word it is not published."""
    if sent is not None:
        required(sent, "authentication_method")
        if "published" not in sent:
            required(sent, "published")
    url = f"{settings.VCENTER_URL}:{settings.VCENTER_PORT}{VCSP.format(library=identifier)}/lib.json"
    return _checked({**UNPUBLISHED, **(sent or {}), "publish_url": url})


def updated(before: dict[str, Any], sent: dict[str, Any]) -> dict[str, Any]:
    """After a change; whoever loosens or changes a password has to know the old one."""
    after = {**before, **sent, "publish_url": before["publish_url"]}
    loosened = after["authentication_method"] == "NONE" or (before["published"] and not after["published"])
    if before["authentication_method"] == "BASIC" and ("password" in sent or loosened):
        if sent.get("current_password") != before["password"]:
            raise ApiError("INVALID_ARGUMENT", "The current password is not the one of the published library.")
    return _checked(after)


def _checked(info: dict[str, Any]) -> dict[str, Any]:
    info.pop("current_password", None)
    if info["authentication_method"] == "NONE":
        return {key: value for key, value in info.items() if key not in ("user_name", "password")}
    if info.get("user_name", USER) != USER:
        raise ApiError("INVALID_ARGUMENT", f"The user name of a published library is '{USER}'.", args=["user_name"])
    if not info.get("password"):
        raise ApiError("INVALID_ARGUMENT", "The authentication method BASIC needs a password that is not empty.")
    return {**info, "user_name": USER}


def changed(app: web.Application, library: dict[str, Any]) -> None:
    """Keep a change of a library or of its items; with `persist_json_enabled` its indexes lie beside the files."""
    store: Store = app["store"]
    store.changed()
    info = library.get("publish_info", {})
    if info.get("published") and info.get("persist_json_enabled"):
        folder = app["synchronizer"].folder(library["id"])
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "lib.json").write_text(json.dumps(_index(library)))
        (folder / "items.json").write_text(json.dumps({"items": _entries(store, library)}))


async def push(request: web.Request, library: dict[str, Any]) -> None:
    """Have the subscribed libraries of this vCenter that name this one as their source synchronised."""
    shape = {"subscriptions": [{"subscription*": str}]}
    wanted = {entry["subscription"] for entry in (await read_body(request, shape, "publish")).get("subscriptions", [])}
    if not library["publish_info"]["published"]:
        raise ApiError("NOT_ALLOWED_IN_CURRENT_STATE", f"The library {library['name']} is not published.")
    subscribers = {
        source["subscription"]: other["id"]
        for other in request.app["store"]["libraries"].values()
        if (source := other.get("subscription_info", {}).get("source_info", {})).get("source_library") == library["id"]
        and "subscription" in source
    }
    for unknown in sorted(wanted - set(subscribers)):
        raise ApiError("INVALID_ARGUMENT", f"The library has no subscription '{unknown}'.", args=[unknown])
    for subscription, subscriber in subscribers.items():
        if not wanted or subscription in wanted:
            request.app["synchronizer"].start(subscriber)


def _published(request: web.Request) -> dict[str, Any]:
    """The library of the path, when it is published and the caller knows its password."""
    library: dict[str, Any] = request.app["store"]["libraries"].get(request.match_info["library"], {})
    info = library.get("publish_info", {})
    if not info.get("published"):
        raise missing("Published library", request.match_info["library"])
    if info["authentication_method"] == "BASIC":
        expected = "Basic " + base64.b64encode(f"{USER}:{info['password']}".encode()).decode()
        if not hmac.compare_digest(request.headers.get("Authorization", "").encode(), expected.encode()):
            raise web.HTTPUnauthorized(headers={"WWW-Authenticate": 'Basic realm="Content Library"'})
    return library


@routes.get(VCSP + "/lib.json")
async def first_index(request: web.Request) -> web.Response:
    """What a subscriber reads first."""
    return web.json_response(_index(_published(request)))


@routes.get(VCSP + "/items.json")
async def second_index(request: web.Request) -> web.Response:
    """The items and where their files are."""
    return web.json_response({"items": _entries(request.app["store"], _published(request))})


@routes.get(VCSP + "/item/{item}/file/{file}")
async def content(request: web.Request) -> web.StreamResponse:
    """One file of one item."""
    library = _published(request)
    item = request.app["store"]["items"].get(request.match_info["item"], {})
    file = next((file for file in item.get("files", []) if file["name"] == request.match_info["file"]), None)
    if item.get("library_id") != library["id"] or file is None:
        raise missing("File", request.match_info["file"])
    synchronizer: Synchronizer = request.app["synchronizer"]
    return web.FileResponse(synchronizer.path(item, file))


def _index(library: dict[str, Any]) -> dict[str, Any]:
    return {
        "vcspVersion": "2",
        "version": library["version"],
        "contentVersion": "1",
        "id": f"urn:uuid:{library['id']}",
        "name": library["name"],
        "created": library["creation_time"],
        "capabilities": {"transferIn": ["httpGet"], "transferOut": ["httpGet"], "generateIds": True},
        "itemsHref": "items.json",
    }


def _entries(store: Store, library: dict[str, Any]) -> list[dict[str, Any]]:
    return [_entry(item) for item in store["items"].values() if item["library_id"] == library["id"]]


def _entry(item: dict[str, Any]) -> dict[str, Any]:
    folder = f"item/{item['id']}"
    return {
        "id": f"urn:uuid:{item['id']}",
        "name": item["name"],
        "description": item["description"],
        "type": f"vcsp.{item['type'] or 'other'}",
        "created": item["creation_time"],
        "version": item["version"],
        "contentVersion": item["content_version"],
        "metadataVersion": item["metadata_version"],
        "properties": {},
        "selfHref": f"{folder}/item.json",
        "files": [
            {"name": file["name"], "size": file["size"], "hrefs": [f"{folder}/file/{file['name']}"]}
            for file in item["files"]
        ],
    }
