# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A person in the SSO domain of a vCenter."""

from __future__ import annotations

from .._diff import same
from .._errors import RayError
from .._ports import Json, Sso
from .sso_principals import Principal, find, is_login, refuse_domain_in, write

# The option of ours, and what SSO calls it, in the order of the wire.
DETAILS = {"description": "description", "email": "emailAddress", "first_name": "firstName", "last_name": "lastName"}


class SsoUser:
    """One user by name. A password can be set but not read, so it is compared never and set only when asked.

    Args:
        login: who the task is logged in as: this account is neither removed nor switched off.
        removing: whether the user is to go.
    """

    noun = "sso_user"
    hidden = ("user_password",)

    def __init__(self, client: Sso, name: str, domain: str, login: str | None = None, removing: bool = False) -> None:
        refuse_domain_in(name)
        self._client = client
        self.name = name
        self._who = Principal(name, domain)
        self._own = is_login(self._who, login)
        self._removing = removing
        self._password_set = False
        self._asked: set[str] = set()

    def read(self) -> Json | None:
        found = find(self._client, "FindPersonUser", "userId", self._who)
        if found is None:
            return None
        if self._own and self._removing:
            raise self._refused("removed")
        details = found.get("details") or {}
        own = {option: details.get(theirs) or "" for option, theirs in DETAILS.items()}
        flags = {flag: found.get(flag) == "true" for flag in ("disabled", "locked")}
        return {"name": self.name, "domain": self._who.domain, **own, **flags, "password_updated": self._password_set}

    def resolve(self, before: Json | None, desired: Json) -> Json:
        if desired.get("user_password") is None and (before is None or desired.get("password_updated")):
            raise RayError(f"The password of {self._who} is to be set, and user_password is not given.", code="INPUT",
                           hint="Set user_password.")
        if self._own and desired.get("disabled"):
            raise self._refused("disabled")
        self._asked = {key for key, value in desired.items() if value is not None}
        if before is not None:
            return desired
        # Told as they will be, so that check mode shows the user that the real run makes.
        born = {**dict.fromkeys(DETAILS, ""), "disabled": False, "locked": False}
        return {**born, **{key: value for key, value in desired.items() if value is not None}, "password_updated": True}

    def create(self, desired: Json) -> None:
        params = {"userName": self.name, "userDetails": details_of(desired), "password": desired["user_password"]}
        # If the answer is lost and the user is there, it is as it was made: the same password again might be refused as a used one.
        self._password_set = True
        self._set_password("CreateLocalPersonUser", params)
        if desired.get("disabled"):
            self._account("Disable")

    def update(self, before: Json, desired: Json) -> None:
        # Not what a new user has by itself: another client may have made this one meanwhile.
        desired = {key: value for key, value in desired.items() if key in self._asked}
        merged = {option: before[option] if desired.get(option) is None else desired[option] for option in DETAILS}
        if not same(merged, {option: before[option] for option in DETAILS}):
            # The structure is replaced as a whole, so what the user left unset goes with it as it was.
            details = {theirs: merged[option] for option, theirs in DETAILS.items()}
            write(self._client, "UpdateLocalPersonUserDetails", {"userName": self.name, "userDetails": details})
        if desired.get("disabled") not in (None, before["disabled"]):
            self._account("Disable" if desired["disabled"] else "Enable")
        if desired.get("locked") is False and before["locked"]:
            self._account("Unlock")
        if desired.get("password_updated") and not before["password_updated"]:
            self._set_password("ResetLocalPersonUserPassword", {"userName": self.name, "newPassword": desired["user_password"]})

    def delete(self, before: Json) -> None:
        write(self._client, "DeleteLocalPrincipal", {"principalName": self.name})

    def ready(self, current: Json | None) -> bool:
        return current is not None

    def diagnose(self) -> str:
        return "SSO does not find the user."

    def _account(self, what: str) -> None:
        write(self._client, f"{what}UserAccount", {"userId": self._who.wire})

    def _set_password(self, method: str, params: Json) -> None:
        try:
            write(self._client, method, params)
        except RayError as error:
            self._password_set = self._password_set and error.code == "CONNECTION"
            # The type of this fault differs between servers, the sentence is about the password in all of them.
            if "password" in str(error.details.get("vendor", "")).lower():
                error.hint = "Choose a user_password that follows the password policy of the SSO domain, which the server's sentence quotes."
            raise
        self._password_set = True

    def _refused(self, what: str) -> RayError:
        return RayError(f"The user {self._who} cannot be {what} by a task that is logged in as this user.", code="INPUT",
                        hint="Log in with another account of the group Administrators.")


def details_of(values: Json) -> Json:
    """The details that a new user has; the others are empty by themselves."""
    return {theirs: values[option] for option, theirs in DETAILS.items() if values.get(option)}
