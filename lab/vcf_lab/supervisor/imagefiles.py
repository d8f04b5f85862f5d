# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that hold an image, as `docker save` and as a registry's clients write them, and the folder it is unpacked to."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import BinaryIO

from .layers import BadLayer, unpack

Opener = Callable[[], AbstractContextManager[BinaryIO]]
_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")


class BadImage(Exception):
    """A sentence: why these files are no image."""


def folder_name(digest: str) -> str:
    return digest.replace(":", "-")


def unpack_archive(path: Path, store: Path) -> str:
    """Unpack an archive of `docker save`, gzip or not, into the store; the digest of its config, which is its id."""
    store.mkdir(parents=True, exist_ok=True)
    with _tar(path, store) as archive:
        (entry,) = json.loads(_member(archive, "manifest.json"))
        config = _member(archive, entry["Config"])
        digest = f"sha256:{hashlib.sha256(config).hexdigest()}"

        def opener(name: str) -> Opener:
            return lambda: _opened(archive, name)

        _assemble(digest, config, [opener(name) for name in entry["Layers"]], store)
    return digest


def unpack_layout(layout: Path, digest: str, store: Path) -> None:
    """Unpack an OCI image layout into the store, as the image of this digest; each blob is held against its own."""
    (entry,) = json.loads((layout / "index.json").read_text())["manifests"]
    manifest = json.loads(_blob(layout, entry["digest"]).read_bytes())
    if "layers" not in manifest:
        raise BadImage(f"{entry['digest']} is no image but {manifest.get('mediaType', 'something else')}")
    config = _blob(layout, manifest["config"]["digest"]).read_bytes()
    blobs = [_blob(layout, layer["digest"]) for layer in manifest["layers"]]

    def opener(blob: Path) -> Opener:
        return lambda: blob.open("rb")

    _assemble(digest, config, [opener(blob) for blob in blobs], store)


def _assemble(digest: str, config: bytes, layers: list[Opener], store: Path) -> None:
    """Lay the layers over each other beside the final name, which only a whole image gets."""
    goal = store / folder_name(digest)
    if goal.exists():
        return
    diff_ids = json.loads(config).get("rootfs", {}).get("diff_ids", [])
    if len(diff_ids) != len(layers):
        raise BadImage(f"the image has {len(layers)} layers and its config {len(diff_ids)}")
    work = Path(tempfile.mkdtemp(prefix=".unpack-", dir=store))
    try:
        (work / "rootfs").mkdir()
        (work / "rootfs").chmod(0o755)  # whatever the lab's umask is
        for diff_id, opened in zip(diff_ids, layers, strict=True):
            with opened() as blob:
                unpack(blob, work / "rootfs", diff_id)
        (work / "config.json").write_bytes(config)
        work.rename(goal)
    except BadLayer as error:
        raise BadImage(str(error)) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)  # nothing is there any more when all went well


def _blob(layout: Path, digest: str) -> Path:
    """The file of a blob, once its content is what its name says."""
    found = _DIGEST.fullmatch(digest)
    if not found:
        raise BadImage(f"{digest} is no sha256 digest")
    path = layout / "blobs" / "sha256" / found[1]
    with path.open("rb") as file:
        content = hashlib.file_digest(file, "sha256").hexdigest()
    if content != found[1]:
        raise BadImage(f"the blob {digest} has the digest sha256:{content}")
    return path


@contextmanager
def _tar(path: Path, beside: Path) -> Iterator[tarfile.TarFile]:
    """The archive opened for reading in any order, for which a compressed one is written out first."""
    with path.open("rb") as file, tempfile.TemporaryFile(dir=beside) as plain:
        compressed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        if compressed:
            with gzip.GzipFile(fileobj=file) as stream:
                shutil.copyfileobj(stream, plain, 1 << 20)
            plain.seek(0)
        with tarfile.open(fileobj=plain if compressed else file, mode="r:") as archive:
            yield archive


def _member(archive: tarfile.TarFile, name: str) -> bytes:
    with _opened(archive, name) as file:
        return file.read()


def _opened(archive: tarfile.TarFile, name: str) -> BinaryIO:
    try:
        found = archive.extractfile(name)
    except KeyError:
        found = None
    if found is None:
        raise BadImage(f"the archive has no file {name}: is it one of `docker save`?")
    return found  # type: ignore[return-value]
