# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The client of Ray's dashboard: addresses, tokens and what an answer proves."""

from __future__ import annotations

import pathlib
import typing as t

import pytest

from ansible_collections.vcf.ray.plugins.module_utils._clients import ray, ray_token
from ansible_collections.vcf.ray.plugins.module_utils._errors import RayError
from ansible_collections.vcf.ray.plugins.module_utils._reconcile import Task
from ansible_collections.vcf.ray.tests.unit.plugins import tunnel
from ansible_collections.vcf.ray.tests.unit.plugins.ray_server import dashboard


@pytest.mark.parametrize(("given", "url"), [
    ("10.0.0.5", "http://10.0.0.5:8265"), ("http://h", "http://h:8265"), ("http://h:80/", "http://h:80"), ("https://h", "https://h"),
    ("https://h/team-a/", "https://h/team-a"), ("http://h/ray", "http://h/ray"), ("http://[::1]", "http://[::1]:8265"),
])
def test_addresses(given: str, url: str) -> None:
    assert ray.at(given).url == url


@pytest.mark.parametrize("given", ["http://me:pw@h", "http://h?x=1", "ftp://h", "http://"])
def test_addresses_that_cannot_be(given: str) -> None:
    with pytest.raises(RayError) as caught:
        ray.at(given)
    assert caught.value.code == "INPUT" and "pw" not in str(caught.value)


@pytest.mark.parametrize(("url", "loopback"), [
    ("http://127.0.0.2", True), ("localhost", True), ("http://[::1]", True), ("http://10.0.0.1", False), ("h", False)])
def test_loopback(url: str, loopback: bool) -> None:
    assert ray.at(url).is_loopback is loopback


def test_a_path_in_front_is_kept() -> None:
    with dashboard() as server:
        assert ray.at(f"{server.url}/team-a/").job("x") is None
        assert server.asked == ["GET /team-a/api/jobs/x"]


def test_the_token_goes_in_both_headers_and_own_headers_come_first() -> None:
    assert ray_token.headers("t", {}) == {"Authorization": "Bearer t", "X-Ray-Authorization": "Bearer t"}
    assert ray_token.headers("t", {"authorization": "Basic x"}) == {"X-Ray-Authorization": "Bearer t"}
    assert ray_token.headers(None, {}) == {}
    with dashboard() as server:
        server.token = "t"
        client = ray.at(server.url, token="t", headers={"X-Team": "a"})
        client.version()
        assert server.headers[-1]["X-Ray-Authorization"] == "Bearer t" and server.headers[-1]["X-Team"] == "a"
        assert not client.answered_a_stranger


def test_where_the_token_comes_from(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"):
        monkeypatch.delenv(name, raising=False)
    file, other = tmp_path / "token", tmp_path / "other"
    file.write_text("of-file\n")
    other.write_text("of-environment-file\n")
    found: t.Callable[..., str | None] = lambda token=None, token_path=None: ray_token.found({"token": token, "token_path": token_path})
    assert found() is None
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(other))
    assert found() == "of-environment-file"
    monkeypatch.setenv("RAY_AUTH_TOKEN", "of-environment")
    assert found() == "of-environment" and found(token_path=str(file)) == "of-file" and found(token="own", token_path=str(file)) == "own"
    for text in ("", "two tokens"):
        file.write_text(text)
        with pytest.raises(RayError, match="The token file .* holds"):
            found(token_path=str(file))
    with pytest.raises(RayError, match=r"cannot be read: No such file or directory\. It was named by token_path\."):
        found(token_path=str(tmp_path / "nothing"))


def test_a_refused_token_is_tried_once() -> None:
    with dashboard() as server:
        server.token = "t"
        for token, words in ((None, "wants a token: Unauthorized: Missing authentication token"), ("x", "refuses this token: Forbidden: Invalid")):
            server.asked.clear()
            with pytest.raises(RayError, match=words) as caught:
                ray.at(server.url, token=token).jobs()
            assert caught.value.code == "AUTH" and len(server.asked) == 1 and "token_path" in str(caught.value.hint)
        with pytest.raises(RayError) as caught:
            ray.at(server.url, inside="ray").jobs()
        assert caught.value.hint == "Give the cluster's token with ray.token."


def test_through_a_proxy_to_tls_with_a_path_in_front(tmp_path: pathlib.Path) -> None:
    with tunnel.tls_server(tmp_path, {"/team-a/api/jobs/": []}) as server, tunnel.proxy() as proxy:
        options = dict.fromkeys(ray.ARGSPEC)
        address = {"dashboard_url": f"https://{server.address}/team-a", "token": "planted", "validate_certs": True}
        task = Task({**options, **address, "ca_path": server.ca, **proxy.options})
        with ray.connect(task) as client:
            assert client.jobs() == [] and not client.answered_a_stranger
        assert proxy.log == [("CONNECT", server.address, None)] and server.log[-1][2] == "Bearer planted"
        with ray.connect(Task({**options, **address, **proxy.options})) as client, pytest.raises(RayError) as caught:
            client.jobs()
        assert caught.value.code == "TLS" and len(server.log) == 1


def test_open() -> None:
    with dashboard() as server:
        client = ray.at(server.url, token="t", headers={"X-Team": "a"})
        assert client.open() is True and not {"Authorization", "X-Ray-Authorization", "X-Team"} & set(server.headers[-1])
        server.token = "t"
        assert client.open() is False and client.version()


def test_resources() -> None:
    with dashboard() as server:
        assert ray.at(server.url).resources() == {"total": {"CPU": 4.0}, "nodes": [{"CPU": 4.0}]}


def test_clean() -> None:
    assert ray.Ray.clean("\x1b[1;31mred\x1b[0m \x1b]0;title\x07x\x1b[2K\x1b(By") == "red xy"
