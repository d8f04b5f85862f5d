# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Items of content libraries by REST."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from vcf_lab import settings

from . import library_publish, library_upload
from .errors import ApiError, missing, required
from .library_checks import client_token, made_with
from .library_shapes import ITEM, ITEM_FIND
from .library_sync import Synchronizer
from .sessions import HEADER, unauthenticated
from .store import new_id, now
from .wcp_request import body as read_body
from .wcp_request import since, unknown_operation

SHOWN = (
    "id",
    "library_id",
    "name",
    "description",
    "type",
    "cached",
    "size",
    "version",
    "content_version",
    "metadata_version",
    "source_id",
    "creation_time",
    "last_modified_time",
    "last_sync_time",
    "security_compliance",
    "certificate_verification_info",
)
LONGEST_NAME, LONGEST_DESCRIPTION = 80, 2000

table = web.RouteTableDef()


def item_of(request: web.Request, kind: str | None = None) -> dict[str, Any]:
    """The item of the path; INVALID_ELEMENT_TYPE when its library is of the other kind."""
    identifier = request.match_info["item"]
    item: dict[str, Any] | None = request.app["store"]["items"].get(identifier)
    if item is None:
        raise missing("Library item", identifier)
    if kind is not None and _library(request, item)["type"] != kind:
        raise ApiError("INVALID_ELEMENT_TYPE", f"The item {item['name']} does not belong to a {kind.lower()} library.")
    return item


def _library(request: web.Request, item: dict[str, Any]) -> dict[str, Any]:
    library: dict[str, Any] = request.app["store"]["libraries"][item["library_id"]]
    return library


@table.get("/api/content/library/item")
async def list_items(request: web.Request) -> web.Response:
    """Identifiers of the items of one library."""
    library = request.query.get("library_id")
    if library is None:
        raise ApiError("INVALID_ARGUMENT", "The parameter 'library_id' is required.", args=["library_id"])
    if library not in request.app["store"]["libraries"]:
        raise missing("Library", library)
    items = request.app["store"]["items"]
    return web.json_response([key for key, item in items.items() if item["library_id"] == library])


@table.post("/api/content/library/item")
async def find_or_create(request: web.Request) -> web.Response:
    """Identifiers by what items have in common; without an action a new item, which has no content yet."""
    action = request.query.get("action")
    if action == "find":
        return await _find(request)
    if action is not None:
        raise unknown_operation(request)
    token, items = client_token(request), request.app["store"]["items"]
    model = await read_body(request, ITEM, "create_spec")
    made = made_with(items, token)
    return web.json_response(made or _create(request, model, token), status=201)


async def _find(request: web.Request) -> web.Response:
    wanted = await read_body(request, ITEM_FIND, "spec")
    if not wanted:
        raise ApiError("INVALID_ARGUMENT", "At least one property of the specification is required.")
    name = wanted.pop("name", None)
    found = [
        key
        for key, item in request.app["store"]["items"].items()
        if (name is None or item["name"].lower() == name.lower())
        and all(item.get(field) == value for field, value in wanted.items())
    ]
    return web.json_response(found)


def _create(request: web.Request, model: dict[str, Any], token: str) -> str:
    required(model, "library_id")
    library = request.app["store"]["libraries"].get(model["library_id"])
    if library is None:
        raise missing("Library", model["library_id"])
    if library["type"] != "LOCAL":
        raise ApiError("INVALID_ELEMENT_TYPE", "Items of a subscribed library come from its publisher.")
    required(model, "name")
    _check_texts(request, model, library["id"])
    item = {
        "id": new_id(),
        "library_id": library["id"],
        "name": model["name"],
        "description": model.get("description", ""),
        "type": model.get("type", ""),
        "cached": False,
        "size": 0,
        "version": "1",
        "content_version": "1",
        "metadata_version": "1",
        "creation_time": now(),
        "last_modified_time": now(),
        "security_compliance": False,
        "files": [],
        "client_token": token,
    }
    request.app["store"]["items"][item["id"]] = item
    _changed(request, item)
    return str(item["id"])


def _check_texts(request: web.Request, model: dict[str, Any], library: str, own: str = "") -> None:
    name = model.get("name")
    if name == "" or len(name or "") > LONGEST_NAME:
        raise ApiError("INVALID_ARGUMENT", f"The name of an item has 1 to {LONGEST_NAME} characters.", args=["name"])
    if len(model.get("description", "")) > LONGEST_DESCRIPTION:
        raise ApiError("INVALID_ARGUMENT", f"A description has at most {LONGEST_DESCRIPTION} characters.")
    others = (item for key, item in request.app["store"]["items"].items() if key != own)
    if any(item["library_id"] == library and item["name"] == name for item in others):
        raise ApiError("ALREADY_EXISTS", f"The library has an item '{name}' already.", args=[str(name)])


def _changed(request: web.Request, item: dict[str, Any]) -> None:
    library_publish.changed(request.app, _library(request, item))
    request.app["synchronizer"].changed(item["library_id"])


@table.get("/api/content/library/item/{item}")
async def get_item(request: web.Request) -> web.Response:
    """One item."""
    item = item_of(request)
    shown = {key: item[key] for key in SHOWN if key in item}
    if item["type"] != "ovf" and "security_policy_id" not in _library(request, item):
        shown.pop("certificate_verification_info", None)  # only of what could be signed, or of a secure library
    return web.json_response(shown)


@table.patch("/api/content/library/item/{item}")
async def update_item(request: web.Request) -> web.Response:
    """Name, description and type of an item of a local library."""
    item = item_of(request, "LOCAL")
    changes = await read_body(request, ITEM, "update_spec")
    if changes.get("version", item["version"]) != item["version"]:
        raise ApiError("INVALID_ARGUMENT", f"'{item['name']}' is at version {item['version']}.", args=[item["version"]])
    _check_texts(request, changes, item["library_id"], item["id"])
    item |= {key: changes[key] for key in ("name", "description", "type") if key in changes}
    item |= {key: str(int(item[key]) + 1) for key in ("version", "metadata_version")}
    item["last_modified_time"] = now()
    _changed(request, item)
    return web.Response(status=204)


@table.delete("/api/content/library/item/{item}")
async def delete_item(request: web.Request) -> web.Response:
    """Of a local library; items of a subscribed one go when their publisher's do."""
    item = item_of(request, "LOCAL")
    request.app["synchronizer"].remove_item(item, files=True)
    library_publish.changed(request.app, _library(request, item))
    return web.Response(status=204)


def _files(request: web.Request, item: dict[str, Any]) -> list[dict[str, Any]]:
    """Files as clients see them: what is not in storage has no size."""
    return [_file(request, item, file) for file in item["files"]]


def _file(request: web.Request, item: dict[str, Any], file: dict[str, Any]) -> dict[str, Any]:
    shown = {"name": file["name"], "size": 0, "cached": file["cached"], "version": file["version"]}
    if not file["cached"]:
        return shown
    place = f"{settings.VCENTER_URL}/cls/static/{item['library_id']}/{item['id']}/{file['name']}"
    shown |= {"size": file["size"], "file_download_endpoint": f"{place}?version={file['version']}"}
    return shown | {key: file[key] for key in ("checksum_info",) if key in file}


@table.get("/api/content/library/item/{item}/file")
@since("9.0")
async def list_files(request: web.Request) -> web.Response:
    """Files of an item, or the one of ?name=."""
    files, name = _files(request, item_of(request)), request.query.get("name")
    if name is None:
        return web.json_response(files)
    for file in files:
        if file["name"] == name:
            return web.json_response(file)
    raise missing("File", name)


@table.get("/rest/com/vmware/content/library/item/file")
async def list_files_as_before(request: web.Request) -> web.Response:
    """The older path, which every release has; its form is older too."""
    if request.app["sessions"].touch(request.headers.get(HEADER, "")) is None:
        raise unauthenticated()
    identifier = request.query.get("library_item_id", "")
    item = request.app["store"]["items"].get(identifier)
    if item is None:
        raise missing("Library item", identifier)
    files = [{key: file[key] for key in file if key != "file_download_endpoint"} for file in _files(request, item)]
    return web.json_response({"value": files})


@table.get("/cls/static/{library}/{item}/{file}")
async def download(request: web.Request) -> web.StreamResponse:
    """A file in storage, for a session of the API."""
    if request.app["sessions"].touch(request.headers.get(HEADER, "")) is None:
        raise unauthenticated()
    item = item_of(request)
    for file in item["files"]:
        if (file["name"], file["cached"]) == (request.match_info["file"], True):
            if request.query.get("version", file["version"]) == file["version"]:
                return web.FileResponse(request.app["synchronizer"].path(item, file))
    raise missing("File", request.match_info["file"])


@table.get("/api/content/library/item/{item}/storage")
async def list_storage(request: web.Request) -> web.Response:
    """Where the files that were fetched lie."""
    item = item_of(request)
    backing = _library(request, item)["storage_backings"][0]
    place = f"ds:///vmfs/volumes/{backing.get('datastore_id', 'other')}/contentlib-{item['library_id']}/{item['id']}"
    return web.json_response(
        [
            {
                "storage_backing": backing,
                "storage_uris": [f"{place}/{file['name']}"] if file["cached"] else [],
                **{key: file[key] for key in ("name", "size", "cached", "version")},
            }
            for file in _files(request, item)
        ]
    )


@table.post("/api/content/library/subscribed-item/{item}")
async def act(request: web.Request) -> web.Response:
    """sync renews an item in the background, with all files when asked; evict drops the large ones."""
    item, action = item_of(request, "SUBSCRIBED"), request.query.get("action")
    synchronizer: Synchronizer = request.app["synchronizer"]
    if action == "sync":
        sent = await read_body(request, {"force_sync_content*": bool, "sync_optional_files": bool}, "sync")
        synchronizer.start_item(item, everything=sent["force_sync_content"])
    elif action == "evict":
        if not _library(request, item)["subscription_info"]["on_demand"]:
            text = "Only an item that is fetched on demand can be evicted."
            raise ApiError("INVALID_ELEMENT_CONFIGURATION", text, args=[item["id"]])
        synchronizer.evict_item(item)
    else:
        raise unknown_operation(request)
    return web.Response(status=204)


routes: list[web.AbstractRouteDef] = [*library_upload.routes, *table]
