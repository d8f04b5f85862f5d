# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import copy
import typing as t

import pytest

from ansible_collections.vcf.ray.plugins.module_utils import _password
from ansible_collections.vcf.ray.plugins.module_utils._errors import RayError
from ansible_collections.vcf.ray.plugins.module_utils._resources import vm_image, vmray_preflight
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


def test_what_the_namespace_lacks_is_listed_with_what_it_has() -> None:
    images = [{"metadata": {"name": "vmi-9"}, "status": {"name": "ubuntu"}}]
    kube = Scripted(
        [
            ("list", ("VirtualMachineImage", "ns"), images),
            ("names", ("VirtualMachineClass", "ns"), ["tiny"]),
            ("names", ("StorageClass",), ["slow"]),
            ("names", ("Secret", "ns"), ["c-hsecret", "c-ssh-key"]),
            ("names", ("ServiceAccount", "ns"), ["c"]),
        ]
    )
    faults = vmray_preflight.existing_faults(kube, "ns", "c", GOOD, finder(kube), new=True)
    kube.done()
    text = "; ".join(faults)
    assert len(faults) == 6
    for words in (
        "No image vmi-1",
        "ubuntu",
        "VM class big",
        "VM class small",
        "tiny",
        "storage class fast",
        "slow",
        "Secret c-hsecret",
        "ServiceAccount c exists",
    ):
        assert words in text
    assert "c-ssh-key" not in text


def test_what_the_user_may_not_read_is_left_to_the_server() -> None:
    no = RayError("forbidden", code="FORBIDDEN")
    kube = Scripted([("list", ..., no), ("names", ..., no), ("names", ..., no)])
    assert vmray_preflight.existing_faults(kube, "ns", "c", GOOD, finder(kube), new=False) == []
    kube.done()
