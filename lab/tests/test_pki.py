# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import socket
import ssl
import threading

import pytest

from vcf_lab import pki, settings


def test_same_hosts_keep_the_certificate(lab):
    cert, _ = pki.issue(lab, "web", ["vcenter.lab", "10.0.0.1"])
    before = cert.read_bytes()
    pki.issue(lab, "web", ["10.0.0.1", "vcenter.lab"])
    assert cert.read_bytes() == before


def test_other_hosts_renew_the_certificate_and_keep_the_key(lab):
    cert, key = pki.issue(lab, "web", ["one.lab"])
    before = cert.read_bytes(), key.read_bytes()
    pki.issue(lab, "web", ["one.lab", "10.0.0.9"])
    assert cert.read_bytes() != before[0]
    assert key.read_bytes() == before[1]


def test_keys_and_password_are_private(lab):
    _, key = pki.issue(lab, "web", ["one.lab"])
    for path in (key, lab.ca_key, lab.file):
        assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(("name", "good"), [("one.lab", True), ("two.lab", False)])
def test_clients_verify_the_name(lab, name, good):
    cert, key = pki.issue(lab, "web", ["one.lab"])
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(cert, key)
    client = ssl.create_default_context(cafile=str(lab.ca_cert))
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    here, there = socket.socketpair()
    thread = threading.Thread(target=_serve_once, args=(server, there))
    thread.start()
    try:
        if good:
            client.wrap_socket(here, server_hostname=name).close()
        else:
            with pytest.raises(ssl.SSLCertVerificationError):
                client.wrap_socket(here, server_hostname=name)
    finally:
        here.close()
        thread.join()


def _serve_once(context: ssl.SSLContext, connection: socket.socket) -> None:
    try:
        context.wrap_socket(connection, server_side=True).close()
    except OSError:
        connection.close()  # the client refused us, as the test wants


def test_lab_is_read_as_it_was_written(lab):
    assert settings.read(lab.state) == lab
