# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import base64
import copy
import typing as t

import pytest

from ansible_collections.vcf.ray.plugins.module_utils import _password
from ansible_collections.vcf.ray.plugins.module_utils._errors import RayError
from ansible_collections.vcf.ray.plugins.module_utils._resources import vm_image, vmray_preflight
from ansible_collections.vcf.ray.tests.unit.plugins.preflight_script import vm_class
from ansible_collections.vcf.ray.tests.unit.plugins.scripted import Scripted

GOOD = {
    "ray_docker_image": "registry.example:5000/ray/ray:2.60.0",
    "api_server": {"location": "10.0.0.1:6443"},
    "head_node": {"node_type": "h", "port": 6379},
    "common_node_config": {
        "vm_image": "vmi-1",
        "storage_class": "fast",
        "vm_user": "ray",
        "vm_password_salt_hash": _password.hashed("x"),
        "max_workers": 3,
        "idle_timeout_minutes": 5,
        "available_node_types": {
            "h": {"vm_class": "small", "min_workers": 0, "max_workers": 0, "resources": {}},
            "w": {"vm_class": "big", "min_workers": 2, "max_workers": 3, "resources": {"cpu": 1, "memory": 1024}},
        },
    },
}


def test_a_good_spec_has_no_faults() -> None:
    assert vmray_preflight.spec_faults("test-ray", GOOD) == []
    assert vmray_preflight.warnings(GOOD) == []


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("head_node.port", None, "head.port"),
        ("head_node.port", 8265, "the dashboard"),
        ("head_node.port", 10001, "Ray clients"),
        ("head_node.port", 70000, "65535"),
        ("head_node.node_type", "nope", "is not among the node types"),
        ("common_node_config.max_workers", 2, "is more than max_workers 2"),
        ("common_node_config.max_workers", 1, "add up to 2"),
        ("common_node_config.max_workers", True, "whole number"),
        ("common_node_config.available_node_types.w.min_workers", 4, "more than its max_workers 3"),
        ("common_node_config.available_node_types.w.vm_class", "", "no vm_class"),
        ("common_node_config.available_node_types.w.resources.gpu", 256, "0 to 255"),
        ("common_node_config.available_node_types.w.resources.memory", "lots", "4Gi"),
        ("common_node_config.vm_user", "root", "not root"),
        ("common_node_config.vm_password_salt_hash", "secret", "no SHA-512"),
        ("common_node_config.vm_image", None, "option image"),
        ("common_node_config.initialization_commands", ["echo 'x'"], "single quote"),
        ("api_server.location", "https://10.0.0.1", "without a scheme"),
        ("api_server.ca_cert", "abc", "must stay empty"),
        ("ray_docker_image", "Foo Bar", "no reference"),
    ],
)
def test_each_fault_is_named(path: str, value: object, words: str) -> None:
    spec = copy.deepcopy(GOOD)
    *parents, last = path.split(".")
    place = spec
    for key in parents:
        place = place[key]
    place[last] = value
    assert words in "; ".join(vmray_preflight.spec_faults("test-ray", spec))


@pytest.mark.parametrize(("name", "good"), [("a", True), ("a-1", True), ("1a", False), ("a-", False), ("A", False), ("a" * 52, True), ("a" * 53, False)])
def test_names(name: str, good: bool) -> None:
    assert (vmray_preflight.spec_faults(name, GOOD) == []) is good


def test_all_faults_come_at_once() -> None:
    assert len(vmray_preflight.spec_faults("Bad", {})) >= 9


@pytest.mark.parametrize("image", ["rayproject/ray", "rayproject/ray:latest"])
def test_an_image_without_a_fixed_tag_is_warned_of(image: str) -> None:
    assert "no fixed tag" in vmray_preflight.warnings({**GOOD, "ray_docker_image": image})[0]


def finder(kube: Scripted) -> t.Callable[[str], dict]:
    return lambda wanted: vm_image.only(kube.list("VirtualMachineImage", "ns"), wanted, "ns")


GOOD_IMAGE = ("list", ("VirtualMachineImage", "ns"), [{"metadata": {"name": "vmi-1"}, "status": {"name": "ubuntu"}}])
CLASSES = ("list", ("VirtualMachineClass", "ns"), [vm_class("small"), vm_class("big")])
STORAGE = ("names", ("StorageClass",), ["fast"])
NO_QUOTA = ("list", ("ResourceQuota", "ns"), [])
NO = RayError("forbidden", code="FORBIDDEN")


def faults(*script: tuple, spec: dict | None = None, new: bool = False, **more: t.Any) -> tuple[list[str], list[str]]:
    """Faults and notes of a cluster c, by exactly these requests."""
    kube, notes = Scripted(list(script)), []
    found = vmray_preflight.existing_faults(kube, "ns", "c", spec or GOOD, finder(kube), new=new, notes=notes, **more)
    kube.done()
    return found, notes


def changed(**fields: t.Any) -> dict:
    return {**GOOD, "common_node_config": {**GOOD["common_node_config"], **fields}}


def test_what_the_namespace_lacks_is_listed_with_what_it_has() -> None:
    found, notes = faults(
        ("list", ("VirtualMachineImage", "ns"), [{"metadata": {"name": "vmi-9"}, "status": {"name": "ubuntu"}}]),
        ("list", ("VirtualMachineClass", "ns"), [vm_class("tiny")]), ("names", ("StorageClass",), ["slow"]), NO_QUOTA,
        ("names", ("Secret", "ns"), ["c-hsecret", "c-ssh-key", "c-tls", "c-docker-auth"]),
        ("names", ("VirtualMachine", "ns"), ["c-h-abcde", "c-w-12345678", "c-2-h-abcde", "c-h-w-12345678"]),
        ("names", ("VirtualMachineService", "ns"), ["c-h-abcde"]), ("names", ("ServiceAccount", "ns"), ["c"]),
        ("names", ("Role", "ns"), NO), ("names", ("RoleBinding", "ns"), ["c"]), new=True)
    assert len(found) == 6
    text = "; ".join(found)
    for words in ("No image vmi-1", "ubuntu", "VM class big", "VM class small", "there are: tiny", "storage class fast does not exist (there are: slow)",
                  "Secret c-hsecret, c-tls, VirtualMachine c-h-abcde, VirtualMachine c-w-12345678, VirtualMachineService c-h-abcde; state: absent with",
                  "a ServiceAccount and a RoleBinding c exists"):
        assert words in text
    assert "c-ssh-key" not in text and notes == ["Secret c-ssh-key is there already: cluster c uses it as it is, and it is removed with the cluster."]


def test_what_the_user_may_not_read_is_left_to_the_server() -> None:
    spec = {**changed(network={"interfaces": [{"name": "eth0", "network": {"apiVersion": "vmware.com/v1alpha1"}}]}),
            "docker_config": {"auth_secret_name": "pull"}}
    refused = [(method, ..., NO) for method in ("list", "list", "names", "list", "apis", "get", *["names"] * 6)]
    assert faults(*refused, spec=spec, new=True) == ([], [])


def test_an_image_that_is_not_ready_is_told_with_its_reason() -> None:
    bad = {"metadata": {"name": "vmi-1"}, "status": {"conditions": [{"type": "Ready", "status": "False", "reason": "NotSynced", "message": "wait"}]}}
    assert faults(("list", ..., [bad]), CLASSES, STORAGE, NO_QUOTA)[0] == ["image vmi-1 is not ready: Ready: NotSynced wait"]


def quota(hard: dict, used: dict | None = None) -> tuple:
    return ("list", ("ResourceQuota", "ns"), [{"metadata": {"name": "q"}, "spec": {"hard": hard}, "status": {"hard": hard, "used": used or {}}}])


KEY = "storageclass.storage.k8s.io/requests.storage"


@pytest.mark.parametrize(("hard", "words"), [
    ({f"fast.{KEY}": "1024Mi", f"slow.{KEY}": "0"}, []),
    ({"limits.cpu": "1k"}, []),
    ({f"slow.{KEY}": "9223372036854775807"}, ["storage class fast is not assigned to namespace ns (there are: slow)"]),
    ({f"fast.{KEY}": "0"}, ["storage class fast has a quota of 0 in namespace ns"]),
])
def test_a_storage_class_must_be_given_to_the_namespace(hard: dict, words: list[str]) -> None:
    assert faults(GOOD_IMAGE, CLASSES, STORAGE, quota(hard)) == (words, [])


def test_quotas_are_held_against_head_and_least_workers() -> None:
    nothing = [("names", ..., []) for kind in range(6)]
    hard = {"limits.cpu": "8", "limits.memory": "16Gi", "count/virtualmachines.vmoperator.vmware.com": "5"}
    script = [GOOD_IMAGE, CLASSES, STORAGE]
    assert faults(*script, quota(hard), *nothing, new=True) == ([], [])
    used = {"limits.cpu": "2500m", "limits.memory": "8Gi", "count/virtualmachines.vmoperator.vmware.com": "3"}
    found, notes = faults(*script, quota(hard, used), *nothing, new=True)
    assert found == ["the head and the least number of workers are 3 virtual machines, and quota q leaves 2"]
    assert [n.split(":")[0] for n in notes] == [
        "The head and the least number of workers need 6 of cores, and quota q (limits.cpu) leaves 5.5",
        "The head and the least number of workers need 12288 MiB of memory, and quota q (limits.memory) leaves 8192 MiB"]
    assert faults(*script, quota(hard, used)) == ([], []), "the machines of a cluster that lives are in the count"


def test_a_network_must_be_of_an_api_that_is_served() -> None:
    spec = changed(network={"interfaces": [{"name": "eth0", "network": {"apiVersion": "vmware.com/v1alpha1", "kind": "VirtualNetwork", "name": ""}}]})
    script = [GOOD_IMAGE, CLASSES, STORAGE, NO_QUOTA]
    assert faults(*script, ("apis", (), {"vmware.com/v1alpha1"}), spec=spec) == ([], [])
    assert "interface eth0 wants a VirtualNetwork of vmware.com/v1alpha1" in faults(*script, ("apis", (), {"apps/v1"}), spec=spec)[0][0]


def encoded(**texts: str) -> dict:
    return {"data": {key: base64.b64encode(text.encode()).decode() for key, text in texts.items()}}


@pytest.mark.parametrize(("secret", "words"), [
    (None, ["docker_secret pull does not exist in namespace ns"]),
    (encoded(username="me"), ["docker_secret pull lacks password"]),
    (encoded(username="robot_a@corp", password="Abc-123=/+", registry="registry.example.com:5000/ray"), []),
    (encoded(username="me", password="VMware1!"), []),
    (encoded(username="me", password="a~b#c^d"), []),
    (encoded(username="me", password="end:"), ["docker_secret pull: password may have"]),
    (encoded(username="me", password="~home"), ["docker_secret pull: password may have"]),
    (encoded(username="me", password="two words"), ["docker_secret pull: password may have"]),
    (encoded(username="$USER", password="-x", registry="a;b"), ["docker_secret pull: username and password and registry may have"]),
])
def test_the_login_of_the_registry_must_survive_a_shell_and_is_not_shown(secret: dict | None, words: list[str]) -> None:
    spec = {**GOOD, "docker_config": {"auth_secret_name": "pull"}}
    found, notes = faults(GOOD_IMAGE, CLASSES, STORAGE, NO_QUOTA, ("get", ("Secret", "pull", "ns"), secret), spec=spec)
    assert len(found) == len(words) and all(sentence.startswith(start) for sentence, start in zip(found, words))
    assert "two words" not in str(found)


def test_a_login_that_the_same_task_stores_is_looked_at_instead_of_its_secret() -> None:
    spec = {**GOOD, "docker_config": {"auth_secret_name": "c-docker-auth"}}
    script = [GOOD_IMAGE, CLASSES, STORAGE, NO_QUOTA]
    assert faults(*script, spec=spec, docker_auth={"username": "me", "password": "good", "registry": None}) == ([], [])
    assert faults(*script, spec=spec, docker_auth={"username": "me", "password": "a'b"})[0][0].startswith("docker_auth: password may have")


@pytest.mark.parametrize(("image", "fault", "warned"), [
    ("rayproject/ray:2.60.0-py311", "", ""),
    ("rayproject/ray:2.44.1", "too old", ""),
    ("registry.example.com/mirror/rayproject/ray-ml:2.9.3-gpu", "too old", ""),
    ("rayproject/ray:2.45.0", "", "CVE-2026-27482"),
    ("rayproject/ray:2.53.0-py312-cu121", "", "CVE-2026-27482"),
    ("registry.example.com/team/ray:1.4", "", "If the tag"),
    ("registry.example.com/team/model:1.4", "", ""),
    ("rayproject/ray:latest-gpu", "", "no fixed tag"),
    ("rayproject/ray:nightly", "", "no fixed tag"),
    ("rayproject/ray:latest@sha256:" + "a" * 64, "", ""),
    ("rayproject/ray:1b2c3d4", "", ""),
])
def test_a_ray_that_cannot_scale_is_refused_and_one_with_a_known_hole_is_warned_of(image: str, fault: str, warned: str) -> None:
    spec = {**GOOD, "ray_docker_image": image}
    for found, words in ((vmray_preflight.spec_faults("c", spec), fault), (vmray_preflight.warnings(spec), warned)):
        assert len(found) == bool(words) and words in "".join(found)


def test_what_has_no_effect_is_warned_of() -> None:
    spec = copy.deepcopy(GOOD)
    spec["head_node"]["setup_commands"], spec["common_node_config"]["setup_commands"] = ["a"], ["b"]
    types = spec["common_node_config"]["available_node_types"]
    types["h"]["resources"], types["w"]["resources"] = {"cpu": 0}, {"cpu": 4}
    types["none"] = {"vm_class": "big", "min_workers": 0, "max_workers": 3, "resources": {"memory": 5}}
    found = vmray_preflight.warnings(spec, ["and more"])
    assert [words in sentence for words, sentence in zip(
        ["min_workers 0 (none)", "Without resources.memory the workers of w ", "resources of the head's",
         "setup_commands and head.setup_commands are never run", "and more"], found)] == [True] * 5


def test_a_refusal_of_the_webhook_is_told_with_the_fields_that_there_are() -> None:
    text = vmray_preflight.plain('RayCluster.ray.io "c" is invalid: spec.image: Invalid value: "A": regex; spec.common_node_config.node_types.w: min')
    assert text == ('VMRayCluster "c" is invalid: spec.ray_docker_image (option ray_image): Invalid value: "A": regex; '
                    "spec.common_node_config.available_node_types.w: min")
