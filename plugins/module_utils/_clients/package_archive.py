# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A tar of ``imgpkg copy`` with the YAML of its package in it: one file that carries all of a package over the air gap."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
import tempfile
import typing as t
from contextlib import contextmanager

from .._errors import RayError
from .._ports import Json
from .images_lock import NESTED, locked
from .text_file import TextFile

MANIFEST, PACKAGE = "manifest.json", "package.yaml"
# imgpkg marks with this label which of the bundles of a tar is the one that was asked for.
ROOT = "dev.carvel.imgpkg.copy.root-bundle"
# Layers that may not be handed on stay where they are; imgpkg leaves them out.
LEFT_OUT = ("foreign", "nondistributable")
HINT = "Make it again: vcf.ray.carvel_package_copy with package and archive."


class Contents(t.NamedTuple):
    """What an archive holds: its bundle, as reference by digest and digest alone, the images of its locks, the package's text."""

    bundle: str
    digest: str
    images: list[Json]
    package: str


class PackageArchive:
    """The file at ``path``."""

    def __init__(self, path: str) -> None:
        self.path = path

    @property
    def there(self) -> bool:
        return os.path.exists(self.path)

    def check(self) -> None:
        """Whether it could be written; as for any file that is replaced as a whole."""
        TextFile(self.path).check()

    @contextmanager
    def replaced(self) -> t.Iterator[PackageArchive]:
        """A new archive that takes the place of this one when it has come out well; anybody may read it."""
        target = os.path.realpath(self.path)
        try:
            with tempfile.TemporaryDirectory(dir=os.path.dirname(target), prefix=f".{os.path.basename(target)}-") as folder:
                new = PackageArchive(os.path.join(folder, os.path.basename(target)))
                yield new
                os.chmod(new.path, 0o644)
                os.replace(new.path, target)
        except OSError as error:
            raise RayError(f"The archive {self.path} cannot be written: {error.strerror or error}.", code="INPUT",
                           hint="Is there space left, and may you write it?") from error

    def read(self) -> Contents:
        """What it holds, when that is whole: every image of every lock, every layer in its full length.

        Raises:
            RayError: ``INPUT``; it says what is not there, or what the file is instead.
        """
        try:
            with tarfile.open(self.path, "r:") as tar:
                return self._contents({member.name: member for member in tar.getmembers()}, tar)
        except tarfile.TarError as error:
            raise self._unusable(f"is no tar, or only the beginning of one ({error})") from error
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise self._unusable("is no tar of imgpkg; that of docker save, for one, is for vcf.ray.container_image") from error
        except OSError as error:
            raise RayError(f"The archive {self.path} cannot be read: {error.strerror or error}.", code="INPUT",
                           hint="Name a file that can be read with archive, a path where the task runs.") from error

    def _contents(self, members: dict[str, tarfile.TarInfo], tar: tarfile.TarFile) -> Contents:
        images = list(self._images(members, tar))
        root = next((image for image in images if ROOT in (image.get("Labels") or {}) and "Manifest" in image), None)
        if root is None:
            raise self._unusable("holds no bundle")
        if PACKAGE not in members:
            raise self._unusable(f"holds a bundle, but not the YAML of its package as {PACKAGE}")
        here = {_digest(image) for image in images}
        found = {}
        for image in images:
            if NESTED in _labels(image):
                for entry in locked(self._layer(image, members, tar), f"the bundle {_digest(image)} in {self.path}"):
                    found[entry["digest"]] = entry
        for digest, entry in found.items():
            if digest not in here:
                raise self._unusable(f"does not hold the image {entry['image']}, which its bundle names")
        bundle = f"{root['Refs'][0].partition('@')[0]}@{_digest(root)}"
        return Contents(bundle, _digest(root), list(found.values()), self._package(members, tar))

    def _images(self, members: dict[str, tarfile.TarInfo], tar: tarfile.TarFile) -> t.Iterator[Json]:
        """The descriptions of all images, those inside of an index after it; the layers of each are there in full length."""
        if MANIFEST not in members:
            raise self._unusable(f"is no tar of imgpkg: it has no {MANIFEST}")
        entries = json.loads(self._member(MANIFEST, members, tar))
        waiting = [entry.get("Image") or entry["ImageIndex"] for entry in entries]
        while waiting:
            image = waiting.pop(0)
            self._whole(image, members)
            waiting += [*(image.get("Images") or []), *(image.get("Indexes") or [])]
            yield image

    def _whole(self, image: Json, members: dict[str, tarfile.TarInfo]) -> None:
        raw = image["Manifest"]["Raw"] if "Manifest" in image else image["Raw"]
        if f"sha256:{hashlib.sha256(raw.encode()).hexdigest()}" != _digest(image):
            raise self._unusable(f"holds a manifest that is not the one of the digest {_digest(image)}")
        for layer in image.get("Layers") or []:
            member = members.get(_file_of(layer))
            if any(word in layer["MediaType"] for word in LEFT_OUT):
                continue
            if member is None or member.size != layer["Size"]:
                raise self._unusable(f"does not hold the layer {layer['Digest']} of {image['Refs'][0]}")

    def _layer(self, image: Json, members: dict[str, tarfile.TarInfo], tar: tarfile.TarFile) -> bytes:
        """The one layer of a bundle."""
        return self._member(_file_of(image["Layers"][0]), members, tar)

    def _package(self, members: dict[str, tarfile.TarInfo], tar: tarfile.TarFile) -> str:
        try:
            return self._member(PACKAGE, members, tar).decode("utf-8")
        except UnicodeDecodeError as error:
            raise self._unusable(f"holds a {PACKAGE} that is no text in UTF-8") from error

    def _member(self, name: str, members: dict[str, tarfile.TarInfo], tar: tarfile.TarFile) -> bytes:
        file = tar.extractfile(members[name])
        if file is None:
            raise self._unusable(f"holds {name} as something else than a file")
        return file.read()

    def _unusable(self, why: str) -> RayError:
        return RayError(f"The archive {self.path} {why}.", code="INPUT", hint=HINT)

    def add_package(self, text: str) -> None:
        """Put the YAML of the package behind the images, where imgpkg does not mind it."""
        content = text.encode()
        with tarfile.open(self.path, "a") as tar:
            member = tarfile.TarInfo(PACKAGE)
            member.size, member.mode = len(content), 0o644
            tar.addfile(member, io.BytesIO(content))


def _digest(image: Json) -> str:
    digest: str = image["Manifest"]["Digest"] if "Manifest" in image else image["Digest"]
    return digest


def _labels(image: Json) -> Json:
    """The labels that an image was built with, not those that imgpkg puts on it in a tar."""
    config = json.loads(image["Config"]["Raw"]) if "Config" in image else {}
    return (config.get("config") or {}).get("Labels") or {}


def _file_of(layer: Json) -> str:
    return f"{layer['Digest'].replace(':', '-')}.tar.gz"
