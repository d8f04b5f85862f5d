# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import base64
import json
import pathlib
import stat
import threading
import time

import pytest

from ansible_collections.vcf.ray.plugins.module_utils._clients.kubeconfig_file import KubeconfigFile
from ansible_collections.vcf.ray.plugins.module_utils._errors import RayError
from ansible_collections.vcf.ray.plugins.module_utils._jwt import expiry
from ansible_collections.vcf.ray.plugins.module_utils._reconcile import Task, reconcile
from ansible_collections.vcf.ray.plugins.module_utils._resources.supervisor_kubeconfig import GuestKubeconfig, SupervisorKubeconfig
from ansible_collections.vcf.ray.tests.unit.plugins.scripted import Scripted

NOW = 1_800_000_000
WORKLOADS = ("workloads", (), [{"namespace": "b", "control_plane_api_server_port": "6443"}, {"namespace": "a"}])
CA = ("ca_pem", (), "PEM")


def token(exp: object) -> str:
    body = base64.urlsafe_b64encode(json.dumps({"exp": exp} if exp else {"sub": "x"}).encode()).decode().rstrip("=")
    return f"e30.{body}.sig"


def play(path: pathlib.Path | None, script: list, *, state: str = "present", check: bool = False, **options: object) -> dict:
    supervisor = Scripted(script, hostname="10.0.0.1", username="dev@vsphere.local", validate_certs=True, proxy_url=options.get("proxy_url"))
    resource = SupervisorKubeconfig(
        supervisor,
        KubeconfigFile(str(path)),
        namespace=options.get("namespace", "a"),
        min_validity=options.get("min_validity", 3600),
        prefix=options.get("prefix", ""),
        clock=lambda: NOW,
    )
    result = reconcile(Task({}, check_mode=check), resource, {} if state == "present" else None)
    supervisor.done()
    return result


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
    KubeconfigFile(str(path)).change(lambda document: other)
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


def test_the_current_context_and_the_address_are_told(tmp_path: pathlib.Path) -> None:
    made = play(tmp_path / "config", [WORKLOADS, CA, ("login", (), token(NOW + 4000))], proxy_url="http://proxy.example.com:3128")["supervisor_kubeconfig"]
    assert (made["server"], made["current_context"], made["contexts"]) == ("https://10.0.0.1:6443", "a", ["10.0.0.1", "a", "b"])
    cluster = KubeconfigFile(str(tmp_path / "config")).load()["clusters"][0]["cluster"]
    assert cluster["proxy-url"] == "http://proxy.example.com:3128"
    assert play(tmp_path / "config", [WORKLOADS, CA])["changed"], "the proxy is no longer asked for, and the token kept"
    assert "proxy-url" not in KubeconfigFile(str(tmp_path / "config")).load()["clusters"][0]["cluster"]


def test_a_file_that_others_may_read_is_closed_to_them(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "config"
    play(path, [WORKLOADS, CA, ("login", (), token(NOW + 4000))])
    path.chmod(0o640)
    assert play(path, [WORKLOADS, CA], check=True)["changed"] and stat.S_IMODE(path.stat().st_mode) == 0o640
    assert play(path, [WORKLOADS, CA])["changed"] and stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not play(path, [WORKLOADS, CA])["changed"]


def test_a_link_stays_one(tmp_path: pathlib.Path) -> None:
    (tmp_path / "link").symlink_to("folder/real")
    play(tmp_path / "link", [WORKLOADS, CA, ("login", (), token(NOW + 4000))])
    assert (tmp_path / "link").is_symlink() and (tmp_path / "folder" / "real").is_file()


ELSEWHERE = {
    "clusters": [{"name": "10.0.0.2", "cluster": {"server": "https://10.0.0.2:6443"}}],
    "users": [{"name": "wcp:10.0.0.2:dev@vsphere.local", "user": {"token": "other"}}],
    "contexts": [{"name": "b", "context": {"cluster": "10.0.0.2", "user": "wcp:10.0.0.2:dev@vsphere.local", "namespace": "b"}}],
    "current-context": "b",
}


def test_a_context_of_another_supervisor_is_never_replaced_and_a_prefix_makes_room(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "config"
    KubeconfigFile(str(path)).change(lambda document: ELSEWHERE)
    for check in (True, False):
        with pytest.raises(RayError, match="the context b leads to 10.0.0.2 already, and not to 10.0.0.1") as refused:
            play(path, [WORKLOADS, CA], check=check)
        assert refused.value.code == "CONFLICT"
    assert KubeconfigFile(str(path)).load() == ELSEWHERE
    made = play(path, [WORKLOADS, CA, ("login", (), token(NOW + 4000))], prefix="one-")["supervisor_kubeconfig"]
    assert made["contexts"] == ["one-10.0.0.1", "one-a", "one-b"] and made["current_context"] == "one-a"
    contexts = KubeconfigFile(str(path)).load()["contexts"]
    assert contexts[0] == ELSEWHERE["contexts"][0] and contexts[2]["context"]["namespace"] == "a"
    assert not play(path, [WORKLOADS, CA], prefix="one-")["changed"]


def test_what_another_task_writes_during_the_login_is_kept(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "config"

    class Slow(Scripted):
        def login(self) -> str:
            KubeconfigFile(str(path)).change(lambda document: {**ELSEWHERE, "contexts": [{**ELSEWHERE["contexts"][0], "name": "theirs"}]})
            return token(NOW + 4000)

    supervisor = Slow([WORKLOADS, CA], hostname="10.0.0.1", username="dev@vsphere.local", validate_certs=True, proxy_url=None)
    resource = SupervisorKubeconfig(supervisor, KubeconfigFile(str(path)), namespace="a", min_validity=3600, clock=lambda: NOW)
    assert reconcile(Task({}), resource, {})["changed"]
    assert [c["name"] for c in KubeconfigFile(str(path)).load()["contexts"]] == ["theirs", "10.0.0.1", "a", "b"]


def test_two_tasks_at_once_lose_nothing(tmp_path: pathlib.Path) -> None:
    """The lock is held by an open file, so threads meet it as processes do."""
    store = KubeconfigFile(str(tmp_path / "config"))

    def slowly(name: str) -> None:
        def edit(document: dict) -> dict:
            time.sleep(0.02)
            return {**document, name: 1}

        store.change(edit)

    threads = [threading.Thread(target=slowly, args=(name,)) for name in "abcdefgh"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(store.load()) == list("abcdefgh")
    assert [entry.name for entry in tmp_path.iterdir()] == ["config"]


GUEST = ("guest_login", ("apps", "ns1"))


def answer(seconds: int, server: str = "10.0.9.9") -> dict:
    return {"token": token(NOW + seconds), "server": server, "ca": "R1VFU1Q="}


def guest(path: pathlib.Path | None, script: list, *, state: str = "present", check: bool = False, namespace: str = "ns1", **options: object) -> dict:
    supervisor = Scripted(script, hostname="10.0.0.1", username="dev@vsphere.local", validate_certs=True, proxy_url=None)
    resource = GuestKubeconfig(supervisor, KubeconfigFile(str(path)), cluster="apps", namespace=namespace, min_validity=3600, clock=lambda: NOW, **options)
    result = reconcile(Task({}, check_mode=check), resource, {} if state == "present" else None)
    supervisor.done()
    return result


def test_a_guest_cluster_has_the_names_that_kubectls_plugin_gives_it(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "config"
    play(path, [WORKLOADS, CA, ("login", (), token(NOW + 4000))])
    assert guest(path, [(*GUEST, answer(4000))], check=True)["supervisor_kubeconfig"]["server"] == "https://10.0.9.9:6443"
    assert guest(path, [(*GUEST, answer(4000))])["changed"]
    document = KubeconfigFile(str(path)).load()
    assert document["current-context"] == "apps" and len(document["contexts"]) == 4
    context = document["contexts"][-1]["context"]
    assert (document["contexts"][-1]["name"], context["cluster"], context["user"]) == ("apps", "10.0.9.9", "wcp:10.0.9.9:dev@vsphere.local")
    assert document["clusters"][-1]["cluster"] == {"server": "https://10.0.9.9:6443", "certificate-authority-data": "R1VFU1Q="}
    assert not guest(path, [])["changed"], "nothing is asked while the token is good"
    assert guest(path, [], check=True, state="absent")["changed"]
    assert guest(path, [], state="absent")["changed"] and not guest(path, [], state="absent")["changed"]
    assert [c["name"] for c in KubeconfigFile(str(path)).load()["contexts"]] == ["10.0.0.1", "a", "b"]


def test_tasks_for_two_servers_share_a_file_without_changing_it_again(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "config"
    play(path, [WORKLOADS, CA, ("login", (), token(NOW + 4000))])
    assert guest(path, [(*GUEST, answer(4000))], make_current=False)["supervisor_kubeconfig"]["current_context"] == "a"
    assert not play(path, [WORKLOADS, CA])["changed"] and not guest(path, [], make_current=False)["changed"]
    other = tmp_path / "other"
    assert guest(other, [(*GUEST, answer(4000))], make_current=False)["supervisor_kubeconfig"]["current_context"] == "apps"


def test_a_guest_cluster_that_was_made_anew_elsewhere_takes_the_place_of_the_old_one(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "config"
    guest(path, [(*GUEST, answer(4000))])
    KubeconfigFile(str(path)).change(lambda document: {**document, "users": [{**document["users"][0], "user": {"token": token(NOW + 1)}}]})
    assert guest(path, [(*GUEST, answer(9000, "10.0.9.10"))])["changed"]
    document = KubeconfigFile(str(path)).load()
    assert [row["name"] for table in ("clusters", "users", "contexts") for row in document[table]] == [
        "10.0.9.10", "wcp:10.0.9.10:dev@vsphere.local", "apps"]


def test_a_guest_cluster_of_the_same_name_in_another_namespace_is_another_one(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "config"
    guest(path, [(*GUEST, answer(4000))])
    elsewhere = ("guest_login", ("apps", "ns2"), answer(4000, "10.0.9.11"))
    with pytest.raises(RayError, match="the context apps leads to 10.0.9.9 already, and not to apps"):
        guest(path, [elsewhere], namespace="ns2")
    assert guest(path, [elsewhere], namespace="ns2", prefix="two-")["supervisor_kubeconfig"]["contexts"] == ["two-apps"]
    assert guest(path, [])["supervisor_kubeconfig"]["current_context"] == "apps"


def test_a_guest_cluster_that_is_not_there_leaves_no_file(tmp_path: pathlib.Path) -> None:
    with pytest.raises(RayError, match="no cluster apps"):
        guest(tmp_path / "config", [(*GUEST, RayError("no cluster apps", code="NOT_FOUND"))], check=True)
    assert not (tmp_path / "config").exists()
