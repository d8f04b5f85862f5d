# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the operator's webhooks add, refuse and say."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest

from vcf_lab.rayoperator.admission import mutate, validate

SPEC = {
    "ray_docker_image": "rayproject/ray:2.60.0",
    "api_server": {"location": "10.244.1.2"},
    "head_node": {"node_type": "head", "port": 6379},
    "worker_node": {},
    "common_node_config": {
        "vm_image": "vmi-0",
        "storage_class": "gold",
        "vm_user": "ray-vm",
        "vm_password_salt_hash": "$6$salt$hash",
        "max_workers": 3,
        "available_node_types": {
            "head": {"vm_class": "small", "min_workers": 0, "max_workers": 0, "resources": {}},
            "worker": {"vm_class": "small", "min_workers": 1, "max_workers": 3, "resources": {"cpu": 2}},
        },
    },
    "enable_tls": True,
    "docker_config": {"auth_secret_name": ""},
}

Change = Callable[[dict], object]


def request(change: Change | None = None, name: str = "demo") -> dict:
    spec = copy.deepcopy(SPEC)
    if change:
        change(spec)
    return {"object": {"metadata": {"name": name}, "spec": spec}}


def types(spec: dict) -> dict:
    return spec["common_node_config"]["available_node_types"]


def test_a_complete_spec_is_not_changed() -> None:
    assert mutate(request()) == {"allowed": True}
    assert validate(request()) == {"allowed": True}


@pytest.mark.parametrize(
    ("change", "operation"),
    [
        (lambda s: s.pop("worker_node"), {"op": "add", "path": "/spec/worker_node", "value": {}}),
        (
            lambda s: s.pop("docker_config"),
            {"op": "add", "path": "/spec/docker_config", "value": {"auth_secret_name": ""}},
        ),
        (
            lambda s: types(s)["head"].pop("min_workers"),
            {"op": "add", "path": "/spec/common_node_config/available_node_types/head/min_workers", "value": 0},
        ),
        (
            lambda s: types(s)["head"].pop("resources"),
            {"op": "add", "path": "/spec/common_node_config/available_node_types/head/resources", "value": {}},
        ),
        (lambda s: s["head_node"].pop("port"), {"op": "add", "path": "/spec/head_node/port", "value": None}),
        (
            lambda s: s["common_node_config"].pop("available_node_types"),
            {"op": "add", "path": "/spec/common_node_config/available_node_types", "value": None},
        ),
        (lambda s: s.pop("ray_docker_image"), {"op": "add", "path": "/spec/ray_docker_image", "value": ""}),
    ],
)
def test_missing_fields_are_written_with_their_empty_value(change: Change, operation: dict) -> None:
    assert mutate(request(change)) == {"allowed": True, "patch": [operation]}


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (
            lambda s: s["common_node_config"].update(max_workers=-1),
            ("json: cannot unmarshal number -1 into Go struct field "
            "CommonNodeConfig.spec.common_node_config.max_workers of type uint"),
        ),
        (lambda s: types(s)["worker"]["resources"].update(cpu=256), "cannot unmarshal number 256 into"),
        (lambda s: types(s)["worker"]["resources"].update(gpu=-1), "resources.gpu of type uint8"),
        (lambda s: types(s)["worker"]["resources"].update(memory="16Gi"), "cannot unmarshal string into"),
        (lambda s: s["head_node"].update(port="6379"), "spec.head_node.port of type uint"),
        (lambda s: s["head_node"].update(port=1.5), "cannot unmarshal number 1.5 into"),
        (lambda s: s.update(enable_tls="yes"), "spec.enable_tls of type bool"),
        (lambda s: s.update(worker_node=[]), "cannot unmarshal array into"),
        (lambda s: s["worker_node"].update(setup_commands="ls"), "of type []string"),
    ],
)
def test_values_that_do_not_fit_are_a_bad_request(change: Change, text: str) -> None:
    answer = mutate(request(change))
    assert not answer["allowed"]
    assert answer["status"]["code"] == 400
    assert text in answer["status"]["message"]


@pytest.mark.parametrize(
    ("change", "field", "value"),
    [
        (lambda s: types(s)["worker"].update(min_workers=4), "spec.common_node_config.node_types.worker", "worker"),
        (lambda s: types(s)["worker"].update(max_workers=4), "spec.common_node_config.node_types.worker", "worker"),
        (lambda s: types(s)["head"].update(max_workers=4), "spec.common_node_config.node_types.head", "head"),
        (lambda s: s["head_node"].update(node_type="other"), "spec.head_node", "node_type"),
        (
            lambda s: types(s).update(more={"vm_class": "small", "min_workers": 3, "max_workers": 3}),
            "spec.common_node_config",
            "min_workers",
        ),
        (lambda s: s.update(ray_docker_image=""), "spec.image", ""),
        (lambda s: s.update(ray_docker_image="Ray:1"), "spec.image", "Ray:1"),
        (lambda s: s.update(ray_docker_image="ray:1\n"), "spec.image", "ray:1\\n"),
        (
            lambda s: s.update(autoscaler_desired_workers={"a_b": "worker"}),
            "spec.autoscaler_desired_workers",
            "name",
        ),
    ],
)
def test_one_broken_rule(change: Change, field: str, value: str) -> None:
    status = validate(request(change))["status"]
    assert status["code"] == 422
    assert status["details"]["kind"] == "RayCluster"
    assert status["details"]["group"] == "ray.io"
    assert [cause["field"] for cause in status["details"]["causes"]] == [field]
    assert status["message"].startswith(f'RayCluster.ray.io "demo" is invalid: {field}: Invalid value: "{value}": ')


@pytest.mark.parametrize("name", ["9a", "Demo", "a-", "-a", "a.b", ""])
def test_refused_names(name: str) -> None:
    causes = validate(request(name=name))["status"]["details"]["causes"]
    assert [cause["field"] for cause in causes] == ["metadata.name"]


def test_a_name_may_be_long() -> None:
    assert validate(request(name="a" * 200))["allowed"]


@pytest.mark.parametrize(
    "image",
    [
        "ray",
        "rayproject/ray:latest",
        "registry.lab:5000/a/b__c/d-e:1.0_x",
        "[::1]:5000/ray",
        "ray@sha256:" + "a" * 64,
        "registry.lab/ray:1@sha256:" + "0" * 32,
    ],
)
def test_accepted_images(image: str) -> None:
    assert validate(request(lambda s: s.update(ray_docker_image=image)))["allowed"]


def test_all_checks_speak_at_once_and_of_the_node_types_only_the_first_problem() -> None:
    def change(spec: dict) -> None:
        spec["common_node_config"]["available_node_types"] = {}
        spec["ray_docker_image"] = "A B"
        spec["autoscaler_desired_workers"] = {"a_b": "x", "fine": "unknown-type"}

    status = validate(request(change, name="9"))["status"]
    assert [cause["field"] for cause in status["details"]["causes"]] == [
        "metadata.name",
        "spec.head_node",
        "spec.common_node_config",
        "spec.image",
        "spec.autoscaler_desired_workers",
    ]
    assert status["message"].startswith('RayCluster.ray.io "9" is invalid: [metadata.name: ')
