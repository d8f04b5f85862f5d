# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Content libraries by their name, of which vCenter allows several.

So two runs at the same moment make two. The one that was made later is taken back by the run that has made it.
"""

from __future__ import annotations

from .. import _wait
from .._errors import UnknownYet
from .._names import UUID, ambiguous, canonical, missing
from .._ports import VCenter

LIBRARY = "/api/content/library"
# Seconds before each further look at a name that stands twice: one of the two may be about to be taken back.
LOOKS = (0.5, 1.0, 1.5)


def find_libraries(client: VCenter, name: str | None, kind: str | None) -> list[str]:
    """Ids of the libraries of this name, without regard to case, and of this kind."""
    asked = {**({"name": name} if name else {}), **({"type": kind.upper()} if kind else {})}
    return client.ask(LIBRARY, asked, query={"action": "find"}) or []


def the_only(client: VCenter, name: str, kind: str | None = None) -> str | None:
    """The id of the library of this name, None without one. Of several that stay, only the user knows which one is meant."""
    ids = find_libraries(client, name, kind)
    for seconds in LOOKS:
        if len(ids) < 2:
            break
        _wait.pause(seconds)
        ids = find_libraries(client, name, kind)
    if len(ids) > 1:
        raise ambiguous(f"{kind} content library" if kind else "content library", name, [{"library": i} for i in ids], "library")
    return ids[0] if ids else None


def first_made(client: VCenter, name: str, kind: str, own: str) -> str:
    """Which library of this name came first, asked by the run that has just made ``own``; in nearly all cases that is the one."""
    ids = find_libraries(client, name, kind)
    if len(ids) < 2:
        return own
    infos = [info for info in (client.find(f"{LIBRARY}/{i}") for i in ids) if info]
    return min(infos, key=lambda info: (info.get("creation_time") or "", info["id"]))["id"] if infos else own


def library_id(client: VCenter, wanted: str) -> str:
    """The id of a content library of either kind, or UnknownYet."""
    if UUID.fullmatch(wanted) and client.find(f"{LIBRARY}/{canonical(wanted)}"):
        return canonical(wanted)
    found = the_only(client, wanted)
    if found is None:
        raise missing("content library", wanted, library_names(client), UnknownYet)
    return canonical(found)


def library_names(client: VCenter) -> list[str]:
    rows = (client.find(f"{LIBRARY}/{i}") for i in client.get(LIBRARY) or [])
    return [row["name"] for row in rows if row]
