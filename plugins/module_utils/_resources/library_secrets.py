# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is sent to a content library and never told again: passwords, and mostly the certificate that it trusts."""

from __future__ import annotations

from .._errors import RayError
from .._ports import Json
from .library_kinds import TRUST, checked_certificate, checked_thumbprint

# The only user that a vCenter lets in at a library that it publishes.
VCSP = "vcsp"


class LibrarySecrets:
    """The options of a task that cannot be compared, and when they are sent.

    Args:
        password: for the publisher, or for those who subscribe to a local library.
        current: the password that a local library has so far.
        trust: ssl_thumbprint and ssl_certificate.
        always: send them at each run, not only where they belong to something new.
    """

    def __init__(self, password: str | None = None, current: str | None = None, trust: Json | None = None, always: bool = False) -> None:
        self._password, self._current, self._always = password, current, always
        trust = trust or {}
        found = {"ssl_thumbprint": checked_thumbprint(trust.get("ssl_thumbprint")), "ssl_certificate": checked_certificate(trust.get("ssl_certificate"))}
        self.trust = {key: value for key, value in found.items() if value}
        self.sent = False

    @property
    def given(self) -> Json:
        return {"library_password": self._password, "library_current_password": self._current}

    def untold(self, library: Json) -> list[str]:
        """Options that vCenter keeps to itself, so that nobody knows whether the library has them."""
        return [key for key in TRUST if key in self.trust and library.get(key) is None]

    def settle(self, kind: str, before: Json | None, found: Json) -> Json:
        """``found`` with what is to be sent, and without what cannot be compared."""
        merged = {**(before or {}), **{k: v for k, v in found.items() if v is not None}}
        basic = merged["authentication"] == "basic"
        was_basic = bool(before and before["authentication"] == "basic")
        self._refuse(kind, merged, basic, was_basic)
        new = not before or basic != was_basic or found.get("subscription_url") not in (None, before.get("subscription_url"))
        unknown = self.untold(before) if before else []
        secret = (basic and self._password) or (self.trust if not before else unknown)
        if self._always and not secret:
            raise RayError(f"update_password is always, and content library {merged['name']} is given nothing to update.", code="INPUT",
                           hint="Set library_password with authentication: basic, or ssl_thumbprint; or leave update_password out.")
        self._refuse_unproven(kind, before, merged, bool(basic and self._password and (new or self._always)))
        return {
            **found,
            **(dict.fromkeys(unknown) if unknown else {}),
            "library_username": found.get("library_username") or (VCSP if kind == "subscribed" and basic and not was_basic else None),
            "password_updated": bool(secret) if not before else True if secret and (new or self._always) else None,
        }

    def body(self, kind: str, before: Json, desired: Json) -> Json:
        """The passwords that belong into the body of a request; none where nothing of the kind changes."""
        basic = (desired.get("authentication") or before.get("authentication")) == "basic"
        sent = bool(basic and self._password and desired.get("password_updated"))
        found = {"password": self._password} if sent else {}
        if kind == "local" and proof_needed(before, {**before, **desired}, sent):
            found["current_password"] = self._current or self._password
        return found

    def _refuse(self, kind: str, merged: Json, basic: bool, was_basic: bool) -> None:
        name = merged["name"]
        if self._password and not basic and not was_basic:
            raise RayError(f"Content library {name} asks for no password, and library_password is given.", code="INPUT",
                           hint="Set authentication to basic, or leave library_password out.")
        if basic and not was_basic and not self._password:
            raise RayError(f"Content library {name} is to have authentication basic, which needs library_password.", code="INPUT",
                           hint="Set it." + (" For a publisher that is a vCenter, the user is vcsp." if kind == "subscribed" else ""))

    def _refuse_unproven(self, kind: str, before: Json | None, merged: Json, sent: bool) -> None:
        if kind == "local" and before and proof_needed(before, merged, sent) and not (self._current or self._password):
            raise RayError(f"vCenter changes the publication of content library {merged['name']} only for who knows its password.", code="INPUT",
                           hint="Set library_current_password.")


def proof_needed(before: Json, after: Json, sent: bool) -> bool:
    """vCenter asks for the password before it changes it, or gives up authentication or publication."""
    was = before.get("authentication") == "basic"
    return was and (sent or after.get("authentication") == "none" or bool(before.get("published") and not after.get("published")))
