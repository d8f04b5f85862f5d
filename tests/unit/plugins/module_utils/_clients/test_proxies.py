# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every client through a real proxy on the loopback, to a server with TLS and an authority of its own."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import pathlib
import socket
import threading
import time
import typing as t

import pytest
import yaml

from ansible_collections.vcf.ray.plugins.module_utils._clients import file_repository, kube, registry, registry_login, supervisor, vcenter
from ansible_collections.vcf.ray.plugins.module_utils._clients.reference import Reference
from ansible_collections.vcf.ray.plugins.module_utils._clients.service_package import package_of
from ansible_collections.vcf.ray.plugins.module_utils._errors import RayError
from ansible_collections.vcf.ray.plugins.module_utils._reconcile import Task
from ansible_collections.vcf.ray.tests.unit.plugins.tunnel import Authority, proxy, tls_server

LIST = "/api/v1/namespaces/ns/secrets"
ANSWERS = {LIST: {"items": [{"metadata": {"name": "one"}}]}}
NO_KUBE = dict.fromkeys(kube.ARGSPEC)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Proxies of the environment lead nowhere, so whoever used one would be seen."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "ALL_PROXY", "K8S_AUTH_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)


def config(server: t.Any, **cluster: t.Any) -> dict:
    authority = base64.b64encode(server.pem.encode()).decode()
    return {
        "clusters": [{"name": "c", "cluster": {"server": f"https://{server.address}", "certificate-authority-data": authority, **cluster}}],
        "users": [{"name": "u", "user": {"token": "planted"}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }


def names(**params: t.Any) -> list[str]:
    with kube.connect(Task({**NO_KUBE, **params})) as client:
        return client.names("Secret", "ns")


@pytest.fixture(name="server")
def fixture_server(tmp_path: pathlib.Path) -> t.Iterator[t.Any]:
    with tls_server(tmp_path / "tls", dict(ANSWERS)) as server:
        yield server


def test_without_an_option_kubernetes_is_reached_directly(server: t.Any) -> None:
    assert names(kubeconfig=config(server)) == ["one"]
    assert names(host=f"https://{server.address}", api_key="planted", ca_cert=server.ca) == ["one"]


def test_kubernetes_by_options_by_kubeconfig_and_by_a_file(server: t.Any, tmp_path: pathlib.Path) -> None:
    with proxy() as way:
        url = f"http://127.0.0.1:{way.port}"
        file = tmp_path / "config"
        file.write_text(yaml.safe_dump(config(server, **{"proxy-url": url})))
        forms: list[dict] = [
            {"kubeconfig": config(server), **way.options},
            {"host": f"https://{server.address}", "api_key": "planted", "ca_cert": server.ca, **way.options},
            {"kubeconfig": config(server, **{"proxy-url": url})},
            {"kubeconfig": str(file)},
            {"kubeconfig": config(server, **{"proxy-url": "http://127.0.0.1:1"}), **way.options},
        ]
        for number, form in enumerate(forms, 1):
            assert names(**form) == ["one"], form
            assert way.log == [("CONNECT", server.address, None)] * number


def test_a_watch_goes_through_the_proxy_and_is_closed_at_once(server: t.Any) -> None:
    thing = {"metadata": {"name": "c", "resourceVersion": "2"}}
    over = threading.Event()

    def watched(asked: t.Any) -> tuple[int, dict] | None:
        if "watch=true" not in asked.path:
            return 200, {"metadata": {"resourceVersion": "1"}, "items": []}
        asked.send_response(200)
        asked.send_header("Transfer-Encoding", "chunked")
        asked.end_headers()
        event = json.dumps({"type": "ADDED", "object": thing}).encode() + b"\n"
        asked.wfile.write(b"%x\r\n%s\r\n" % (len(event), event))
        asked.wfile.flush()
        over.wait(10)
        return None

    server.answers["/apis/vmray.broadcom.com/v1alpha1/namespaces/ns/vmrayclusters"] = watched
    with proxy() as way, kube.connect(Task({**NO_KUBE, "kubeconfig": config(server), **way.options})) as client:
        with client.watch("VMRayCluster", "c", "ns") as watch:
            assert watch.get() is None
            watch.wait(5)
            assert watch.get() == thing
            start = time.monotonic()
        assert time.monotonic() - start < 1.5
        assert way.log == [("CONNECT", server.address, None)], "the list's connection becomes that of the stream"
    over.set()


def test_a_login_in_the_kubeconfigs_proxy_url_goes_to_the_proxy_and_nowhere_else(server: t.Any) -> None:
    hidden: list[str] = []
    with proxy() as way:
        via = config(server, **{"proxy-url": f"http://me:p%40ss@127.0.0.1:{way.port}"})
        with kube.connect(Task({**NO_KUBE, "kubeconfig": via}, hide=hidden.extend)) as client:
            assert client.names("Secret", "ns") == ["one"]
        assert way.log == [("CONNECT", server.address, "Basic " + base64.b64encode(b"me:p@ss").decode())]
    assert "p%40ss" in hidden
    assert server.log[-1][2] == "Bearer planted"


def test_tls_of_kubernetes_is_verified_through_the_proxy(server: t.Any, tmp_path: pathlib.Path) -> None:
    other = Authority(tmp_path / "other").path
    with proxy() as way, pytest.raises(RayError, match="cannot be trusted") as raised:
        names(host=f"https://{server.address}", api_key="planted", ca_cert=str(other), **way.options)
    assert raised.value.code == "TLS" and server.log == []


@pytest.mark.parametrize(("answer", "code", "words"), [
    ("407 Proxy Authentication Required", "PROXY", "asks for a login before it leads to the API server https://192.0.2.1:6443 (407"),
    ("403 Forbidden", "PROXY", "refuses the way to the API server https://192.0.2.1:6443: 403 Forbidden."),
    ("502 Bad Gateway", "CONNECTION", "answers, and cannot reach the API server https://192.0.2.1:6443: 502 Bad Gateway."),
])
def test_whose_fault_it_was(answer: str, code: str, words: str) -> None:
    with proxy(answer) as way, pytest.raises(RayError) as raised:
        names(host="https://192.0.2.1:6443", api_key="planted", **way.options)
    assert raised.value.code == code and f"The proxy http://127.0.0.1:{way.port} {words}" in raised.value.message
    assert "planted" not in str(raised.value)


def test_a_proxy_that_is_away() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    with pytest.raises(RayError, match=f"The proxy http://127.0.0.1:{port}, which leads to the API server .* cannot be reached: .* refused\\.") as raised:
        names(host="https://192.0.2.1:6443", api_key="planted", proxy_host="127.0.0.1", proxy_port=port)
    assert raised.value.code == "CONNECTION" and "planted" not in str(raised.value)


def test_another_kind_of_proxy_is_refused_before_anything_is_sent(server: t.Any) -> None:
    with pytest.raises(RayError, match="proxy-url socks5://127.0.0.1:1 of the kubeconfig is none that can be used"):
        names(kubeconfig=config(server, **{"proxy-url": "socks5://me:secret@127.0.0.1:1"}))


def test_a_supervisor_alone_has_one_proxy_for_both_its_addresses(server: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    port = int(server.address.rpartition(":")[2])
    monkeypatch.setattr(supervisor, "API_PORT", port)
    server.answers["/wcp/login"] = {"session_id": "fresh", "kube_config": None}
    login = {"hostname": server.address, "username": "u@d", "password": "p", "ca_path": server.ca, "validate_certs": True}
    with proxy() as way:
        for form in ({"supervisor": {**login, **way.options}}, {"supervisor": login, **way.options}):
            way.log.clear()
            assert names(**form) == ["one"]
            assert way.log == [("CONNECT", server.address, None)] * 2
    assert [row[:3] for row in server.log[-2:]] == [
        ("POST", "/wcp/login", "Basic " + base64.b64encode(b"u@d:p").decode()), ("GET", LIST, "Bearer fresh")]


def test_what_a_kubeconfig_says_of_the_way_holds_for_the_login_at_the_same_host(server: t.Any) -> None:
    """The token is refused; the login then trusts and goes as the kubeconfig says, which our own module has written so."""
    tokens = {"Bearer planted": (401, {"kind": "Status", "reason": "Unauthorized"}), "Bearer fresh": (200, ANSWERS[LIST])}
    server.answers.update({"/wcp/login": {"session_id": "fresh"}, LIST: lambda asked: tokens[asked.headers["Authorization"]]})
    login = {"hostname": server.address, "username": "u@d", "password": "p", "ca_path": None, "validate_certs": True}
    with proxy() as way:
        assert names(kubeconfig=config(server, **{"proxy-url": f"http://127.0.0.1:{way.port}"}), supervisor=login) == ["one"]
        assert len(way.log) == 3, "the refused request, the login, the request again"
    with proxy() as way, pytest.raises(RayError, match="cannot be trusted"):
        names(kubeconfig=config(server), supervisor={**login, "hostname": f"localhost:{server.address.rpartition(':')[2]}"})


def test_a_registry(server: t.Any) -> None:
    manifest = b'{"schemaVersion": 2}'
    server.answers["/v2/ray/manifests/1"] = manifest
    options = {"registry_username": "me", "registry_password": "secret", "registry_ca_path": server.ca, "registry_validate_certs": True}
    with proxy() as way:
        ways = {f"registry_{name}": value for name, value in way.options.items()}
        with registry.connect(Task({**options, **ways})) as opened:
            assert opened.manifest(Reference.parse(f"{server.address}/ray:1"))["digest"] == f"sha256:{hashlib.sha256(manifest).hexdigest()}"
            assert way.log == [("CONNECT", server.address, None)]
            with opened.environment() as environment:
                assert environment["HTTPS_PROXY"] == environment["https_proxy"] == f"http://127.0.0.1:{way.port}"
                assert environment["NO_PROXY"] is None
    with registry_login.logins([]) as environment:
        assert "HTTPS_PROXY" not in environment and os.environ["HTTPS_PROXY"]


def test_a_package_at_an_address(server: t.Any) -> None:
    content = server.answers["/a.yml"] = b"kind: Package\n"
    options = {"url": f"https://{server.address}/a.yml", "url_ca_path": server.ca, "checksum": f"sha256:{hashlib.sha256(content).hexdigest()}"}
    with proxy() as way:
        assert package_of({**options, **{f"url_{name}": value for name, value in way.options.items()}}).text == "kind: Package\n"
        assert way.log == [("CONNECT", server.address, None)]


def test_a_repository_of_files(server: t.Any) -> None:
    server.answers["/files/a.yml"] = b"content"
    options = {"url": f"https://{server.address}/files/a.yml", "username": None, "password": None, "ca_path": server.ca, "validate_certs": True}
    with proxy() as way:
        with file_repository.connect(Task({**options, **way.options})) as repository:
            assert repository.find()["size"] == 7
        assert way.log == [("CONNECT", server.address, None)]
    with proxy("403 Forbidden") as way, file_repository.connect(Task({**options, **way.options})) as repository:
        with pytest.raises(RayError, match=f"The proxy http://127.0.0.1:{way.port} refuses the way to The repository"):
            repository.find()


def test_the_proxy_of_vcenter_may_come_from_the_environment(server: t.Any) -> None:
    assert [vcenter.ARGSPEC[name]["fallback"][1] for name in ("proxy_host", "proxy_port")] == [["VMWARE_PROXY_HOST"], ["VMWARE_PROXY_PORT"]]
    server.answers["/api/session"] = "session"
    host, port = server.address.split(":")
    with proxy() as way:
        http = vcenter.open_http({"hostname": host, "port": int(port), "ca_path": server.ca, "validate_certs": True, **way.options})
        assert http.request("GET", "/api/session").json == "session"
        http.close()
        assert way.log == [("CONNECT", server.address, None)]
