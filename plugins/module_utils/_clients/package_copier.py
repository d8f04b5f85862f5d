# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copies of bundles with their images: by imgpkg, and looked at without it in the registries themselves."""

from __future__ import annotations

import os
import tempfile
import typing as t
from contextlib import contextmanager

from .._errors import RayError
from .._ports import Json, Task
from .carvel import Carvel
from .images_lock import locked
from .programs import all_of
from .reference import Reference
from .registry import Registries, registries
from .registry_login import logins


def lock_of(where: Registries, bundle: Reference) -> list[Json] | None:
    """The images of a bundle's lock as they are written there, or None when there is no such bundle."""
    manifest = where.manifest(bundle)
    if manifest is None:
        return None
    layers = manifest.get("layers") or []
    return locked(where.blob(bundle, layers[0]["digest"]) if layers else b"", f"the bundle {bundle}")


class PackageCopier:
    """Between the registry of a package (``source``) and a repository of one's own (``target``), or an archive.

    imgpkg is run for what is copied, and for nothing else; each login goes to its own registry alone.
    """

    def __init__(self, source: Registries, own: Registries, target: Reference | None, imgpkg: str | None) -> None:
        self._source, self._own, self.target, self._paths = source, own, target, {"imgpkg": imgpkg}
        if target:
            own.login_at(target.registry)

    def by_digest(self, image: str) -> str | None:
        """The reference by digest; one by tag is looked up, and None when it is not there."""
        ref = Reference.parse(image, "bundle")
        self._source.login_at(ref.registry)
        digest = ref.digest or self._source.digest(ref)
        return str(ref.at(digest)) if digest else None

    def locked(self, bundle: str) -> list[Json] | None:
        """The images of the bundle's lock, or None when it is not there."""
        ref = Reference.parse(bundle, "bundle")
        return lock_of(self._own if self.target and ref.name == self.target.name else self._source, ref)

    def tagged(self, tag: str) -> str | None:
        """The digest of this tag in the target."""
        return self._own.digest(self._to.tagged(tag))

    def present(self, digests: t.Iterable[str]) -> set[str]:
        """Those of the digests that the target has."""
        return {digest for digest in dict.fromkeys(digests) if self._own.has(self._to, digest)}

    def able(self) -> None:
        """Raises RayError ``INPUT`` when imgpkg is not there."""
        all_of(self._paths)

    def to_archive(self, bundle: str, tag: str, path: str) -> None:
        with self._tools(self._source) as carvel:
            carvel.copy_to_tar(bundle, tag, path)

    def from_archive(self, path: str) -> None:
        with self._tools(self._own) as carvel:
            carvel.copy_from_tar(path, self._to.name)

    def across(self, bundle: str, tag: str) -> None:
        """In one run, unless certificates are verified at one of the registries only: imgpkg knows one answer for both."""
        if self._source.validate_certs == self._own.validate_certs:
            with self._tools(self._source, self._own) as carvel:
                carvel.copy(bundle, tag, self._to.name)
            return
        with tempfile.TemporaryDirectory(prefix="vcf-ray-") as folder:
            tar = os.path.join(folder, "bundle.tar")
            self.to_archive(bundle, tag, tar)
            self.from_archive(tar)

    def close(self) -> None:
        self._source.close()
        self._own.close()

    @property
    def _to(self) -> Reference:
        return t.cast(Reference, self.target)

    @contextmanager
    def _tools(self, *used: Registries) -> t.Iterator[Carvel]:
        """imgpkg with the logins and authorities of these registries."""
        authorities = [where.ca_path for where in used if where.ca_path]
        proxy_url = next((where.proxy_url for where in used), None)
        with logins([entry for where in used for entry in where.entries()], authorities, proxy_url=proxy_url) as environment:
            carvel = Carvel(self._paths, environment, ca_paths=authorities, validate_certs=all(where.validate_certs for where in used))
            carvel.need()
            try:
                yield carvel
            except RayError as error:
                # Here two registries may be meant.
                error.hint = error.hint and error.hint.replace("with registry_ca_path", "with source_ca_path or registry_ca_path")
                raise


@contextmanager
def connect(task: Task) -> t.Iterator[PackageCopier]:
    """A copier for the options ``source_*``, ``registry_*``, ``bundle`` and ``imgpkg_path``."""
    params = task.params
    target = Reference.of_repository(params["bundle"], "bundle") if params["bundle"] else None
    copier = PackageCopier(registries(params, "source_"), registries(params), target, params["imgpkg_path"])
    try:
        yield copier
    finally:
        copier.close()
