# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of a namespace with ids for names, so that they can be compared with what vCenter tells. Nothing is written here."""

from __future__ import annotations

import re

from .._errors import RayError, UnknownYet
from .._names import missing
from .._ports import Json, VCenter
from .library_names import library_id
from .namespaces import NO_LIMIT
from .supervisor import topology
from .vm_class import list_vm_classes

LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


def check_name(name: str) -> None:
    """A name that cannot be one is refused before anything is asked."""
    if not LABEL.fullmatch(name):
        raise RayError(f"{name!r} cannot be the name of a namespace.", code="INPUT",
                       hint="Use at most 63 lower-case letters, digits and hyphens, with a letter or digit at both ends.")
    if name.startswith("vmware-system"):
        raise RayError(f"{name!r} cannot be the name of a namespace: vCenter keeps names that begin with vmware-system for itself.", code="INPUT",
                       hint="Choose another name.")


def storage(client: VCenter, wanted: list[Json] | None) -> list[Json] | None:
    """Policies by their ids; a limit that is not given stays None."""
    if wanted is None:
        return None
    for entry in wanted:
        check_limit(f"limit_mib of storage policy {entry['policy']!r}", entry.get("limit_mib"))
    return [{"policy": client.inventory.policy(entry["policy"]), "limit_mib": entry.get("limit_mib")} for entry in wanted]


def limits(wanted: Json | None) -> Json | None:
    """The limits that are given."""
    if wanted is None:
        return None
    for name, value in wanted.items():
        check_limit(f"limits.{name}", value)
    return {name: value for name, value in wanted.items() if value is not None}


def check_limit(what: str, value: int | None) -> None:
    if value is not None and value < NO_LIMIT:
        raise RayError(f"{what} is {value}, which is no limit.", code="INPUT", hint="Give a number from 0 on, or -1 to take the limit away.")


def classes(client: VCenter, attached: list[str], wanted: list[str] | None) -> list[str] | None:
    """Classes that are attached exist; the others are looked for."""
    if wanted is None or set(wanted) <= set(attached):
        return wanted
    there = [row["id"] for row in list_vm_classes(client)]
    for name in wanted:
        if name not in there and name not in attached:
            raise missing("VM class", name, there, UnknownYet)
    return wanted


def libraries(client: VCenter, wanted: list[str] | None) -> list[str] | None:
    return None if wanted is None else [library_id(client, name) for name in wanted]


def zones(client: VCenter, supervisor: str, wanted: list[Json] | None) -> list[str] | None:
    """The names of zones of the Supervisor. A namespace is always in one, so an empty list asks for nothing."""
    if not wanted:
        return None
    client.needs("9.0", "A namespace in zones")
    there = [row["zone"] for row in topology(client, supervisor) if row.get("zone")]
    for zone in wanted:
        if zone["name"] not in there:
            raise missing("zone of this Supervisor", zone["name"], there)
    return [zone["name"] for zone in wanted]
