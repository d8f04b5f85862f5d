# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One version of a Carvel package: its bundle in a registry, and the YAML file that names it."""

from __future__ import annotations

import typing as t

from .._errors import RayError, UnknownYet
from .._ports import Json, Reference, TextFile
from .carvel_manifests import configuration
from .carvel_objects import objects, refuse_duplicates, refuse_missing_image, refuse_other_namespaces, refuse_tags
from .carvel_yaml import About, checksum, locked_images, package_text

LOCK = ".imgpkg/images.yml"
# A namespace that stands in nobody's manifests, so that it is seen where the value comes to.
PROBE = "namespace-by-value"


class Carvel(t.Protocol):
    """The programs ytt, kbld and imgpkg."""

    def need(self) -> None:
        ...

    def rendered(self, files: dict[str, str], values: dict[str, str]) -> dict[str, str]:
        ...

    def schema(self, files: dict[str, str]) -> Json:
        ...

    def lock(self, text: str, overrides: dict[str, str]) -> str:
        ...

    def by_lock(self, text: str, lock: str) -> str:
        ...

    def digest_of(self, files: dict[str, str]) -> str:
        ...

    def push(self, files: dict[str, str], reference: str) -> str:
        ...


class Registry(t.Protocol):
    """What is in registries."""

    def digest(self, ref: t.Any) -> str | None:
        ...

    def has(self, ref: t.Any, digest: str) -> bool:
        ...


class Source(t.NamedTuple):
    """What a bundle is made of.

    ``manifests()`` reads them, file by file; ``image`` is the reference that takes the place of ``manifests_image``,
    and ``namespace`` the default of the value that takes the place of ``manifests_namespace``.
    """

    manifests: t.Callable[[], dict[str, str]]
    manifests_image: str
    manifests_namespace: str
    image: Reference
    namespace: str


class Plan(t.NamedTuple):
    """All that will be there, known before anything is written."""

    files: dict[str, str]
    digest: str
    images: list[Json]
    content: str


class CarvelPackage:
    """One version.

    Args:
        carvel: runs ytt, kbld and imgpkg.
        registry: tells the digest of a tag, and whether a digest is there.
        file: the YAML file.
        about: what the package says of itself; the version is the bundle's tag.
        bundle: reference of the repository that is pushed to.
        published: the one that the package names, for those who only read.
        overwrite: whether another bundle of this version may be replaced.
    """

    noun = "carvel_package"

    def __init__(self, carvel: Carvel, registry: Registry, file: TextFile, about: About, *, bundle: Reference, published: Reference,
                 overwrite: bool) -> None:
        self._carvel, self._registry, self._file, self._about = carvel, registry, file, about
        self._tag, self._published, self._overwrite = bundle.tagged(about.version), published, overwrite
        self._plan: Plan | None = None
        self._missing: UnknownYet | None = None
        self._asked: list[str | None] = []
        self.name = f"{about.name} {about.version}"

    def wanted(self, source: Source) -> Json:
        """What is to be, as far as it can be known: by the very programs that would make it, without writing anything that stays."""
        known = {"name": self._about.name, "version": self._about.version, "path": self._file.path, "tag": str(self._tag)}
        # Also where the manifests are still to be made: their build takes long, and would be in vain without the programs.
        self._carvel.need()
        try:
            files = configuration(source.manifests(), source.manifests_namespace, source.namespace)
            image = self._image(source.image)
            # By us, before a program may ask this registry: a refused login is sent once.
            self._asked.append(self._registry.digest(self._tag))
            self._plan = self._planned({f"config/{name}": text for name, text in files.items()}, source, image)
            self._file.check()
        except UnknownYet as error:
            self._missing = self._missing or error
        return {**known, **self._told(self._plan.digest, self._plan.content)} if self._plan else known

    def _image(self, image: Reference) -> str:
        """The reference by digest of the image. One that is not there yet may be pushed by an earlier task; its digest may be known already."""
        try:
            digest = image.digest or self._registry.digest(image)
            there = digest and (not image.digest or self._registry.has(image, digest))
        except RayError as error:
            if error.code == "AUTH" and image.registry != self._tag.registry:
                error.hint = f"The login of the options is for {self._tag.registry} alone. Log in at {image.registry} with docker or podman before."
            raise
        if not there:
            self._missing = UnknownYet(f"The registry {image.registry} has no image {image}.", hint="Push it first, with vcf.ray.container_image.")
        if not digest:
            raise t.cast(UnknownYet, self._missing)
        return str(image.at(digest))

    def _planned(self, files: dict[str, str], source: Source, image: str) -> Plan:
        """Render, look at the result, lock the images, look again."""
        schema = self._carvel.schema(files)
        if "namespace" not in (schema.get("properties") or {}):
            raise RayError("The manifests have a schema of their values, and there is no namespace in it.", code="INPUT",
                           hint="Declare it there: a Supervisor gives the value namespace. Or leave the schema out, and one is made.")
        rendered = self._carvel.rendered(files, {"namespace": PROBE})
        placed = objects(rendered)
        refuse_duplicates(placed)
        refuse_other_namespaces(placed, PROBE, source.manifests_namespace)
        refuse_missing_image(placed, source.manifests_image)
        text = "---\n".join(rendered.values())
        lock = self._carvel.lock(text, {source.manifests_image: image})
        refuse_tags(objects({"the rendered manifests": self._carvel.by_lock(text, lock)}))
        bundle = {**files, LOCK: lock}
        digest = self._carvel.digest_of(bundle)
        content = package_text(self._about, str(self._published.at(digest)), schema)
        return Plan(bundle, digest, locked_images(lock), content)

    def read(self) -> Json | None:
        """The bundle that the registry has of this version, and the file."""
        digest, content = self._asked.pop() if self._asked else self._registry.digest(self._tag), self._file.read()
        # Where nothing can be said of what will be, what is there now must not be taken for it.
        if self._plan is None or (digest is None and content is None):
            return None
        return {"name": self._about.name, "version": self._about.version, "path": self._file.path, "tag": str(self._tag), **self._told(digest, content)}

    def _told(self, digest: str | None, content: str | None) -> Json:
        """Of a bundle and a file; the images of a bundle other than the planned one are not looked up."""
        known = self._plan is not None and digest == self._plan.digest
        return {
            "bundle": str(self._published.at(digest)) if digest else None,
            "digest": digest,
            "images": self._plan.images if self._plan and known else None,
            "checksum": None if content is None else checksum(content),
            "content": content,
        }

    def resolve(self, before: Json | None, desired: Json) -> Json:
        """A version says what it is for good: those who have installed it would get another one under its name."""
        there = before["digest"] if before else None
        if self._plan and there not in (None, self._plan.digest) and not self._overwrite:
            raise RayError(f"Version {self._about.version} is in the registry with other content: {self._tag} is {there}, "
                           f"and this one {self._plan.digest}.", code="CONFLICT",
                           hint="Give the package a new version, or set overwrite: true if nobody uses this one.")
        if self._missing:
            raise self._missing
        return desired

    def create(self, desired: Json) -> None:
        self.update({}, desired)

    def update(self, before: Json, desired: Json) -> None:
        """The bundle first, so that no file names one that is not there."""
        plan = t.cast(Plan, self._plan)
        if before.get("digest") != plan.digest:
            pushed = self._carvel.push(plan.files, str(self._tag))
            if pushed != plan.digest:
                raise RayError(f"The registry has {self._tag} as {pushed}, and {plan.digest} was pushed.", code="FAILED",
                               hint="Look at what stands between this machine and the registry; the file was not written.")
        if before.get("content") != plan.content:
            self._file.write(plan.content)

    def delete(self, before: Json) -> None:
        raise AssertionError("a version that was published is never taken back")

    def ready(self, current: Json | None) -> bool:
        return current is not None

    def diagnose(self) -> str:
        return ""
