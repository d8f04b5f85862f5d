# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An archive as `docker save` writes it: layers, a configuration and a list of both.

The same files always give the same bytes: sorted, of no time and of nobody.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import platform
import tarfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
FASTEST_THAT_PAYS = 4  # of the levels of compression


@dataclass
class Layer:
    """One layer: files, texts, links and folders by their paths in the image."""

    what: str
    files: dict[str, Path] = field(default_factory=dict)  # files of this machine
    texts: dict[str, tuple[int, str]] = field(default_factory=dict)  # mode and content
    made: dict[str, bytes] = field(default_factory=dict)  # content of files that are on no machine
    links: dict[str, str] = field(default_factory=dict)
    folders: dict[str, int] = field(default_factory=dict)

    def tar(self) -> bytes:
        entries: dict[str, tuple[tarfile.TarInfo, bytes]] = {}
        for name, path in self.files.items():
            mode = 0o755 if path.stat().st_mode & 0o100 else 0o644
            entries[name] = _entry(name, mode, path.read_bytes())
        for name, content in self.made.items():
            entries[name] = _entry(name, 0o644, content)
        for name, (mode, text) in self.texts.items():
            entries[name] = _entry(name, mode, text.encode())
        for name, target in self.links.items():
            entries[name] = _entry(name, 0o777, b"", tarfile.SYMTYPE, target)
        folders = {str(parent): 0o755 for name in entries for parent in Path(name).parents} | self.folders
        for name, mode in folders.items():
            if name != ".":
                entries[name] = _entry(name, mode, b"", tarfile.DIRTYPE)
        return _tar(entries)


def _entry(
    name: str, mode: int, content: bytes, kind: bytes = tarfile.REGTYPE, target: str = ""
) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.mode, info.size, info.type, info.linkname = mode, len(content), kind, target
    return info, content


def _tar(entries: dict[str, tuple[tarfile.TarInfo, bytes]]) -> bytes:
    output = io.BytesIO()
    with tarfile.open(fileobj=output, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name in sorted(entries):
            info, content = entries[name]
            archive.addfile(info, io.BytesIO(content))
    return output.getvalue()


def write(path: Path, tag: str, layers: list[Layer], config: dict[str, Any]) -> str:
    """Write the archive; the image's id."""
    tars = [(hashlib.sha256(tar).hexdigest(), tar) for tar in (layer.tar() for layer in layers)]
    born = "1970-01-01T00:00:00Z"
    machine = platform.machine()
    configuration = {
        "architecture": ARCHITECTURES.get(machine, machine),
        "os": "linux",
        "created": born,
        "config": config,
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}" for digest, _ in tars]},
        "history": [{"created": born, "created_by": layer.what} for layer in layers],
    }
    text = json.dumps(configuration, sort_keys=True).encode()
    image = hashlib.sha256(text).hexdigest()
    names = [f"{digest}/layer.tar" for digest, _ in tars]
    manifest = [{"Config": f"{image}.json", "RepoTags": [tag], "Layers": names}]
    contents = {f"{image}.json": text, "manifest.json": json.dumps(manifest).encode()}
    contents |= {name: tar for name, (_, tar) in zip(names, tars, strict=True)}
    whole = _tar({name: _entry(name, 0o644, content) for name, content in contents.items()})
    path.write_bytes(gzip.compress(whole, FASTEST_THAT_PAYS, mtime=0))
    return f"sha256:{image}"
