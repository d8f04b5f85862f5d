# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory as Ansible's own manager reads it, from a real server on the loopback interface."""

from __future__ import annotations

import contextlib
import http.server
import json
import os
import pathlib
import subprocess
import sys
import threading
import typing as t

import pytest
import yaml
from ansible import constants as C
from ansible.errors import AnsibleError
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.vault import VaultLib, VaultSecret
from ansible.plugins.loader import fragment_loader, inventory_loader
from ansible.template import Templar
from ansible.utils.collection_loader import AnsibleCollectionConfig
from ansible.utils.plugin_docs import get_docstring

from ansible_collections.vcf.ray.plugins.module_utils._clients import kube as kube_client
from ansible_collections.vcf.ray.plugins.module_utils._clients import supervisor as supervisor_client
from ansible_collections.vcf.ray.tests.unit.plugins.scripted import Scripted

NAME = "vcf.ray.vmray_cluster"
API = "/apis/vmray.broadcom.com/v1alpha1/namespaces"
HASH = "$6$rounds=5000$salt$hash-of-a-password"


def cluster(name: str = "ray", namespace: str = "ns", workers: t.Sequence[str] = ("ray-w-aaaaaaaa", "ray-w-bbbbbbbb"), **changes: t.Any) -> dict:
    """A VMRayCluster whose first worker runs and whose others are only wanted."""
    first = {name: {"ip": "192.0.2.12", "vm_status": "running", "ray_status": "running"} for name in workers[:1]}
    return {
        "metadata": {"name": name, "namespace": namespace, "labels": {"vmray.kubernetes.io/head-nounce": "x1y2z"}, "finalizers": ["f"]},
        "spec": {"head_node": {"node_type": "head"}, "autoscaler_desired_workers": dict.fromkeys(workers, "worker-small"),
                 "common_node_config": {"vm_user": "ray", "vm_password_salt_hash": HASH}},
        "status": {"head_node_status": {"ip": "192.0.2.11", "vm_status": "running"}, "current_workers": first, "vm_service_status": {"ip": "192.0.2.20"}},
        **changes,
    }


class Api:
    """An API server: ``lists`` of clusters or refusals ``(status, body)`` by namespace; ``asked`` has what was asked, in order."""

    def __init__(self) -> None:
        self.lists: dict[str, t.Any] = {}
        self.asked: list[str] = []
        self.tokens: set[str | None] = set()
        api = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                api.asked.append(self.path)
                api.tokens.add(self.headers["Authorization"])
                answer = api.lists[self.path.split("/")[5]]
                status, body = answer if isinstance(answer, tuple) else (200, {"items": answer})
                data = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *args: t.Any) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def kubeconfig(self, *namespaces: str) -> dict:
        """As ``supervisor_kubeconfig`` writes it, with a context of another Supervisor beside."""
        contexts = [{"name": n or "sv", "context": {"cluster": "sv", "user": "me", **({"namespace": n} if n else {})}} for n in ("", *namespaces)]
        other = {"name": "other", "context": {"cluster": "elsewhere", "user": "me", "namespace": "not-here"}}
        return {"apiVersion": "v1", "kind": "Config", "clusters": [{"name": "sv", "cluster": {"server": self.url}}], "contexts": [*contexts, other],
                "users": [{"name": "me", "user": {"token": "planted-token"}}], "current-context": "sv"}


@pytest.fixture(name="api")
def fixture_api() -> t.Iterator[Api]:
    api = Api()
    yield api
    api.close()


@pytest.fixture(name="said", autouse=True)
def fixture_said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What Ansible warns of; a file that cannot be parsed is an error with the same words."""
    said: list[str] = []
    monkeypatch.setattr("ansible.utils.display.Display.warning", lambda self, msg, *args, **kwargs: said.append(str(msg)))
    for name in ("KUBECONFIG", *(v for about in kube_client.ARGSPEC.values() for v in about.get("fallback", (None, []))[1])):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(C, "INVENTORY_ANY_UNPARSED_IS_FAILED", False)
    return said


def spoken(said: list[str], capsys: pytest.CaptureFixture) -> str:
    """Everything that was said, on one line: ansible-core 2.19 tells a source's failure by other means than a warning."""
    return " ".join(" ".join([*said, capsys.readouterr().err]).split())


class Source:
    """One inventory file, read by Ansible."""

    def __init__(self, folder: pathlib.Path, options: dict | str, *, name: str = "ray.vmray_cluster.yml") -> None:
        self.path = folder / name
        text = options if isinstance(options, str) else yaml.safe_dump({"plugin": NAME, **options})
        self.path.write_text(text, encoding="utf-8")

    def read(self, *, cache: bool = True) -> InventoryManager:
        return InventoryManager(loader=DataLoader(), sources=[str(self.path)], cache=cache)


def variables(inventory: InventoryManager, host: str) -> dict:
    found = inventory.get_host(host).get_vars()
    return {k: v for k, v in found.items() if not k.startswith(("inventory_", "group_names"))}


def groups(inventory: InventoryManager) -> dict:
    return {name: sorted(members) for name, members in inventory.get_groups_dict().items() if name not in ("all", "ungrouped")}


def test_hosts_variables_and_groups(api: Api, tmp_path: pathlib.Path, said: list[str]) -> None:
    api.lists = {"deploy-ray": [cluster(namespace="deploy-ray")], "lab-2": []}
    inventory = Source(tmp_path, {"kubeconfig": api.kubeconfig("lab-2", "deploy-ray")}).read()
    assert api.asked == [f"{API}/deploy-ray/vmrayclusters", f"{API}/lab-2/vmrayclusters"]
    assert api.tokens == {"Bearer planted-token"}
    common = {"vmray_cluster": "ray", "vmray_namespace": "deploy-ray", "dashboard_url": "http://192.0.2.20:8265", "ansible_user": "ray"}
    assert variables(inventory, "ray-h-x1y2z") == {
        **common, "ansible_host": "192.0.2.11", "vmray_role": "head", "vmray_node_type": "head", "vmray_state": "running"}
    assert variables(inventory, "ray-w-aaaaaaaa") == {
        **common, "ansible_host": "192.0.2.12", "vmray_role": "worker", "vmray_node_type": "worker-small", "vmray_state": "running"}
    # A node without an address is a host all the same.
    assert variables(inventory, "ray-w-bbbbbbbb") == {**common, "vmray_role": "worker", "vmray_node_type": "worker-small", "vmray_state": "pending"}
    head, one, two = "ray-h-x1y2z", "ray-w-aaaaaaaa", "ray-w-bbbbbbbb"
    assert groups(inventory) == {
        "vmray_cluster_ray": [head, one, two], "vmray_namespace_deploy_ray": [head, one, two], "vmray_node_type_head": [head],
        "vmray_node_type_worker_small": [one, two], "vmray_role_head": [head], "vmray_role_worker": [one, two],
        "vmray_state_running": [head, one], "vmray_state_pending": [two]}
    assert said == []


def test_nothing_secret_gets_in(api: Api, tmp_path: pathlib.Path) -> None:
    api.lists = {"ns": [cluster()]}
    options = {"kubeconfig": api.kubeconfig("ns"), "cache": True, "cache_plugin": "ansible.builtin.jsonfile", "cache_connection": str(tmp_path / "kept")}
    inventory = Source(tmp_path, options).read()
    kept = "".join(path.name + path.read_text() for path in (tmp_path / "kept").iterdir())
    seen = json.dumps([variables(inventory, host) for host in inventory.hosts]) + kept
    assert "ray-w-aaaaaaaa" in seen
    assert [secret for secret in (HASH, "planted-token", "salt") if secret in seen] == []


def test_constructed_variables_and_groups(api: Api, tmp_path: pathlib.Path, said: list[str]) -> None:
    api.lists = {"ns": [cluster()]}
    inventory = Source(tmp_path, {
        "kubeconfig": api.kubeconfig("ns"), "strict": True,
        "compose": {"nodes": "vmray_cluster.split('a')", "place": "vmray_namespace ~ '/' ~ vmray_cluster"},
        "groups": {"addressed": "ansible_host is defined"},
        "keyed_groups": [{"key": "vmray_node_type", "prefix": "type"}, {"key": "place", "separator": ""}]}).read()
    assert variables(inventory, "ray-w-aaaaaaaa")["place"] == "ns/ray"
    assert variables(inventory, "ray-w-aaaaaaaa")["nodes"] == ["r", "y"]
    assert groups(inventory)["addressed"] == ["ray-h-x1y2z", "ray-w-aaaaaaaa"]
    assert groups(inventory)["type_worker_small"] == ["ray-w-aaaaaaaa", "ray-w-bbbbbbbb"]
    assert len(groups(inventory)["ns_ray"]) == 3
    assert said == []


def test_strict_refuses_what_cannot_be_composed(api: Api, tmp_path: pathlib.Path, said: list[str], capsys: pytest.CaptureFixture) -> None:
    api.lists = {"ns": [cluster()]}
    Source(tmp_path, {"kubeconfig": api.kubeconfig("ns"), "strict": True, "compose": {"x": "nobody_knows"}}).read()
    assert "Could not set x for host ray-h-x1y2z" in spoken(said, capsys)


def test_the_cache_spares_the_request(api: Api, tmp_path: pathlib.Path) -> None:
    api.lists = {"ns": [cluster()]}
    options = {"kubeconfig": api.kubeconfig("ns"), "cache": True, "cache_plugin": "ansible.builtin.jsonfile", "cache_connection": str(tmp_path / "kept")}
    first = Source(tmp_path, options).read()
    second = Source(tmp_path, {**options, "kubeconfig": {**options["kubeconfig"], "users": [{"name": "me", "user": {"token": "renewed"}}]}}).read()
    assert len(api.asked) == 1
    assert groups(second) == groups(first)
    assert variables(second, "ray-h-x1y2z") == variables(first, "ray-h-x1y2z")
    Source(tmp_path, options).read(cache=False)
    assert len(api.asked) == 2, "as --flush-cache and meta: refresh_inventory ask"
    Source(tmp_path, {**options, "clusters": ["other"]}).read()
    assert len(api.asked) == 3, "another selection is another inventory"


def test_machines_and_clusters_of_one_name_are_told_apart(api: Api, tmp_path: pathlib.Path) -> None:
    api.lists = {"dev": [cluster(namespace="dev", workers=["same", "dev-only"])],
                 "prod": [cluster(namespace="prod", workers=["same"]), cluster("b.c", "prod", [])]}
    inventory = Source(tmp_path, {"kubeconfig": api.kubeconfig("dev", "prod")}).read()
    assert sorted(inventory.hosts) == ["b.c-h-x1y2z", "dev-only", "dev.ray-h-x1y2z", "dev.same", "prod.ray-h-x1y2z", "prod.same"]
    found = groups(inventory)
    assert found["vmray_cluster_dev_ray"] == ["dev-only", "dev.ray-h-x1y2z", "dev.same"]
    assert found["vmray_cluster_prod_ray"] == ["prod.ray-h-x1y2z", "prod.same"]
    assert found["vmray_cluster_b_c"] == ["b.c-h-x1y2z"]
    assert "vmray_cluster_ray" not in found


def test_only_the_clusters_that_are_asked_for(api: Api, tmp_path: pathlib.Path, said: list[str]) -> None:
    api.lists = {"ns": [cluster("one", workers=[]), cluster("two", workers=[])]}
    inventory = Source(tmp_path, {"kubeconfig": api.kubeconfig("ns"), "clusters": ["two", "tow"]}).read()
    assert list(inventory.hosts) == ["two-h-x1y2z"]
    assert said == ["No VMRayCluster is called 'tow'. There is: two, one."]


@pytest.mark.parametrize(("options", "expected"), [
    ({}, ["a", "b"]),
    ({"context": "a"}, ["a"]),
    ({"context": "sv"}, ["a", "b"]),
    ({"namespaces": ["c", "c"]}, ["c"]),
    ({"namespaces": "c"}, ["c"]),
])
def test_namespaces(api: Api, tmp_path: pathlib.Path, options: dict, expected: list[str]) -> None:
    api.lists = {"a": [], "b": [], "c": []}
    Source(tmp_path, {"kubeconfig": api.kubeconfig("a", "b"), **options}).read()
    assert [path.split("/")[5] for path in api.asked] == expected


def test_the_files_of_the_environment_are_found_and_merged(api: Api, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    api.lists = {"a": [], "b": []}
    document = api.kubeconfig("a", "b")
    (tmp_path / "whole").write_text(yaml.safe_dump(document))
    (tmp_path / "first").write_text(yaml.safe_dump({**document, "contexts": document["contexts"][:2]}))
    (tmp_path / "second").write_text(yaml.safe_dump({"contexts": document["contexts"][2:], "current-context": "b"}))
    for value in (tmp_path / "whole", f"{tmp_path}/first:{tmp_path}/second"):
        monkeypatch.setenv("K8S_AUTH_KUBECONFIG", str(value))
        Source(tmp_path, {}).read()
    assert [path.split("/")[5] for path in api.asked] == ["a", "b"] * 2


def test_an_address_and_a_token_of_the_environment(api: Api, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    api.lists = {"ns": [cluster()]}
    monkeypatch.setenv("K8S_AUTH_HOST", api.url)
    monkeypatch.setenv("K8S_AUTH_API_KEY", "planted-token")
    assert len(Source(tmp_path, {"namespaces": ["ns"]}).read().hosts) == 3
    assert api.tokens == {"Bearer planted-token"}


def test_a_supervisor_names_the_namespaces_of_its_user(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kube = Scripted([("list", ("VMRayCluster", "a"), []), ("list", ("VMRayCluster", "b"), [cluster(namespace="b")])])
    supervisor = Scripted([("workloads", (), [{"namespace": "b"}, {"namespace": "a"}])])
    monkeypatch.setattr(kube_client, "connect", lambda task: contextlib.nullcontext(kube))
    monkeypatch.setattr(supervisor_client, "connect", lambda task: contextlib.nullcontext(supervisor) if task.params["username"] == "me" else None)
    inventory = Source(tmp_path, {"supervisor": {"hostname": "sv", "username": "me", "password": "p"}}).read()
    assert len(inventory.hosts) == 3
    kube.done()
    supervisor.done()


def test_templates_are_filled_in(api: Api, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    api.lists = {"ns": [cluster()]}
    monkeypatch.setenv("RAY_API", api.url)
    options = {"host": "{{ lookup('ansible.builtin.env', 'RAY_API') }}", "api_key": "planted-{{ 'token' }}", "namespaces": ["ns"]}
    assert len(Source(tmp_path, options).read().hosts) == 3
    assert api.tokens == {"Bearer planted-token"}


def test_vaulted_values_are_opened(api: Api, tmp_path: pathlib.Path) -> None:
    """By the command, which alone knows the vault's password in ansible-core 2.19."""
    api.lists = {"ns": [cluster()], "other": []}
    (tmp_path / "password").write_text("open")
    sealed = VaultLib([("default", VaultSecret(b"open"))]).encrypt("planted-token").decode().replace("\n", "\n          ")
    document = yaml.safe_dump({"plugin": NAME, "kubeconfig": api.kubeconfig("ns")})
    vaulted = f"!vault |\n          {sealed}\n"
    sources = [Source(tmp_path, document.replace("planted-token", vaulted)),
               Source(tmp_path, f"plugin: {NAME}\nhost: {api.url}\nnamespaces: [other]\napi_key: {vaulted}", name="b.vmray_cluster.yml")]
    command = [sys.executable, "-m", "ansible", "inventory", "--list", "--vault-password-file", str(tmp_path / "password")]
    done = subprocess.run([*command, *(f"-i{source.path}" for source in sources)], capture_output=True, text=True, check=True, timeout=60,
                          env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": ":".join(AnsibleCollectionConfig.collection_paths)})
    hosts = json.loads(done.stdout)["_meta"]["hostvars"]
    assert hosts["ray-h-x1y2z"]["ansible_host"] == "192.0.2.11", "a plain text, as AWX wants it"
    assert len(hosts) == 3
    assert len(api.asked) == 2
    assert api.tokens == {"Bearer planted-token"}
    assert "planted-token" not in done.stdout + done.stderr


def refusal(code: int, reason: str, message: str) -> tuple[int, dict]:
    return code, {"kind": "Status", "code": code, "reason": reason, "message": message}


FORBIDDEN = refusal(403, "Forbidden", 'vmrayclusters is forbidden: User "me" cannot list resource')


@pytest.mark.parametrize(("answer", "words"), [
    (refusal(401, "Unauthorized", "Unauthorized"), ["The token has expired", "vcf.ray.supervisor_kubeconfig"]),
    (refusal(404, "NotFound", "the server could not find the requested resource"), ["The kind VMRayCluster is unknown", "supervisor_service_install"]),
    (FORBIDDEN, ["vmrayclusters is forbidden", "vcf.ray.namespace_access"]),
])
def test_what_the_api_server_refuses_is_said(api: Api, tmp_path: pathlib.Path, said: list[str], capsys: pytest.CaptureFixture, answer: tuple,
                                             words: list[str]) -> None:
    api.lists = {"ns": answer}
    assert not Source(tmp_path, {"kubeconfig": api.kubeconfig("ns")}).read().hosts
    assert len(api.asked) == 1
    text = spoken(said, capsys)
    assert [word for word in words if word not in text] == []
    assert "Traceback" not in text


def test_a_context_left_over_spoils_nothing_but_a_namespace_asked_for_does(api: Api, tmp_path: pathlib.Path, said: list[str],
                                                                           capsys: pytest.CaptureFixture) -> None:
    api.lists = {"gone": FORBIDDEN, "ns": [cluster()]}
    options = {"kubeconfig": api.kubeconfig("gone", "ns")}
    assert len(Source(tmp_path, options).read().hosts) == 3
    assert ["listing VMRayCluster objects in gone" in line for line in said] == [True]
    assert not Source(tmp_path, {**options, "namespaces": ["gone", "ns"]}).read().hosts
    assert "listing VMRayCluster objects in gone" in spoken(said[1:], capsys)


@pytest.mark.parametrize(("options", "words"), [
    ({"kubeconfig": "/nowhere/config"}, ["/nowhere/config", "supervisor_kubeconfig"]),
    ({"host": "http://127.0.0.1:9", "api_key": "t"}, ["in which namespaces", "namespaces"]),
    ({"namespace": ["ns"]}, ["has no option namespace.", "namespaces"]),
    ({"host": "http://127.0.0.1:9", "namespaces": ["ns"], "validate_certs": "perhaps"}, ["validate_certs"]),
])
def test_wrong_options_are_named(tmp_path: pathlib.Path, said: list[str], capsys: pytest.CaptureFixture, options: dict, words: list[str]) -> None:
    assert not Source(tmp_path, options).read().hosts
    text = spoken(said, capsys)
    assert [word for word in words if word not in text] == []


def test_an_unparsed_source_ends_the_run_where_ansible_is_told_so(api: Api, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    api.lists = {"ns": FORBIDDEN}
    monkeypatch.setattr(C, "INVENTORY_ANY_UNPARSED_IS_FAILED", True)
    with pytest.raises(AnsibleError):
        Source(tmp_path, {"kubeconfig": api.kubeconfig("ns")}).read()


@pytest.mark.parametrize(("name", "taken"), [
    ("ray.vmray_cluster.yml", True), ("ray.vmray_cluster.yaml", True), ("vmray_cluster.yml", True), ("ray.yml", False), ("myvmray_cluster.yml", False)])
def test_names_of_files(tmp_path: pathlib.Path, name: str, taken: bool) -> None:
    (tmp_path / name).write_text("{}")
    assert inventory_loader.get(NAME).verify_file(str(tmp_path / name)) is taken


@pytest.mark.parametrize("evil", ["{{ lookup('ansible.builtin.env', 'HOME') }}", "{% set x = 1 %}y", "#jinja2: variable_start_string: '['\n[ 1 + 1 ]]"])
def test_texts_of_the_api_are_no_templates(api: Api, tmp_path: pathlib.Path, evil: str) -> None:
    """Whoever may write a custom resource must not run anything where the inventory is read."""
    one = cluster()
    one["spec"]["common_node_config"]["vm_user"] = evil
    api.lists = {"ns": [one]}
    inventory = Source(tmp_path, {"kubeconfig": api.kubeconfig("ns")}).read()
    value = inventory.get_host("ray-h-x1y2z").get_vars()["ansible_user"]
    assert Templar(loader=DataLoader()).template(value) == evil


def test_the_options_are_those_of_the_modules() -> None:
    """The docs, by which ``ansible-inventory`` knows them, and ARGSPEC, by which they are checked, say the same."""
    path = pathlib.Path(inventory_loader.find_plugin(NAME))
    documented = get_docstring(str(path), fragment_loader, collection_name="vcf.ray", plugin_type="inventory")[0]["options"]
    for name, about in kube_client.ARGSPEC.items():
        option = documented[name]
        assert (option["type"], option.get("aliases", [])) == (about["type"], about.get("aliases", []))
        assert [e["name"] for e in option.get("env", [])] == (about["fallback"][1] if "fallback" in about else [])


def test_a_thousand_clusters_are_one_request(api: Api, tmp_path: pathlib.Path) -> None:
    api.lists = {"ns": [cluster(f"c{n}", workers=[f"c{n}-w-{m}" for m in range(2)]) for n in range(1000)]}
    inventory = Source(tmp_path, {"kubeconfig": api.kubeconfig("ns")}).read()
    assert len(inventory.hosts) == 3000
    assert len(api.asked) == 1
