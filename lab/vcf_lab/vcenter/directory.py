# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The users and groups of the SSO domain: credentials, lockout, password policy."""

from __future__ import annotations

import re
import time
from typing import Any

from .security import check_password, hash_password
from .store import Store

DOMAIN = "vsphere.local"
ADMINISTRATORS = f"Administrators@{DOMAIN}"
USERS = f"Users@{DOMAIN}"
BUILT_IN_GROUPS = {
    "Administrators": "Administrators of the domain",
    "Users": "Users of the domain",
    "SupervisorProviderAdministrators": "Administrators of all Supervisors",
    "ReadOnlyUsers": "Users with read access",
}
FAILURES, WINDOW, UNLOCK = 5, 180.0, 300.0  # the vendor's defaults, seconds

# The default policy of a new domain.
PASSWORD_POLICY: dict[str, Any] = {
    "min_length": 8,
    "max_length": 20,
    "min_alphabetic": 2,
    "min_upper": 1,
    "min_lower": 1,
    "min_numeric": 1,
    "min_special": 1,
    "max_adjacent": 3,
}


class Refused(Exception):
    """Credentials that do not open the door; `locked` when it would not open for right ones either."""

    def __init__(self, text: str, *, locked: bool = False) -> None:
        super().__init__(text)
        self.locked = locked


class WeakPassword(Exception):
    """A password that the domain's policy does not allow."""


class Directory:
    """Users and groups, kept in the store; failed logins only in memory."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._failures: dict[str, list[float]] = {}

    @property
    def users(self) -> dict[str, Any]:
        return self.store["users"]

    @property
    def groups(self) -> dict[str, Any]:
        return self.store["groups"]

    def bootstrap(self, password: str) -> None:
        """What every domain is born with."""
        for name, description in BUILT_IN_GROUPS.items():
            self.groups.setdefault(f"{name}@{DOMAIN}", {"name": name, "description": description, "groups": []})
        if f"administrator@{DOMAIN}" not in self.users:
            self.add("Administrator", password, {"first_name": "Administrator"}, [ADMINISTRATORS, USERS])
        self.store.changed()

    def add(self, name: str, password: str, details: dict[str, str], groups: list[str]) -> dict[str, Any]:
        """Create a user; the caller has checked policy and name."""
        user = {
            "name": name,
            "domain": DOMAIN,
            "password": hash_password(password),
            "disabled": False,
            "groups": groups,
            **details,
        }
        self.users[f"{name.lower()}@{DOMAIN}"] = user
        self.store.changed()
        return user

    def find(self, principal: str) -> dict[str, Any] | None:
        """A user by name@domain, DOMAIN\\name, or bare name."""
        return self.users.get(principal_key(principal))

    def authenticate(self, principal: str, password: str) -> dict[str, Any]:
        """The user, or Refused. Failures count even for names that do not exist."""
        key = principal_key(principal)
        if self.locked(key):
            raise Refused("User account is locked. Please contact your administrator.", locked=True)
        user: dict[str, Any] | None = self.users.get(key)
        if user is None or user["disabled"] or not check_password(password, user["password"]):
            self._failures.setdefault(key, []).append(time.monotonic())
            raise Refused("Invalid credentials")
        self._failures.pop(key, None)
        return user

    def locked(self, key: str) -> bool:
        """Five failures in three minutes lock for five."""
        failures = [moment for moment in self._failures.get(key, []) if moment > time.monotonic() - UNLOCK]
        self._failures[key] = failures
        return len(failures) >= FAILURES and failures[-1] - failures[-FAILURES] <= WINDOW

    def find_group(self, name: str) -> tuple[str, dict[str, Any]] | None:
        """Key and group, by name without domain."""
        wanted = f"{name}@{DOMAIN}".lower()
        return next(((key, group) for key, group in self.groups.items() if key.lower() == wanted), None)

    def unlock(self, key: str) -> None:
        """Forget the failed logins of a user."""
        self._failures.pop(key, None)

    def groups_of(self, user: dict[str, Any]) -> list[str]:
        """Names with domain, those through nested groups too."""
        names = set(user.get("groups", []))
        todo = list(names)
        while todo:
            for parent in self.groups.get(todo.pop(), {}).get("groups", []):
                if parent not in names:
                    names.add(parent)
                    todo.append(parent)
        return sorted(names)

    def is_administrator(self, user: dict[str, Any]) -> bool:
        """May this user change things?"""
        return ADMINISTRATORS in self.groups_of(user)


def principal_key(principal: str) -> str:
    """Key in the store; names do not tell case apart."""
    if "\\" in principal:
        domain, name = principal.split("\\", 1)
        principal = f"{name}@{domain}"
    return principal.lower() if "@" in principal else f"{principal.lower()}@{DOMAIN}"


def full_name(user: dict[str, Any]) -> str:
    """name@domain as the user wrote it at creation."""
    return f"{user['name']}@{user['domain']}"


def check_policy(password: str) -> None:
    """WeakPassword with all that is wrong in one text."""
    policy = PASSWORD_POLICY
    counts = [
        ("alphabetic", r"[A-Za-z]", policy["min_alphabetic"]),
        ("uppercase", r"[A-Z]", policy["min_upper"]),
        ("lowercase", r"[a-z]", policy["min_lower"]),
        ("numeric", r"[0-9]", policy["min_numeric"]),
        ("special", r"[^A-Za-z0-9]", policy["min_special"]),
    ]
    wrong = []
    if not policy["min_length"] <= len(password) <= policy["max_length"]:
        wrong.append(f"must have {policy['min_length']} to {policy['max_length']} characters")
    for word, pattern, minimum in counts:
        if len(re.findall(pattern, password)) < minimum:
            wrong.append(f"must contain at least {minimum} {word} character(s)")
    if re.search(rf"(.)\1{{{policy['max_adjacent']}}}", password):
        wrong.append(f"must not repeat a character more than {policy['max_adjacent']} times in a row")
    if wrong:
        raise WeakPassword("Password " + ", ".join(wrong) + ".")
