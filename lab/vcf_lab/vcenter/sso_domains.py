# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The domains that users come from: the one of SSO itself, and one of a company's own directory.

Users and groups of the second are as its directory has them: they log in, are members of groups of
SSO and may be given access, but nothing here can make or change them.
"""

from __future__ import annotations

from typing import Any

from .directory import DOMAIN, Directory
from .security import hash_password

EXTERNAL, ALIAS = "corp.lab", "CORP"
PEOPLE = {
    "alice": ("Alice Adams", ("ray-team",)),
    "bob": ("Bob Brown", ("ray-team", "platform")),
    "carol": ("Carol Clark", ()),
}
GROUPS = {"ray-team": "People who run Ray clusters", "platform": "People who run the platform"}
# Beside those that the directory is born with; names as the vendor's documentation lists them.
BUILT_IN = {
    "SolutionUsers": "Accounts of solutions",
    "CAAdmins": "Administrators of the certificate authority",
    "DCAdmins": "Administrators of the directory service",
    "SystemConfiguration.Administrators": "Administrators of the appliance",
    "SystemConfiguration.BashShellAdministrators": "Users of the appliance's shell",
    "TrustedAdmins": "Administrators of trusted infrastructure",
    "RegistryAdministrators": "Administrators of the registry",
}
EVERYONE = "Everyone"  # no group that is kept anywhere: all are in it


def seed(directory: Directory, password: str) -> None:
    """Make what is not there yet. All people of the company's directory have the lab's password."""
    for name, description in BUILT_IN.items():
        directory.groups.setdefault(f"{name}@{DOMAIN}", {"name": name, "description": description, "groups": []})
    for name, description in GROUPS.items():
        group = {"name": name, "domain": EXTERNAL, "description": description, "groups": []}
        directory.groups.setdefault(f"{name}@{EXTERNAL}", group)
    for name, (full, groups) in PEOPLE.items():
        if f"{name}@{EXTERNAL}" in directory.users:
            continue
        first, last = full.split()
        directory.users[f"{name}@{EXTERNAL}"] = {
            "name": name,
            "domain": EXTERNAL,
            "password": hash_password(password),
            "disabled": False,
            "groups": [f"{group}@{EXTERNAL}" for group in groups],
            "first_name": first,
            "last_name": last,
            "email": f"{name}@{EXTERNAL}",
        }
    directory.store.changed()


def known(domain: str) -> str | None:
    """The name of a domain that may be given by its alias; None when there is no such domain."""
    domain = domain.lower()
    if domain in ("", DOMAIN):
        return DOMAIN
    return EXTERNAL if domain in (EXTERNAL, ALIAS.lower()) else None


def user(directory: Directory, name: str, domain: str = DOMAIN) -> dict[str, Any] | None:
    """A user by the two halves of the name; case does not count."""
    found: dict[str, Any] | None = directory.users.get(f"{name}@{known(domain)}".lower())
    return found


def group(directory: Directory, name: str, domain: str = DOMAIN) -> tuple[str, dict[str, Any]] | None:
    """Key and record of a group."""
    wanted = f"{name}@{known(domain)}".lower()
    return next(((key, entry) for key, entry in directory.groups.items() if key.lower() == wanted), None)


def listing(_directory: Directory, _call: Any) -> dict[str, Any]:
    """Of GetDomains: the external domains with where they are read from."""
    base = ",".join(f"dc={part}" for part in EXTERNAL.split("."))
    details = {
        "friendlyName": EXTERNAL,
        "userBaseDn": f"cn=users,{base}",
        "groupBaseDn": f"cn=groups,{base}",
        "primaryUrl": f"ldaps://directory.{EXTERNAL}:636",
    }
    external = {
        "type": "ActiveDirectory",
        "name": EXTERNAL,
        "alias": ALIAS,
        "details": details,
        "authenticationDetails": {"authenticationType": "password", "username": f"reader@{EXTERNAL}"},
    }
    return {"externalDomains": [external], "systemDomainName": DOMAIN}


DOMAINS = {
    "GetDomains": listing,
    "GetSystemDomainName": lambda _directory, _call: DOMAIN,
    "GetDefaultDomains": lambda _directory, _call: [DOMAIN],
}
