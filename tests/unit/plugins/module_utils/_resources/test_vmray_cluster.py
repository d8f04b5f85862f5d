# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Exact conversations of a VMRayCluster with the API server and with Ray, through reconcile."""

from __future__ import annotations

import copy
import typing as t

import pytest

from ansible_collections.vcf.ray.plugins.module_utils import _password, _wait
from ansible_collections.vcf.ray.plugins.module_utils._errors import RayError, UnknownYet
from ansible_collections.vcf.ray.plugins.module_utils._reconcile import Task, reconcile
from ansible_collections.vcf.ray.plugins.module_utils._resources import vmray_cluster
from ansible_collections.vcf.ray.plugins.module_utils._resources.vmray_cluster import VMRayCluster
from ansible_collections.vcf.ray.tests.unit.plugins.scripted import Scripted

IMAGES = [{"metadata": {"name": "vmi-1"}, "status": {"name": "ubuntu", "conditions": [{"type": "Ready", "status": "True"}]}}]
PARAMS = {
    "name": "c",
    "namespace": "ns",
    "image": "ubuntu",
    "storage_class": "fast",
    "ray_image": "rayproject/ray:2.60.0",
    "vm_password": "a password",
    "head": {"vm_class": "small"},
    "workers": [{"node_type": "w", "vm_class": "small", "min_workers": 1}],
    "definition": None,
    "wait": True,
    "wait_timeout": 5,
}
READ = ("get", ("VMRayCluster", "c", "ns"))
PREFLIGHT = [
    ("list", ("VirtualMachineImage", "ns"), IMAGES),
    ("names", ("VirtualMachineClass", "ns"), ["small"]),
    ("names", ("StorageClass",), ["fast"]),
    ("names", ("Secret", "ns"), []),
    ("names", ("ServiceAccount", "ns"), ["default"]),
    ("list", ("VirtualMachineImage", "ns"), IMAGES),
]
VERSION = ("version", (), {"ray_version": "2.60.0"})
HEAD, WORKER = {"node_id": "1", "node_ip": "10.0.0.1", "is_head": True}, {"node_id": "2", "node_ip": "10.0.0.2", "is_head": False}


def stored(**spec: t.Any) -> dict:
    """The cluster as the API server keeps it, with what the operator's webhooks add."""
    config = {
        "vm_image": "vmi-1",
        "storage_class": "fast",
        "vm_user": "ray",
        "vm_password_salt_hash": _password.hashed("a password"),
        "max_workers": 1,
        "idle_timeout_minutes": 5,
        "available_node_types": {
            "ray.head.default": {"vm_class": "small", "min_workers": 0, "max_workers": 0, "resources": {}},
            "w": {"vm_class": "small", "min_workers": 1, "max_workers": 1, "resources": {}},
        },
    }
    return {
        "metadata": {"name": "c", "namespace": "ns", "labels": {"vmray.kubernetes.io/head-nounce": "abcde"}},
        "status": {"vm_service_status": {"ip": "10.0.0.9"}},
        "spec": {
            "api_server": {"location": "api:6443"},
            "common_node_config": config,
            "docker_config": {"auth_secret_name": ""},
            "enable_tls": True,
            "head_node": {"node_type": "ray.head.default", "port": 6379},
            "ray_docker_image": "rayproject/ray:2.60.0",
            "worker_node": {},
            **spec,
        },
    }


def play(script: list, *, rays: t.Iterable[Scripted] = (), check: bool = False, absent: bool = False, **params: t.Any) -> dict:
    kube, left = Scripted(script, address="api:6443"), list(rays)
    options = {**PARAMS, **params}
    cluster = VMRayCluster(kube, "c", "ns", ray_at=lambda url: left.pop(0), diagnose=lambda *seen: "How far it got: ...")
    result = reconcile(Task(options, check_mode=check, diff_mode=True), cluster, None if absent else cluster.ask_for(options))
    kube.done()
    assert not left
    return result


def ray(*script: tuple) -> Scripted:
    return Scripted([*script, ("close", (), None)])


@pytest.fixture(autouse=True)
def _no_naps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_wait.until, "__kwdefaults__", {**_wait.until.__kwdefaults__, "sleep": lambda seconds: None})


def test_check_mode_asks_the_server_and_writes_nothing() -> None:
    result = play([(*READ, None), *PREFLIGHT, ("create", ..., {})], check=True)
    assert result["changed"]
    assert result["vmray_cluster"]["spec"]["common_node_config"]["vm_image"] == "vmi-1"
    assert "vm_password_salt_hash" not in str(result)


def test_check_mode_dry_runs_what_the_real_run_posts() -> None:
    bodies: list = []
    kube = Scripted([(*READ, None), *PREFLIGHT], address="api:6443")
    kube.create = lambda kind, body, dry_run=False: bodies.append((copy.deepcopy(body), dry_run)) or body
    cluster = VMRayCluster(kube, "c", "ns", ray_at=lambda url: None, diagnose=lambda *seen: "")
    kube._script.append((*READ, stored()))
    result = reconcile(Task({**PARAMS, "wait": False}), cluster, cluster.ask_for({**PARAMS, "wait": False}))
    kube.done()
    assert [dry for body, dry in bodies] == [True, False]
    assert bodies[0][0] == bodies[1][0]
    body = bodies[1][0]
    assert (body["apiVersion"], body["kind"], body["metadata"]) == ("vmray.broadcom.com/v1alpha1", "VMRayCluster", {"name": "c", "namespace": "ns"})
    assert (
        body["spec"]["head_node"]["port"] == 6379 and body["spec"]["worker_node"] == {} and body["spec"]["common_node_config"]["idle_timeout_minutes"] == 5
    )
    assert result["changed"] and result["vmray_cluster"]["ready_by"] == "not_checked"


def test_faults_stop_before_the_dry_run() -> None:
    lacking = [(m, a, ["other"] if a[:1] == ("VirtualMachineClass",) else v) for m, a, v in PREFLIGHT[:-1]]
    with pytest.raises(RayError, match="VM class small is not assigned.*Nothing was written") as caught:
        play([(*READ, None), *lacking], vm_user="root")
    assert len(caught.value.details["faults"]) == 2


def test_ready_needs_enough_workers_in_two_reads_in_a_row() -> None:
    few, enough = ray(VERSION, ("live_nodes", (), [HEAD])), [HEAD, WORKER]
    rays = [
        ray(VERSION, ("live_nodes", (), enough)),
        few,
        ray(("version", (), RayError("refused", code="CONNECTION"))),
        ray(VERSION, ("live_nodes", (), enough)),
        ray(VERSION, ("live_nodes", (), enough)),
    ]
    current = stored()
    result = play([(*READ, current), ("list", ("VirtualMachineImage", "ns"), IMAGES), *[(*READ, current)] * 5], rays=rays)
    assert not result["changed"]
    assert (result["vmray_cluster"]["nodes"], result["vmray_cluster"]["ready_by"]) == (enough, "ray")


def test_a_healthy_operator_without_ray_is_not_ready() -> None:
    current = stored()
    current["status"]["cluster_state"] = "healthy"
    with pytest.raises(RayError, match="Ray does not answer yet.*How far it got") as caught:
        play(
            [(*READ, current), ("list", ("VirtualMachineImage", "ns"), IMAGES), (*READ, current)],
            rays=[ray(("version", (), RayError("refused", code="CONNECTION")))],
            wait_timeout=0,
        )
    assert caught.value.code == "TIMEOUT"


def test_the_same_password_changes_nothing_and_another_is_refused() -> None:
    assert not play([(*READ, stored())], image="vmi-1", check=True)["changed"]
    with pytest.raises(RayError, match="would not heed a change of: vm_password"):
        play([(*READ, stored())], image="vmi-1", vm_password="another", check=True)


def test_all_fields_that_would_not_be_heeded_are_named() -> None:
    with pytest.raises(RayError) as caught:
        play([(*READ, stored())], image="vmi-1", enable_tls=False, max_workers=4, workers=[{"node_type": "w", "min_workers": 3}], check=True)
    assert caught.value.details["fields"] == ["common_node_config.available_node_types.w.min_workers", "common_node_config.max_workers", "enable_tls"]


def test_a_change_is_a_merge_patch_of_that_field_only() -> None:
    merged = stored()
    merged["spec"]["common_node_config"]["storage_class"] = "slow"
    patch = {"spec": {"common_node_config": {"storage_class": "slow"}}}
    result = play(
        [
            (*READ, stored()),
            ("merge", ("VMRayCluster", "c", "ns", patch, {"dry_run": True}), merged),
            *PREFLIGHT[:2],
            ("names", ("StorageClass",), ["fast", "slow"]),
            ("merge", ("VMRayCluster", "c", "ns", patch), merged),
            (*READ, merged),
        ],
        image="vmi-1",
        storage_class="slow",
        wait=False,
    )
    assert result["changed"]
    assert result["diff"]["before"]["spec"]["common_node_config"]["storage_class"] == "fast"


def test_a_definition_of_another_name_is_refused() -> None:
    with pytest.raises(RayError, match="The definition is of name other"):
        play([], definition={"metadata": {"name": "other"}})


def test_a_missing_service_is_unknown_in_check_mode_and_an_error_otherwise() -> None:
    missing = UnknownYet("The kind VMRayCluster is unknown")
    assert play([(*READ, missing)], check=True)["unknown"] == ["The kind VMRayCluster is unknown"]
    with pytest.raises(UnknownYet):
        play([(*READ, missing)])


def test_a_sleeping_webhook_is_waited_for() -> None:
    asleep = RayError("Internal error occurred: failed calling webhook", code="INTERNAL")
    assert play([(*READ, None), *PREFLIGHT, ("create", ..., asleep), ("create", ..., {})], check=True)["changed"]


def test_absent_waits_until_all_that_bears_the_name_is_gone() -> None:
    current = stored()
    current["status"]["current_workers"] = {"odd-name": {}}
    left = [
        ("names", ("VirtualMachine", "ns"), ["c-h-abcde", "odd-name", "c-2-h-abcde", "other"]),
        ("names", ("VirtualMachineService", "ns"), ["c-h-abcde"]),
        ("names", ("Secret", "ns"), ["c-tls", "c-docker-auth"]),
    ]
    nothing = [("names", (k, "ns"), []) for k in ("VirtualMachine", "VirtualMachineService", "Secret")]
    result = play(
        [(*READ, current), ("delete", ("VMRayCluster", "c", "ns"), None), (*READ, current), (*READ, None), *left, (*READ, None), *nothing],
        absent=True,
    )
    assert result["changed"] and result["vmray_cluster"] is None


def test_absent_names_what_is_left() -> None:
    left = [
        ("names", ("VirtualMachine", "ns"), ["c-h-abcde", "c-x-h-abcde"]),
        ("names", ("VirtualMachineService", "ns"), []),
        ("names", ("Secret", "ns"), ["c-tls"]),
    ]
    with pytest.raises(RayError, match="still there: VirtualMachine c-h-abcde, Secret c-tls,"):
        play([(*READ, stored()), ("delete", ..., None), (*READ, None), *left], absent=True, wait_timeout=0)


def test_absent_twice_changes_nothing() -> None:
    assert not play([(*READ, None)], absent=True)["changed"]


def test_the_view_hides_the_hash() -> None:
    assert "$6$" not in str(vmray_cluster.view(stored()))
