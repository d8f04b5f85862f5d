# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""supervisor_kubeconfig against a real server with TLS on the loopback: what it trusts, what it asks, and what it keeps."""

from __future__ import annotations

import base64
import io
import json
import pathlib
import tempfile
import types
import typing as t
import zipfile

import pytest
import yaml

from ansible_collections.vcf.ray.plugins.module_utils._clients import supervisor, vcenter_roots
from ansible_collections.vcf.ray.plugins.module_utils._errors import RayError
from ansible_collections.vcf.ray.plugins.modules import supervisor_kubeconfig
from ansible_collections.vcf.ray.tests.unit.plugins.conversation import task_for
from ansible_collections.vcf.ray.tests.unit.plugins.tunnel import Authority, proxy, tls_server

MODULE = types.SimpleNamespace(SPEC={**supervisor.ARGSPEC, **vcenter_roots.ARGSPEC, **supervisor_kubeconfig.SPEC})
TOKEN = f"e30.{base64.urlsafe_b64encode(json.dumps({'exp': 4102444800}).encode()).decode().rstrip('=')}.sig"
WORKLOADS = [{"namespace": "deploy-ray", "control_plane_api_server_port": "6443"}]


@pytest.fixture(autouse=True)
def _nothing_stays(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> t.Iterator[None]:
    for name in ("VCF_RAY_SUPERVISOR_CA_PATH", "VCF_RAY_CA_PATH", "VMWARE_PORT"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield
    assert list(folder.iterdir()) == []


@pytest.fixture(name="server")
def fixture_server(tmp_path: pathlib.Path) -> t.Iterator[t.Any]:
    answers = {"/wcp/login": {"session_id": TOKEN}, "/wcp/workloads": WORKLOADS, "/wcp/loginbanner": b""}
    with tls_server(tmp_path / "supervisor", answers) as server:
        yield server


def run(server: t.Any, **params: t.Any) -> dict:
    options = {"hostname": server.address, "username": "dev@vsphere.local", "password": "secret", "ca_path": server.ca, **params}
    task = task_for(MODULE, **options)
    with supervisor_kubeconfig.connect(task) as client:
        return supervisor_kubeconfig.ensure(task, client)


def authority(kubeconfig: dict) -> str:
    return base64.b64decode(kubeconfig["clusters"][0]["cluster"]["certificate-authority-data"]).decode()


@pytest.mark.parametrize("also", [{}, {"kube_config": None}, {"kube_config": "apiVersion: v1"}])
def test_what_a_release_answers_beside_the_token_does_not_matter(server: t.Any, also: dict) -> None:
    server.answers["/wcp/login"] = {"session_id": TOKEN, **also}
    made = run(server, namespace="deploy-ray")
    assert (made["changed"], made["context"], made["contexts"], made["server"], made["expires_at"]) == (
        False, "deploy-ray", ["127.0.0.1", "deploy-ray"], "https://127.0.0.1:6443", "2100-01-01T00:00:00Z")
    assert made["kubeconfig"]["users"] == [{"name": "wcp:127.0.0.1:dev@vsphere.local", "user": {"token": TOKEN}}]
    assert authority(made["kubeconfig"]) == server.pem


@pytest.mark.parametrize("answer", [{}, {"session_id": None}, {"session_id": {}}, [], b"<html>"])
def test_an_answer_without_a_token_is_told(server: t.Any, answer: t.Any) -> None:
    server.answers["/wcp/login"] = answer
    with pytest.raises(RayError, match="answered the login without a token"):
        run(server)


def test_a_refused_login_is_sent_once_and_a_federated_user_learns_what_to_do(server: t.Any, tmp_path: pathlib.Path) -> None:
    server.answers["/wcp/workloads"] = server.answers["/wcp/login"] = lambda asked: (401, {"message": "invalid credentials"})
    with pytest.raises(RayError, match="refused user dev@vsphere.local: invalid credentials") as refused:
        run(server, path=str(tmp_path / "config"))
    assert refused.value.code == "AUTH" and "federated identity provider" in refused.value.hint and "option kubeconfig" in refused.value.hint
    assert len(server.log) == 1 and not (tmp_path / "config").exists()


def test_a_service_that_restarts_is_asked_again(server: t.Any) -> None:
    answers = [(503, {}), (200, {"session_id": TOKEN})]
    server.answers["/wcp/login"] = lambda asked: answers.pop(0)
    assert run(server)["kubeconfig"] and answers == []


def test_a_guest_cluster(server: t.Any, tmp_path: pathlib.Path) -> None:
    server.answers["/wcp/login"] = {"session_id": TOKEN, "guest_cluster_server": "192.0.2.9", "guest_cluster_ca": "R1VFU1Q=", "kube_config": None}
    options = {"cluster": "apps", "cluster_namespace": "deploy-ray", "path": str(tmp_path / "config")}
    made = run(server, **options)
    assert (made["changed"], made["context"], made["server"], "kubeconfig" in made) == (True, "apps", "https://192.0.2.9:6443", False)
    assert json.loads(server.log[0][3]) == {"guest_cluster_name": "apps", "guest_cluster_namespace": "deploy-ray"}
    assert not run(server, **options)["changed"] and len(server.log) == 1
    assert run(server, **options, validate_certs=False)["changed"]
    cluster = yaml.safe_load((tmp_path / "config").read_text())["clusters"][0]["cluster"]
    assert cluster == {"server": "https://192.0.2.9:6443", "insecure-skip-tls-verify": True}
    assert run(server, **options)["changed"], "trust that was not kept is got by another login"
    server.answers["/wcp/login"] = {"session_id": TOKEN}
    with pytest.raises(RayError, match="leads to no cluster none in namespace deploy-ray") as missing:
        run(server, **{**options, "cluster": "none"})
    assert missing.value.code == "NOT_FOUND"


def test_a_removal_asks_nobody(server: t.Any, tmp_path: pathlib.Path) -> None:
    options = {"path": str(tmp_path / "config")}
    run(server, **options)
    server.log.clear()
    assert run(server, **options, state="absent", ca_path=None, vcenter={"hostname": "vcenter.example.com"})["changed"] and server.log == []


def test_a_proxy_is_carried_into_the_kubeconfig(server: t.Any) -> None:
    with proxy() as way:
        made = run(server, **way.options)
        assert made["kubeconfig"]["clusters"][0]["cluster"]["proxy-url"] == f"http://127.0.0.1:{way.port}"
        assert way.log == [("CONNECT", server.address, None)]


def packed(*authorities: str, **more: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number, pem in enumerate(authorities):
            archive.writestr(f"certs/lin/{number:08x}.0", pem)
            archive.writestr(f"certs/win/{number:08x}.0.crt", pem)
            archive.writestr(f"certs/lin/{number:08x}.r0", "-----BEGIN X509 CRL-----")
        for name, text in more.items():
            archive.writestr(name, text)
    return buffer.getvalue()


@pytest.fixture(name="vcenter")
def fixture_vcenter(tmp_path: pathlib.Path) -> t.Iterator[t.Any]:
    with tls_server(tmp_path / "vcenter", {}, Authority(tmp_path / "vcenter", "other")) as vcenter:
        yield vcenter


def by_vcenter(vcenter: t.Any, **more: t.Any) -> dict:
    host, port = vcenter.address.split(":")
    return {"ca_path": None, "vcenter": {"hostname": host, "port": int(port), "ca_path": vcenter.ca, "proxy_host": None, "proxy_port": None, **more}}


def test_the_authority_from_vcenter_is_the_one_that_verifies_the_supervisor(server: t.Any, vcenter: t.Any, tmp_path: pathlib.Path) -> None:
    namesake = Authority(tmp_path / "namesake").path.read_text()
    vcenter.answers["/certs/download.zip"] = packed(vcenter.pem, namesake, "-----BEGIN CERTIFICATE-----\nnone", server.pem)
    made = run(server, **by_vcenter(vcenter))
    assert authority(made["kubeconfig"]) == server.pem
    assert [row[:3] for row in vcenter.log] == [("GET", "/certs/download.zip", None)]
    assert [row[1] for row in server.log] == ["/wcp/loginbanner", "/wcp/workloads", "/wcp/login"]


def test_a_vcenter_that_is_not_trusted_is_not_believed(server: t.Any, vcenter: t.Any, tmp_path: pathlib.Path) -> None:
    vcenter.answers["/certs/download.zip"] = packed(server.pem)
    for ca_path in (None, server.ca):
        with pytest.raises(RayError, match="vCenter .* cannot be trusted"):
            run(server, **by_vcenter(vcenter, ca_path=ca_path))
    assert vcenter.log == [] and server.log == []


@pytest.mark.parametrize(("content", "words"), [
    (packed("no certificate"), "holds no certificate authority"), (packed(), "holds no certificate authority"), (b"<html>", "cannot be read"),
    (b"x" * (vcenter_roots.LIMIT + 1), "is longer than"),
])
def test_what_vcenter_gives_may_be_of_no_use(server: t.Any, vcenter: t.Any, content: bytes, words: str) -> None:
    vcenter.answers["/certs/download.zip"] = content
    with pytest.raises(RayError, match=words):
        run(server, **by_vcenter(vcenter))
    assert server.log == []


def test_a_supervisor_that_no_authority_of_vcenter_vouches_for_gets_no_password(server: t.Any, vcenter: t.Any) -> None:
    vcenter.answers["/certs/download.zip"] = packed(vcenter.pem)
    with pytest.raises(RayError, match="None of the 1 certificate authorities that vCenter 127.0.0.1 trusts has issued") as raised:
        run(server, **by_vcenter(vcenter))
    assert raised.value.code == "TLS" and server.log == []


def test_a_supervisor_that_is_away_is_not_taken_for_one_that_cannot_be_trusted(server: t.Any, vcenter: t.Any) -> None:
    vcenter.answers["/certs/download.zip"] = packed(server.pem)
    with proxy("502 Bad Gateway") as way, pytest.raises(RayError, match="The proxy .* answers, and cannot reach Supervisor"):
        run(server, **by_vcenter(vcenter), **way.options)
