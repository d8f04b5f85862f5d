# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Users and groups by SOAP: what each operation of the management service does.

It changes the domain of SSO only; members of its groups may come from any domain. Which fault an
operation answers with is told by the sources that the vendor has published (vmware/lightwave,
interface PrincipalManagement); names of fault elements that are in no description are inferred.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable
from typing import Any

from . import sso_domains
from .directory import BUILT_IN_GROUPS, DOMAIN, USERS, Directory, WeakPassword, check_policy, principal_key
from .security import hash_password
from .soap import Call, SoapFault, child, local

# Wire name of each detail and its name in the store.
DETAILS = {
    "description": "description",
    "emailAddress": "email",
    "firstName": "first_name",
    "lastName": "last_name",
}
DUPLICATE = "Another user or group already exists with the same name"
FORBIDDEN = "^<>&%`@\\"
BUILT_IN = {name.lower() for name in (*BUILT_IN_GROUPS, *sso_domains.BUILT_IN, "Administrator")}


def _details(call: Call, name: str) -> dict[str, str]:
    """Details replace each other as a whole: one that is not sent is emptied."""
    sent = child(call.parameters, name)
    found = {wire: child(sent, wire) for wire in DETAILS}
    return {DETAILS[wire]: entry.text or "" for wire, entry in found.items() if entry is not None}


def principal(call: Call, name: str) -> tuple[str, str]:
    """Name and domain of a parameter that is a PrincipalId."""
    sent = child(call.parameters, name)
    return _halves(sent) if sent is not None else ("", DOMAIN)


def _halves(sent: ET.Element) -> tuple[str, str]:
    name, domain = child(sent, "name"), child(sent, "domain")
    return (name.text if name is not None else "") or "", (domain.text if domain is not None else "") or DOMAIN


def unknown(name: str) -> SoapFault:
    """The fault for a principal that does not exist."""
    return SoapFault(
        f"Principal '{name}' does not exist", "SsoFaultInvalidPrincipalFault", fields={"principal": name}
    )


def _local_user(directory: Directory, name: str) -> dict[str, Any]:
    user = sso_domains.user(directory, name)
    if user is None:
        raise unknown(name)
    return user


def _local_group(directory: Directory, name: str) -> tuple[str, dict[str, Any]]:
    found = sso_domains.group(directory, name)
    if found is None:
        raise unknown(name)
    return found


def existing_user(directory: Directory, who: tuple[str, str]) -> dict[str, Any]:
    """A user of any domain."""
    user = sso_domains.user(directory, *who)
    if user is None:
        raise unknown("@".join(who))
    return user


def existing_group(directory: Directory, who: tuple[str, str]) -> tuple[str, dict[str, Any]]:
    """A group of any domain, with its key."""
    found = sso_domains.group(directory, *who)
    if found is None:
        raise unknown("@".join(who))
    return found


def _check_new(directory: Directory, name: str) -> None:
    """A user and a group cannot have one name."""
    if not name or any(mark in name for mark in FORBIDDEN):
        raise SoapFault(f"'{name}' is not a name of a user or group", "InvalidArgumentFault", namespace="urn:vim25")
    taken = name.lower() == sso_domains.EVERYONE.lower()
    if taken or sso_domains.user(directory, name) or sso_domains.group(directory, name):
        raise SoapFault(DUPLICATE, "SsoFaultInvalidPrincipalFault", fields={"principal": name})


def _check_password(password: str) -> None:
    try:
        check_policy(password)
    except WeakPassword as error:
        raise SoapFault(str(error), "SsoAdminFaultPasswordPolicyViolationFaultFault") from error


def _id(name: str) -> dict[str, str]:
    return {"name": name, "domain": DOMAIN}


def create_user(directory: Directory, call: Call) -> dict[str, str]:
    name, password = call.value("userName"), call.value("password")
    _check_new(directory, name)
    _check_password(password)
    directory.add(name, password, _details(call, "userDetails"), [USERS])
    return _id(name)


def update_user(directory: Directory, call: Call) -> dict[str, str]:
    user = _local_user(directory, call.value("userName"))
    for key in DETAILS.values():
        user.pop(key, None)
    user.update(_details(call, "userDetails"))
    directory.store.changed()
    return _id(user["name"])


def reset_password(directory: Directory, call: Call, name: str | None = None) -> None:
    user = _local_user(directory, name or call.value("userName"))
    password = call.value("newPassword")
    _check_password(password)
    user["password"] = hash_password(password)
    directory.unlock(principal_key(user["name"]))
    directory.store.changed()


def delete_principal(directory: Directory, call: Call) -> None:
    name = call.value("principalName")
    if name.lower() in BUILT_IN:
        raise SoapFault(f"'{name}' cannot be deleted", "SsoFaultInvalidPrincipalFault", fields={"principal": name})
    user = sso_domains.user(directory, name)
    if user is not None:
        del directory.users[principal_key(user["name"])]
    else:
        key, _ = _local_group(directory, name)
        del directory.groups[key]
        for member in [*directory.users.values(), *directory.groups.values()]:
            member["groups"] = [entry for entry in member["groups"] if entry != key]
    directory.store.changed()


def create_group(directory: Directory, call: Call) -> dict[str, str]:
    name = call.value("groupName")
    _check_new(directory, name)
    description = _details(call, "groupDetails").get("description", "")
    directory.groups[f"{name}@{DOMAIN}"] = {"name": name, "description": description, "groups": []}
    directory.store.changed()
    return _id(name)


def update_group(directory: Directory, call: Call) -> dict[str, str]:
    _, group = _local_group(directory, call.value("groupName"))
    group["description"] = _details(call, "groupDetails").get("description", "")
    directory.store.changed()
    return _id(group["name"])


def _join(directory: Directory, call: Call, member: dict[str, Any], own: str = "") -> bool:
    """False when the member was one before; `own` is the key of a group that joins."""
    if call.value("groupName").lower() == sso_domains.EVERYONE.lower():
        return False
    key, group = _local_group(directory, call.value("groupName"))
    if own and own in (key, *directory.groups_of(group)):
        text = f"Group '{group['name']}' is a member of '{member['name']}', or the same"
        raise SoapFault(text, "SsoAdminFaultGroupCyclicDependencyFaultFault")
    groups = member["groups"]
    if key in groups:
        return False
    groups.append(key)
    directory.store.changed()
    return True


def add_user(directory: Directory, call: Call) -> bool:
    return _join(directory, call, existing_user(directory, principal(call, "userId")))


def add_group(directory: Directory, call: Call) -> bool:
    key, inner = existing_group(directory, principal(call, "groupId"))
    return _join(directory, call, inner, key)


def remove(directory: Directory, call: Call) -> bool:
    """False when the principal was no member."""
    who = principal(call, "principalId")
    key, _ = _local_group(directory, call.value("groupName"))
    member = sso_domains.user(directory, *who) or existing_group(directory, who)[1]
    if key not in member["groups"]:
        return False
    member["groups"].remove(key)
    directory.store.changed()
    return True


def _several(parameter: str, one: str, change: Callable[[Directory, Call], bool]) -> Callable[[Directory, Call], Any]:
    """The plural of an operation: the same for each principal, or for none when one does not exist."""

    def change_all(directory: Directory, call: Call) -> list[bool]:
        group = child(call.parameters, "groupName")
        singles = []
        for sent in [entry for entry in call.parameters if local(entry) == parameter]:
            who = _halves(sent)
            if not sso_domains.user(directory, *who) and not sso_domains.group(directory, *who):
                raise unknown("@".join(who))
            parameters = ET.Element(call.operation)
            renamed = ET.SubElement(parameters, one)
            renamed.extend(list(sent))
            parameters.extend([group] if group is not None else [])
            singles.append(Call(call.operation, call.target, parameters, call.header, call.text))
        return [change(directory, single) for single in singles]

    return change_all


def _enable(disabled: bool) -> Callable[[Directory, Call], bool]:
    def change(directory: Directory, call: Call) -> bool:
        user = _own_user(directory, call)
        before, user["disabled"] = user["disabled"], disabled
        directory.store.changed()
        return bool(before != disabled)

    return change


def unlock(directory: Directory, call: Call) -> bool:
    """False when the user was not locked."""
    key = principal_key(_own_user(directory, call)["name"])
    locked = directory.locked(key)
    directory.unlock(key)
    return locked


def _own_user(directory: Directory, call: Call) -> dict[str, Any]:
    """A user of the domain of SSO; what others are is decided elsewhere."""
    user = existing_user(directory, principal(call, "userId"))
    if user["domain"] != DOMAIN:
        raise unknown(f"{user['name']}@{user['domain']}")
    return user


MANAGEMENT: dict[str, Callable[..., Any]] = {
    "CreateLocalPersonUser": create_user,
    "UpdateLocalPersonUserDetails": update_user,
    "ResetLocalPersonUserPassword": reset_password,
    "DeleteLocalPrincipal": delete_principal,
    "CreateLocalGroup": create_group,
    "UpdateLocalGroupDetails": update_group,
    "AddUserToLocalGroup": add_user,
    "AddUsersToLocalGroup": _several("userIds", "userId", add_user),
    "AddGroupToLocalGroup": add_group,
    "AddGroupsToLocalGroup": _several("groupIds", "groupId", add_group),
    "RemoveFromLocalGroup": remove,
    "RemovePrincipalsFromLocalGroup": _several("principalsIds", "principalId", remove),
    "DisableUserAccount": _enable(True),
    "EnableUserAccount": _enable(False),
    "UnlockUserAccount": unlock,
}
