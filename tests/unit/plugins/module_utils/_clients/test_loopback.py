# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The registry in memory: what a push does to it, and what is there then."""

from __future__ import annotations

import hashlib
import http.client
import socket

from ansible_collections.vcf.ray.plugins.module_utils._clients import loopback

BLOB, MANIFEST = b"layer of a bundle", b'{"schemaVersion": 2}'
KIND = "application/vnd.oci.image.manifest.v1+json"


def digest(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


def ask(address: str, method: str, path: str, body: object = None, **headers: str) -> tuple[int, bytes, dict]:
    connection = http.client.HTTPConnection(address, timeout=5)
    connection.request(method, path, body, headers, encode_chunked=not isinstance(body, (bytes, type(None))))
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, content, dict(answer.headers)


def test_a_push_and_what_is_there_then() -> None:
    with loopback.serving() as address:
        assert ask(address, "GET", "/v2/")[0] == 200
        assert ask(address, "HEAD", f"/v2/r/x/blobs/{digest(BLOB)}")[0] == 404
        status, _body, headers = ask(address, "POST", "/v2/r/x/blobs/uploads/")
        assert status == 202
        # imgpkg sends a layer as a stream whose length it does not know.
        assert ask(address, "PATCH", headers["Location"], iter([BLOB[:5], BLOB[5:]]), **{"Transfer-Encoding": "chunked"})[0] == 202
        assert ask(address, "PUT", f"{headers['Location']}?digest={digest(BLOB).replace(':', '%3A')}")[0] == 201
        assert ask(address, "HEAD", f"/v2/r/x/blobs/{digest(BLOB)}")[0] == 200
        assert ask(address, "PUT", "/v2/r/x/manifests/1.0", MANIFEST, **{"Content-Type": KIND})[2]["Docker-Content-Digest"] == digest(MANIFEST)
        for name in ("1.0", digest(MANIFEST)):
            status, body, headers = ask(address, "GET", f"/v2/r/x/manifests/{name}")
            assert (status, body, headers["Content-Type"], headers["Docker-Content-Digest"]) == (200, MANIFEST, KIND, digest(MANIFEST))


def test_two_uploads_at_once_do_not_meet() -> None:
    with loopback.serving() as address:
        one, two = [ask(address, "POST", "/v2/r/blobs/uploads/")[2]["Location"] for _turn in range(2)]
        for where, content in ((one, b"one"), (two, b"two")):
            ask(address, "PATCH", where, content)
        for where, content in ((one, b"one"), (two, b"two")):
            ask(address, "PUT", f"{where}?digest={digest(content)}")
            assert ask(address, "GET", f"/v2/r/blobs/{digest(content)}")[1] == content


def test_nothing_listens_afterwards_nor_elsewhere() -> None:
    with loopback.serving() as address:
        host, port = address.split(":")
        assert host == "127.0.0.1"
    with socket.socket() as probe:
        assert probe.connect_ex((host, int(port)))
