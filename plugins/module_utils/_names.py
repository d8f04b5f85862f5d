# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the name that a user wrote to the one object that he means, or an error that helps him to write it right."""

from __future__ import annotations

import difflib
import re

from ._errors import RayError
from ._ports import Json

SHOWN = 12  # names listed in an error; more would bury the message
UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def canonical(identifier: str) -> str:
    """An id as it is compared: vCenter ignores the case of UUIDs, and need not answer in the one that it was asked in."""
    return identifier.lower() if UUID.fullmatch(identifier) else identifier


def choose(noun: str, wanted: str, rows: list[Json], key: str, name_key: str = "name", kind: type[RayError] = RayError) -> str:
    """The id of the one row that has this id or this name, or an error that says which there are."""
    if any(canonical(row[key]) == canonical(wanted) for row in rows):
        return canonical(wanted)
    matches = [row for row in rows if row.get(name_key) == wanted]
    if len(matches) == 1:
        return canonical(matches[0][key])
    if matches:
        raise ambiguous(noun, wanted, matches, key)
    raise missing(noun, wanted, [row.get(name_key) or row[key] for row in rows], kind)


def ambiguous(noun: str, wanted: str, rows: list[Json], key: str) -> RayError:
    """The error for a name that several have; rows with a ``path`` can be told apart by it."""
    described = ", ".join(sorted(describe(row, key) for row in rows))
    form = "path or the id" if any(row.get("path") for row in rows) else "id"
    return RayError(
        f"{len(rows)} objects are called {wanted!r} as {noun}: {described}.",
        code="INPUT",
        hint=f"Give the {form} of the one you mean instead of its name.",
    )


def describe(row: Json, key: str) -> str:
    """``PATH (ID, TYPE)``, with what the row has of it."""
    first, *more = [row[k] for k in ("path", key, "type") if row.get(k)]
    return f"{first} ({', '.join(more)})" if more else first


def missing(noun: str, wanted: str, names: list[str], kind: type[RayError] = RayError) -> RayError:
    shown = closest_first(wanted, names)
    if shown:
        more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
        there = f"There is: {', '.join(shown[:SHOWN])}{more}."
    else:
        there = f"This account sees no {noun} at all."
    text, hint = f"No {noun} is called {wanted!r}. {there}", "Check the spelling, and that this account may see the object."
    # UnknownYet carries its code itself.
    return RayError(text, code="NOT_FOUND", hint=hint) if kind is RayError else kind(text, hint=hint)


def closest_first(wanted: str, names: list[str]) -> list[str]:
    """Case is the commonest slip, so it does not count against a name."""

    def distance(name: str) -> float:
        return -difflib.SequenceMatcher(None, wanted.lower(), name.lower()).ratio()

    return sorted(sorted(set(names)), key=distance)
