# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The server of generic repositories: what it keeps, and each way in which it refuses."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer

from vcf_lab.ask import basic
from vcf_lab.files import repository
from vcf_lab.files.__main__ import Server

LOGIN = basic("robot", "secret")
CONTENT = b"kind: Package\n"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
FILE = "ray-generic/ray/ray-0.1.0.yaml"


def ask(root: Path, *requests: tuple) -> list[tuple[int, dict, bytes]]:
    """Answers to (method, path, body, headers); what is left out is a login and no body."""

    async def run() -> list[tuple[int, dict, bytes]]:
        answers = []
        async with TestClient(TestServer(Server(root, "robot", "secret").app())) as client:
            for method, path, *rest in requests:
                body, headers = (*rest, *(None, LOGIN)[len(rest) :])
                answer = await client.request(method, f"/artifactory/{path}", data=body, headers=headers)
                answers.append((answer.status, dict(answer.headers), await answer.read()))
        return answers

    return asyncio.run(run())


def test_a_file_is_kept_with_its_checksums_and_removed(tmp_path):
    made, looked, read, again, gone, missing = ask(
        tmp_path,
        ("PUT", FILE, CONTENT),
        ("HEAD", FILE),
        ("GET", FILE),
        ("PUT", FILE, b"other"),
        ("DELETE", FILE),
        ("GET", FILE),
    )
    assert made[0] == 201 and SHA256.encode() in made[2]
    assert looked[0] == 200 and looked[1]["X-Checksum-Sha256"] == SHA256
    assert read[2] == CONTENT
    assert [again[0], gone[0], missing[0]] == [201, 204, 404]
    assert list((tmp_path / "ray-generic").iterdir()) == []


@pytest.mark.parametrize(
    ("status", "request_"),
    [
        (401, ("GET", FILE, None, {})),
        (401, ("PUT", FILE, CONTENT, basic("robot", "wrong"))),
        (404, ("GET", FILE)),
        (404, ("DELETE", FILE)),
        (404, ("PUT", "nowhere/x", CONTENT)),
        (400, ("PUT", "ray-generic/", CONTENT)),
        (400, ("PUT", "ray-generic/a//b", CONTENT)),
        (409, ("PUT", "ray-generic/kept", CONTENT)),
        (409, ("PUT", "ray-generic/kept/file/below", CONTENT)),
        (409, ("PUT", FILE, CONTENT, LOGIN | {"X-Checksum-Sha256": "0" * 64})),
        (403, ("PUT", "released/kept", CONTENT)),
        (403, ("DELETE", "released/kept")),
        (413, ("PUT", FILE, bytes(repository.LARGEST + 1))),
        (507, ("PUT", "full/x", CONTENT)),
    ],
)
def test_refusals_write_nothing(tmp_path, status, request_):
    for path in ("ray-generic/kept/file", "released/kept"):
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).write_bytes(CONTENT)
    before = sorted(tmp_path.rglob("*"))
    ((code, headers, body),) = ask(tmp_path, request_)
    assert code == status
    assert b'"message"' in body
    assert ("WWW-Authenticate" in headers) is (status == 401)
    assert sorted(tmp_path.rglob("*")) == before


def test_the_digest_sees_every_file(lab):
    path = repository.folder(lab) / FILE
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT)
    assert repository.contents(lab) == {FILE: SHA256}
