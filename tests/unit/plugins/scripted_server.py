# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server on the loopback that answers by a script, and keeps what it was asked with which login."""

from __future__ import annotations

import http.server
import json
import threading
import typing as t
from contextlib import contextmanager


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        self.server.log.append((self.command, self.path, self.headers.get("Authorization")))
        status, body, headers = self.server.script.pop(0)
        data = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else b""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value.replace("SELF", self.server.address))
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    do_GET = do_HEAD = answer

    def log_message(self, *args: object) -> None:
        """Keep the test's output clean."""


@contextmanager
def scripted_server(*script: tuple[int, t.Any, dict]) -> t.Iterator[http.server.ThreadingHTTPServer]:
    """``script``: status, body (JSON, bytes or None) and headers, in which SELF stands for the server's ``address``."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.log, server.script, server.daemon_threads = [], list(script), True
    server.address = f"127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield server
        assert not server.script, f"never asked for: {server.script}"
    finally:
        server.shutdown()
        server.server_close()
