# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The archive that ``docker save`` writes: which images are in it, and a copy with one of them alone."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
import typing as t
import zlib

from .._errors import RayError, UnknownYet
from .._ports import Json
from .reference import Reference

# A configuration or a list is some thousand bytes; what is longer is a layer.
SMALL = 4 * 1024 * 1024
HINT = "Give the tar or tar.gz file that docker save or podman save writes of the image."


class Saved(t.NamedTuple):
    """One image of an archive: the member with its configuration, the digest of that, which is the image's id, and its names."""

    config: str
    image_id: str
    names: tuple[str, ...]
    row: Json


class ImageArchive:
    """A file of ``docker save``, packed or not, of any age: those with an OCI layout have the same ``manifest.json`` beside it."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._count = 0

    def image(self, ref: Reference) -> Saved:
        """The image that is meant by the reference: the only one, or the one that is called so.

        Raises:
            UnknownYet: there is no such file; an earlier task of the same run may be to write it.
            RayError: ``INPUT``: it is no such archive, or not plain which image is meant.
        """
        if not os.path.exists(self.path):
            raise UnknownYet(f"There is no image archive {self.path}.", code="INPUT", hint=HINT)
        rows = self._images()
        self._count = len(rows)
        if len(rows) == 1:
            return rows[0]
        exact = [row for row in rows if str(ref) in row.names]
        alike = [row for row in rows if any(_last(name) == _last(ref.name) for name in row.names)]
        for some in (exact, alike):
            if len(some) == 1:
                return some[0]
        listed = ", ".join(sorted(", ".join(row.names) or row.image_id for row in rows))
        raise RayError(f"The image archive {self.path} holds {len(rows)} images, and it is not plain which one {ref} is: {listed}.", code="INPUT",
                       hint="Save the one image alone, or call it in the archive as it is called in the registry.")

    def alone(self, saved: Saved, folder: str) -> str:
        """A tar that is not packed and tells of this image only, as crane and podman take it; written into ``folder`` unless the archive is one."""
        if self._is_plain and self._count == 1:
            return self.path
        path = os.path.join(folder, "image.tar")
        manifest = json.dumps([saved.row]).encode()
        try:
            with tarfile.open(self.path, "r|*") as source, tarfile.open(path, "w") as target:
                for member in source:
                    if member.name == "manifest.json":
                        member.size = len(manifest)
                        target.addfile(member, io.BytesIO(manifest))
                    else:
                        target.addfile(member, source.extractfile(member) if member.isreg() else None)
        except (OSError, EOFError, zlib.error, tarfile.TarError) as error:
            raise RayError(f"The image archive {self.path} cannot be unpacked to {folder}: {error}.", code="INPUT",
                           hint="Is there room? The environment variable TMPDIR names another folder.") from error
        return path

    @property
    def _is_plain(self) -> bool:
        try:
            tarfile.open(self.path, "r:").close()
        except tarfile.TarError:
            return False
        return True

    def _images(self) -> list[Saved]:
        members = self._small_members()
        rows = _parsed(members.get("manifest.json"))
        if not isinstance(rows, list) or not rows:
            raise self._none("index.json" in members)
        images = []
        for row in rows:
            config = row.get("Config") if isinstance(row, dict) else None
            content = members.get(config or "")
            if content is None:
                raise RayError(f"The image archive {self.path} has no configuration {config!r}, which its manifest.json names.", code="INPUT", hint=HINT)
            images.append(Saved(config or "", f"sha256:{hashlib.sha256(content).hexdigest()}", tuple(row.get("RepoTags") or ()), row))
        return images

    def _small_members(self) -> dict[str, bytes]:
        """All that can be a list or a configuration, in one pass, as a packed file can only be read from its beginning."""
        found = {}
        try:
            with tarfile.open(self.path, "r|*") as archive:
                for member in archive:
                    if member.isreg() and member.size <= SMALL and _may_be_json(member.name):
                        file = archive.extractfile(member)
                        found[member.name.removeprefix("./")] = file.read() if file else b""
        except IsADirectoryError as error:
            raise RayError(f"{self.path} is a folder, not an image archive.", code="INPUT", hint=HINT) from error
        except (EOFError, zlib.error, tarfile.TarError) as error:
            raise RayError(f"{self.path} is no image archive, or not a whole one: {error}.", code="INPUT", hint=HINT) from error
        except OSError as error:
            raise RayError(f"The image archive {self.path} cannot be read: {error.strerror or error}.", code="INPUT", hint=HINT) from error
        return found

    def _none(self, oci: bool) -> RayError:
        if oci:
            return RayError(f"{self.path} is an OCI archive without the manifest.json that docker save writes.", code="INPUT",
                            hint="Write it with docker save, or with --output type=docker, or with podman save --format docker-archive.")
        return RayError(f"{self.path} is a tar file, but no image archive: it has no manifest.json with an image.", code="INPUT", hint=HINT)


def _may_be_json(name: str) -> bool:
    """Configurations are called ``DIGEST.json`` of old, and ``blobs/sha256/DIGEST`` since; an old layer is ``ID/layer.tar``."""
    return name.endswith(".json") or name.removeprefix("./").startswith("blobs/")


def _parsed(content: bytes | None) -> t.Any:
    try:
        return json.loads(content or b"null")
    except ValueError:
        return None


def _last(name: str) -> str:
    """``operator`` of ``registry.example.com:5000/ray/operator:1.0``."""
    return name.rsplit("/", 1)[-1].split(":", 1)[0]
