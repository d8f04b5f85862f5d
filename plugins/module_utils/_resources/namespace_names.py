# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of a namespace as ids and whole lists, so that they can be compared with what vCenter tells. Nothing is written here."""

from __future__ import annotations

import re
import typing as t

from .._errors import RayError, UnknownYet
from .._names import UUID, ambiguous, canonical, missing
from .namespaces import NO_LIMIT, UNLIMITED
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


def storage(client: t.Any, before: list[dict], wanted: list[dict] | None, purge: bool) -> list[dict] | None:
    """Without a limit of his own the user leaves the one that is set."""
    if wanted is None:
        return None
    now = {entry["policy"]: entry["limit_mib"] for entry in before}
    found = dict(now) if not purge else {}
    for entry in wanted:
        policy, limit = client.inventory.policy(entry["policy"]), entry.get("limit_mib")
        check_limit(f"limit_mib of storage policy {entry['policy']!r}", limit)
        found[policy] = now.get(policy, NO_LIMIT) if limit is None else limit
    return [{"policy": policy, "limit_mib": found[policy]} for policy in sorted(found)]


def limits(before: dict, wanted: dict | None) -> dict | None:
    """All limits: those that are not given stay."""
    if wanted is None:
        return None
    for name, value in wanted.items():
        check_limit(f"limits.{name}", value)
    return {**UNLIMITED, **before, **{name: value for name, value in wanted.items() if value is not None}}


def check_limit(what: str, value: int | None) -> None:
    if value is not None and value < NO_LIMIT:
        raise RayError(f"{what} is {value}, which is no limit.", code="INPUT", hint="Give a number from 0 on, or -1 to take the limit away.")


def classes(client: t.Any, before: list[str], wanted: list[str] | None, purge: bool) -> list[str] | None:
    """Classes that are attached exist; the others are looked for."""
    if wanted is None:
        return None
    if not set(wanted) <= set(before):
        there = [row["id"] for row in list_vm_classes(client)]
        for name in wanted:
            if name not in there and name not in before:
                raise missing("VM class", name, there, UnknownYet)
    return sorted({*wanted, *([] if purge else before)})


def libraries(client: t.Any, before: dict, wanted: list[str] | None, purge: bool) -> list[str] | None:
    """A library that the namespace may write to was attached for another purpose than images, so it always stays."""
    if wanted is None:
        return None
    kept = before.get("writable_libraries") if purge else before.get("content_libraries")
    return sorted({*(library_id(client, name) for name in wanted), *(kept or [])})


def library_id(client: t.Any, wanted: str) -> str:
    """The id of a content library of either type, or UnknownYet."""
    if UUID.fullmatch(wanted) and client.find(f"/api/content/library/{canonical(wanted)}"):
        return canonical(wanted)
    ids = client.ask("/api/content/library", {"name": wanted}, query={"action": "find"}) or []
    if len(ids) > 1:
        raise ambiguous("content library", wanted, [{"library": i} for i in ids], "library")
    if not ids:
        raise missing("content library", wanted, library_names(client), UnknownYet)
    return canonical(ids[0])


def library_names(client: t.Any) -> list[str]:
    rows = (client.find(f"/api/content/library/{i}") for i in client.get("/api/content/library") or [])
    return [row["name"] for row in rows if row]


def zones(client: t.Any, supervisor: str, wanted: list[dict] | None) -> list[str] | None:
    """The names of zones of the Supervisor. A namespace is always in one, so an empty list asks for nothing."""
    if not wanted:
        return None
    client.needs("9.0", "A namespace in zones")
    there = [row["zone"] for row in topology(client, supervisor) if row.get("zone")]
    for zone in wanted:
        if zone["name"] not in there:
            raise missing("zone of this Supervisor", zone["name"], there)
    return sorted(zone["name"] for zone in wanted)
