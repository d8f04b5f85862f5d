# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The operator's passes over a cluster, against an API server of dictionaries."""

from __future__ import annotations

import asyncio
import base64
import copy
from collections.abc import Coroutine

import pytest
import yaml

from vcf_lab.kube import KubeError
from vcf_lab.rayoperator import (
    CLUSTERS,
    FINALIZER,
    HEAD_LABEL,
    NOUNCE_LABEL,
    STORAGE_CLASSES,
    VIRTUAL_MACHINE_CLASSES,
    VIRTUAL_MACHINE_IMAGES,
    VIRTUAL_MACHINE_SERVICES,
    VIRTUAL_MACHINES,
    head_name,
    objects,
)
from vcf_lab.rayoperator.reconcile import difference, reconcile
from vcf_lab.rayoperator.workqueue import Pace, WorkQueue

NS = "team"


def merge(target: dict, change: dict) -> dict:
    """RFC 7386."""
    result = dict(target)
    for key, value in change.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict):
            old = result.get(key)
            result[key] = merge(old if isinstance(old, dict) else {}, value)
        else:
            result[key] = value
    return result


class FakeKube:
    """As much of an API server as the operator needs; `refuse` names calls that fail."""

    def __init__(self) -> None:
        self.store: dict[tuple[str, str], dict] = {}
        self.refuse: dict[tuple[str, str], KubeError] = {}
        self.deleted: list[str] = []
        self.writes = 0
        self.tokens = 0

    async def get(self, kind: str, name: str, namespace: str | None = None) -> dict | None:
        return copy.deepcopy(self.store.get((kind, name)))

    async def create(self, obj: dict) -> dict:
        key = (f"{obj['apiVersion']}/{obj['kind']}", obj["metadata"]["name"])
        if ("create", key[0]) in self.refuse:
            raise self.refuse["create", key[0]]
        if key in self.store:
            raise KubeError(409, "AlreadyExists", f"{key[1]} already exists")
        self.store[key] = copy.deepcopy(obj)
        return obj

    async def patch(
        self, kind: str, name: str, body: dict, namespace: str | None = None, subresource: str | None = None
    ) -> dict:
        self.writes += 1
        changed = self.store[kind, name] = merge(self.store[kind, name], body)
        metadata = changed["metadata"]
        if metadata.get("deletionTimestamp") and not metadata.get("finalizers"):
            del self.store[kind, name]
        return copy.deepcopy(changed)

    async def delete(self, kind: str, name: str, namespace: str | None = None) -> None:
        if ("delete", kind) in self.refuse:
            raise self.refuse["delete", kind]
        self.deleted.append(f"{kind.rpartition('/')[2]}/{name}")
        self.store.pop((kind, name), None)

    async def request(self, method: str, path: str, *, body: dict) -> dict:
        assert path.endswith("/serviceaccounts/demo/token")
        assert body["spec"]["expirationSeconds"] == 648000
        self.tokens += 1
        return {"status": {"token": f"token-{self.tokens}"}}

    # what users and VM Operator do
    def put(self, kind: str, name: str, **content: object) -> dict:
        self.store[kind, name] = {"metadata": {"name": name, "namespace": NS}, **content}
        return self.store[kind, name]

    @property
    def cluster(self) -> dict:
        return self.store[CLUSTERS, "demo"]

    @property
    def status(self) -> dict:
        return self.cluster.get("status", {})

    @property
    def head(self) -> str:
        return head_name(self.cluster)

    def names(self, kind: str) -> set[str]:
        return {name for each, name in self.store if each == kind}

    def give_service_address(self) -> None:
        service = self.store[VIRTUAL_MACHINE_SERVICES, self.head]
        service["status"] = {"loadBalancer": {"ingress": [{"ip": "10.244.1.3"}]}}

    def give_address(self, machine: str, address: str | None = "10.244.0.11") -> None:
        self.store[VIRTUAL_MACHINES, machine]["status"] = {"network": {"primaryIP4": address}}


def run(work: Coroutine) -> object:
    return asyncio.run(work)


def one_pass(kube: FakeKube) -> float | None:
    return run(reconcile(kube, NS, "demo"))


def passes(kube: FakeKube) -> float | None:
    """As many passes as the operator's own status writes cause."""
    for _ in range(10):
        before = kube.writes
        again = one_pass(kube)
        if kube.writes == before:
            return again
    raise AssertionError("a hot loop")


@pytest.fixture(autouse=True)
def quick_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objects, "_make_ca", lambda: ("CERT", "KEY"))


@pytest.fixture
def kube() -> FakeKube:
    fake = FakeKube()
    fake.put(VIRTUAL_MACHINE_IMAGES, "vmi-0")
    fake.put(VIRTUAL_MACHINE_CLASSES, "small")
    fake.put(STORAGE_CLASSES, "gold")
    common = {
        "vm_image": "vmi-0",
        "storage_class": "gold",
        "vm_user": "ray-vm",
        "vm_password_salt_hash": "$6$salt$hash",
        "max_workers": 3,
        "available_node_types": {
            "head": {"vm_class": "small", "min_workers": 0, "max_workers": 0, "resources": {}},
            "worker": {"vm_class": "small", "min_workers": 1, "max_workers": 3, "resources": {}},
        },
    }
    spec = {
        "ray_docker_image": "ray:1",
        "api_server": {"location": "10.244.1.2"},
        "head_node": {"node_type": "head", "port": 6379},
        "common_node_config": common,
    }
    fake.put(CLUSTERS, "demo", spec=spec)
    return fake


@pytest.fixture
def running(kube: FakeKube) -> FakeKube:
    passes(kube)
    kube.give_service_address()
    passes(kube)
    kube.give_address(kube.head)
    passes(kube)
    return kube


def desire(kube: FakeKube, **workers: str | None) -> None:
    spec = {"autoscaler_desired_workers": workers}
    kube.store[CLUSTERS, "demo"] = merge(kube.cluster, {"spec": spec})


def reasons(kube: FakeKube) -> list[tuple[str, str]]:
    return [(each["type"], each["message"]) for each in kube.status["conditions"]]


def user_data(kube: FakeKube, name: str) -> str:
    data = kube.store["v1/Secret", name]["data"]["user-data"]
    return base64.b64decode(base64.b64decode(data)).decode()


def test_what_is_missing_is_told_and_polled_for(kube: FakeKube) -> None:
    del kube.store[VIRTUAL_MACHINE_IMAGES, "vmi-0"]
    del kube.store[STORAGE_CLASSES, "gold"]
    assert passes(kube) == 60
    assert kube.status["cluster_state"] == "unhealthy"
    assert reasons(kube) == [
        ("InvalidVirtualMachineImage", 'VirtualMachineImage.vmoperator.vmware.com "vmi-0" not found'),
        ("InvalidStorageClass", 'StorageClass.storage.k8s.io "gold" not found'),
    ]
    assert {each["status"] for each in kube.status["conditions"]} == {"False"}
    assert kube.names("v1/Secret") == {"demo-root-cert"}  # made before anything is checked


def test_finalizer_and_nounce_come_together(kube: FakeKube) -> None:
    one_pass(kube)
    metadata = kube.cluster["metadata"]
    assert metadata["finalizers"] == [FINALIZER]
    assert len(metadata["labels"][NOUNCE_LABEL]) == 5
    del metadata["labels"][NOUNCE_LABEL]
    one_pass(kube)
    assert NOUNCE_LABEL not in kube.cluster["metadata"]["labels"]
    assert kube.head == "demo-h"


def test_a_nounce_of_the_client_is_kept(kube: FakeKube) -> None:
    kube.cluster["metadata"]["labels"] = {NOUNCE_LABEL: "abcdefgh"}
    one_pass(kube)
    assert kube.head == "demo-h-abcdefgh"


def test_the_head_waits_for_the_address_of_its_service(kube: FakeKube) -> None:
    one_pass(kube)
    assert (kube.status["cluster_state"], kube.status["conditions"]) == ("healthy", [])
    assert passes(kube) == 15
    assert reasons(kube) == [("HeadNodeReady", "Head node VM service IP is not assigned")]
    assert not kube.names(VIRTUAL_MACHINES)
    service = kube.store[VIRTUAL_MACHINE_SERVICES, kube.head]["spec"]
    assert sorted(port["port"] for port in service["ports"]) == [22, 6379, 8265, 10001]
    assert service["selector"] == {HEAD_LABEL: kube.head}


def test_the_head_gets_its_machine_and_secrets(kube: FakeKube) -> None:
    passes(kube)
    kube.give_service_address()
    assert passes(kube) == 60
    assert kube.status["head_node_status"] == {"vm_status": "initialized"}
    assert kube.status["vm_service_status"] == {"ip": "10.244.1.3"}
    machine = kube.store[VIRTUAL_MACHINES, kube.head]
    assert machine["metadata"]["labels"] == {HEAD_LABEL: kube.head}
    assert machine["spec"]["bootstrap"]["cloudInit"]["rawCloudConfig"] == {"name": "demo-hsecret", "key": "user-data"}
    assert kube.names("v1/Secret") == {"demo-root-cert", "demo-ssh-key", "demo-hsecret"}
    assert yaml.safe_load(user_data(kube, "demo-hsecret"))["users"][0]["name"] == "ray-vm"


def test_an_address_makes_it_running_without_a_look_at_ray(running: FakeKube) -> None:
    head = running.status["head_node_status"]
    assert (head["ip"], head["vm_status"], head["ray_status"]) == ("10.244.0.11", "running", "running")
    assert passes(running) == 60


def test_the_address_takes_two_passes(kube: FakeKube) -> None:
    passes(kube)
    kube.give_service_address()
    passes(kube)
    kube.give_address(kube.head)
    one_pass(kube)
    assert kube.status["head_node_status"]["ray_status"] == "initialized"
    one_pass(kube)
    assert kube.status["head_node_status"]["ray_status"] == "running"


def test_user_data_is_never_written_again(running: FakeKube) -> None:
    before = copy.deepcopy(running.store["v1/Secret", "demo-hsecret"])
    running.cluster["spec"]["ray_docker_image"] = "ray:2"
    del running.store[VIRTUAL_MACHINES, running.head]
    passes(running)
    assert running.head in running.names(VIRTUAL_MACHINES)  # deployed again, same name
    assert running.store["v1/Secret", "demo-hsecret"] == before
    assert running.tokens == 1


def test_a_head_whose_secrets_went_first_is_made_of_the_spec_as_it_is(running: FakeKube) -> None:
    """The way to a new token and to what is frozen else: name, service, key and authority stay."""
    desire(running, **{"demo-w-one": "worker"})
    passes(running)
    running.give_address("demo-w-one", "10.244.0.12")
    passes(running)
    kept = {name: copy.deepcopy(running.store["v1/Secret", name]) for name in ("demo-ssh-key", "demo-root-cert")}
    head, service = running.head, copy.deepcopy(running.store[VIRTUAL_MACHINE_SERVICES, running.head])
    running.cluster["spec"]["ray_docker_image"] = "ray:2"
    for name in ("demo-hsecret", "demo-wsecret"):
        del running.store["v1/Secret", name]
    passes(running)
    assert running.names("v1/Secret") == set(kept), "nobody misses them while the head runs"
    del running.store[VIRTUAL_MACHINES, head]
    # What the head desired is looked after only when the next one runs.
    desire(running, **{"demo-w-one": None})
    passes(running)
    assert (running.head, running.status["vm_service_status"]) == (head, {"ip": "10.244.1.3"})
    assert {head, "demo-w-one"} <= running.names(VIRTUAL_MACHINES)
    assert running.store[VIRTUAL_MACHINE_SERVICES, head] == service
    assert "ray:2" in user_data(running, "demo-hsecret") and "SVC_ACCOUNT_TOKEN=token-2" in user_data(running, "demo-hsecret")
    running.give_address(head, "10.244.0.13")
    desire(running, **{"demo-w-two": "worker"})
    passes(running)
    assert running.names(VIRTUAL_MACHINES) == {head, "demo-w-two"}
    assert "demo-wsecret" in running.names("v1/Secret")
    assert {name: running.store["v1/Secret", name] for name in kept} == kept


def test_a_lost_head_goes_through_failure(running: FakeKube) -> None:
    del running.store[VIRTUAL_MACHINES, running.head]
    assert one_pass(running) == 15
    assert running.status["head_node_status"]["vm_status"] == "failure"
    assert running.status["cluster_state"] == "unhealthy"
    one_pass(running)
    assert running.status["cluster_state"] == "healthy"
    assert running.status["head_node_status"] == {}
    one_pass(running)
    assert running.status["head_node_status"] == {"vm_status": "initialized"}


def test_a_lost_address(running: FakeKube) -> None:
    running.give_address(running.head, None)
    assert one_pass(running) == 15
    assert reasons(running) == [("HeadNodeReady", f"primary IPv4 not found for {running.head} Node")]
    one_pass(running)
    assert running.status["head_node_status"]["vm_status"] == "initialized"


def test_workers_come_and_go(running: FakeKube) -> None:
    desire(running, **{"demo-w-one": "worker", "demo-w-two": "worker"})
    passes(running)
    assert running.names(VIRTUAL_MACHINES) == {running.head, "demo-w-one", "demo-w-two"}
    assert "labels" not in running.store[VIRTUAL_MACHINES, "demo-w-one"]["metadata"]
    running.give_address("demo-w-one", "10.244.0.12")
    passes(running)
    workers = running.status["current_workers"]
    assert workers["demo-w-one"] == {"ip": "10.244.0.12", "vm_status": "running", "ray_status": "running"}
    assert workers["demo-w-two"] == {"vm_status": "initialized"}
    desire(running, **{"demo-w-one": None})
    passes(running)
    assert set(running.status["current_workers"]) == {"demo-w-two"}
    assert "demo-w-one" not in running.names(VIRTUAL_MACHINES)


def test_an_unknown_node_type_flips_for_ever(running: FakeKube) -> None:
    desire(running, bad="nope")
    seen = []
    for _ in range(4):
        one_pass(running)
        seen.append((running.status["cluster_state"], running.status["current_workers"]["bad"].get("vm_status")))
    assert seen == [("unhealthy", "failure"), ("healthy", None)] * 2


def test_worker_failures_above_the_minimum_are_silent(running: FakeKube) -> None:
    desire(running, one="nope", two="nope")
    for _ in range(6):
        one_pass(running)
    assert len(running.status["current_workers"]) == 2
    one_pass(running)
    assert (running.status["cluster_state"], running.status["conditions"]) == ("healthy", [])


def test_a_missing_registry_secret_flips_and_mints_tokens(kube: FakeKube) -> None:
    kube.cluster["spec"]["docker_config"] = {"auth_secret_name": "registry"}
    passes(kube)
    kube.give_service_address()
    one_pass(kube)
    assert reasons(kube) == [("HeadNodeReady", 'Secret "registry" not found')]
    assert kube.status["head_node_status"] == {"vm_status": "failure"}
    one_pass(kube)
    one_pass(kube)
    assert kube.tokens == 2
    kube.put("v1/Secret", "registry", data={"username": "bWU="})
    one_pass(kube)
    one_pass(kube)
    assert reasons(kube) == [("HeadNodeReady", "missing `password` key in secret registry")]


def test_the_words_of_vm_operator_are_passed_on(kube: FakeKube) -> None:
    kube.refuse["create", VIRTUAL_MACHINES] = KubeError(403, "Forbidden", "exceeded quota: memory")
    passes(kube)
    kube.give_service_address()
    one_pass(kube)
    assert reasons(kube) == [("HeadNodeReady", "exceeded quota: memory")]


def test_delete_in_order(running: FakeKube) -> None:
    desire(running, **{"demo-w-one": "worker"})
    passes(running)
    head = running.head
    running.put(VIRTUAL_MACHINES, "stranger")
    running.cluster["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert one_pass(running) is None
    assert running.deleted == [
        *(f"Secret/demo-{suffix}" for suffix in ("ssh-key", "wsecret", "root-cert", "tls", "hsecret")),
        "RoleBinding/demo",
        "Role/demo",
        "ServiceAccount/demo",
        f"VirtualMachineService/{head}",
        f"VirtualMachine/{head}",
        "VirtualMachine/demo-w-one",
    ]
    assert (CLUSTERS, "demo") not in running.store
    assert running.names(VIRTUAL_MACHINES) == {"stranger"}


def test_refused_deletes_pile_up_and_keep_the_finalizer(running: FakeKube) -> None:
    running.cluster["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    running.refuse["delete", VIRTUAL_MACHINE_SERVICES] = KubeError(500, "InternalError", "no")
    assert [one_pass(running), one_pass(running)] == [60, 60]
    assert [each["reason"] for each in running.status["conditions"]] == ["FailureToDeleteHeadNode"] * 2
    assert running.cluster["metadata"]["finalizers"] == [FINALIZER]


def test_difference_is_a_merge_patch() -> None:
    old = {"a": {"b": 1, "c": 2}, "d": [1], "e": {}}
    new = {"a": {"b": 1}, "d": [], "f": {"g": {}}}
    assert difference(old, new) == {"e": None, "a": {"c": None}, "d": [], "f": {"g": {}}}
    assert merge(old, difference(old, new)) == new


def test_queue_holds_a_key_once_and_takes_the_earlier_time() -> None:
    async def work() -> None:
        queue, key = WorkQueue(), (NS, "demo")
        queue.add(key)
        queue.add(key)
        assert await queue.get() == key
        queue.add_after(key, 60)
        queue.add_after(key, 0.01)
        queue.add_after(key, 30)
        assert await asyncio.wait_for(queue.get(), 1) == key
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(queue.get(), 0.05)

    run(work())


def test_pace_holds_back_after_the_burst() -> None:
    async def work() -> float:
        pace, start = Pace(rate=100, burst=2), asyncio.get_running_loop().time()
        for _ in range(6):
            await pace.wait()
        return asyncio.get_running_loop().time() - start

    assert 0.03 < run(work()) < 1
