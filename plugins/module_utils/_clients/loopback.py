# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A registry in memory on 127.0.0.1, which forgets all: a push to it tells the digest that a real push would have."""

from __future__ import annotations

import hashlib
import re
import threading
import typing as t
import uuid
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

UPLOADS = "/blobs/uploads/"
CONTENT = re.compile(r"/v2/(?P<repository>.+)/(?P<what>blobs|manifests)/(?P<name>[^/]+)$")
JSON = "application/json"


@contextmanager
def serving() -> t.Iterator[str]:
    """Serve as long as the context lasts; gives ``127.0.0.1:PORT``, where nothing but this machine gets."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Registry)
    server.daemon_threads = True
    store: dict[str, tuple[bytes, str]] = {}
    server.store = store  # type: ignore[attr-defined]
    # The server looks for the end of the context so often; its own half second would be the longest part of a task.
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Registry(BaseHTTPRequestHandler):
    """As much of the distribution API as a push needs: uploads in one or many pieces, manifests, and the question what is there."""

    protocol_version = "HTTP/1.1"

    @property
    def _store(self) -> dict[str, tuple[bytes, str]]:
        """Path to content and its media type."""
        store: dict[str, tuple[bytes, str]] = self.server.store  # type: ignore[attr-defined]  # ours, which has one
        return store

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path == "/v2/":
            return self._answer(200, b"{}", **{"Content-Type": JSON})
        content, kind = self._store.get(path, (None, ""))
        if content is None:
            return self._answer(404, b'{"errors": []}', **{"Content-Type": JSON})
        return self._answer(200, content, **{"Content-Type": kind, "Docker-Content-Digest": digest(content)})

    do_HEAD = do_GET  # noqa: N815 - the name that http.server looks for

    def do_POST(self) -> None:
        """Begin an upload, at an address of its own."""
        where = f"{urlsplit(self.path).path}{uuid.uuid4()}"
        self._store[where] = (b"", "")
        self._answer(202, Location=where)

    def do_PATCH(self) -> None:
        where = urlsplit(self.path).path
        content = self._store[where][0] + self._body()
        self._store[where] = (content, "")
        self._answer(202, Location=where, Range=f"0-{len(content) - 1}")

    def do_PUT(self) -> None:
        address, body = urlsplit(self.path), self._body()
        if UPLOADS in address.path:
            content, kind = self._store.pop(address.path)[0] + body, "application/octet-stream"
            path = f"{address.path.split(UPLOADS)[0]}/blobs/{parse_qs(address.query)['digest'][0]}"
        else:
            content, kind, path = body, self.headers.get("Content-Type") or "", address.path
        self._store[path] = (content, kind)
        found = CONTENT.match(path)
        if found and found["what"] == "manifests":
            self._store[f"/v2/{found['repository']}/manifests/{digest(content)}"] = (content, kind)
        self._answer(201, b"", Location=path, **{"Docker-Content-Digest": digest(content)})

    def _body(self) -> bytes:
        if "chunked" not in (self.headers.get("Transfer-Encoding") or ""):
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        pieces = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(pieces)

    def _answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *args: t.Any) -> None:
        """Nobody reads its log, and standard error is the task's."""


def digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
