# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plain side door, for the lab's other parts and its tests; no client of the product comes here."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from vcf_lab import faults

from .directory import Directory, Refused, full_name, principal_key
from .store import Store

routes = web.RouteTableDef()


def _front(request: web.Request) -> web.Application:
    front: web.Application = request.app["front"]
    return front


@routes.get("/health")
async def health(request: web.Request) -> web.Response:
    """200 when the inventory behind the front answers too."""
    clusters = await _front(request)["inventory"].clusters()
    return web.json_response({"status": "ok", "clusters": len(clusters)})


@routes.get("/state")
async def state(request: web.Request) -> web.Response:
    """All that is remembered: equal before and after means that nothing was changed."""
    return web.json_response(_front(request)["store"].public())


@routes.get("/requests")
async def requests(request: web.Request) -> web.Response:
    """Every request since the start, or since the last DELETE."""
    return web.json_response(list(_front(request)["requests"]))


@routes.delete("/requests")
async def forget_requests(request: web.Request) -> web.Response:
    """Begin the log anew."""
    _front(request)["requests"].clear()
    return web.Response(status=204)


@routes.get("/sessions")
async def sessions(request: web.Request) -> web.Response:
    """Open REST sessions, so a test sees which client forgot to log out."""
    front = _front(request)
    return web.json_response({"rest": front["sessions"].listing(), "sso": sorted(front["sso_sessions"].values())})


@routes.delete("/sessions")
async def end_sessions(request: web.Request) -> web.Response:
    """End all sessions at once, as a restart of the service would."""
    front = _front(request)
    front["sso_sessions"].clear()
    return web.json_response({"ended": front["sessions"].end_all()})


routes_of_faults = faults.routes(lambda request: _front(request)["faults"])


@routes.get("/privileges")
async def privileges(request: web.Request) -> web.Response:
    """What was given to users that are no administrators."""
    return web.json_response(_front(request)["grants"].listing())


@routes.put("/privileges")
async def grant(request: web.Request) -> web.Response:
    """Give each user or group of the body exactly its list."""
    try:
        _front(request)["grants"].set(await request.json())
    except ValueError as error:
        return web.json_response({"error": str(error)}, status=400)
    return web.json_response(_front(request)["grants"].listing())


@routes.post("/authenticate")
async def authenticate(request: web.Request) -> web.Response:
    """Check credentials for the Supervisor's login."""
    asked: dict[str, Any] = await request.json()
    directory: Directory = _front(request)["directory"]
    try:
        _front(request)["faults"].supervisor_login()
        user = directory.authenticate(str(asked.get("username", "")), str(asked.get("password", "")))
    except Refused as error:
        return web.json_response({"error": str(error), "locked": error.locked}, status=401)
    # The Supervisor knows users in one spelling, however they were made or log in.
    return web.json_response({"user": principal_key(full_name(user)), "groups": directory.groups_of(user)})


@routes.get("/roles")
async def roles(request: web.Request) -> web.Response:
    """Namespaces that a user may enter, and as what."""
    front = _front(request)
    directory: Directory = front["directory"]
    user = directory.find(request.query.get("user", ""))
    if user is None:
        return web.json_response({"error": "no such user"}, status=404)
    groups = directory.groups_of(user)
    answer = {"user": full_name(user), "groups": groups, "administrator": directory.is_administrator(user)}
    return web.json_response({**answer, "namespaces": _entries(front["store"], full_name(user), groups)})


def _entries(store: Store, user: str, groups: list[str]) -> list[dict[str, str]]:
    """One line per namespace and role that names the user or one of the groups."""
    who = {("USER", user.lower())} | {("GROUP", group.lower()) for group in groups}
    return [
        {"namespace": name, "role": entry["role"]}
        for name, record in sorted(store["namespaces"].items())
        for entry in record.get("access_list", [])
        if (entry["subject_type"], f"{entry['subject']}@{entry['domain']}".lower()) in who
    ]
