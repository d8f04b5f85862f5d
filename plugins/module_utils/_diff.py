# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare what is with what was asked for; what the user left unset is not ours."""

from __future__ import annotations

import typing as t

from ._ports import Json


def overlay(current: Json | None, desired: Json) -> Json:
    """``current`` with the keys of ``desired`` laid over it; None means "not ours", dicts are merged, lists replaced."""
    result = dict(current or {})
    for key, value in desired.items():
        if value is None:
            continue
        if isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = overlay(result[key], value)
        else:
            result[key] = value
    return result


def same(a: t.Any, b: t.Any) -> bool:
    """Equal, where an absent key, None and an empty list or dict count as the same."""
    if isinstance(a, dict) and isinstance(b, dict):
        return all(same(a.get(k), b.get(k)) for k in {*a, *b})
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    return a == b or (a in (None, [], {}) and b in (None, [], {}))


def changed_keys(before: Json, after: Json) -> list[str]:
    """The top-level keys that differ, sorted."""
    return sorted(k for k in {*before, *after} if not same(before.get(k), after.get(k)))


def without(value: Json | None, hidden: t.Iterable[str]) -> Json:
    """A copy without keys that must not be compared or shown; {} for None."""
    return {k: v for k, v in (value or {}).items() if k not in set(hidden)}
