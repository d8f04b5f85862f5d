# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A dashboard of Ray on the loopback, as far as jobs need it: what it refuses and how is copied from Ray 2.60."""

from __future__ import annotations

import http.server
import json
import threading
import typing as t
from contextlib import contextmanager
from urllib.parse import parse_qs, unquote, urlsplit

NODE = "ab" * 28
TAKEN = (b'Traceback (most recent call last):\n  File "job_head.py", line 419, in submit_job\nRuntimeError: Request failed with status code 400: '
         b"Traceback (most recent call last):\nValueError: Job with submission_id %s already exists. Please use a different submission_id.\n.\n")


class Dashboard(http.server.ThreadingHTTPServer):
    """``life`` is what becomes of a job that is handed in: its states, one for each time that it is looked at."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.jobs: dict[str, dict] = {}
        self.packages: dict[str, bytes] = {}
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.life = ["PENDING", "RUNNING", "SUCCEEDED"]
        self.log: t.Callable[[], bytes] = lambda: b""
        self.token: str | None = None
        # Lines of ``asked`` that are carried out and get no answer, and answers that break off after so many bytes.
        self.lost: list[str] = []
        self.cut: list[int] = []
        self.headers: list[dict] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def requests(self, *beginnings: str) -> list[str]:
        return [line for line in self.asked if line.startswith(beginnings or "")]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Dashboard

    def answer(self) -> None:
        dashboard, address = self.server, urlsplit(self.path)
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        line = f"{self.command} {unquote(address.path)}"
        dashboard.asked.append(line)
        dashboard.headers.append(dict(self.headers))
        login = self.headers.get("Authorization") or self.headers.get("X-Ray-Authorization")
        if dashboard.token and login != f"Bearer {dashboard.token}":
            status, body = (403, b"Forbidden: Invalid authentication token") if login else (401, b"Unauthorized: Missing authentication token")
        else:
            status, body = self.act(line, parse_qs(address.query))
        if line in dashboard.lost:
            dashboard.lost.remove(line)
            self.close_connection = True
            return
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if line.endswith("/logs/file") and dashboard.cut:
            data, self.close_connection = data[:dashboard.cut.pop(0)], True
        self.wfile.write(data)

    do_GET = do_POST = do_PUT = do_DELETE = answer

    def act(self, line: str, query: dict) -> tuple[int, t.Any]:
        dashboard = self.server
        method, *parts = line.replace("/", " ").split()
        if parts[:2] == ["api", "packages"]:
            name = parts[-1]
            if method == "PUT":
                dashboard.packages[name] = self.body
            return (200, b"") if name in dashboard.packages else (404, f"Package gcs://{name} does not exist".encode())
        if parts == ["api", "v0", "logs", "file"]:
            return self.file(query)
        if parts == ["api", "v0", "nodes"]:
            rows = [{"node_id": NODE, "node_ip": "10.0.0.1", "is_head_node": True, "state": "ALIVE", "resources_total": {"CPU": 4.0, "node:10.0.0.1": 1.0}}]
            return 200, {"data": {"result": {"result": rows}}}
        if parts == ["api", "version"]:
            return 200, {"ray_version": "2.60.0"}
        return self.jobs(method, parts[2:])

    def jobs(self, method: str, parts: list[str]) -> tuple[int, t.Any]:
        dashboard = self.server
        if not parts and method == "GET":
            return 200, list(dashboard.jobs.values())
        if not parts:
            asked = json.loads(self.body)
            name = asked["submission_id"]
            if name in dashboard.jobs:
                return 500, TAKEN % name.encode()
            dashboard.jobs[name] = job(name, "PENDING", life=list(dashboard.life), **{k: asked.get(k) for k in ("entrypoint", "runtime_env", "metadata")})
            return 200, {"submission_id": name}
        found = dashboard.jobs.get(parts[0])
        if found is None:
            return 404, f"Job {parts[0]} does not exist".encode()
        if method == "DELETE":
            del dashboard.jobs[parts[0]]
            return 200, {"deleted": True}
        if parts[1:] == ["stop"]:
            found["life"] = ["STOPPED"]
            return 200, {"stopped": True}
        if found["life"]:
            found["status"] = found["life"].pop(0)
            found["driver_node_id"] = None if found["status"] == "PENDING" else NODE
        return 200, found

    def file(self, query: dict) -> tuple[int, bytes]:
        name, lines = query["filename"][0], int(query["lines"][0])
        data = self.server.files.get(name, self.server.log() if name.startswith("job-driver-") else None)
        if data is None or query["node_id"] != [NODE]:
            return 500, f"A file is not found at: /tmp/ray/session/logs/{name}".encode()
        return 200, data if lines < 0 else b"".join(data.splitlines(keepends=True)[-lines:])

    def log_message(self, *args: object) -> None:
        """Keep the test's output clean."""


def job(name: str, status: str, life: list[str] | None = None, **fields: t.Any) -> dict:
    """A job as Ray tells of it."""
    return {"type": "SUBMISSION", "job_id": None, "submission_id": name, "status": status, "entrypoint": "echo hi", "message": None, "error_type": None,
            "start_time": 1, "end_time": None, "metadata": None, "runtime_env": None, "driver_node_id": None if status == "PENDING" else NODE,
            "driver_exit_code": None, "life": life or [], **{k: v for k, v in fields.items() if v is not None}}


@contextmanager
def dashboard() -> t.Iterator[Dashboard]:
    server = Dashboard()
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
