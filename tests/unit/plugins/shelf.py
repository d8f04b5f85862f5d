# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A bundle with its images, as imgpkg makes it; registries on the loopback that hold such things, and tars that carry them."""

from __future__ import annotations

import base64
import gzip
import hashlib
import http.server
import io
import json
import pathlib
import tarfile
import threading
import typing as t
from contextlib import contextmanager

import yaml

LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
KIND = "application/vnd.docker.distribution.manifest.v2+json"
PACKAGE = """\
# Kept as it is.
apiVersion: data.packaging.carvel.dev/v1alpha1
kind: PackageMetadata
metadata: {{name: ray-on-vcf.broadcom.com}}
---
apiVersion: data.packaging.carvel.dev/v1alpha1
kind: Package
metadata: {{name: ray-on-vcf.broadcom.com.{version}}}
spec:
  refName: ray-on-vcf.broadcom.com
  version: {version}
  template:
    spec:
      fetch:
      - imgpkgBundle:
          image: {image}   # the bundle
      deploy: [{{kapp: {{}}}}]
"""


def digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def layer(**files: str) -> bytes:
    """A layer with these files; two underscores in a name are a slash, so that names can be keywords."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as tar:
        for name, text in files.items():
            info = tarfile.TarInfo(name.replace("__", "/"))
            info.size = len(text.encode())
            tar.addfile(info, io.BytesIO(text.encode()))
    return gzip.compress(raw.getvalue(), mtime=0)


class Image:
    """An image of one layer; with labels, as a bundle has them."""

    def __init__(self, content: bytes, labels: dict | None = None) -> None:
        self.layer, self.config = content, json.dumps({"config": {"Labels": labels}}).encode()
        self.manifest = json.dumps({"schemaVersion": 2, "mediaType": KIND, "config": {"digest": digest(self.config)},
                                    "layers": [{"mediaType": LAYER, "digest": digest(content)}]}).encode()
        self.digest = digest(self.manifest)

    def on(self, repository: str, *tags: str) -> dict[str, bytes]:
        """The paths of a registry under which it is."""
        manifests = {f"/v2/{repository}/manifests/{name}": self.manifest for name in (self.digest, *tags)}
        return {**manifests, f"/v2/{repository}/blobs/{digest(self.layer)}": self.layer}

    def described(self, ref: str, **more: t.Any) -> dict:
        """As imgpkg describes it in a tar."""
        return {"Image": {"Refs": [f"{ref}@{self.digest}"], "Manifest": {"MediaType": KIND, "Digest": self.digest, "Raw": self.manifest.decode()},
                          "Layers": [{"MediaType": LAYER, "Digest": digest(self.layer), "Size": len(self.layer)}],
                          "Config": {"Digest": digest(self.config), "Raw": self.config.decode()}, "Labels": None, **more}}


class Bundle(Image):
    """A bundle whose lock names these images, each by ``repository@digest``."""

    def __init__(self, *images: str) -> None:
        rows = [{"image": image, "annotations": {"kbld.carvel.dev/id": "operator:latest"}} for image in images]
        lock = yaml.safe_dump({"apiVersion": "imgpkg.carvel.dev/v1alpha1", "kind": "ImagesLock", "images": rows})
        super().__init__(layer(config__all="x: y\n", **{".imgpkg__images.yml": lock}), {"dev.carvel.imgpkg.bundle": "true"})


def tar(path: pathlib.Path, rows: list[dict] | None, layers: t.Iterable[bytes], **more: bytes) -> str:
    """A tar of ``imgpkg copy``, with other members behind its layers; two underscores in their names are a dot."""
    members = {} if rows is None else {"manifest.json": json.dumps(rows).encode()}
    members |= {f"{digest(content).replace(':', '-')}.tar.gz": content for content in layers}
    with tarfile.open(path, "w") as archive:
        for name, content in {**members, **{name.replace("__", "."): content for name, content in more.items()}}.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return str(path)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        shelf = t.cast(Shelf, self.server)
        sent = (self.headers.get("Authorization") or "").removeprefix("Basic ")
        login = base64.b64decode(sent).decode() or None
        shelf.logins.add(login)
        if shelf.login and login != shelf.login:
            return self.end(401 if login is None or not shelf.forbids else 403, b"")
        if self.command == "PUT":
            shelf.content[self.path] = body
            return self.end(201, b"")
        shelf.asked.append((self.command, self.path))
        return self.end(200 if self.path in shelf.content else 404, shelf.content.get(self.path, b""))

    def end(self, status: int, content: bytes) -> None:
        self.send_response(status)
        if status == 401:
            self.send_header("WWW-Authenticate", 'Basic realm="test"')
        if status == 200:
            self.send_header("Docker-Content-Digest", digest(content))
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_HEAD = do_PUT = answer

    def log_message(self, *args: object) -> None:
        """Keep the test's output clean."""


class Shelf(http.server.ThreadingHTTPServer):
    """A registry: its content by path, what it was asked for (not what it was given), and by which logins."""

    daemon_threads = True

    def __init__(self, login: str | None) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.address, self.login, self.forbids = f"127.0.0.1:{self.server_port}", login, False
        self.content: dict[str, bytes] = {}
        self.asked: list[tuple[str, str]] = []
        self.logins: set[str | None] = set()

    def questions(self) -> list[str]:
        """Each as method, kind and tag or digest, its first letters only; they are forgotten by that."""
        asked, self.asked = self.asked, []
        return [f"{method} {path.split('/')[-2]} {path.rpartition('/')[2][:15]}" for method, path in asked]


@contextmanager
def shelf(login: str | None = None) -> t.Iterator[Shelf]:
    """A registry that wants this login (name:password) for everything, or none."""
    server = Shelf(login)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
