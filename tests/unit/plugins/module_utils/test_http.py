# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Http against a real server on the loopback: what is tried again, what never, and how refusals read."""

from __future__ import annotations

import contextlib
import http.server
import json
import socket
import threading

import pytest

from ansible_collections.vcf.ray.plugins.module_utils._errors import RayError
from ansible_collections.vcf.ray.plugins.module_utils._http import Http


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.log.append((self.command, self.path, self.client_address[1]))
        status, body, headers = self.server.script.pop(0)
        text = (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(text))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_DELETE = answer

    def log_message(self, *args: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture(name="server")
def fixture_server():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.log, server.script, server.daemon_threads = [], [], True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(name="http_client")
def fixture_client(server):
    client = Http(f"http://127.0.0.1:{server.server_port}", what="vCenter")
    yield client
    client.close()


def test_all_requests_share_one_connection(server, http_client) -> None:
    server.script = [(200, {"a": 1}, {}), (204, "", {})]
    assert http_client.request("GET", "/a").json == {"a": 1}
    assert http_client.request("DELETE", "/a").json is None
    assert len({port for _method, _path, port in server.log}) == 1


def test_a_busy_server_is_asked_again_only_by_get(server, http_client) -> None:
    server.script = [(503, "", {"Retry-After": "0"}), (200, [], {}), (503, "", {"Retry-After": "0"})]
    assert http_client.request("GET", "/a").status == 200
    with pytest.raises(RayError) as caught:
        http_client.request("POST", "/a")
    assert caught.value.code == "SERVICE_UNAVAILABLE"
    assert [m for m, _path, _port in server.log] == ["GET", "GET", "POST"]


def test_a_refused_login_is_never_tried_twice(server, http_client) -> None:
    server.script = [(401, {"error_type": "UNAUTHENTICATED", "messages": [{"default_message": "Authentication required."}]}, {})]
    with pytest.raises(RayError, match=r"vCenter refused GET /api/session: Authentication required \(401 UNAUTHENTICATED\)\."):
        http_client.request("GET", "/api/session", auth=("u", "p"))
    assert len(server.log) == 1


@pytest.mark.parametrize(("body", "code", "text"), [
    ({"error_type": "NOT_FOUND", "messages": [{"id": "x", "default_message": "No such cluster.", "args": []}]}, "NOT_FOUND", "No such cluster"),
    ({"kind": "Status", "reason": "Forbidden", "message": "vmrayclusters is forbidden"}, "Forbidden", "vmrayclusters is forbidden"),
    ({"errors": [{"status": 500, "message": "No space left."}, {"message": "Try later"}]}, "ERROR", "No space left; Try later"),
    ({"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown", "detail": {"Tag": "1"}}]}, "MANIFEST_UNKNOWN", "manifest unknown"),
    ({"errors": ["odd"]}, "ERROR", "no reason given"),
    ("<html><body>Bad gateway</body></html>", "ERROR", "an HTML page instead of an answer of the API"),
    ("", "ERROR", "no reason given"),
])
def test_the_vendors_own_words_are_kept(server, http_client, body, code, text) -> None:
    server.script = [(500, body, {})]
    with pytest.raises(RayError) as caught:
        http_client.request("POST", "/x?secret=1")
    assert caught.value.code == code
    assert caught.value.message.startswith(f"vCenter refused POST /x: {text} (500 {code}")


def test_404_is_an_answer_only_when_asked_for(server, http_client) -> None:
    server.script = [(404, {}, {}), (404, {}, {})]
    assert http_client.request("GET", "/x", ok404=True).status == 404
    with pytest.raises(RayError):
        http_client.request("GET", "/x")


def test_a_body_is_poured_only_when_it_is_the_one_that_was_asked_for(server, http_client) -> None:
    server.script = [(200, "x" * 70000, {}), (403, {"errors": [{"message": "not yours"}]}, {})]
    pieces: list[bytes] = []
    reply = http_client.request("GET", "/file", into=pieces.append)
    assert (b"".join(pieces), reply.text, reply.status) == (b"x" * 70000, "", 200)
    with pytest.raises(RayError, match="not yours"):
        http_client.request("GET", "/file", into=pieces.append)
    assert len(b"".join(pieces)) == 70000


def test_nobody_there() -> None:
    with pytest.raises(RayError, match="vCenter at https://127.0.0.1:9 cannot be reached: .*refused") as caught:
        Http("https://127.0.0.1:9", what="vCenter").request("GET", "/")
    assert caught.value.code == "CONNECTION"


@pytest.mark.parametrize(("scheme", "text"), [
    ("https", "vCenter at https://127.0.0.1:{} does not speak TLS on this port."),
    ("http", "vCenter at http://127.0.0.1:{} cannot be reached: Remote end closed connection without response."),
])
def test_another_protocol_is_no_question_of_trust(scheme: str, text: str) -> None:
    def answer(listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection = listener.accept()[0]
                connection.recv(1000)
                if scheme == "https":
                    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                connection.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=answer, args=(listener,), daemon=True).start()
        port = listener.getsockname()[1]
        with pytest.raises(RayError) as caught:
            Http(f"{scheme}://127.0.0.1:{port}", what="vCenter").request("GET", "/")
    assert caught.value.message == text.format(port)


def test_a_ca_file_that_is_none_is_said_before_anything_is_sent(tmp_path) -> None:
    page = tmp_path / "ca.pem"
    page.write_text("<html></html>")
    with pytest.raises(RayError, match="holds no certificate that can be used"):
        Http("https://127.0.0.1:9", ca_path=str(page))
    with pytest.raises(RayError, match="is not there"):
        Http("https://127.0.0.1:9", ca_path=str(tmp_path / "none.pem"))
