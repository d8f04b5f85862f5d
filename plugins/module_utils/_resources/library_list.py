# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Content libraries of a vCenter, found by name or type."""

from __future__ import annotations

from .._names import UUID
from .._ports import Json, VCenter
from .library_items import all_items
from .library_kinds import described
from .library_names import LIBRARY, find_libraries


def list_libraries(client: VCenter, name: str | None, kind: str | None, items: bool) -> list[Json]:
    """Libraries of this name or id and this type, or all; sorted by name."""
    found = [described(info) for info in (client.find(f"{LIBRARY}/{i}") for i in _ids(client, name, kind)) if info]
    chosen = [row for row in found if kind in (None, row["type"])]
    return sorted(({**row, **({"library_items": all_items(client, row["id"])} if items else {})} for row in chosen), key=lambda row: (row["name"], row["id"]))


def _ids(client: VCenter, name: str | None, kind: str | None) -> list[str]:
    if name and UUID.fullmatch(name):
        return [name]
    # A search needs something to search for.
    return find_libraries(client, name, kind) if name or kind else client.get(LIBRARY) or []
