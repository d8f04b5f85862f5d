# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Users and groups by SOAP: what each operation of the discovery service finds, in all domains.

A single principal that does not exist is an empty answer; a group that is asked for its members has to exist.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from . import sso_domains
from .directory import DOMAIN, Directory, full_name, principal_key
from .soap import Call, child
from .sso_principals import DETAILS, existing_group, existing_user, principal

Found = list[dict[str, Any]]


def _person(directory: Directory, user: dict[str, Any]) -> dict[str, Any]:
    details = {wire: user[key] for wire, key in DETAILS.items() if key in user}
    return {
        **_who(user),
        "details": details,
        "disabled": user["disabled"],
        "locked": directory.locked(principal_key(full_name(user))),
    }


def _user(_directory: Directory, user: dict[str, Any]) -> dict[str, Any]:
    return {**_who(user), "kind": "person", "description": user.get("description")}


def _group(_directory: Directory, group: dict[str, Any]) -> dict[str, Any]:
    return {**_who(group), "details": {"description": group.get("description", "")}}


def _who(record: dict[str, Any]) -> dict[str, Any]:
    """The identifier, and for the company's directory the name with the short form of the domain."""
    name, domain = record["name"], record.get("domain", DOMAIN)
    alias = {"name": name, "domain": sso_domains.ALIAS} if domain == sso_domains.EXTERNAL else None
    return {"id": {"name": name, "domain": domain}, "alias": alias}


Shown = Callable[[Directory, dict[str, Any]], dict[str, Any]]


def _one_user(shown: Shown) -> Callable[[Directory, Call], dict[str, Any] | None]:
    def find(directory: Directory, call: Call) -> dict[str, Any] | None:
        user = sso_domains.user(directory, *principal(call, "userId"))
        return shown(directory, user) if user else None

    return find


def _one_group(directory: Directory, call: Call) -> dict[str, Any] | None:
    found = sso_domains.group(directory, *principal(call, "groupId"))
    return _group(directory, found[1]) if found else None


def _search(section: str, shown: Shown) -> Callable[[Directory, Call], Found]:
    def find(directory: Directory, call: Call) -> Found:
        criteria = child(call.parameters, "criteria")
        domain = child(criteria, "domain")
        wanted = sso_domains.known((domain.text if domain is not None else "") or "")
        searched = child(criteria, "searchString")
        records = [entry for _, entry in sorted(directory.store[section].items()) if entry.get("domain", DOMAIN) == wanted]
        return _some(directory, call, records, shown, (searched.text if searched is not None else "") or "")

    return find


def _some(directory: Directory, call: Call, records: Iterable[dict[str, Any]], shown: Shown, part: str) -> Found:
    """Those whose name or description holds the text, and no more than the limit; one below 1 is none."""
    limit = int(call.value("limit"))
    part = part.lower()
    found = [
        shown(directory, entry)
        for entry in records
        if part in entry["name"].lower() or part in entry.get("description", "").lower()
    ]
    return found[:limit] if limit > 0 else found


def _members(section: str, shown: Shown) -> Callable[[Directory, Call], Found]:
    """Direct members; those of a group inside the group are not."""

    def find(directory: Directory, call: Call) -> Found:
        key, _ = existing_group(directory, principal(call, "groupId"))
        records = [entry for _, entry in sorted(directory.store[section].items()) if key in entry.get("groups", [])]
        return _some(directory, call, records, shown, call.value("searchString", ""))

    return find


def _parents(directory: Directory, call: Call) -> Found:
    """Identifiers of all groups that a user is in, of those in `groupList` when it is given."""
    names = directory.groups_of(existing_user(directory, principal(call, "userId")))
    wanted = {"@".join(_text(entry, half) for half in ("name", "domain")).lower() for entry in _lists(call)}
    return [_who(directory.groups[name])["id"] for name in names if not wanted or name.lower() in wanted]


def _lists(call: Call) -> list[Any]:
    return [entry for entry in call.parameters if entry.tag.rsplit("}", 1)[-1] == "groupList"]


def _text(element: Any, name: str) -> str:
    found = child(element, name)
    return (found.text if found is not None else "") or ""


def _direct_parents(directory: Directory, call: Call) -> Found:
    who = principal(call, "principalId")
    member = sso_domains.user(directory, *who) or existing_group(directory, who)[1]
    return [_group(directory, directory.groups[name]) for name in sorted(member.get("groups", []))]


def _nested_parents(directory: Directory, call: Call) -> Found:
    user = existing_user(directory, principal(call, "userId"))
    return [_group(directory, directory.groups[name]) for name in directory.groups_of(user)]


DISCOVERY: dict[str, Callable[[Directory, Call], Any]] = {
    "FindPersonUser": _one_user(_person),
    "FindUser": _one_user(_user),
    "FindPersonUsers": _search("users", _person),
    "FindUsers": _search("users", _user),
    "FindGroup": _one_group,
    "FindGroups": _search("groups", _group),
    "FindPersonUsersInGroup": _members("users", _person),
    "FindUsersInGroup": _members("users", _user),
    "FindGroupsInGroup": _members("groups", _group),
    "FindParentGroups": _parents,
    "FindDirectParentGroups": _direct_parents,
    "FindNestedParentGroups": _nested_parents,
}
