# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the name that a user wrote to the one object that he means, or an error that helps him to write it right."""

from __future__ import annotations

import difflib

from ._errors import RayError

SHOWN = 12  # names listed in an error; more would bury the message


def choose(noun: str, wanted: str, rows: list[dict], key: str, name_key: str = "name", kind: type[RayError] = RayError) -> str:
    """The id of the one row that has this id or this name, or an error that says which there are."""
    if any(row[key] == wanted for row in rows):
        return wanted
    matches = [row for row in rows if row.get(name_key) == wanted]
    if len(matches) == 1:
        return matches[0][key]
    if matches:
        raise ambiguous(noun, wanted, matches, key)
    raise missing(noun, wanted, [row.get(name_key) or row[key] for row in rows], kind)


def ambiguous(noun: str, wanted: str, rows: list[dict], key: str) -> RayError:
    described = ", ".join(sorted(describe(row, key) for row in rows))
    return RayError(
        f"{len(rows)} objects are called {wanted!r} as {noun}: {described}.",
        code="INPUT",
        hint="Give the id of the one you mean instead of its name.",
    )


def describe(row: dict, key: str) -> str:
    kind = row.get("type")
    return f"{row[key]} ({kind})" if kind else row[key]


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
