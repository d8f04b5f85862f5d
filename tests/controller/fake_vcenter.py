# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A vCenter of a few lines, for what Ansible does with our modules: TLS, sessions, namespaces that take their time.

What a namespace is called says how it behaves: ``slow-*`` stays in CONFIGURING for ever, ``refuse*`` is refused with its
name in the message, every other is ready at the second look.
"""

from __future__ import annotations

import base64
import json
import ssl
import subprocess
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PASSWORD = "gr8-secret-9x"
# The logout of this account fails; that of the next is never answered; the login of the last is answered after some seconds.
REFUSED_LOGOUT, DEAF_LOGOUT, SLOW_LOGIN = "refused-logout", "deaf-logout", "slow-login"
INSTANCES = "/api/vcenter/namespaces/instances"


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that is its own CA, and its key."""
    cert, key = folder / "ca.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=fake",
         "-addext", "subjectAltName=IP:127.0.0.1", "-addext", "keyUsage=critical,keyCertSign,digitalSignature", "-keyout", key, "-out", cert],
        check=True, capture_output=True)
    return cert, key


class FakeVCenter(ThreadingHTTPServer):
    """Listens on 127.0.0.1 while it is used as a context manager.

    Attributes:
        logins: the accounts that have logged in, in this order.
        sessions: token -> account, of those that are open.
        connections: how many there have been.
        requests: "METHOD path" of all.
    """

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.port = self.server_address[1]
        self.ca_path, key = folder / "ca.pem", folder / "key.pem"
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.ca_path, key)
        # The handshake is the thread's of the connection.
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.logins: list[str] = []
        self.sessions: dict[str, str] = {}
        self.connections = 0
        self.requests: list[str] = []
        self.namespaces: dict[str, dict] = {}
        self.lock = threading.Lock()
        self.ended = threading.Event()

    def __enter__(self) -> FakeVCenter:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *args: object) -> None:
        self.ended.set()
        self.shutdown()
        self.server_close()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that is killed in the middle of an answer is what these tests are about."""

    def waiting(self, tasks: int = 1) -> bool:
        """Whether so many tasks have looked at a namespace that is not ready."""
        with self.lock:
            return sum(n["looks"] > 0 and n["config_status"] != "RUNNING" for n in self.namespaces.values()) == tasks


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FakeVCenter

    def setup(self) -> None:
        super().setup()
        with self.server.lock:
            self.server.connections += 1

    def log_message(self, format: str, *args: object) -> None:
        """Not on the terminal of the tests."""

    def reply(self, status: int, body: object = None) -> None:
        data = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        if status != 204:
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def refuse(self, status: int, kind: str, text: str) -> None:
        self.reply(status, {"error_type": kind, "messages": [{"id": "fake.refused", "default_message": text, "args": []}]})

    def do_any(self) -> None:
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = json.loads(data) if data else None
        path = self.path.split("?")[0]
        with self.server.lock:
            self.server.requests.append(f"{self.command} {path}")
        if path == "/api/session":
            self.session()
        elif self.headers.get("vmware-api-session-id") not in self.server.sessions:
            self.refuse(401, "UNAUTHENTICATED", "This session is not known.")
        elif path.startswith(INSTANCES):
            name = path[len(INSTANCES):].removeprefix("/v2").strip("/") or (body or {}).get("namespace")
            with self.server.lock:
                self.namespace(name, body)
        elif path == "/api/vcenter/namespace-management/supervisors/summaries":
            self.reply(200, {"items": [{"supervisor": "supervisor-7", "info": {"name": "one"}}]})
        else:
            self.refuse(404, "NOT_FOUND", "Not there.")

    do_GET = do_POST = do_PATCH = do_DELETE = do_any

    def session(self) -> None:
        server, token = self.server, self.headers.get("vmware-api-session-id", "")
        account = server.sessions.get(token)
        if self.command == "POST":
            user, _, password = base64.b64decode(self.headers.get("Authorization", "Basic ")[6:]).decode().partition(":")
            if password != PASSWORD:
                return self.refuse(401, "UNAUTHENTICATED", "Cannot complete login due to an incorrect user name or password.")
            token = uuid.uuid4().hex
            with server.lock:
                server.logins.append(user)
                server.sessions[token] = user
            if user == SLOW_LOGIN:
                server.ended.wait(2)
            return self.reply(201, token)
        if account is None:
            return self.refuse(401, "UNAUTHENTICATED", "This session is not known.")
        if self.command == "GET":
            return self.reply(200, {"user": account})
        if account == DEAF_LOGOUT:
            server.ended.wait()
        if account == REFUSED_LOGOUT:
            return self.refuse(500, "INTERNAL_SERVER_ERROR", "The logout failed.")
        del server.sessions[token]
        return self.reply(204)

    def namespace(self, name: str | None, body: dict | None) -> None:
        there = self.server.namespaces
        if name is None:
            return self.reply(200, [{"namespace": n} for n in there])
        if name.startswith("refuse"):
            return self.refuse(400, "INVALID_ARGUMENT", f"{name} is no name that we like.")
        if self.command == "POST":
            there[name] = {"supervisor": "supervisor-7", "description": "", "config_status": "CONFIGURING", "looks": 0, **(body or {})}
            return self.reply(204)
        if name not in there:
            return self.refuse(404, "NOT_FOUND", "Not there.")
        if self.command == "DELETE":
            del there[name]
            return self.reply(204)
        if self.command == "PATCH":
            there[name].update(body or {})
            return self.reply(204)
        found = there[name]
        found["looks"] += 1
        if found["looks"] > 1 and not name.startswith("slow-"):
            found["config_status"] = "RUNNING"
        return self.reply(200, found)
