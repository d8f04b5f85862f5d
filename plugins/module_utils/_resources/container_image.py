# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A container image in a registry, by a tag, as it is in an archive."""

from __future__ import annotations

import typing as t

from .._errors import RayError, UnknownYet
from .._ports import Json, Reference

# Stands for what nobody knows before the image has been pushed; what was there before must not look as if it stayed.
LATER = "known after the push"
LISTED = "vnd.docker.reference.type"


class Saved(t.Protocol):
    """The image as it is in the archive."""

    @property
    def image_id(self) -> str:
        ...


class Archive(t.Protocol):
    """A file with images."""

    @property
    def path(self) -> str:
        ...

    def image(self, ref: t.Any) -> Saved:
        ...


class Registries(t.Protocol):
    """Tells what is behind a tag."""

    def manifest(self, ref: t.Any) -> Json | None:
        ...


class Pusher(t.Protocol):
    """Sends an image of an archive to a registry."""

    def need(self) -> None:
        ...

    def digest(self, archive: t.Any, saved: t.Any) -> str | None:
        ...

    def push(self, archive: t.Any, saved: t.Any, ref: t.Any) -> None:
        ...


class ContainerImage:
    """The image behind a tag. It is the right one when its configuration is: its digest is the image's id, and names the layers unpacked.

    ``registries`` reads, ``pusher`` writes; ``ref`` and ``archive`` are what the two are asked about.
    ``overwrite``: whether the tag may be taken from another image.
    """

    noun = "container_image"

    def __init__(self, registries: Registries, pusher: Pusher, ref: Reference, archive: Archive, *, overwrite: bool) -> None:
        self._registries, self._pusher, self._ref, self._archive, self._overwrite = registries, pusher, ref, archive, overwrite
        self._saved: Saved | None = None
        self._missing: UnknownYet | None = None
        self._pushed = False
        self.name = str(ref)

    def read(self) -> Json | None:
        """The archive is looked at first: of a list of images it is the one that is meant, and a wrong archive is told before anything is asked."""
        wanted = self._wanted()
        manifest = self._registries.manifest(self._ref)
        if manifest is None:
            return None
        ids, digest = self._image_ids(manifest), manifest["digest"]
        image_id = wanted if wanted in ids else next(iter(ids), None)
        if self._pushed and image_id != wanted:
            raise RayError(f"{self._ref} is the image {image_id} after the push, not {wanted} of {self._archive.path}.", code="FAILED",
                           hint="Somebody else pushed to the same tag, or the tool has written the image anew; crane pushes it as it is.")
        return {"image": str(self._ref), "image_id": image_id, "digest": digest, "reference": str(self._ref.at(digest))}

    def resolve(self, before: Json | None, desired: Json) -> Json:
        if self._missing:
            if before is None:
                # It will be pushed, once it is built; that nothing can push it is better known before.
                self._pusher.need()
            raise self._missing
        if before and before["image_id"] == self._wanted():
            return before
        if before and not self._overwrite:
            raise RayError(f"{self._ref} is another image in the registry: {before['image_id']}, and that of {self._archive.path} is {self._wanted()}.",
                           code="CONFLICT", hint="Choose another tag, or set overwrite: true if nobody counts on this one.")
        digest = self._pusher.digest(self._archive, self._saved)
        return {**desired, "image_id": self._wanted(), "digest": digest or LATER, "reference": str(self._ref.at(digest)) if digest else LATER}

    def create(self, desired: Json) -> None:
        self._pusher.push(self._archive, self._saved, self._ref)
        self._pushed = True

    def update(self, before: Json, desired: Json) -> None:
        self.create(desired)

    def delete(self, before: Json) -> None:
        raise AssertionError("an image is never removed")

    def ready(self, current: Json | None) -> bool:
        return current is not None

    def diagnose(self) -> str:
        return ""

    def _wanted(self) -> str | None:
        """The id of the image in the archive; an archive that is not there yet is for ``resolve`` to tell, with what is in the registry."""
        if self._saved is None and self._missing is None:
            try:
                self._saved = self._archive.image(self._ref)
            except UnknownYet as error:
                self._missing = error
        return self._saved.image_id if self._saved else None

    def _image_ids(self, manifest: Json) -> list[str]:
        """The ids of the image, or of all images of a list, as docker pushes one beside what it attests of an image."""
        rows = manifest.get("manifests")
        if rows is None:
            return [manifest["config"]["digest"]] if isinstance(manifest.get("config"), dict) else []
        images = [row["digest"] for row in rows if LISTED not in (row.get("annotations") or {})]
        there = [self._registries.manifest(self._ref.at(digest)) or {} for digest in images]
        return [one["config"]["digest"] for one in there if isinstance(one.get("config"), dict)]
