# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Users and groups as SSO finds them, of its own domain and of the other identity sources. Their names know no case."""

from __future__ import annotations

import typing as t

from .._errors import RayError
from .._ports import Json, Sso

FIND = "principalDiscoveryService"
MANAGE = "principalManagementService"


class Principal(t.NamedTuple):
    """A user or group of a domain."""

    name: str
    domain: str

    @classmethod
    def of(cls, text: str, domain: str) -> Principal:
        """``name@domain``, or a name of the domain that is meant when none is written."""
        name, at, written = text.partition("@")
        if not name or (at and not written) or "\\" in text:
            raise RayError(f"{text!r} is not the name of a user or group.", code="INPUT", hint="Write name@domain.")
        return cls(name, written or domain)

    @classmethod
    def told(cls, found: Json) -> Principal:
        """The one of an answer of SSO, in its own spelling."""
        return cls(found["id"]["name"], found["id"]["domain"])

    @property
    def key(self) -> str:
        """What two spellings of one principal have in common."""
        return str(self).lower()

    @property
    def wire(self) -> Json:
        return {"name": self.name, "domain": self.domain}

    def __str__(self) -> str:
        return f"{self.name}@{self.domain}"


def find(client: Sso, method: str, parameter: str, principal: Principal) -> Json | None:
    """What SSO tells of a principal. Servers differ for one that is not there: an empty answer, or a fault."""
    try:
        found = client.call(method, FIND, {parameter: principal.wire})
    except RayError as error:
        if "InvalidPrincipal" in error.code:
            return None
        raise
    return found if isinstance(found, dict) else None


def write(client: Sso, method: str, params: Json) -> None:
    """Change a principal. A refusal because another client was faster gets the code that says so, whatever the name of the fault."""
    try:
        client.call(method, MANAGE, params)
    except RayError as error:
        if "already exists" in str(error.details.get("vendor", "")).lower():
            error.code = "ALREADY_EXISTS"
        elif "InvalidPrincipal" in error.code:
            error.code = "NOT_FOUND"
        raise


def refuse_domain_in(name: str) -> None:
    """Names of this domain are written without it."""
    if "@" in name or "\\" in name:
        raise RayError(f"{name!r} holds a domain.", code="INPUT", hint="Write the name alone, and the domain as option domain.")


def is_login(principal: Principal, login: str | None) -> bool:
    """Whether the task is logged in as this user: it must not take away its own account."""
    name, slash, after = (login or "").partition("\\")
    text = f"{after}@{name}" if slash else login or ""
    return principal.key == text.lower()
