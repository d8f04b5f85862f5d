# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Registries: what is asked in which order, with which login, and how refusals read."""

from __future__ import annotations

import base64
import hashlib
import json
import pathlib
from contextlib import closing

import pytest

from ansible_collections.vcf.ray.plugins.module_utils._clients import registry
from ansible_collections.vcf.ray.plugins.module_utils._clients.reference import Reference
from ansible_collections.vcf.ray.plugins.module_utils._errors import RayError
from ansible_collections.vcf.ray.plugins.module_utils._reconcile import Task
from ansible_collections.vcf.ray.tests.unit.plugins.scripted_server import scripted_server

MANIFEST = {"schemaVersion": 2, "config": {"digest": "sha256:" + "c" * 64}, "note": "é"}
BODY = json.dumps(MANIFEST).encode()
DIGEST = f"sha256:{hashlib.sha256(BODY).hexdigest()}"
BASIC = {"WWW-Authenticate": 'Basic realm="registry"'}
BEARER = {"WWW-Authenticate": 'Bearer realm="http://SELF/token",service="reg",scope="repository:ray/op:pull"'}
UNKNOWN = 404, {"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]}, {}
UNAUTHORIZED = {"errors": [{"code": "UNAUTHORIZED", "message": "authentication required"}]}
LOGIN = "Basic " + base64.b64encode("me:pä:ss".encode()).decode()
PATH = "/v2/ray/op/manifests/1"


@pytest.fixture(autouse=True)
def fixture_no_login_of_the_user(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    for name in ("REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)


def asked(server, method: str = "manifest", *args: str, login: tuple = ("me", "pä:ss"), meant: bool = True, times: int = 1):
    """What the method answers for ray/op:1 at the server."""
    ref = Reference(server.address, "ray/op", "1")
    with closing(registry.Registries(*(login or ()))) as registries:
        if meant:
            registries.login_at(ref.registry)
        answers = [getattr(registries, method)(ref, *args) for turn in range(times)]
    return answers[-1]


def test_without_login() -> None:
    with scripted_server((200, BODY, {})) as server:
        assert asked(server, login=None) == {**MANIFEST, "digest": DIGEST}
    assert server.log == [("GET", PATH, None)]


def test_a_password_is_sent_when_it_is_asked_for_and_goes_along_from_then_on() -> None:
    with scripted_server((401, UNAUTHORIZED, BASIC), (200, BODY, {}), (200, BODY, {})) as server:
        asked(server, times=2)
    assert server.log == [("GET", PATH, None), ("GET", PATH, LOGIN), ("GET", PATH, LOGIN)]


def test_a_token_is_fetched_with_the_password_and_only_the_token_goes_to_the_registry() -> None:
    token = 200, {"token": "t1"}, {}
    with scripted_server((401, UNAUTHORIZED, BEARER), token, (200, BODY, {}), (200, BODY, {})) as server:
        assert asked(server, times=2)["digest"] == DIGEST
    assert server.log == [("GET", PATH, None), ("GET", "/token?service=reg&scope=repository%3Aray%2Fop%3Apull", LOGIN),
                          ("GET", PATH, "Bearer t1"), ("GET", PATH, "Bearer t1")]


def test_a_token_without_login_and_one_that_has_run_out() -> None:
    script = [(401, UNAUTHORIZED, BEARER), (200, {"access_token": "t1"}, {}), (200, None, {"Docker-Content-Digest": DIGEST}),
              (401, None, BEARER), (200, {"token": "t2"}, {}), (200, None, {"Docker-Content-Digest": DIGEST})]
    with scripted_server(*script) as server:
        assert asked(server, "digest", login=None, times=2) == DIGEST
    assert [entry[2] for entry in server.log] == [None, None, "Bearer t1", "Bearer t1", None, "Bearer t2"]


@pytest.mark.parametrize("script", [
    [(401, UNAUTHORIZED, BASIC), (401, UNAUTHORIZED, BASIC)],
    [(401, UNAUTHORIZED, BEARER), (401, UNAUTHORIZED, {})],
], ids=["basic", "token"])
def test_a_refused_login_is_sent_once(script: list) -> None:
    with scripted_server(*script) as server, closing(registry.Registries("me", "pä:ss")) as registries:
        ref = Reference(server.address, "ray/op", "1")
        registries.login_at(server.address)
        for turn in range(3):
            with pytest.raises(RayError, match="refuses the login of me: authentication required") as caught:
                registries.manifest(ref)
            assert caught.value.code == "AUTH" and "registry_password" in caught.value.hint
    assert [entry[2] for entry in server.log] == [None, LOGIN]


def test_a_login_that_is_missing_and_a_right_that_is_missing() -> None:
    with scripted_server((401, None, BASIC)) as server, pytest.raises(RayError, match="wants a login. Give registry_username") as caught:
        asked(server, "digest", login=None)
    assert caught.value.code == "AUTH"
    denied = 403, {"errors": [{"code": "DENIED", "message": "requested access is denied"}]}, {}
    with scripted_server((401, None, BASIC), denied) as server, pytest.raises(RayError, match="not allow this to the account me: requested access"):
        asked(server)


def test_the_password_goes_to_no_registry_that_it_was_not_meant_for() -> None:
    with scripted_server((401, None, BASIC)) as server, pytest.raises(RayError, match="wants a login"):
        asked(server, meant=False)


def test_the_users_own_login(tmp_path: pathlib.Path) -> None:
    with scripted_server((401, None, BASIC), (200, BODY, {})) as server:
        (tmp_path / "config.json").write_text(json.dumps({"auths": {server.address: {"auth": LOGIN.split()[1]}}}))
        asked(server, login=None)
    assert server.log[-1][2] == LOGIN


def test_the_tools_get_the_users_own_login_too(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "auth.json").write_text(json.dumps({"auths": {"one.example.com": {"username": "me", "password": "of podman"}}}))
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(tmp_path / "auth.json"))
    with closing(registry.Registries()) as registries:
        registries.login_at("one.example.com")
        registries.login_at("two.example.com")
        assert registries.entries() == [("one.example.com", "me", "of podman")]


def test_what_is_not_there() -> None:
    with scripted_server(UNKNOWN, UNKNOWN, UNKNOWN) as server:
        assert asked(server) is None and asked(server, "digest") is None and asked(server, "has", DIGEST) is False
    assert server.log[-1][:2] == ("HEAD", f"/v2/ray/op/manifests/{DIGEST}")
    with scripted_server(UNKNOWN) as server, pytest.raises(RayError, match="has no blob sha256:"):
        asked(server, "blob", DIGEST)


def test_a_registry_that_does_not_tell_the_digest_is_read() -> None:
    with scripted_server((200, None, {}), (200, BODY, {})) as server:
        assert asked(server, "digest") == DIGEST


def test_a_blob_on_another_server_which_gets_no_login() -> None:
    with scripted_server((200, BODY, {})) as store:
        with scripted_server((401, None, BASIC), (307, None, {"Location": f"http://{store.address}/x?signature=1"})) as server:
            assert asked(server, "blob", DIGEST) == BODY
    assert store.log == [("GET", "/x?signature=1", None)]


def test_a_blob_that_is_another() -> None:
    with scripted_server((200, b"other", {})) as server, pytest.raises(RayError, match=f"for {DIGEST} of .* has the digest sha256:d9298a10"):
        asked(server, "blob", DIGEST)


def test_a_server_that_is_no_registry() -> None:
    with scripted_server((200, b"<html>hello</html>", {})) as server, pytest.raises(RayError, match="does not answer as a registry does"):
        asked(server)


def test_no_redirect_leads_out_of_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    asked_for = []
    monkeypatch.setattr(registry.Http, "request", lambda self, method, path, **kwargs: asked_for.append(self.base_url) or registry.Reply(
        307, "", {"Location": "http://plain.example.com/v2/x"}))
    with closing(registry.Registries()) as registries, pytest.raises(RayError, match="sends from TLS to http://plain.example.com") as caught:
        registries.manifest(Reference("registry.example.com", "ray/op", "1"))
    assert caught.value.code == "TLS" and asked_for == ["https://registry.example.com"]


def test_a_server_that_sends_in_circles() -> None:
    with scripted_server(*[(302, None, {"Location": "/again"})] * 5) as server, pytest.raises(RayError, match="from one address to the next"):
        asked(server)


def test_a_closed_port_and_a_wrong_file_of_authorities(tmp_path: pathlib.Path) -> None:
    with scripted_server() as server:
        pass
    with pytest.raises(RayError, match=f"Registry {server.address} at https://{server.address} cannot be reached") as caught:
        asked(server)
    assert caught.value.code == "CONNECTION"
    with pytest.raises(RayError, match="is not there. Name a PEM file with registry_ca_path"):
        registry.Registries(ca_path=str(tmp_path / "none.pem")).digest(Reference("registry.example.com", "op", "1"))


def test_tokens_are_not_fetched_over_an_open_line(monkeypatch: pytest.MonkeyPatch) -> None:
    client = registry.Registry("registry.example.com", ("me", "secret"))
    with closing(client), pytest.raises(RayError, match="where nothing protects it"):
        client._token_server("http://tokens.example.com")


def test_the_options_of_a_task() -> None:
    params = {"registry_username": "me", "registry_password": "secret", "registry_ca_path": None, "registry_validate_certs": False}
    with registry.connect(Task(params)) as registries:
        registries.login_at("registry.example.com")
        registries.login_at("registry.example.com")
        assert registries.entries() == [("registry.example.com", "me", "secret")] and registries.validate_certs is False
        assert registries.at("docker.io")._http.base_url == "https://registry-1.docker.io"
        assert [registries.at(name)._http.session.verify for name in ("registry.example.com", "docker.io")] == [False, True]
    source = registry.registries({"source_ca_path": "/ca.pem"}, "source_")
    assert source.entries() == [] and source.ca_path == "/ca.pem" and source.validate_certs is True
