# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small images for tests, in both forms in which the node meets them."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from pathlib import Path


def digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def entry(name: str, content: bytes = b"", **more: object) -> tuple[tarfile.TarInfo, bytes]:
    """A file of a layer; `type` and `linkname` make something else of it."""
    member = tarfile.TarInfo(name)
    member.mtime, member.mode, member.size = 1_700_000_000, 0o644, len(content)
    for field, value in more.items():
        setattr(member, field, value)
    return member, content


def folder(name: str) -> tuple[tarfile.TarInfo, bytes]:
    return entry(name, type=tarfile.DIRTYPE, mode=0o755)


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> tuple[tarfile.TarInfo, bytes]:
    return entry(name, type=kind, linkname=target)


def layer(*entries: tuple[tarfile.TarInfo, bytes]) -> bytes:
    """A plain layer."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        for member, content in entries:
            archive.addfile(member, io.BytesIO(content))
    return data.getvalue()


def config(layers: list[bytes], **values: object) -> bytes:
    diff_ids = [digest(each) for each in layers]
    return json.dumps({"config": values, "rootfs": {"type": "layers", "diff_ids": diff_ids}}).encode()


def saved(path: Path, layers: list[bytes], described: bytes) -> Path:
    """An archive of `docker save`, compressed."""
    names = [f"{number}/layer.tar" for number in range(len(layers))]
    manifest = json.dumps([{"Config": "config.json", "RepoTags": ["a:b"], "Layers": names}]).encode()
    files = {"config.json": described, **dict(zip(names, layers)), "manifest.json": manifest}
    path.write_bytes(gzip.compress(layer(*(entry(name, content) for name, content in files.items()))))
    return path


def layout(path: Path, layers: list[bytes], described: bytes) -> str:
    """An OCI image layout with compressed layers; the digest of the image."""
    blobs = path / "blobs" / "sha256"
    blobs.mkdir(parents=True)

    def put(data: bytes) -> dict:
        (blobs / digest(data).removeprefix("sha256:")).write_bytes(data)
        return {"digest": digest(data), "size": len(data)}

    manifest = {"config": put(described), "layers": [put(gzip.compress(each)) for each in layers]}
    whole = put(json.dumps(manifest).encode())
    (path / "index.json").write_text(json.dumps({"manifests": [whole]}))
    return whole["digest"]
