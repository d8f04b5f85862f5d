# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lock of an imgpkg bundle: which images belong to it, read out of its layer without any tool."""

from __future__ import annotations

import io
import tarfile
import typing as t
import zlib

from .._errors import MissingLibrary, RayError
from .._ports import Json

try:
    import yaml

    HAS_YAML = True
except ImportError:
    HAS_YAML = False

LOCK, KIND = ".imgpkg/images.yml", "ImagesLock"
# imgpkg builds every bundle with this label.
NESTED = "dev.carvel.imgpkg.bundle"


def locked(layer: bytes, what: str) -> list[Json]:
    """The images of the lock in a bundle's layer, each with ``image`` (by digest, as the lock has it), ``digest`` and ``id``.

    Raises:
        RayError: ``INPUT`` when there is no lock in it.
    """
    if not HAS_YAML:
        raise MissingLibrary("PyYAML")
    try:
        document = yaml.safe_load(_file(layer))
        if document["kind"] != KIND:
            raise KeyError(KIND)
        return [_entry(entry) for entry in document.get("images") or []]
    except (tarfile.TarError, zlib.error, OSError, EOFError, yaml.YAMLError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise RayError(f"The lock {LOCK} of {what} cannot be read.", code="INPUT",
                       hint="Build the bundle with vcf.ray.carvel_package, or with kbld and imgpkg.") from error


def _file(layer: bytes) -> bytes:
    with tarfile.open(fileobj=io.BytesIO(layer), mode="r:*") as tar:
        for member in tar:
            if member.name.removeprefix("./") == LOCK:
                file = tar.extractfile(member)
                return file.read() if file else b""
    raise KeyError(LOCK)


def _entry(entry: dict[str, t.Any]) -> Json:
    name, found, digest = entry["image"].partition("@")
    if not found or not digest.startswith("sha256:"):
        raise ValueError(name)
    annotations = entry.get("annotations") or {}
    return {"image": entry["image"], "digest": digest, "id": annotations.get("kbld.carvel.dev/id")}
