# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The registries: a login is asked for, over TLS of the lab's CA; what a client leaves there is seen in the digest."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import socket
import subprocess
import time

import pytest

from vcf_lab import build, registry, settings
from vcf_lab.ask import Unanswered, basic, status, tls

HOST = "localhost"
EMPTY = {
    "mediaType": "application/vnd.oci.empty.v1+json",
    "size": 2,
    "digest": f"sha256:{hashlib.sha256(b'{}').hexdigest()}",
}


@pytest.fixture
def running(lab, monkeypatch):
    """The real program on this machine's own address: the lab with its URL."""
    program = build.cache() / "registry"
    if not program.exists():
        pytest.skip("no `lab up` has built the registry yet")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    monkeypatch.setattr(settings, "REGISTRY_PORT", port)
    monkeypatch.setitem(settings.HOSTS, HOST, "127.0.0.1")
    monkeypatch.setattr(registry, "HOSTS", {"registry": HOST})
    lab = dataclasses.replace(lab, bin=program.parent)
    registry.write_files(lab)
    with subprocess.Popen(
        registry.command("registry", lab), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        url = f"https://{HOST}:{port}/v2/"
        deadline = time.monotonic() + 20
        while not _answers(url, lab) and time.monotonic() < deadline:
            time.sleep(0.05)
        yield lab, url
        process.kill()


def _answers(url, lab) -> bool:
    try:
        return status(url, context=tls(lab))[0] == 401
    except Unanswered:
        return False


def test_only_the_login_of_the_lab_is_taken(running):
    lab, url = running
    logins = {lab.registry_password: 200, lab.password: 401, "": 401}
    for password, code in logins.items():
        assert status(url, context=tls(lab), headers=basic(settings.REGISTRY_USER, password))[0] == code
    assert status(url, context=tls(lab))[0] == 401


def test_who_does_not_know_the_authority_gets_no_answer(running):
    _, url = running
    with pytest.raises(Unanswered, match="CERTIFICATE_VERIFY_FAILED"):
        status(url)


def test_what_is_pushed_is_in_the_digest_and_can_be_deleted(running):
    lab, url = running
    assert registry.contents(lab, "registry") == {}
    login = basic(settings.REGISTRY_USER, lab.registry_password)
    empty = ["curl", "-sS", "--cacert", str(lab.ca_cert), "-H", f"Authorization: {login['Authorization']}"]
    env = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}

    def curl(*words: str) -> str:
        return subprocess.run([*empty, *words], env=env, capture_output=True, text=True, check=True).stdout

    begun = curl("-X", "POST", "-D", "-", "-o", "/dev/null", f"{url}team/app/blobs/uploads/")
    assert registry.contents(lab, "registry") == {}  # begun is not written
    location = next(line.split(": ")[1].strip() for line in begun.splitlines() if line.lower().startswith("location"))
    octets = ["-H", "Content-Type: application/octet-stream", "--data-binary", "{}"]
    curl("-X", "PUT", *octets, f"{location}&digest={EMPTY['digest']}")
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": EMPTY,
        "layers": [],
    }
    media = ["-H", f"Content-Type: {manifest['mediaType']}"]
    curl("-X", "PUT", *media, "--data-binary", json.dumps(manifest), f"{url}team/app/manifests/1.0")
    digest = f"sha256:{hashlib.sha256(json.dumps(manifest).encode()).hexdigest()}"
    assert registry.contents(lab, "registry")["team/app/_manifests/tags/1.0/current"] == digest
    assert curl("-X", "DELETE", "-o", "/dev/null", "-w", "%{http_code}", f"{url}team/app/manifests/{digest}") == "202"
    assert not [path for path in registry.contents(lab, "registry") if "tags" in path]
