# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""On the loopback: an HTTP proxy that knows CONNECT only, and a server with TLS and an authority of its own."""

from __future__ import annotations

import datetime
import http.client
import http.server
import ipaddress
import json
import pathlib
import socket
import socketserver
import ssl
import threading
import typing as t
from contextlib import contextmanager

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Handler(socketserver.StreamRequestHandler):
    """Opens the way, or answers with what the proxy was told to."""

    def handle(self) -> None:
        method, target, _version = self.rfile.readline().decode().split()
        headers = http.client.parse_headers(self.rfile)
        self.server.log.append((method, target, headers["Proxy-Authorization"]))
        if method != "CONNECT" or self.server.answer:
            self.wfile.write(f"HTTP/1.1 {self.server.answer or '405 Method Not Allowed'}\r\nContent-Length: 0\r\n\r\n".encode())
            return
        host, port = target.rsplit(":", 1)
        with socket.create_connection((self.server.leads_to or host, int(port))) as upstream:
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=self._pump, args=(upstream, self.connection), daemon=True)
            back.start()
            self._pump(self.connection, upstream)
            back.join(5)

    @staticmethod
    def _pump(source: socket.socket, target: socket.socket) -> None:
        try:
            while piece := source.recv(65536):
                target.sendall(piece)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            # One of the two has gone; the other one sees it.
            pass


class Proxy(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True
    block_on_close = False
    # ``answer``: status and words in place of a tunnel. ``leads_to``: the address that every name has.
    answer: str | None = None
    leads_to: str | None = None

    @property
    def port(self) -> int:
        return self.server_address[1]

    @property
    def options(self) -> dict:
        return {"proxy_host": "127.0.0.1", "proxy_port": self.port}


@contextmanager
def proxy(answer: str | None = None) -> t.Iterator[Proxy]:
    """A proxy whose ``log`` has method, target and login of all that it was asked for."""
    server = Proxy(("127.0.0.1", 0), Handler)
    server.log, server.answer = [], answer
    with _serving(server):
        yield server


@contextmanager
def _serving(server: socketserver.BaseServer) -> t.Iterator[None]:
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


class Answers(http.server.BaseHTTPRequestHandler):
    """Answers with what the server has for the path, as JSON or as it is."""

    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.log.append((self.command, self.path, self.headers.get("Authorization"), body.decode()))
        found = self.server.answers[self.path.split("?")[0]]
        answer = found(self) if callable(found) else (200, found)
        if answer is None:
            return
        status, content = answer
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    do_GET = do_POST = do_HEAD = do_PUT = answer

    def log_message(self, *args: object) -> None:
        """Keep the test's output clean."""


@contextmanager
def tls_server(folder: pathlib.Path, answers: dict[str, t.Any], authority: Authority | None = None) -> t.Iterator[t.Any]:
    """A server for ``https://127.0.0.1:port``, whose authority is in the file ``ca``.

    An answer may be a function of the request, which gives status and content, or None when it has answered itself.
    """
    authority = authority or Authority(folder)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.issue("127.0.0.1"))
    # Shaken hands with in the thread of the connection, so that a client that does not trust us holds nobody up.
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.daemon_threads, server.block_on_close = True, False
    # A client that hangs up because it does not trust us is what tests want to see.
    server.handle_error = lambda request, address: None
    server.log, server.answers, server.ca, server.pem = [], answers, str(authority.path), authority.path.read_text()
    server.address = f"127.0.0.1:{server.server_port}"
    with _serving(server):
        yield server


class Authority:
    """A certificate authority in ``folder``; its certificate is ``path``."""

    def __init__(self, folder: pathlib.Path, name: str = "authority") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._key, self._name = folder, ec.generate_private_key(ec.SECP256R1()), _named(name)
        self.path = folder / f"{name}.pem"
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        self._certificate = self._signed(self._name, self._key, [(x509.BasicConstraints(ca=True, path_length=None), True), (usage, True)])
        self.path.write_bytes(self._certificate.public_bytes(serialization.Encoding.PEM))

    def issue(self, address: str) -> pathlib.Path:
        """Certificate and key of a server in one file."""
        key, path = ec.generate_private_key(ec.SECP256R1()), self._folder / "server.pem"
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
        known = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        certificate = self._signed(_named(address), key, [(names, False), (known, False)])
        path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        return path

    def _signed(self, subject: x509.Name, key: t.Any, extensions: list) -> x509.Certificate:
        now = datetime.datetime.now(datetime.timezone.utc)
        day = datetime.timedelta(1)
        builder = x509.CertificateBuilder(self._name, subject, key.public_key(), x509.random_serial_number(), now - day, now + day)
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return builder.sign(self._key, hashes.SHA256())


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
