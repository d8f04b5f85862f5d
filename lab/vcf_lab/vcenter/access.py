# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Permissions on a vSphere Namespace, one principal at a time, and the user's own view."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from vcf_lab.vcenter import namespace_spec
from vcf_lab.vcenter.errors import ApiError
from vcf_lab.vcenter.namespaces import BASE, changeable, namespace, touch
from vcf_lab.vcenter.store import Store
from vcf_lab.vcenter.wcp_request import body, has, invalid, no_content

routes = web.RouteTableDef()
PATH = BASE + "/{namespace}/access/{domain}/{subject}"
_ROLE = {"role*": namespace_spec.ROLES, "identity_provider@8.0.1": str}


def _principal(request: web.Request) -> dict[str, str]:
    kind = request.query.get("type")
    if kind not in namespace_spec.SUBJECT_TYPES:
        raise invalid("The parameter 'type' is USER or GROUP.", "type")
    return {"subject_type": kind, "subject": request.match_info["subject"], "domain": request.match_info["domain"]}


def _same(entry: dict[str, Any], principal: dict[str, str]) -> bool:
    return all(entry[key].lower() == value.lower() for key, value in principal.items())


def _entry(request: web.Request, record: dict[str, Any]) -> dict[str, Any]:
    """The principal's entry; without one vCenter answers UNSUPPORTED, not NOT_FOUND."""
    principal = _principal(request)
    entries: list[dict[str, Any]] = record["access_list"]
    for entry in entries:
        if _same(entry, principal):
            return entry
    name = f"{principal['subject']}@{principal['domain']}"
    raise ApiError(
        "UNSUPPORTED",
        f"The {principal['subject_type'].lower()} {name} has no role on namespace {record['namespace']}.",
        id="vcenter.wcp.access.not_assigned",
        args=[name, record["namespace"]],
    )


def _inherited(request: web.Request, record: dict[str, Any]) -> dict[str, Any] | None:
    """The strongest role that a user has through groups; it can be seen here, not changed."""
    principal = _principal(request)
    user = f"{principal['subject']}@{principal['domain']}".lower()
    if principal["subject_type"] != "USER":
        return None
    groups = {name.lower() for name in groups_of(request.app["store"], user)}
    roles = [
        entry["role"]
        for entry in record["access_list"]
        if entry["subject_type"] == "GROUP" and f"{entry['subject']}@{entry['domain']}".lower() in groups
    ]
    return {"role": min(roles, key=namespace_spec.ROLES.index), "inherited": True} if roles else None


def groups_of(store: Store, user: str) -> list[str]:
    """The groups that a user is in."""
    found: dict[str, Any] = next((entry for name, entry in store["users"].items() if name.lower() == user.lower()), {})
    return list(found.get("groups", []))


@routes.get(PATH)
async def get(request: web.Request) -> web.Response:
    record, principal = namespace(request), _principal(request)
    direct = any(_same(entry, principal) for entry in record["access_list"])
    inherited = None if direct else _inherited(request, record)
    if inherited is not None:
        return web.json_response(inherited)
    entry = _entry(request, record)
    answer = {field: entry[field] for field in ("role", "identity_provider") if field in entry}
    return web.json_response({**answer, "inherited": False})


@routes.post(PATH)
async def create(request: web.Request) -> web.Response:
    record, principal = namespace(request), _principal(request)
    spec = await body(request, _ROLE, "CreateSpec")
    changeable(record)
    name = f"{principal['subject']}@{principal['domain']}"
    if any(_same(entry, principal) for entry in record["access_list"]):
        raise ApiError("ALREADY_EXISTS", f"{name} already has a role on namespace {record['namespace']}.", args=[name])
    namespace_spec.check_principal(request.app, {**principal, **spec}, "UNSUPPORTED")
    record["access_list"].append({**principal, **spec})
    touch(request.app, record)
    return no_content()


@routes.put(PATH)
async def replace(request: web.Request) -> web.Response:
    record = namespace(request)
    entry = _entry(request, record)
    spec = await body(request, _ROLE, "SetSpec")
    changeable(record)
    namespace_spec.check_principal(request.app, {**entry, **spec}, "UNSUPPORTED")
    entry.update(spec)
    touch(request.app, record)
    return no_content()


@routes.delete(PATH)
async def delete(request: web.Request) -> web.Response:
    record = namespace(request)
    entry = _entry(request, record)
    changeable(record)
    record["access_list"].remove(entry)
    touch(request.app, record)
    return no_content()


@routes.get("/api/vcenter/namespaces-user/namespaces")
async def of_user(request: web.Request) -> web.Response:
    """The namespaces that the session's user may enter, or, since 8.0, those of the user that the query names."""
    store = request.app["store"]
    user, groups = str(request.get("user", "")), set[str]()
    if has(request, "8.0.1") and request.query.keys() & {"username", "groups"}:
        user = request.query.get("username", "")
        groups = {group.lower() for group in request.query.getall("groups", [])}
    groups |= {group.lower() for group in groups_of(store, user)}
    items = []
    for record in store["namespaces"].values():
        names = {(entry["subject_type"], f"{entry['subject']}@{entry['domain']}".lower()) for entry in record["access_list"]}
        mine = ("USER", user.lower()) in names or any(("GROUP", group) in names for group in groups)
        if mine or "administrators@vsphere.local" in groups:
            vip = store["supervisors"][record["supervisor"]]["vip"]
            items.append({"namespace": record["namespace"], "master_host": vip})
    return web.json_response(items)
