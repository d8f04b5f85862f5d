# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role carvel_package where no registry is needed: what it is given, and a package that is ready at an address."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import ssl
import tarfile
import threading
import typing as t
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from running import Run

CHECK = "vcf.ray.carvel_package : Say everything that is missing or mistaken at once"
LOOK = "vcf.ray.carvel_package : Say everything that is wrong at once"
PASSWORD = "planted-Pa55word"
USER = "ray-builder"
PACKAGE = """---
# A package with marks that Ansible must not take for its own: {{ no }} "and" \\n
apiVersion: data.packaging.carvel.dev/v1alpha1
kind: PackageMetadata
metadata: {name: ray-on-vcf.broadcom.com}
---
apiVersion: data.packaging.carvel.dev/v1alpha1
kind: Package
metadata: {name: ray-on-vcf.broadcom.com.1.0.3}
spec:
  refName: ray-on-vcf.broadcom.com
  version: 1.0.3
  template: {spec: {fetch: [{imgpkgBundle: {image: "registry.example.com/ray/ray-on-vcf-bundle@sha256:0"}}]}}
"""
CHECKSUM = f"sha256:{hashlib.sha256(PACKAGE.encode()).hexdigest()}"


class Files(ThreadingHTTPServer):
    """A server on 127.0.0.1 with the package at /package.yaml, and at /closed.yaml for those who log in; as a registry it refuses every login."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "ca.pem", folder / "key.pem")
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.ca_path = folder / "ca.pem"
        self.address = f"127.0.0.1:{self.server_address[1]}"
        self.url = f"https://{self.address}"
        self.logins: list[str] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        login = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if self.headers.get("Authorization"):
            self.server.logins.append(self.path)
        registry = self.path.startswith("/v2/")
        closed = registry or (self.path == "/closed.yaml" and self.headers.get("Authorization") != f"Basic {login}")
        status = 401 if closed else 200 if self.path in ("/package.yaml", "/closed.yaml") else 404
        body = PACKAGE.encode() if status == 200 else b"no"
        self.send_response(status)
        if registry:
            self.send_header("WWW-Authenticate", 'Basic realm="registry"')
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_HEAD = do_GET

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture(name="files")
def fixture_files(certificate: Path) -> t.Iterator[Files]:
    server = Files(certificate)
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(name="role")
def fixture_role(play):
    """``role({variable: value}, ARGS, env=...)`` runs the role; the password is shown nowhere."""

    def role(variables: dict[str, t.Any], *args: str, **kwargs: t.Any) -> Run:
        given = json.dumps({f"carvel_package_{name}": value for name, value in variables.items()})
        done = play("carvel_package.yml", "-vvv", "-e", given, *args, **kwargs)
        shown = [line for line in done.text.splitlines() if PASSWORD in line]
        assert not shown, shown
        assert "Traceback" not in done.text
        return done

    return role


def faults(run: Run, task: str = CHECK) -> list[str]:
    assert run.rc != 0, run.text
    return run.results(task)[0]["msg"].split("\n- ")[1:]


def named(found: list[str]) -> list[str]:
    """The variables that the faults begin with."""
    return [text.split()[0].removeprefix("carvel_package_") for text in found]


def test_what_is_missing_is_told_at_once_with_both_names(role) -> None:
    found = faults(role({"source": "/nowhere", "build": True, "username": USER}))
    assert len(found) == 5, found
    for name, environment in (("version", "CARVEL_PACKAGE_VERSION"), ("image_repository", "DOCKER_ARTIFACTORY_URL"),
                              ("bundle", "CARVEL_BUNDLE_REGISTRY_URL"), ("password", "TAIGA_SVC_ACCOUNT_PASSWORD")):
        assert any(f"carvel_package_{name} (environment: " in text and environment in text and "missing" in text for text in found), (name, found)
    assert "carvel_package_source: there is no /nowhere" in found[-1]


@pytest.mark.parametrize(("given", "words"), [
    ({}, ["Nothing says where the package comes from"]),
    ({"archive": "/nowhere.tar"}, ["carvel_package_bundle", "carvel_package_archive: there is no /nowhere.tar"]),
    ({"url": "https://files.example.com/package.yaml"}, ["carvel_package_checksum is missing"]),
    ({"url": "http://files.example.com/x", "checksum": "md5:1", "export": "/x.tar"},
     ["carvel_package_url is no address", "carvel_package_checksum is no checksum", "carvel_package_export"]),
    ({"manifests": "/nowhere", "version": "1.0.0", "image": "registry.example.com/ray/a@sha256:0", "bundle": "registry.example.com/ray/b"},
     ["there is no /nowhere"]),
    ({"source": "/nowhere", "url": "https://files.example.com/x", "build": True, "version": "1.0.0", "image_repository": "registry.example.com"},
     ["several are given: carvel_package_source, carvel_package_url", "there is no /nowhere"]),
], ids=["nothing", "archive", "url", "url_mistaken", "manifests", "two_ways"])
def test_each_way_says_what_it_needs(role, given, words) -> None:
    found = faults(role(given))
    assert len(found) == len(words), found
    for word, text in zip(words, found, strict=True):
        assert word in text


def test_the_names_of_the_guide_are_read(role) -> None:
    env = {"DOCKER_ARTIFACTORY_URL": "https://registry.example.com/ray", "TAG_NAME": "a b", "CARVEL_PACKAGE_VERSION": "v1",
           "TAIGA_SVC_ACCOUNT_PASSWORD": PASSWORD, "TAIGA_GENERIC_REPOSITORY_URL": "files.example.com", "PACKAGE_TYPE": "prod"}
    found = faults(role({"source": "/nowhere"}, "--check", env=env))
    assert named(found) == ["version", "image_repository", "image_tag", "username", "repository_url", "type"]
    for value in ("https://registry.example.com/ray", "a b", "v1", "prod"):
        assert any(f" is {value}," in text for text in found), (value, found)
    found = faults(role({"source": "/nowhere"}, "--check", env={**env, "TAIGA_SVC_ACCOUNT_USER": USER, "PACKAGE_TYPE": "production"}))
    assert not any("username" in text or "type" in text.split()[0] for text in found), found


def test_the_names_of_today_go_before_those_of_the_guide(role) -> None:
    env = {"CARVEL_PACKAGE_VERSION": "1.0.0", "DOCKER_ARTIFACTORY_URL": "registry.example.com/ray", "TAG_NAME": "old", "CARVEL_PACKAGE_TAG": "a b",
           "TAIGA_SVC_ACCOUNT_USER": USER, "TAIGA_SVC_ACCOUNT_PASSWORD": PASSWORD, "DOCKER_REGISTRY_USER_NAME": USER, "DOCKER_REGISTRY_PASSWORD": PASSWORD,
           "CARVEL_BUNDLE_REGISTRY_URL": "registry.example.com/Upper", "CARVEL_BUNDLE_REGISTRY_URL_READ_ONLY": "registry.example.com/x:1",
           "CARVEL_PACKAGE_REPOSITORY_URL": "ftp://x", "TAIGA_GENERIC_REPOSITORY_URL": "https://files.example.com/artifactory/ray-generic"}
    found = faults(role({"source": "/nowhere"}, "--check", env=env))
    assert named(found) == ["image_tag", "bundle", "bundle_read_only", "repository_url"]
    for value in ("a b", "registry.example.com/Upper", "registry.example.com/x:1"):
        assert any(f" is {value}," in text for text in found), (value, found)


@pytest.mark.parametrize("version", ["1.0", "v1.0.0", "1.0.0+5", "01.0.0", "1.0.0-", "latest", 1.5])
def test_a_version_that_is_none_is_refused(role, core, version) -> None:
    if core.version == "2.16" and version != "v1.0.0":
        pytest.skip("once")
    found = faults(role({"source": "/nowhere", "build": True, "version": version, "image_repository": "registry.example.com"}))
    assert any(f"is {version}, which is no semantic version" in text for text in found), found


def test_a_ready_package_is_fetched_and_found_again(role, files, tmp_path) -> None:
    path = tmp_path / "new" / "package.yaml"
    path.parent.mkdir()
    given = {"url": f"{files.url}/package.yaml", "checksum": CHECKSUM, "ca_path": str(files.ca_path), "path": str(path)}
    check = role(given, "--check", "--diff")
    assert check.rc == 0 and "changed=1" in check.text, check.text
    assert not path.exists()
    made = role(given)
    assert made.rc == 0 and "changed=1" in made.text, made.text
    assert path.read_text() == PACKAGE
    result = made.results("Result")[0]["ansible_facts"]["seen"]
    assert result == {"package": str(path), "content": PACKAGE, "checksum": CHECKSUM, "version": "1.0.3", "image": "", "url": given["url"],
                      "bundle": "registry.example.com/ray/ray-on-vcf-bundle@sha256:0"}
    assert check.results("Result")[0]["ansible_facts"]["seen"] == result
    assert "changed=0" in role(given).text


def test_relative_paths_begin_where_the_command_was_started(role, files, tmp_path) -> None:
    """Also those that Ansible's own modules take, which would begin beside the playbook."""
    (tmp_path / "ca.pem").write_bytes(files.ca_path.read_bytes())
    # The command is started in a folder below.
    made = role({"url": f"{files.url}/package.yaml", "checksum": CHECKSUM, "ca_path": "../ca.pem", "path": "../made/package.yaml"})
    assert made.rc == 0, made.text
    assert (tmp_path / "made/package.yaml").read_text() == PACKAGE


@pytest.mark.parametrize(("file", "change", "words"), [
    ("package", {"checksum": "sha256:" + 64 * "0"}, ("has the checksum", CHECKSUM)),
    ("other", {}, ("cannot be fetched", "404")),
    ("closed", {}, ("cannot be fetched", "401", "carvel_package_url_username")),
    ("closed", {"url_username": USER, "url_password": "another"}, ("cannot be fetched", "401")),
    ("package", {"ca_path": ""}, ("cannot be fetched", "carvel_package_url_ca_path")),
], ids=["checksum", "not_there", "no_login", "wrong_login", "unknown_ca"])
def test_what_is_not_the_package_is_not_written(role, files, tmp_path, file, change, words) -> None:
    path = tmp_path / "package.yaml"
    given = {"url": f"{files.url}/{file}.yaml", "checksum": CHECKSUM, "ca_path": str(files.ca_path), "path": str(path), **change}
    found = faults(role(given), LOOK)
    assert len(found) == 1
    for word in words:
        assert word in found[0]
    assert not path.exists()


def test_a_login_at_the_address(role, files, tmp_path) -> None:
    given = {"url": f"{files.url}/closed.yaml", "checksum": CHECKSUM, "ca_path": str(files.ca_path), "path": str(tmp_path / "package.yaml"),
             "url_username": USER, "url_password": "{{ lookup('ansible.builtin.env', 'SECRET') }}"}
    assert role(given, env={"SECRET": PASSWORD}).rc == 0


def test_a_refused_login_is_sent_by_no_other_step(role, files, tmp_path) -> None:
    """The file of an older run is there, so that an archive of it could be written."""
    path, image = tmp_path / "package.yaml", tmp_path / "image.tar"
    path.write_text(PACKAGE.replace("registry.example.com", files.address).replace("sha256:0", "sha256:" + 64 * "0"))
    with tarfile.open(image, "w") as archive:
        for name, content in (("c.json", b"{}"), ("manifest.json", b'[{"Config": "c.json", "RepoTags": ["operator:1"], "Layers": []}]')):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    given = {"manifests": str(path), "image_archive": str(image), "image_repository": f"{files.address}/ray", "version": "1.0.3", "path": str(path),
             "username": USER, "password": PASSWORD, "ca_path": str(files.ca_path), "export": str(tmp_path / "export.tar")}
    for args in ([], ["--check"]):
        files.logins.clear()
        found = faults(role({**given, "password": "{{ lookup('ansible.builtin.env', 'SECRET') }}"}, *args, env={"SECRET": PASSWORD}), LOOK)
        assert len(found) == 1 and f"refuses the login of {USER}" in found[0] and "Check carvel_package_username" in found[0], found
        assert files.logins == ["/v2/ray/vmray-cluster-controller/manifests/1.0.3"]


def test_half_a_login_at_the_generic_repository_is_told_before_the_look(role) -> None:
    given = {"source": "/nowhere", "version": "1.0.0", "image_repository": "registry.example.com", "repository_url": "https://files.example.com/ray"}
    found = faults(role({**given, "repository_username": USER}, "--check"))
    assert found == ["carvel_package_repository_password is missing, and carvel_package_repository_username is set."]
