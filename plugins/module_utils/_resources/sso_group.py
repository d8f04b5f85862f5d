# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A group in the SSO domain of a vCenter, and who is in it."""

from __future__ import annotations

import typing as t

from .._errors import RayError, UnknownYet
from .._ports import Json, Sso
from .sso_principals import FIND, Principal, find, is_login, refuse_domain_in, write

# The groups that vCenter brings along and needs (vSphere Authentication, "Groups in the vCenter Single Sign-On Domain").
BUILT_IN = frozenset(name.lower() for name in (
    "Users", "SolutionUsers", "CAAdmins", "DCAdmins", "DCClients", "SystemConfiguration.Administrators", "SystemConfiguration.ReadOnly",
    "SystemConfiguration.BashShellAdministrators", "SystemConfiguration.SupportUsers", "ActAsUsers", "ExternalIDPUsers", "Administrators",
    "LicenseService.Administrators", "RegistryAdministrators", "ComponentManager.Administrators", "SyncUsers", "ServiceProviderUsers",
    "vSphereClientSolutionUsers", "NsxAdministrators", "NsxAuditors", "NsxViAdministrators", "vCLSAdmin", "vStatsGroup", "WorkloadStorage",
    "TrustedAdmins", "AutoUpdate", "AnalyticsService.Administrators", "SupervisorProviderAdministrators", "ReadOnlyUsers",
))
EVERYBODY = 2**31 - 1  # the limit of a list that is wanted whole


class SsoGroup:
    """One group by name; its members are told as ``name@domain``. Solution users in it are not seen, so they stay.

    Args:
        purge: whether members that are not asked for leave the group.
        login: who the task is logged in as: this user does not leave the group.
        removing: whether the group is to go.
    """

    noun = "sso_group"

    def __init__(self, client: Sso, name: str, domain: str, *, purge: bool = True, login: str | None = None, removing: bool = False) -> None:
        refuse_domain_in(name)
        self._client = client
        self.name = name
        self._who = Principal(name, domain)
        self._purge, self._login, self._removing = purge, login, removing
        self._asked: set[str] = set()
        # Of each new member: the call that takes it in, and the parameter of that call.
        self._joins: dict[str, tuple[str, str]] = {}

    def read(self) -> Json | None:
        found = find(self._client, "FindGroup", "groupId", self._who)
        if found is None:
            return None
        if self._removing and self.name.lower() in BUILT_IN:
            raise RayError(f"The group {self._who} belongs to vCenter itself and cannot be removed.", code="INPUT",
                           hint="Only its members can be changed.")
        members = [Principal.told(row) for method in ("FindPersonUsersInGroup", "FindGroupsInGroup") for row in self._all(method)]
        return {
            "name": self.name,
            "domain": self._who.domain,
            "description": (found.get("details") or {}).get("description") or "",
            "members": ordered(map(str, members)),
        }

    def resolve(self, before: Json | None, desired: Json) -> Json:
        self._asked = {key for key, value in desired.items() if value is not None}
        members = self._members((before or {}).get("members") or [], desired.get("members"))
        if before is None:
            return {**desired, "description": desired.get("description") or "", "members": members or []}
        return {**desired, "members": members}

    def create(self, desired: Json) -> None:
        details = {"description": desired["description"]} if desired.get("description") else {}
        write(self._client, "CreateLocalGroup", {"groupName": self.name, "groupDetails": details})
        self._join(desired.get("members") or [])

    def update(self, before: Json, desired: Json) -> None:
        # Not what a new group has by itself: another client may have made this one meanwhile.
        desired = {key: value for key, value in desired.items() if key in self._asked}
        if desired.get("description") not in (None, before["description"]):
            details = {"description": desired["description"]}
            write(self._client, "UpdateLocalGroupDetails", {"groupName": self.name, "groupDetails": details})
        if desired.get("members") is not None:
            wanted = {member.lower() for member in desired["members"]}
            there = {member.lower() for member in before["members"]}
            self._join([member for member in desired["members"] if member.lower() not in there])
            for member in before["members"]:
                if self._purge and member.lower() not in wanted:
                    who = Principal.of(member, self._who.domain)
                    write(self._client, "RemoveFromLocalGroup", {"principalId": who.wire, "groupName": self.name})

    def delete(self, before: Json) -> None:
        write(self._client, "DeleteLocalPrincipal", {"principalName": self.name})

    def ready(self, current: Json | None) -> bool:
        return current is not None

    def diagnose(self) -> str:
        return "SSO does not find the group."

    def _all(self, method: str) -> list[Json]:
        return self._client.find_all(method, FIND, {"groupId": self._who.wire, "searchString": "", "limit": EVERYBODY})

    def _join(self, members: list[str]) -> None:
        for member in members:
            who = Principal.of(member, self._who.domain)
            if who.key not in self._joins:
                # Was in the group when the names were looked up, and has left it since.
                self._looked_up(who)
            call, parameter = self._joins[who.key]
            write(self._client, call, {parameter: who.wire, "groupName": self.name})

    def _members(self, before: list[str], wanted: list[str] | None) -> list[str] | None:
        """Who is in the group in the end, in the spelling of SSO. Those who are in it need not be looked up."""
        if wanted is None:
            return None
        there = {member.lower(): member for member in before}
        found = {}
        for text in wanted:
            who = Principal.of(text, self._who.domain)
            name = there.get(who.key) or self._looked_up(who)
            found[name.lower()] = name
        if not self._purge:
            found.update(there)
        leaving = [Principal.of(name, self._who.domain) for key, name in there.items() if key not in found]
        if any(is_login(who, self._login) for who in leaving):
            raise RayError(f"The members do not name {self._login}, which this task is logged in as, and would take its rights away.",
                           code="INPUT", hint="Add it to members, or set purge: false.")
        return ordered(found.values())

    def _looked_up(self, who: Principal) -> str:
        for method, parameter, join in (("FindUser", "userId", "AddUserToLocalGroup"), ("FindGroup", "groupId", "AddGroupToLocalGroup")):
            found = find(self._client, method, parameter, who)
            if found is not None:
                name = str(Principal.told(found))
                self._joins[name.lower()] = join, parameter
                return name
        text, hint = f"SSO knows no user and no group {who}.", "Check the spelling, and that its domain is an identity source of this vCenter."
        if who.domain.lower() == self._who.domain.lower():
            # An earlier step of the same run may make it.
            raise UnknownYet(text, hint=hint)
        raise RayError(text, code="NOT_FOUND", hint=hint)


def ordered(names: t.Iterable[str]) -> list[str]:
    return sorted(names, key=str.lower)
