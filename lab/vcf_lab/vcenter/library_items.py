# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Items of content libraries by REST."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from .errors import ApiError, missing
from .library_sync import Synchronizer
from .subscription import ProbeFailed
from .wcp_request import body as read_body
from .wcp_request import unknown_operation

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

routes = web.RouteTableDef()


def _item(request: web.Request) -> dict[str, Any]:
    identifier = request.match_info["item"]
    item: dict[str, Any] | None = request.app["store"]["items"].get(identifier)
    if item is None:
        raise missing("Library item", identifier)
    return item


@routes.get("/api/content/library/item")
async def list_items(request: web.Request) -> web.Response:
    """Identifiers of the items of one library."""
    library = request.query.get("library_id")
    if library is None:
        raise ApiError("INVALID_ARGUMENT", "The parameter 'library_id' is required.", args=["library_id"])
    if library not in request.app["store"]["libraries"]:
        raise missing("Library", library)
    items = request.app["store"]["items"]
    return web.json_response([key for key, item in items.items() if item["library_id"] == library])


@routes.post("/api/content/library/item")
async def find_items(request: web.Request) -> web.Response:
    """Identifiers by what items have in common."""
    if request.query.get("action") != "find":
        raise ApiError("INVALID_ELEMENT_TYPE", "Items of a subscribed library come from its publisher.")
    shape = {"name": str, "library_id": str, "source_id": str, "type": str, "cached": bool}
    wanted = await read_body(request, shape, "spec")
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


@routes.get("/api/content/library/item/{item}")
async def get_item(request: web.Request) -> web.Response:
    """One item."""
    item = _item(request)
    return web.json_response({key: item[key] for key in SHOWN if key in item})


@routes.delete("/api/content/library/item/{item}")
async def delete_item(request: web.Request) -> web.Response:
    """Only the publisher removes items."""
    item = _item(request)
    raise ApiError("INVALID_ELEMENT_TYPE", f"The item {item['name']} belongs to a subscribed library.")


@routes.get("/api/content/library/item/{item}/file")
async def list_files(request: web.Request) -> web.Response:
    """Files of an item, or the one of ?name=."""
    item, name = _item(request), request.query.get("name")
    files = [
        {key: file[key] for key in ("name", "size", "cached", "version", "checksum_info") if key in file}
        for file in item["files"]
        if name in (None, file["name"])
    ]
    if name is None:
        return web.json_response(files)
    if not files:
        raise missing("File", name)
    return web.json_response(files[0])


@routes.get("/api/content/library/item/{item}/storage")
async def list_storage(request: web.Request) -> web.Response:
    """Where the files that were fetched lie."""
    item = _item(request)
    backing = request.app["store"]["libraries"][item["library_id"]]["storage_backings"][0]
    place = f"ds:///vmfs/volumes/{backing.get('datastore_id', 'other')}/contentlib-{item['library_id']}/{item['id']}"
    return web.json_response(
        [
            {
                "storage_backing": backing,
                "storage_uris": [f"{place}/{file['name']}"] if file["cached"] else [],
                **{key: file[key] for key in ("name", "size", "cached", "version")},
            }
            for file in item["files"]
        ]
    )


@routes.post("/api/content/library/subscribed-item/{item}")
async def act(request: web.Request) -> web.Response:
    """sync brings all files of an item, evict drops the large ones."""
    item, action = _item(request), request.query.get("action")
    synchronizer: Synchronizer = request.app["synchronizer"]
    if action == "sync":
        await read_body(request, {"force_sync_content*": bool, "force_sync_optional_content": bool}, "sync")
        try:
            await synchronizer.fetch_item(item)
        except ProbeFailed as error:
            raise ApiError("RESOURCE_INACCESSIBLE", str(error)) from error
    elif action == "evict":
        synchronizer.evict_item(item)
    else:
        raise unknown_operation(request)
    return web.Response(status=204)
