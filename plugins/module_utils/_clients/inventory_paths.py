# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects of the inventory by their path, and paths of objects; read only.

A path is ``/DC/host/folder/NAME``, as the vSphere tools write it, or ``DC/NAME``, which is enough for most.
"""

from __future__ import annotations

import re
import typing as t

from .._errors import RayError
from .._names import ambiguous, missing
from .._ports import Json, VCenter

# The folders that every datacenter has, and the types of what is in them.
ROOTS = {"host": "HOST", "datastore": "DATASTORE", "network": "NETWORK", "vm": "VIRTUAL_MACHINE"}
# An error may cost some requests for its list, but not one for each folder of a big site.
WALKED = 50


class Kind:
    """How one kind of object is listed: path, key of the id, filters, shape of an id, and the root folder of its paths."""

    def __init__(self, noun: str, path: str, key: str, id_pattern: str, id_filter: str, name_filter: str | None = None,
                 root: str | None = None) -> None:
        self.noun = noun
        self.path = path
        self.key = key
        self.id_pattern = re.compile(id_pattern)
        self.id_filter = id_filter
        # None: the API cannot filter by name, so everything is read and matched here.
        self.name_filter = name_filter
        self.root = root


FOLDER = Kind("folder", "/api/vcenter/folder", "folder", r"(group|folder)-\w+$", "folders", "names")
DATACENTER = Kind("datacenter", "/api/vcenter/datacenter", "datacenter", r"datacenter-\d+$", "datacenters", "names")


class Steps(t.NamedTuple):
    """A path, read: ``folders`` is None where only the datacenter was named."""

    regions: list[str]
    datacenter: str
    root: str | None
    folders: list[str] | None
    name: str


def by_path(client: VCenter, kind: Kind, path: str) -> str:
    """The id of the one object at a path, by one request for each step of it."""
    if kind is DATACENTER:
        *regions, name = [part for part in path.split("/") if part] or [path]
        return _datacenter(client, regions, name)
    steps = read(kind, path)
    datacenter = _datacenter(client, steps.regions, steps.datacenter)
    if steps.folders is None:
        return _one(client, kind, steps.name, {"datacenters": [datacenter]}, f"datacenter {steps.datacenter}")
    folder, place = _root(client, datacenter, str(steps.root)), f"/{steps.datacenter}/{steps.root}"
    for name in steps.folders:
        folder = _one(client, FOLDER, name, {"parent_folders": [folder]}, place)
        place = f"{place}/{name}"
    if kind is FOLDER:
        return folder
    return _one(client, kind, steps.name, {"folders": [folder]}, place)


def read(kind: Kind, path: str) -> Steps:
    """The steps of a path below a datacenter; what could be no path of this kind is refused with the form that it must have."""
    parts = [part for part in path.split("/") if part]
    roots = [kind.root] if kind.root else list(ROOTS)
    here = next((number for number, part in enumerate(parts) if number and part in roots), None)
    if kind is FOLDER and here:
        return Steps(parts[:here - 1], parts[here - 1], parts[here], parts[here + 1:], parts[-1])
    if here and here < len(parts) - 1:
        return Steps(parts[:here - 1], parts[here - 1], parts[here], parts[here + 1:-1], parts[-1])
    if kind is not FOLDER and len(parts) == 2:
        return Steps([], parts[0], None, None, parts[1])
    short = "" if kind is FOLDER else " or DATACENTER/NAME"
    raise RayError(f"{path!r} is not the path of a {kind.noun}.", code="INPUT",
                   hint=f"Write /DATACENTER/{kind.root or 'host'}/FOLDER/NAME{short}; or give its name or its id.")


def located(client: VCenter, kind: Kind, name: str, rows: list[Json]) -> list[Json]:
    """The rows of one name, each with its ``path``, for an error; without it where that cannot be found out."""
    try:
        paths = _paths(client, kind, name)
    except RayError:
        return rows
    return [{**row, "path": paths.get(row[kind.key])} for row in rows]


def _datacenter(client: VCenter, regions: list[str], name: str) -> str:
    """A datacenter, below folders where the path names some."""
    folder: str | None = None
    place = "the inventory"
    for region in regions:
        above = {"parent_folders": [folder]} if folder else {}
        folder = _one(client, FOLDER, region, {"type": "DATACENTER", **above}, place)
        place = f"folder {region}"
    return _one(client, DATACENTER, name, {"folders": [folder]} if folder else {}, place)


def _one(client: VCenter, kind: Kind, name: str, place: Json, words: str) -> str:
    """The id of the only object of this name at a place; else an error with what there is."""
    rows = client.get(kind.path, query={"names": [name], **place}) or []
    if len(rows) > 1:
        raise ambiguous(f"{kind.noun} in {words}", name, rows, kind.key)
    if not rows:
        there = client.get(kind.path, query=place or None) or []
        raise missing(f"{kind.noun} in {words}", name, [row["name"] for row in there])
    identifier: str = rows[0][kind.key]
    return identifier


def _root(client: VCenter, datacenter: str, root: str) -> str:
    """The topmost folder of a datacenter; a folder below it may have the same name."""
    query = {"names": [root], "type": ROOTS[root], "datacenters": [datacenter]}
    rows = [row["folder"] for row in client.get(FOLDER.path, query=query) or []]
    if len(rows) > 1:
        below = client.get(FOLDER.path, query={"names": [root], "parent_folders": rows}) or []
        rows = [row for row in rows if row not in {entry["folder"] for entry in below}]
    if not rows:
        raise RayError(f"Datacenter {datacenter} shows no folder {root!r}.", code="NOT_FOUND", hint="This account may lack the right to see it.")
    return str(rows[0])


def _paths(client: VCenter, kind: Kind, name: str) -> dict[str, str]:
    """Id to path of all objects of one name. The datacenter is enough to tell them apart, unless it holds several."""
    found: dict[str, str] = {}
    for datacenter in client.get(DATACENTER.path) or []:
        rows = client.get(kind.path, query={"names": [name], "datacenters": [datacenter["datacenter"]]}) or []
        if len(rows) > 1 and kind.root:
            found.update(_walked(client, kind, name, datacenter))
        else:
            found.update({row[kind.key]: f"{datacenter['name']}/{name}" for row in rows})
    return found


def _walked(client: VCenter, kind: Kind, name: str, datacenter: Json) -> dict[str, str]:
    """Id to path of all objects of one name in one datacenter, level by level."""
    found: dict[str, str] = {}
    root = str(kind.root)
    todo = [(_root(client, datacenter["datacenter"], root), f"/{datacenter['name']}/{root}")]
    for dummy in range(WALKED):
        if not todo:
            break
        folder, path = todo.pop(0)
        rows = client.get(kind.path, query={"names": [name], "folders": [folder]}) or []
        found.update({row[kind.key]: f"{path}/{name}" for row in rows})
        below = client.get(FOLDER.path, query={"parent_folders": [folder]}) or []
        todo += [(row["folder"], f"{path}/{row['name']}") for row in below]
    return found
