# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Layers of an image, laid one over the other in a folder (OCI image specification, "Image Layer Filesystem Changeset").

A layer comes from a registry that anybody may have pushed to: whatever its entries are called and wherever its links
lead, nothing outside the folder is read, written or removed. Ids are not kept, as there is one here, 0.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import tarfile
import zlib
from pathlib import Path
from typing import BinaryIO

WHITEOUT = ".wh."
OPAQUE = ".wh..wh..opq"
AUFS = ".wh..wh."  # notes of a file system of old, which mean nothing in an image
MOST_LINKS = 40  # as the kernel counts
PIECE = 1 << 20
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"


class BadLayer(Exception):
    """A sentence: what is wrong with the layer."""


def inside(root: Path, path: str) -> Path:
    """Where `path` is below `root`, as a process that has `root` as its root would find it.

    Links are followed, absolute ones from `root`, and `..` ends there. What is not there yet is taken as it is written.
    """
    left, links = path.split("/")[::-1], 0
    found: list[str] = []
    while left:
        part = left.pop()
        if part in ("", "."):
            continue
        if part == "..":
            del found[-1:]
            continue
        here = root.joinpath(*found, part)
        if here.is_symlink():
            links += 1
            if links > MOST_LINKS:
                raise BadLayer(f'"{path}": too many levels of symbolic links')
            target = os.readlink(here)
            found = [] if target.startswith("/") else found
            left += target.split("/")[::-1]
            continue
        found.append(part)
    return root.joinpath(*found)


def unpack(blob: BinaryIO, root: Path, diff_id: str) -> None:
    """Lay a layer, plain or gzip, over what is in `root`; its uncompressed bytes must have the digest `diff_id`."""
    reader = _Hashed(_plain(blob))
    layer = _Layer(root)
    try:
        with tarfile.open(fileobj=reader, mode="r|", bufsize=PIECE) as archive:  # type: ignore[call-overload]
            for member in archive:
                layer.add(archive, member)
        while reader.read(PIECE):  # what follows the end of the archive belongs to the digest, too
            pass
    except (tarfile.TarError, EOFError, zlib.error, OSError, ValueError) as error:
        raise BadLayer(f"layer {diff_id}: {error}") from error
    if reader.digest != diff_id:
        raise BadLayer(f"layer {diff_id}: its content has the digest {reader.digest}")


def _plain(blob: BinaryIO) -> BinaryIO:
    start = blob.read(4)
    blob.seek(0)
    if start == _ZSTD:
        raise BadLayer("the layer is compressed by zstd, which this node does not unpack: push it with gzip")
    return gzip.GzipFile(fileobj=blob) if start.startswith(_GZIP) else blob  # type: ignore[return-value]


class _Hashed:
    """A stream that knows the digest of what was read of it."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._sum = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        self._sum.update(data)
        return data

    @property
    def digest(self) -> str:
        return f"sha256:{self._sum.hexdigest()}"


class _Layer:
    """Entries of one layer; knows which paths are its own, since whiteouts mean those below only."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._own: set[Path] = {root}

    def add(self, archive: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        parts = _parts(member.name)
        if not parts:
            return  # the root itself
        folder, name = inside(self._root, "/".join(parts[:-1])), parts[-1]
        if name == OPAQUE:
            self._clear(folder)
        elif name.startswith(AUFS):
            return
        elif name.startswith(WHITEOUT):
            hidden = name.removeprefix(WHITEOUT)
            if hidden in ("", ".", ".."):
                raise BadLayer(f'the entry "{member.name}" hides nothing')
            if folder / hidden not in self._own:
                _remove(folder / hidden)
        else:
            folder.mkdir(parents=True, exist_ok=True)
            self._write(archive, member, folder / name)
            self._note(folder / name)

    def _write(self, archive: tarfile.TarFile, member: tarfile.TarInfo, place: Path) -> None:
        # A hard link's source is looked up first: it may be what is replaced.
        source = self._link_source(member) if member.islnk() else None
        if source == place:
            return
        if not (member.isdir() and place.is_dir() and not place.is_symlink()):
            _remove(place)
        if member.isdir():
            place.mkdir(exist_ok=True)
            place.chmod(member.mode & 0o1777 | 0o700)  # whoever removes the folder later may be an ordinary user
        elif source is not None:
            os.link(source, place, follow_symlinks=False)
        elif member.issym():
            place.symlink_to(member.linkname)  # followed in the container only, where this is the root
        elif member.isfifo():
            os.mkfifo(place, member.mode & 0o777)
        elif member.isreg():
            _file(archive, member, place)
        # Devices are left out: nobody can make them in a user namespace, and /dev is the node's.

    def _link_source(self, member: tarfile.TarInfo) -> Path:
        parts = _parts(member.linkname)
        source = inside(self._root, "/".join(parts[:-1])) / parts[-1] if parts else self._root
        if not os.path.lexists(source) or (source.is_dir() and not source.is_symlink()):
            raise BadLayer(f'the entry "{member.name}" is a hard link to "{member.linkname}", which is no file of the image')
        return source

    def _note(self, place: Path) -> None:
        while place not in self._own:
            self._own.add(place)
            place = place.parent

    def _clear(self, folder: Path) -> None:
        """Remove what lower layers put into the folder."""
        if not folder.is_dir():
            return
        for entry in list(folder.iterdir()):
            if entry not in self._own:
                _remove(entry)
            elif entry.is_dir() and not entry.is_symlink():
                self._clear(entry)


def _parts(name: str) -> list[str]:
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise BadLayer(f'the entry "{name}" leads out of the image')
    return parts


def _file(archive: tarfile.TarFile, member: tarfile.TarInfo, place: Path) -> None:
    content = archive.extractfile(member)
    assert content is not None
    with open(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as file:
        shutil.copyfileobj(content, file, PIECE)
        os.fchmod(file.fileno(), member.mode & 0o777)
    # Python compares the time of a source with the one in its compiled file.
    os.utime(place, (member.mtime, member.mtime))


def _remove(place: Path) -> None:
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place)
    else:
        place.unlink(missing_ok=True)
