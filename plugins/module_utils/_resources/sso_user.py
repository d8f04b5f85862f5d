# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A person in the SSO domain of a vCenter."""

from __future__ import annotations

import typing as t

from .._diff import same
from .._errors import RayError

FIND = "principalDiscoveryService"
MANAGE = "principalManagementService"
# The option of ours, and what SSO calls it, in the order of the wire.
DETAILS = {"description": "description", "email": "emailAddress", "first_name": "firstName", "last_name": "lastName"}


class SsoUser:
    """One user by name. A password can be set but not read, so it is compared never and set only when asked."""

    noun = "sso_user"
    hidden = ("user_password",)

    def __init__(self, client: t.Any, name: str, domain: str) -> None:
        self._client = client
        self.name = name
        self._domain = domain
        self._password_set = False

    def read(self) -> dict | None:
        found = self._find()
        if not isinstance(found, dict):
            return None
        details = found.get("details") or {}
        own = {option: details.get(theirs) or "" for option, theirs in DETAILS.items()}
        flags = {flag: found.get(flag) == "true" for flag in ("disabled", "locked")}
        return {"name": self.name, "domain": self._domain, **own, **flags, "password_updated": self._password_set}

    def resolve(self, before: dict | None, desired: dict) -> dict:
        if desired.get("user_password") is None and (before is None or desired.get("password_updated")):
            raise RayError(f"The password of {self.name}@{self._domain} is to be set, and user_password is not given.", code="INPUT",
                           hint="Set user_password.")
        return desired

    def create(self, desired: dict) -> None:
        params = {"userName": self.name, "userDetails": details_of(desired), "password": desired["user_password"]}
        self._client.call("CreateLocalPersonUser", MANAGE, params)
        self._password_set = True

    def update(self, before: dict, desired: dict) -> None:
        merged = {option: before[option] if desired.get(option) is None else desired[option] for option in DETAILS}
        if not same(merged, {option: before[option] for option in DETAILS}):
            # The structure is replaced as a whole, so what the user left unset goes with it as it was.
            self._client.call("UpdateLocalPersonUserDetails", MANAGE, {"userName": self.name, "userDetails": details_of(merged)})
        if desired.get("password_updated"):
            params = {"userName": self.name, "newPassword": desired["user_password"]}
            self._client.call("ResetLocalPersonUserPassword", MANAGE, params)
            self._password_set = True

    def delete(self, before: dict) -> None:
        self._client.call("DeleteLocalPrincipal", MANAGE, {"principalName": self.name})

    def ready(self, current: dict | None) -> bool:
        return current is not None

    def diagnose(self) -> str:
        return "SSO does not find the user."

    def _find(self) -> t.Any:
        try:
            return self._client.call("FindPersonUser", FIND, {"userId": {"name": self.name, "domain": self._domain}})
        except RayError as error:
            # Servers differ: an empty answer, or this fault.
            if "InvalidPrincipal" in error.code:
                return None
            raise


def details_of(values: dict) -> dict:
    return {theirs: values[option] for option, theirs in DETAILS.items() if values.get(option) is not None}
