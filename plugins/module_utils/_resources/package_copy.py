# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A copy of a package: as one archive, or in another registry together with a YAML file that points there."""

from __future__ import annotations

import hashlib
import typing as t

from .._errors import RayError, UnknownYet
from .._ports import Json, TextFile
from .package_file import pointed, the_bundle
from .package_places import Archive, Copier


class Original(t.NamedTuple):
    """What is copied: the package's name, version and text by digest, its bundle as reference by digest, and where it all is, in words.

    ``images`` is None as long as only the registry could tell them.
    """

    name: str
    version: str
    bundle: str
    text: str
    what: str
    images: list[Json] | None = None

    @property
    def digest(self) -> str:
        return self.bundle.partition("@")[2]

    @property
    def tag(self) -> str:
        """A tag may not hold the plus of a version."""
        return self.version.replace("+", "_")


def original_of(copier: Copier, text: str, what: str) -> Original:
    """The package of a YAML file whose bundle is in a registry.

    Raises:
        UnknownYet: the bundle is there by tag only, and the registry does not have it.
    """
    package, image = the_bundle(text, what)
    bundle = copier.by_digest(image)
    if bundle is None:
        raise _not_in_registry(package.what, image)
    return Original(package.name, package.version, bundle, pointed(text, bundle, what), what)


def original_in(archive: Archive) -> Original:
    """The package of an archive.

    Raises:
        UnknownYet: there is no archive.
        RayError: ``INPUT`` when it is not whole.
    """
    if not archive.there:
        raise UnknownYet(f"The archive {archive.path} is not there.", code="INPUT", hint="Make it on the connected side, with package and archive.")
    contents, what = archive.read(), f"archive {archive.path}"
    package, image = the_bundle(contents.package, what)
    if image.partition("@")[2] != contents.digest:
        raise RayError(f"The {what} holds the bundle {contents.digest}, but its package is for {image}.", code="INPUT",
                       hint="Make it again: vcf.ray.carvel_package_copy with package and archive.")
    return Original(package.name, package.version, contents.bundle, contents.package, what, contents.images)


def _not_in_registry(what: str, image: str) -> UnknownYet:
    return UnknownYet(f"{what} is not in its registry: {image} is not there.",
                      hint="Build and push it with vcf.ray.carvel_package, or mend its YAML file.")


def _checksum(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


class _Copy:
    """What both kinds have in common: what is to be is made of the original, and nothing is ever removed."""

    noun = "carvel_package_copy"

    def __init__(self, copier: Copier, original: t.Callable[[], Original]) -> None:
        self._copier, self._find = copier, original
        self._found: Original | None = None

    @property
    def original(self) -> Original:
        if self._found is None:
            self._found = self._find()
        return self._found

    def _images(self) -> list[Json]:
        """The images of the original's lock; the registry is asked for them at most once."""
        if self.original.images is None:
            images = self._copier.locked(self.original.bundle)
            if images is None:
                raise _not_in_registry(f"The package {self.original.name} {self.original.version}", self.original.bundle)
            self._found = self.original._replace(images=images)
        return self.original.images or []

    def delete(self, before: Json) -> None:
        raise AssertionError("a copy is never removed")

    def ready(self, current: Json | None) -> bool:
        return current is not None

    def diagnose(self) -> str:
        return ""


class ArchiveCopy(_Copy):
    """The file that ``archive`` stands for."""

    def __init__(self, copier: Copier, original: t.Callable[[], Original], archive: Archive) -> None:
        super().__init__(copier, original)
        self._archive = archive
        self.name = archive.path

    def read(self) -> Json | None:
        # The package comes first: where there is none yet, no archive can be told to be its own.
        self._found = self.original
        if not self._archive.there:
            return None
        try:
            held = original_in(self._archive)
        except RayError as error:
            error.hint = "It is not written over. Remove it, or name another file with archive."
            raise
        return self._shown(held, held.images or [])

    def resolve(self, before: Json | None, desired: Json) -> Json:
        if before and before["digest"] == self.original.digest:
            # The lock is a part of the bundle: the same digest has the same images.
            return {**desired, **self._shown(self.original, before["images"])}
        images = self._images()
        self._copier.able()
        self._archive.check()
        return {**desired, **self._shown(self.original, images)}

    def create(self, desired: Json) -> None:
        original = self.original
        with self._archive.replaced() as new:
            self._copier.to_archive(original.bundle, original.tag, new.path)
            new.add_package(original.text)
            new.read()

    def update(self, before: Json, desired: Json) -> None:
        self.create(desired)

    def _shown(self, held: Original, images: list[Json]) -> Json:
        return {"name": held.name, "version": held.version, "archive": self._archive.path, "bundle": held.bundle, "digest": held.digest,
                "images": sorted(({"image": entry["image"], "origin": entry["image"], "digest": entry["digest"]} for entry in images),
                                 key=lambda entry: entry["image"]),
                "checksum": _checksum(held.text), "content": held.text}


class RegistryCopy(_Copy):
    """The bundle and its images in ``repository``, and the YAML file that names it there."""

    def __init__(self, copier: Copier, original: t.Callable[[], Original], repository: str, file: TextFile, *,
                 archive: str | None = None, overwrite: bool = False) -> None:
        super().__init__(copier, original)
        self._repository, self._file, self._archive, self._overwrite = repository, file, archive, overwrite
        self.name = repository

    def read(self) -> Json | None:
        original, content = self.original, self._file.read()
        digest = self._copier.tagged(original.tag)
        there = digest == original.digest or bool(self._copier.present([original.digest]))
        if digest is None and there:
            # The YAML goes by the digest: that a tag is not there keeps nobody from anything.
            digest = original.digest
        if digest is None and content is None:
            return None
        return self._shown(digest, self._here(there), content)

    def _here(self, bundle: bool) -> list[Json]:
        """Those images that the repository has. Where it has the bundle, that tells them, so that the original need not be asked."""
        if bundle and self.original.images is None:
            self._found = self.original._replace(images=self._copier.locked(f"{self._repository}@{self.original.digest}"))
        images = self._images()
        here = self._copier.present(entry["digest"] for entry in images)
        return [entry for entry in images if entry["digest"] in here]

    def resolve(self, before: Json | None, desired: Json) -> Json:
        original, now = self.original, (before or {}).get("digest")
        if now and now != original.digest and not self._overwrite:
            raise RayError(f"{self._repository}:{original.tag} is in the registry already, as {now}, and this version of the {original.what} "
                           f"is {original.digest}.", code="CONFLICT",
                           hint="A version should stay what it is: give the package another one, or say overwrite: true.")
        after = {**desired, **self._shown(original.digest, self._images(), self._text())}
        if not self._complete(before, after):
            self._copier.able()
        self._file.check()
        return after

    def create(self, desired: Json) -> None:
        self.update({}, desired)

    def update(self, before: Json, desired: Json) -> None:
        if not self._complete(before, desired):
            self._transfer()
            self._verify()
        if self._file.read() != self._text():
            self._file.write(self._text())

    def _complete(self, before: Json | None, after: Json) -> bool:
        return bool(before) and all((before or {}).get(key) == after[key] for key in ("digest", "images"))

    def _transfer(self) -> None:
        if self._archive:
            self._copier.from_archive(self._archive)
        else:
            self._copier.across(self.original.bundle, self.original.tag)

    def _verify(self) -> None:
        """Ask the registry itself, as what a tool says that it has done is not enough for an air gap."""
        wanted = [self.original.digest, *(entry["digest"] for entry in self._images())]
        here = self._copier.present(wanted)
        missing = [digest for digest in wanted if digest not in here]
        if missing:
            raise RayError(f"The copy of the {self.original.what} in {self._repository} lacks {', '.join(missing)}.", code="FAILED",
                           hint="Look for what cleans up in the registry, and for its quota; then run the task again.")

    def _text(self) -> str:
        return pointed(self.original.text, f"{self._repository}@{self.original.digest}", self.original.what)

    def _shown(self, digest: str | None, images: list[Json], content: str | None) -> Json:
        original = self.original
        return {"name": original.name, "version": original.version, "bundle": f"{self._repository}@{digest}" if digest else None, "digest": digest,
                "images": sorted(({"image": f"{self._repository}@{entry['digest']}", "origin": entry["image"], "digest": entry["digest"]}
                                  for entry in images), key=lambda entry: entry["image"]),
                "path": self._file.path, "checksum": None if content is None else _checksum(content), "content": content}
