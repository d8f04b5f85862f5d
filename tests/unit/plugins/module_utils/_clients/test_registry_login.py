# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Logins: those of the user in every form, and the folder that tools find those of the task in."""

from __future__ import annotations

import json
import os
import pathlib
import stat

import pytest

from ansible_collections.vcf.ray.plugins.module_utils._clients.registry_login import logins, stored
from ansible_collections.vcf.ray.plugins.module_utils._errors import RayError

HOST = "registry.example.com"
AUTH = {"auth": "bWU6c2VjcmV0"}  # me:secret


@pytest.fixture(name="home", autouse=True)
def fixture_home(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    home = tmp_path / "docker"
    home.mkdir()
    monkeypatch.setenv("DOCKER_CONFIG", str(home))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.delenv("REGISTRY_AUTH_FILE", raising=False)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return home


def configure(home: pathlib.Path, **config: object) -> None:
    (home / "config.json").write_text(json.dumps(config))


@pytest.mark.parametrize("auths", [
    {HOST: AUTH}, {f"https://{HOST}": AUTH}, {f"https://{HOST}/v2/": AUTH}, {HOST: {"username": "me", "password": "secret"}},
])
def test_the_login_of_docker(home: pathlib.Path, auths: dict) -> None:
    configure(home, auths=auths)
    assert stored(HOST) == ("me", "secret")
    assert stored("other.example.com") is None


def test_the_login_at_dockers_own_registry(home: pathlib.Path) -> None:
    configure(home, auths={"https://index.docker.io/v1/": AUTH})
    assert stored("docker.io") == ("me", "secret")


def test_the_login_of_podman(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "containers").mkdir()
    (tmp_path / "containers/auth.json").write_text(json.dumps({"auths": {HOST: AUTH}}))
    assert stored(HOST) == ("me", "secret")
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(tmp_path / "none"))
    assert stored(HOST) is None


@pytest.mark.parametrize(("answer", "login"), [
    ('{"Username": "me", "Secret": "secret"}', ("me", "secret")),
    ('{"Username": "<token>", "Secret": "secret"}', None),
    ("credentials not found in native keychain; exit 1", None),
])
def test_the_login_in_a_keychain(home: pathlib.Path, tmp_path: pathlib.Path, answer: str, login: tuple | None) -> None:
    helper = tmp_path / "docker-credential-safe"
    helper.write_text(f"#!/bin/sh\nread key; [ \"$1 $key\" = 'get {HOST}' ] && echo '{answer}'\n")
    helper.chmod(0o755)
    configure(home, credsStore="safe", auths={HOST: {}})
    assert stored(HOST) == login
    configure(home, credHelpers={HOST: "not-installed"})
    assert stored(HOST) is None


def test_entries_that_hold_nothing(home: pathlib.Path) -> None:
    configure(home, auths={HOST: {"auth": "no base64"}})
    assert stored(HOST) is None
    (home / "config.json").write_text("{")
    with pytest.raises(RayError, match="The login file .*config.json cannot be read"):
        stored(HOST)


def test_a_folder_with_the_login_that_is_gone_afterwards() -> None:
    with logins([(HOST, "me", "secret"), ("other.example.com", None, None)]) as env:
        folder = pathlib.Path(env["DOCKER_CONFIG"])
        files = [folder / "config.json", pathlib.Path(env["REGISTRY_AUTH_FILE"])]
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        for file in files:
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
            assert json.loads(file.read_text()) == {"auths": {HOST: AUTH}}
        assert set(env) == {"DOCKER_CONFIG", "REGISTRY_AUTH_FILE"}
    assert not folder.exists()


def test_the_users_other_logins_and_its_way_to_the_daemon_stay(home: pathlib.Path) -> None:
    (home / "contexts").mkdir()
    configure(home, auths={"other.example.com": {}}, credsStore="safe", currentContext="remote")
    with logins([(HOST, "me", "secret")]) as env:
        config = json.loads(pathlib.Path(env["DOCKER_CONFIG"], "config.json").read_text())
        assert config == {"auths": {"other.example.com": {}, HOST: AUTH}, "credsStore": "safe", "credHelpers": {HOST: ""}, "currentContext": "remote"}
        assert os.path.samefile(os.path.join(env["DOCKER_CONFIG"], "contexts"), home / "contexts")
        assert json.loads(pathlib.Path(env["REGISTRY_AUTH_FILE"]).read_text()) == {"auths": {HOST: AUTH}}
    assert (home / "contexts").is_dir()


def test_authorities_of_several_files_are_one(tmp_path: pathlib.Path) -> None:
    for name in "ab":
        (tmp_path / name).write_text(f"{name}\n")
    with logins([], [str(tmp_path / "a"), None, str(tmp_path / "b")]) as env:
        assert set(env) == {"SSL_CERT_FILE"} and pathlib.Path(env["SSL_CERT_FILE"]).read_text().split() == ["a", "b"]
    with pytest.raises(RayError, match="cannot be read"), logins([], [str(tmp_path / "none")]):
        pass


def test_nothing_is_made_when_nothing_is_given() -> None:
    with logins([(HOST, None, None)], [None]) as env:
        assert env == {}


def test_logins_in_variables_do_not_go_before_these(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("IMGPKG_USERNAME", "IMGPKG_REGISTRY_HOSTNAME_0", "KBLD_REGISTRY_PASSWORD_0", "IMGPKG_ENABLE_IAAS_AUTH"):
        monkeypatch.setenv(name, "x")
    gone = dict.fromkeys(("IMGPKG_USERNAME", "IMGPKG_REGISTRY_HOSTNAME_0", "KBLD_REGISTRY_PASSWORD_0"))
    with logins([]) as env:
        assert env == gone
    with logins([(HOST, "me", "secret")]) as env:
        assert gone.items() < env.items() and env["DOCKER_CONFIG"]
