# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import base64
import json
import pathlib
import stat

import pytest

from ansible_collections.vcf.ray.plugins.module_utils._clients.kubeconfig_file import KubeconfigFile
from ansible_collections.vcf.ray.plugins.module_utils._errors import RayError
from ansible_collections.vcf.ray.plugins.module_utils._reconcile import Task, reconcile
from ansible_collections.vcf.ray.plugins.module_utils._resources.supervisor_kubeconfig import SupervisorKubeconfig, expiry
from ansible_collections.vcf.ray.tests.unit.plugins.scripted import Scripted

NOW = 1_800_000_000
WORKLOADS = ("workloads", (), [{"namespace": "b", "control_plane_api_server_port": "6443"}, {"namespace": "a"}])
CA = ("ca_pem", (), "PEM")


def token(exp: object) -> str:
    body = base64.urlsafe_b64encode(json.dumps({"exp": exp} if exp else {"sub": "x"}).encode()).decode().rstrip("=")
    return f"e30.{body}.sig"


def play(path: pathlib.Path | None, script: list, *, state: str = "present", check: bool = False, **options: object) -> dict:
    supervisor = Scripted(script, hostname="10.0.0.1", username="dev@vsphere.local", validate_certs=True)
    resource = SupervisorKubeconfig(
        supervisor,
        KubeconfigFile(str(path)),
        namespace=options.get("namespace", "a"),
        min_validity=options.get("min_validity", 3600),
        clock=lambda: NOW,
    )
    result = reconcile(Task({}, check_mode=check), resource, {} if state == "present" else None)
    supervisor.done()
    return result


@pytest.mark.parametrize(("text", "expected"), [(token(5), 5), (token(None), None), ("opaque", None), ("a.b.c", None), ("", None), (token(5.9), 5)])
def test_expiry(text: str, expected: int | None) -> None:
    assert expiry(text) == expected


def test_login_is_kept_while_it_is_valid_and_renewed_after(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "new folder" / "config"
    assert play(path, [WORKLOADS, CA], check=True)["changed"] and not path.exists()
    made = play(path, [WORKLOADS, CA, ("login", (), token(NOW + 4000))])
    assert made["changed"] and made["supervisor_kubeconfig"]["expires_at"] == "2027-01-15T09:06:40Z"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [p.name for p in path.parent.iterdir()] == ["config"]
    assert not play(path, [WORKLOADS, CA])["changed"]
    assert play(path, [WORKLOADS, CA, ("login", (), token(NOW + 9000))], min_validity=5000)["changed"]
    assert expiry(KubeconfigFile(str(path)).load()["users"][0]["user"]["token"]) == NOW + 9000


def test_another_current_context_keeps_the_token(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "config"
    play(path, [WORKLOADS, CA, ("login", (), token(NOW + 4000))])
    assert play(path, [WORKLOADS, CA], namespace="b")["changed"]
    document = KubeconfigFile(str(path)).load()
    assert document["current-context"] == "b" and expiry(document["users"][0]["user"]["token"]) == NOW + 4000


def test_names_are_those_of_kubectls_plugin_and_others_are_kept(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "config"
    other = {
        "clusters": [{"name": "x", "cluster": {"server": "s"}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
        "contexts": [{"name": "mine", "context": {"cluster": "x", "user": "u"}}],
        "current-context": "mine",
        "extensions": [1],
    }
    KubeconfigFile(str(path)).save(other)
    play(path, [WORKLOADS, CA, ("login", (), token(NOW + 4000))])
    document = KubeconfigFile(str(path)).load()
    assert [c["name"] for c in document["contexts"]] == ["mine", "10.0.0.1", "a", "b"]
    assert document["users"][1]["name"] == "wcp:10.0.0.1:dev@vsphere.local"
    assert document["clusters"][1] == {
        "name": "10.0.0.1",
        "cluster": {"server": "https://10.0.0.1:6443", "certificate-authority-data": base64.b64encode(b"PEM").decode()},
    }
    assert document["current-context"] == "a" and document["extensions"] == [1]
    assert play(path, [], state="absent")["changed"]
    assert {k: v for k, v in KubeconfigFile(str(path)).load().items() if k in ("clusters", "users", "contexts")} == {
        k: other[k] for k in ("clusters", "users", "contexts")
    }
    assert not play(path, [], state="absent")["changed"]


def test_a_namespace_without_a_role_is_named_before_the_login(tmp_path: pathlib.Path) -> None:
    with pytest.raises(RayError, match="no namespace nope on Supervisor 10.0.0.1; there are: a, b") as caught:
        play(tmp_path / "config", [WORKLOADS], namespace="nope")
    assert caught.value.code == "NOT_FOUND"


def test_an_unreachable_supervisor_is_an_error_in_check_mode_too(tmp_path: pathlib.Path) -> None:
    with pytest.raises(RayError, match="cannot be reached"):
        play(tmp_path / "config", [("workloads", (), RayError("cannot be reached", code="CONNECTION"))], check=True)


@pytest.mark.parametrize("content", ["- a list", "{broken", "just text"])
def test_a_file_that_is_no_kubeconfig_is_left_as_it_is(tmp_path: pathlib.Path, content: str) -> None:
    path = tmp_path / "config"
    path.write_text(content)
    with pytest.raises(RayError):
        play(path, [])
    assert path.read_text() == content
