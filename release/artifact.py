# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The artifact, the same to the byte from the same commit wherever and whenever it is built.

``ansible-galaxy collection build`` takes files in the order of the folder and stamps them with the hour. Its work is packed anew here: sorted by
name, with the time of the commit. Only the compression depends on the machine, by its zlib.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import pathlib
import tarfile
import tempfile
from collections.abc import Mapping
from typing import Any

from .tree import Tree

# Ansible's two lists, first in each artifact.
MANIFEST, FILES = "MANIFEST.json", "FILES.json"


def build(tree: Tree, folder: pathlib.Path) -> pathlib.Path:
    """The artifact of what lies in the tree, in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as made:
        tree.tool("ansible-galaxy", "collection", "build", "--output-path", made, str(tree.root))
        return repack(pathlib.Path(made) / tree.file, folder / tree.file, tree.time())


def repack(source: pathlib.Path, target: pathlib.Path, time: int) -> pathlib.Path:
    """The same content in the one order and with the one time."""
    with tarfile.open(source) as archive:
        entries = {member.name: (member, archive.extractfile(member)) for member in archive.getmembers()}
        contents = {name: (member, file.read() if file else b"") for name, (member, file) in entries.items()}
    empty = folders_without_files(contents)
    manifest, files = (json.loads(contents.pop(name)[1]) for name in (MANIFEST, FILES))
    files["files"] = sorted((entry for entry in files["files"] if entry["name"] not in empty), key=lambda entry: entry["name"])
    listed = text(files)
    manifest["file_manifest_file"]["chksum_sha256"] = hashlib.sha256(listed).hexdigest()
    with target.open("wb") as raw, gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=time) as packed:
        with tarfile.open(mode="w", fileobj=packed) as archive:
            for name, data in ((MANIFEST, text(manifest)), (FILES, listed)):
                add(archive, tarfile.TarInfo(name), data, time)
            for name in sorted(set(contents) - empty):
                add(archive, *contents[name], time)
    return target


def text(value: Any) -> bytes:
    return json.dumps(value, indent=1, sort_keys=True).encode()


def add(archive: tarfile.TarFile, member: tarfile.TarInfo, data: bytes, time: int) -> None:
    """An entry that tells nothing of who built it. Only git's one bit of the mode is kept: whether it can be executed."""
    entry = tarfile.TarInfo(member.name)
    entry.type, entry.linkname, entry.mtime = member.type, member.linkname, time
    entry.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
    entry.size = len(data)
    archive.addfile(entry, io.BytesIO(data))


def folders_without_files(contents: Mapping[str, tuple[tarfile.TarInfo, bytes]]) -> set[str]:
    """Git does not know them, so that they are in one checkout and not in the next."""
    filled = {str(parent) for name, (member, _data) in contents.items() if not member.isdir() for parent in pathlib.PurePosixPath(name).parents}
    return {name for name, (member, _data) in contents.items() if member.isdir() and name not in filled}


def names(artifact: pathlib.Path) -> set[str]:
    """Files of an artifact."""
    with tarfile.open(artifact) as archive:
        return {member.name for member in archive.getmembers() if not member.isdir()} - {MANIFEST, FILES}


def digest(artifact: pathlib.Path) -> str:
    return hashlib.sha256(artifact.read_bytes()).hexdigest()
