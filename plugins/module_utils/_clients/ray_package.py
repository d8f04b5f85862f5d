# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Local code for a job: folders and files as the packages that Ray's nodes fetch, each named by what it holds.

The name is a digest of names, contents and execute bits, not of the zip, whose bytes depend on the library that packs it: the same
code has the same name from everywhere, and is sent to a cluster once.
"""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
import typing as t
import zipfile
from contextlib import contextmanager

from .._errors import RayError, UnknownYet
from .ray_ignore import files_of

# The dashboard takes no larger request (ray_constants.DASHBOARD_CLIENT_MAX_SIZE).
LIMIT = 100 * 1024**2
# What Ray's client leaves out by itself since 2.55.
DEFAULT_EXCLUDES = (".git", ".venv", "venv", "__pycache__")
PREFIX = "gcs://_ray_pkg_"
# The first moment that a zip can tell: a file's own time is no part of what it holds.
EPOCH = (1980, 1, 1, 0, 0, 0)
LARGEST = 3


class Package:
    """What is sent under ``uri``: files by their names in it, or one file as it is."""

    def __init__(self, uri: str, path: str, entries: list[tuple[str, str]] | None = None) -> None:
        self.uri, self._path, self._entries = uri, path, entries

    def check(self) -> None:
        """Raises INPUT when it is too large for a dashboard; nothing has been sent by then."""
        sizes = sorted(((os.path.getsize(file), name) for name, file in self._entries or [(os.path.basename(self._path), self._path)]), reverse=True)
        if sum(size for size, name in sizes) <= LIMIT:
            return
        with self.opened() as file:
            size = os.fstat(file.fileno()).st_size
        if size > LIMIT:
            largest = ", ".join(f"{name} ({_mib(size)})" for size, name in sizes[:LARGEST])
            raise RayError(f"{self._path} is {_mib(size)} as a package, and Ray's dashboard takes no more than {_mib(LIMIT)}; "
                           f"the largest files: {largest}.", code="INPUT",
                           hint="Leave data out with excludes or a .rayignore, and let the job fetch them from a store.")

    @contextmanager
    def opened(self) -> t.Iterator[t.IO[bytes]]:
        """The bytes to send, from the start."""
        if self._entries is None:
            with open(self._path, "rb") as file:
                yield file
            return
        with tempfile.TemporaryFile() as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
                for name, path in self._entries:
                    _pack(packed, name, path)
            file.seek(0)
            yield file


def working_dir(path: str, excludes: list[str], gitignore: bool) -> Package:
    """A folder, or a zip of one that is sent as it is."""
    if path.endswith(".zip") and os.path.isfile(path):
        return Package(f"{PREFIX}{_digest(path, hashlib.sha1(usedforsecurity=False))}.zip", path)
    if not os.path.isdir(path):
        raise _not_there("working_dir", path, "a folder or a .zip")
    return _folder(path, [*DEFAULT_EXCLUDES, *excludes], gitignore, "")


def module(path: str, excludes: list[str], gitignore: bool) -> Package:
    """A Python package's folder, a file .py or a wheel, to be imported by the job."""
    name = os.path.basename(os.path.abspath(path))
    if path.endswith(".whl") and os.path.isfile(path):
        return Package(f"gcs://{name}", path)
    if path.endswith(".py") and os.path.isfile(path):
        return _package(path, [(name, path)])
    if not os.path.isdir(path):
        raise _not_there("py_modules", path, "a folder, a .py or a .whl")
    return _folder(path, [*DEFAULT_EXCLUDES, *excludes], gitignore, f"{name}/")


def is_uri(text: str) -> bool:
    return "://" in text


def _folder(path: str, excludes: list[str], gitignore: bool, inside: str) -> Package:
    entries = [(inside + name, file) for name, file in files_of(path, excludes, gitignore)]
    if not entries:
        raise RayError(f"The folder {path} has nothing to send.", code="INPUT", hint="It is empty, or all that it holds is excluded.")
    return _package(path, entries)


def _package(path: str, entries: list[tuple[str, str]]) -> Package:
    whole = hashlib.sha256()
    for name, file in entries:
        content = "" if name.endswith("/") else _digest(file, hashlib.sha256())
        whole.update(f"{name}\0{_executable(file)}\0{content}\0".encode("utf-8", "surrogateescape"))
    return Package(f"{PREFIX}{whole.hexdigest()[:40]}.zip", path, entries)


def _pack(packed: zipfile.ZipFile, name: str, path: str) -> None:
    entry = zipfile.ZipInfo(name, EPOCH)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.create_system = 3
    mode = (stat.S_IFDIR if name.endswith("/") else stat.S_IFREG) | (0o755 if _executable(path) else 0o644)
    entry.external_attr = mode << 16
    if name.endswith("/"):
        packed.writestr(entry, b"")
        return
    with open(path, "rb") as source, packed.open(entry, "w") as target:
        for piece in iter(lambda: source.read(1 << 20), b""):
            target.write(piece)


def _executable(path: str) -> bool:
    return bool(os.stat(path).st_mode & stat.S_IXUSR)


def _digest(path: str, digest: hashlib._Hash) -> str:
    try:
        with open(path, "rb") as file:
            for piece in iter(lambda: file.read(1 << 20), b""):
                digest.update(piece)
    except OSError as error:
        raise RayError(f"{path} cannot be read: {error.strerror}.", code="INPUT", hint="Leave it out with excludes.") from error
    return digest.hexdigest()


def _not_there(option: str, path: str, what: str) -> RayError:
    if os.path.exists(path):
        return RayError(f"{option} {path} is neither {what.replace(' or ', ' nor ')}.", code="INPUT", hint=f"Give {what}, or the URI of a package.")
    return UnknownYet(f"{option} {path} is not there.", code="INPUT", hint="Make it first, or name another path.")


def _mib(size: int) -> str:
    return f"{size / 1024**2:.1f} MiB"
