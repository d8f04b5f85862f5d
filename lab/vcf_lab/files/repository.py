# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Repositories on the disk: where a path may be written, and what may be done with it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from ..settings import Lab

LARGEST = 64 * 1024 * 1024  # bytes of one file
PLACES = ("ray-generic", "released", "full")
WRITE_ONCE = "released"  # its files are neither replaced nor removed
FULL = "full"  # its disk has no place left


class Refused(Exception):
    """An answer that is not the one that was asked for: a status and a sentence."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Item:
    """One path of one repository; nothing needs to be there."""

    repository: str
    path: str
    file: Path

    def content(self) -> bytes:
        if not self.file.is_file():
            raise Refused(404, "File not found.")
        return self.file.read_bytes()

    def check_write(self, user: str) -> None:
        """What keeps a file from being written here."""
        if self.repository == FULL:
            raise Refused(
                507,
                "Datastore disk usage is too high. Contact your Artifactory administrator to add additional storage space "
                "or change the disk quota limits.",
            )
        if self.file.is_dir():
            raise Refused(409, f"The path {self.repository}/{self.path} is a folder.")
        depth = self.path.count("/")
        for parent in list(self.file.parents)[:depth]:
            if parent.is_file():
                raise Refused(409, f"A parent of {self.repository}/{self.path} is a file: {parent.name}.")
        if self.file.exists():
            self.check_replace(user)

    def check_replace(self, user: str) -> None:
        """Who may write need not be allowed to replace."""
        if self.repository == WRITE_ONCE:
            raise Refused(
                403,
                f"Not enough permissions to delete/overwrite artifact '{self.repository}:{self.path}' "
                f"(user: '{user}' needs DELETE permission).",
            )


def folder(lab: Lab) -> Path:
    return lab.state / "files"


def find(root: Path, repository: str, path: str) -> Item:
    """The item of an address; a path cannot lead out of its repository."""
    if repository not in PLACES:
        raise Refused(404, f"Could not find a repository named {repository}.")
    parts = path.split("/")
    if not path or any(part in ("", ".", "..") or "\0" in part for part in parts):
        raise Refused(400, f"The path '{path}' is not one of a file.")
    return Item(repository, path, root / repository / path)


def checksums(content: bytes) -> dict[str, str]:
    """Three of them, as clients of several ages ask for."""
    return {name: hashlib.new(name, content, usedforsecurity=False).hexdigest() for name in ("sha1", "md5", "sha256")}


def contents(lab: Lab) -> dict[str, str]:
    """Every file that is there, with its checksum."""
    root = folder(lab)
    files = (path for path in sorted(root.rglob("*")) if path.is_file())
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
