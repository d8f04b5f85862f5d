# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A source tree: what is in it, told by one digest, and a copy of it."""

from __future__ import annotations

import hashlib
import os
import shutil
import typing as t

PIECE = 1 << 20


class Entry(t.NamedTuple):
    """Something in a tree: its path from the root, and its kind: ``folder``, ``file``, ``program`` (a file that can be run) or ``link``."""

    path: str
    kind: str


def entries(root: str, left_out: t.Callable[[str], bool], folder: str = "") -> t.Iterator[Entry]:
    """All that is in a tree, each folder before what is in it, in an order that is the same everywhere. Sockets and pipes are no source."""
    with os.scandir(os.path.join(root, folder)) as found:
        listed = sorted(found, key=lambda entry: entry.name)
    for entry in listed:
        path = os.path.join(folder, entry.name)
        if left_out(path):
            continue
        if entry.is_symlink():
            yield Entry(path, "link")
        elif entry.is_dir():
            yield Entry(path, "folder")
            yield from entries(root, left_out, path)
        elif entry.is_file():
            yield Entry(path, "program" if entry.stat().st_mode & 0o100 else "file")


def digest(root: str, left_out: t.Callable[[str], bool]) -> str:
    """Names, contents, targets of links, and which files can be run, in 64 digits; neither times nor owners."""
    told = hashlib.sha256()
    for entry in entries(root, left_out):
        path = os.path.join(root, entry.path)
        detail = os.readlink(path) if entry.kind == "link" else "" if entry.kind == "folder" else _checksum(path)
        told.update(f"{entry.kind}\0{entry.path}\0{detail}\0".encode(errors="surrogateescape"))
    return told.hexdigest()


def copy(root: str, destination: str, left_out: t.Callable[[str], bool]) -> None:
    """The same tree at another place, with times, since make goes by them; there its owner may always write."""
    for entry in entries(root, left_out):
        source, target = os.path.join(root, entry.path), os.path.join(destination, entry.path)
        if entry.kind == "link":
            os.symlink(os.readlink(source), target)
        elif entry.kind == "folder":
            os.mkdir(target)
        else:
            shutil.copy2(source, target)
            os.chmod(target, os.stat(target).st_mode | 0o600)


def _checksum(path: str) -> str:
    told = hashlib.sha256()
    with open(path, "rb") as file:
        while piece := file.read(PIECE):
            told.update(piece)
    return told.hexdigest()
