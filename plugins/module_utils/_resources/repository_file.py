# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A file in a repository of files, known by its address and compared by its checksum."""

from __future__ import annotations

import hashlib
import typing as t

from .._errors import RayError, UnknownYet
from .._ports import Json


class Repository(t.Protocol):
    """The server of the file, bound to its address."""

    @property
    def name(self) -> str:
        ...

    @property
    def url(self) -> str:
        ...

    def find(self) -> Json | None:
        ...

    def put(self, content: bytes, checksum: str) -> None:
        ...

    def remove(self) -> None:
        ...


class RepositoryFile:
    """The file at the address of the client.

    Args:
        repository: client of the server, bound to the address.
        src: path of the file that is to be there; not needed to remove one.
        overwrite: whether a file with other content may be replaced.
    """

    noun = "repository_file"
    # Not every server tells it without sending the file; the checksum says it all.
    write_only = ("size",)

    def __init__(self, repository: Repository, src: str | None, *, overwrite: bool = False) -> None:
        self._repository, self._src, self._overwrite = repository, src, overwrite
        self.name, self.subject = repository.name, repository.url
        self._content = b""

    def read(self) -> Json | None:
        return self._repository.find()

    def resolve(self, before: Json | None, desired: Json) -> Json:
        """Checksum and size of the file here; other content there is refused, as somebody may have fetched it under this name."""
        self._content = self._load()
        checksum = f"sha256:{hashlib.sha256(self._content).hexdigest()}"
        desired = {**desired, "checksum": checksum, "size": len(self._content)}
        if before and before["checksum"] != checksum:
            self._refuse_other(before, desired)
        return desired

    def _refuse_other(self, before: Json, desired: Json) -> None:
        if not self._overwrite:
            raise RayError(
                f"{self._repository.url} is there with other content: {before['checksum']} there, {desired['checksum']} in {self._src}.", code="INPUT",
                hint="Publish the new content under another name, such as that of a new version, or allow it to be replaced with overwrite.",
                details={"checksum": desired["checksum"], "checksum_there": before["checksum"]})

    def _load(self) -> bytes:
        hint = "Name one with src, a path where the task runs."
        try:
            with open(self._src or "", "rb") as file:
                return file.read()
        except FileNotFoundError:
            raise UnknownYet(f"The file {self._src}, which is to be uploaded, is not there.", hint=hint) from None
        except OSError as error:
            raise RayError(f"The file {self._src} cannot be read: {error.strerror}.", code="INPUT", hint=hint) from error

    def create(self, desired: Json) -> None:
        self._repository.put(self._content, desired["checksum"])

    def update(self, before: Json, desired: Json) -> None:
        """Another client may have put another file there since it was looked at."""
        self._refuse_other(before, desired)
        self.create(desired)

    def delete(self, before: Json) -> None:
        self._repository.remove()

    def ready(self, current: Json | None) -> bool:
        return True

    def diagnose(self) -> str:
        return ""
