# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Update sessions: how files come into an item of a local library. Sessions live in memory, as they are short."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta, timezone
from typing import Any

from aiohttp import web

from vcf_lab import settings

from . import library_publish
from .errors import ApiError, missing
from .library_sync import Synchronizer, is_strict
from .store import new_id, now
from .subscription import ProbeFailed
from .wcp_request import body as read_body
from .wcp_request import no_content, unknown_operation, wrong_state

SESSION = "/api/content/library/item/update-session"
LIFETIME = timedelta(hours=24)
CHECKSUM = {"algorithm": ("SHA1", "MD5", "SHA256", "SHA512"), "checksum*": str}
FILE = {
    "name*": str,
    "source_type*": ("NONE", "PUSH", "PULL"),
    "source_endpoint": {"uri*": str, "ssl_certificate_thumbprint": str, "ssl_certificate@9.0": str},
    "size": int,
    "checksum_info": CHECKSUM,
}

routes = web.RouteTableDef()


def _sessions(app: web.Application) -> dict[str, Any]:
    found: dict[str, Any] = app["clients"].setdefault("update_sessions", {})
    return found


def _session(request: web.Request) -> dict[str, Any]:
    identifier = request.match_info["session"]
    session: dict[str, Any] | None = _sessions(request.app).get(identifier)
    if session is None:
        raise missing("Update session", identifier)
    return session


@routes.post(SESSION)
async def create(request: web.Request) -> web.Response:
    """One session per item at a time."""
    sent = await read_body(request, {"library_item_id*": str, "client_progress": int}, "create_spec")
    item = request.app["store"]["items"].get(sent["library_item_id"])
    if item is None:
        raise missing("Library item", sent["library_item_id"])
    if request.app["store"]["libraries"][item["library_id"]]["type"] != "LOCAL":
        raise ApiError("INVALID_ELEMENT_TYPE", "Items of a subscribed library come from its publisher.")
    if any(_active(session) and session["library_item_id"] == item["id"] for session in _sessions(request.app).values()):
        raise ApiError("RESOURCE_BUSY", f"The item {item['name']} has another update session.")
    session = {
        "id": new_id(),
        "library_item_id": item["id"],
        "library_item_content_version": item["content_version"],
        "client_progress": 0,
        "state": "ACTIVE",
        "expiration_time": (datetime.now(timezone.utc) + LIFETIME).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "files": {},
    }
    _sessions(request.app)[session["id"]] = session
    return web.json_response(session["id"], status=201)


def _active(session: dict[str, Any]) -> bool:
    return bool(session["state"] == "ACTIVE")


@routes.get(SESSION)
async def listing(request: web.Request) -> web.Response:
    """Identifiers of the sessions, of one item when it is named."""
    wanted = request.query.get("library_item_id")
    found = _sessions(request.app).items()
    return web.json_response([key for key, session in found if wanted in (None, session["library_item_id"])])


@routes.get(SESSION + "/{session}")
async def show(request: web.Request) -> web.Response:
    """One session."""
    return web.json_response({key: value for key, value in _session(request).items() if key != "files"})


@routes.delete(SESSION + "/{session}")
async def delete(request: web.Request) -> web.Response:
    """Forget a session that has ended."""
    if _active(_session(request)):
        raise wrong_state("The update session is active: complete, cancel or fail it first.")
    del _sessions(request.app)[request.match_info["session"]]
    return no_content()


@routes.post(SESSION + "/{session}")
async def act(request: web.Request) -> web.Response:
    """complete, cancel, fail, keep-alive."""
    session, action = _session(request), request.query.get("action")
    if action not in ("complete", "cancel", "fail", "keep-alive"):
        raise unknown_operation(request)
    if not _active(session):
        raise wrong_state(f"The update session is {session['state']}.")
    if action == "complete":
        _complete(request, session)
    elif action == "fail":
        session["state"] = "ERROR"
    elif action == "cancel":
        session["state"] = "CANCELED"
    return no_content()


def _complete(request: web.Request, session: dict[str, Any]) -> None:
    """The files become the item's; those of the same names are replaced."""
    waiting = [name for name, file in session["files"].items() if "content" not in file]
    if waiting:
        raise wrong_state(f"Files that have not been received: {', '.join(waiting)}.", *waiting)
    store, synchronizer = request.app["store"], request.app["synchronizer"]
    item = store["items"].get(session["library_item_id"])
    if item is None:
        raise missing("Library item", session["library_item_id"])
    content = {name: file["content"] for name, file in session["files"].items()}
    versions = {file["name"]: int(file["version"]) for file in item["files"]}
    new = [
        {"name": name, "size": len(data), "cached": False, "version": str(versions.get(name, 0) + 1)}
        for name, data in content.items()
    ]
    library = store["libraries"][item["library_id"]]
    kept = [file for file in item["files"] if file["name"] not in content]
    content |= {file["name"]: synchronizer.path(item, file).read_bytes() for file in kept if file["cached"]}
    item["files"] = sorted([*kept, *new], key=lambda file: str(file["name"]))
    synchronizer.keep(item, content, strict=is_strict(library, item))
    item["content_version"] = str(int(item["content_version"]) + 1)
    item["last_modified_time"] = now()
    session["state"], session["files"] = "DONE", {}
    library_publish.changed(request.app, library)
    synchronizer.changed(library["id"])


@routes.post(SESSION + "/{session}/file")
async def add_file(request: web.Request) -> web.Response:
    """Announce a file: it is pushed to the address in the answer, or pulled from an address at once."""
    session = _session(request)
    if request.query.get("action") == "validate":
        return web.json_response({"has_errors": False})
    if request.query.get("action") is not None:
        raise unknown_operation(request)
    sent = await read_body(request, FILE, "file_spec")
    if not _active(session):
        raise wrong_state(f"The update session is {session['state']}.")
    file = {"name": sent["name"], "source_type": sent["source_type"], "bytes_transferred": 0, "wanted": sent}
    file["status"] = "WAITING_FOR_TRANSFER"
    session["files"][sent["name"]] = file
    if sent["source_type"] == "PUSH":
        place = f"{settings.VCENTER_URL}/cls/data/{session['id']}/{sent['name']}"
        file["upload_endpoint"] = {"uri": place}
    elif sent["source_type"] == "PULL":
        await _pull(request, file, sent.get("source_endpoint", {}))
    return web.json_response(_shown(file))


def _shown(file: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in file.items() if key not in ("content", "wanted")}


async def _pull(request: web.Request, file: dict[str, Any], endpoint: dict[str, Any]) -> None:
    synchronizer: Synchronizer = request.app["synchronizer"]
    trust = {"ssl_thumbprint": endpoint.get("ssl_certificate_thumbprint"), "ssl_certificate": endpoint.get("ssl_certificate")}
    info = {"subscription_url": endpoint.get("uri", ""), **{key: value for key, value in trust.items() if value}}
    try:
        async with synchronizer.publisher(info).connected() as source:
            _receive(file, await source.content(info["subscription_url"]))
    except ProbeFailed as error:
        file["status"] = "ERROR"
        file["error_message"] = {"id": "com.vmware.vdcs.cls-main.transfer", "default_message": str(error), "args": []}


def _receive(file: dict[str, Any], content: bytes) -> None:
    wanted = file["wanted"]
    checksum = wanted.get("checksum_info")
    wrong = ""
    if wanted.get("size", len(content)) != len(content):
        wrong = f"{file['name']} has {len(content)} bytes, not {wanted['size']}."
    elif checksum and hashlib.new(checksum.get("algorithm", "SHA1").lower(), content).hexdigest() != checksum["checksum"].lower():
        wrong = f"{file['name']} does not have the checksum that was given."
    if wrong:
        file["status"] = "ERROR"
        file["error_message"] = {"id": "com.vmware.vdcs.cls-main.transfer", "default_message": wrong, "args": []}
        return
    file |= {"status": "READY", "size": len(content), "bytes_transferred": len(content), "content": content}


@routes.get(SESSION + "/{session}/file")
async def list_files(request: web.Request) -> web.Response:
    """The files of a session and how far they are."""
    return web.json_response([_shown(file) for file in _session(request)["files"].values()])


@routes.put("/cls/data/{session}/{file}")
async def push(request: web.Request) -> web.Response:
    """The bytes of a pushed file; the address itself is the secret that lets it in."""
    file = _session(request)["files"].get(request.match_info["file"])
    if file is None or file["source_type"] != "PUSH":
        raise missing("File", request.match_info["file"])
    _receive(file, await request.read())
    return web.Response(status=200 if file["status"] == "READY" else 400)
