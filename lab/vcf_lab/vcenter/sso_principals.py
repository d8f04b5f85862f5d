# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Users and groups by SOAP: what each operation of the two principal services does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .directory import DOMAIN, USERS, Directory, WeakPassword, check_policy, principal_key
from .security import hash_password
from .soap import Call, SoapFault, child

# Wire name of each detail and its name in the store.
DETAILS = {
    "description": "description",
    "emailAddress": "email",
    "firstName": "first_name",
    "lastName": "last_name",
}
DUPLICATE = "Another user or group already exists with the same name"


def _details(call: Call, name: str) -> dict[str, str]:
    """Details replace each other as a whole: one that is not sent is emptied."""
    sent = child(call.parameters, name)
    found = {wire: child(sent, wire) for wire in DETAILS}
    return {DETAILS[wire]: entry.text or "" for wire, entry in found.items() if entry is not None}


def _principal(call: Call, name: str) -> tuple[str, str]:
    sent = child(call.parameters, name)
    user, domain = child(sent, "name"), child(sent, "domain")
    if user is None:
        raise SoapFault(f"Required parameter {name} is missing", "InvalidArgumentFault", namespace="urn:vim25")
    return user.text or "", (domain.text if domain is not None else None) or DOMAIN


def _unknown(name: str) -> SoapFault:
    return SoapFault(
        f"Principal '{name}' does not exist", "SsoFaultInvalidPrincipalFault", fields={"principal": name}
    )


def _existing_user(directory: Directory, name: str) -> dict[str, Any]:
    user = directory.find(name)
    if user is None:
        raise _unknown(name)
    return user


def _existing_group(directory: Directory, name: str) -> tuple[str, dict[str, Any]]:
    found = directory.find_group(name)
    if found is None:
        raise _unknown(name)
    return found


def _check_free(directory: Directory, name: str) -> None:
    if directory.find(name) or directory.find_group(name):
        raise SoapFault(DUPLICATE, "SsoFaultInvalidPrincipalFault", fields={"principal": name})


def _check_password(password: str) -> None:
    try:
        check_policy(password)
    except WeakPassword as error:
        raise SoapFault(str(error), "SsoAdminFaultPasswordPolicyViolationFaultFault") from error


def create_user(directory: Directory, call: Call) -> dict[str, str]:
    name, password = call.value("userName"), call.value("password")
    if not name or any(mark in name for mark in "@\\/^&%,:*?\"<>|"):
        raise SoapFault(f"'{name}' is not a user name", "InvalidArgumentFault", namespace="urn:vim25")
    _check_free(directory, name)
    _check_password(password)
    directory.add(name, password, _details(call, "userDetails"), [USERS])
    return {"name": name, "domain": DOMAIN}


def update_user(directory: Directory, call: Call) -> dict[str, str]:
    user = _existing_user(directory, call.value("userName"))
    for key in DETAILS.values():
        user.pop(key, None)
    user.update(_details(call, "userDetails"))
    directory.store.changed()
    return {"name": user["name"], "domain": DOMAIN}


def reset_password(directory: Directory, call: Call, name: str | None = None) -> None:
    user = _existing_user(directory, name or call.value("userName"))
    password = call.value("newPassword")
    _check_password(password)
    user["password"] = hash_password(password)
    directory.unlock(principal_key(user["name"]))
    directory.store.changed()


def delete_principal(directory: Directory, call: Call) -> None:
    name = call.value("principalName")
    user = directory.find(name)
    if user is not None:
        del directory.users[principal_key(user["name"])]
    else:
        key, _ = _existing_group(directory, name)
        del directory.groups[key]
        for member in [*directory.users.values(), *directory.groups.values()]:
            member["groups"] = [entry for entry in member.get("groups", []) if entry != key]
    directory.store.changed()


def create_group(directory: Directory, call: Call) -> dict[str, str]:
    name = call.value("groupName")
    _check_free(directory, name)
    description = _details(call, "groupDetails").get("description", "")
    directory.groups[f"{name}@{DOMAIN}"] = {"name": name, "description": description}
    directory.store.changed()
    return {"name": name, "domain": DOMAIN}


def add_user_to_group(directory: Directory, call: Call) -> bool:
    """False when the user was a member before."""
    user = _existing_user(directory, _principal(call, "userId")[0])
    return _join(directory, user, call)


def add_group_to_group(directory: Directory, call: Call) -> bool:
    _, inner = _existing_group(directory, _principal(call, "groupId")[0])
    return _join(directory, inner, call)


def _join(directory: Directory, member: dict[str, Any], call: Call) -> bool:
    key, _ = _existing_group(directory, call.value("groupName"))
    groups = member.setdefault("groups", [])
    if key in groups:
        return False
    groups.append(key)
    directory.store.changed()
    return True


def remove_from_group(directory: Directory, call: Call) -> bool:
    name = _principal(call, "principalId")[0]
    key, _ = _existing_group(directory, call.value("groupName"))
    member = directory.find(name) or _existing_group(directory, name)[1]
    if key not in member.get("groups", []):
        return False
    member["groups"].remove(key)
    directory.store.changed()
    return True


def _enable(disabled: bool) -> Callable[[Directory, Call], bool]:
    def change(directory: Directory, call: Call) -> bool:
        user = _existing_user(directory, _principal(call, "userId")[0])
        before, user["disabled"] = user["disabled"], disabled
        directory.store.changed()
        return bool(before != disabled)

    return change


def _person(directory: Directory, user: dict[str, Any]) -> dict[str, Any]:
    details = {wire: user[key] for wire, key in DETAILS.items() if key in user}
    return {
        "id": {"name": user["name"], "domain": user["domain"]},
        "details": details,
        "disabled": user["disabled"],
        "locked": directory.locked(principal_key(user["name"])),
    }


def _group(group: dict[str, Any]) -> dict[str, Any]:
    description = group.get("description", "")
    return {"id": {"name": group["name"], "domain": DOMAIN}, "details": {"description": description}}


def find_user(directory: Directory, call: Call) -> dict[str, Any] | None:
    """An empty answer means that there is no such user."""
    name, domain = _principal(call, "userId")
    user = directory.find(f"{name}@{domain}")
    return _person(directory, user) if user else None


def find_users(directory: Directory, call: Call) -> list[dict[str, Any]]:
    searched = child(call.parameters, "criteria", "searchString")
    part = ((searched.text if searched is not None else "") or "").lower()
    return [_person(directory, user) for key, user in sorted(directory.users.items()) if part in key]


def find_group(directory: Directory, call: Call) -> dict[str, Any] | None:
    name, domain = _principal(call, "groupId")
    found = directory.find_group(name)
    return _group(found[1]) if found and domain.lower() == DOMAIN else None


def find_groups(directory: Directory, call: Call) -> list[dict[str, Any]]:
    searched = child(call.parameters, "criteria", "searchString")
    part = ((searched.text if searched is not None else "") or "").lower()
    return [_group(group) for key, group in sorted(directory.groups.items()) if part in key.lower()]


def find_members(directory: Directory, call: Call) -> list[dict[str, Any]]:
    key, _ = _existing_group(directory, _principal(call, "groupId")[0])
    members = [user for user in directory.users.values() if key in user["groups"]]
    return [_person(directory, user) for user in members]


def find_parents(directory: Directory, call: Call) -> list[dict[str, Any]]:
    user = _existing_user(directory, _principal(call, "userId")[0])
    return [_group(directory.groups[name]) for name in sorted(user["groups"])]


MANAGEMENT: dict[str, Callable[..., Any]] = {
    "CreateLocalPersonUser": create_user,
    "UpdateLocalPersonUserDetails": update_user,
    "ResetLocalPersonUserPassword": reset_password,
    "DeleteLocalPrincipal": delete_principal,
    "CreateLocalGroup": create_group,
    "AddUserToLocalGroup": add_user_to_group,
    "AddGroupToLocalGroup": add_group_to_group,
    "RemoveFromLocalGroup": remove_from_group,
    "DisableUserAccount": _enable(True),
    "EnableUserAccount": _enable(False),
}
DISCOVERY: dict[str, Callable[[Directory, Call], Any]] = {
    "FindPersonUser": find_user,
    "FindUser": find_user,
    "FindPersonUsers": find_users,
    "FindGroup": find_group,
    "FindGroups": find_groups,
    "FindPersonUsersInGroup": find_members,
    "FindUsersInGroup": find_members,
    "FindParentGroups": find_parents,
}
