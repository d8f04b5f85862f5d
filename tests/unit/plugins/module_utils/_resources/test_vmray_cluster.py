# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Exact conversations of a VMRayCluster with the API server and with Ray, through reconcile."""

from __future__ import annotations

import copy
import time

import pytest

from ansible_collections.vcf.ray.plugins.module_utils._errors import RayError, UnknownYet
from ansible_collections.vcf.ray.plugins.module_utils._reconcile import Task, reconcile
from ansible_collections.vcf.ray.plugins.module_utils._resources import vmray_ages, vmray_cluster
from ansible_collections.vcf.ray.plugins.module_utils._resources.vmray_cluster import VMRayCluster
from ansible_collections.vcf.ray.tests.unit.plugins.preflight_script import OFFER, PREFLIGHT, vm_class
from ansible_collections.vcf.ray.tests.unit.plugins.scripted import Scripted
from ansible_collections.vcf.ray.tests.unit.plugins.vmray_script import (
    AGES,
    BESIDE,
    CREATED,
    FEW,
    HEAD,
    LISTED,
    NODES,
    PARAMS,
    READ,
    RUNNING,
    SILENT,
    VERSION,
    WATCH,
    WORKER,
    at,
    known,
    play,
    ray,
    stored,
)


def test_check_mode_asks_the_server_and_writes_nothing() -> None:
    result = play([(*READ, None), *PREFLIGHT, ("create", ..., {})], check=True)
    assert result["changed"]
    assert result["vmray_cluster"]["spec"]["common_node_config"]["vm_image"] == "vmi-1"
    assert "vm_password_salt_hash" not in str(result)


def test_check_mode_dry_runs_what_the_real_run_posts() -> None:
    bodies: list = []
    kube = Scripted([(*READ, None), *PREFLIGHT], address="api:6443")
    kube.create = lambda kind, body, dry_run=False: bodies.append((copy.deepcopy(body), dry_run)) or body
    options = {**PARAMS, "wait": False}
    cluster = VMRayCluster(kube, options, ray_at=lambda url: None, stranger_at=lambda url: None, diagnose=lambda *seen: "")
    kube._script += known()
    result = reconcile(Task(options), cluster, cluster.ask())
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
    lacking = [(m, a, [vm_class("other")] if a[:1] == ("VirtualMachineClass",) else v) for m, a, v in PREFLIGHT]
    with pytest.raises(RayError, match="VM class small is not assigned.*Nothing was written") as caught:
        play([(*READ, None), *lacking], vm_user="root")
    assert len(caught.value.details["faults"]) == 2


def test_nothing_to_change_costs_four_requests_without_a_wait_and_ray_and_the_ages_with_it() -> None:
    looked_up = [*known(), LISTED]
    assert play(looked_up, wait=False)["vmray_cluster"]["ready_by"] == "not_checked"
    played = play([*looked_up, WATCH, *AGES], ray=ray(NODES))
    assert (played["changed"], played.waits, played.told) == (False, [], [])
    assert (played["vmray_cluster"]["nodes"], played["vmray_cluster"]["ready_by"]) == ([HEAD, WORKER], "ray")
    assert not play([*known(), WATCH, *AGES], ray=ray(NODES), image="vmi-1")["changed"], "an id need not be looked up"


def test_a_new_cluster_is_told_step_by_step_and_noticed_at_the_second_good_look() -> None:
    # The service has its address a while before the head has one: Ray is asked from then on.
    looks = [{**stored(), "status": {}}, at(service=None), at({"vm_status": "initialized"}), *[RUNNING] * 4]
    played = play(CREATED, looks=looks, ray=ray(("live_nodes", (), SILENT), ("version", (), SILENT), VERSION, FEW, NODES, NODES))
    assert [line.rsplit(" (", 1)[0] for line in played.told] == [
        "c: accepted; the operator has not looked at it yet",
        "c: head VM not there yet",
        "c: head VM has no address yet",
        "c: head VM has address 10.0.0.1; Ray not answering yet; workers 0 of 1",
        "c: Ray 2.60.0 answers; workers 0 of 1",
        "c: Ray 2.60.0 answers; workers 1 of 1",
    ]
    assert played["changed"] and played["vmray_cluster"]["nodes"] == [HEAD, WORKER]


def test_before_an_address_a_change_ends_the_pause_and_after_it_looks_come_every_half_second() -> None:
    played = play(CREATED, looks=[at(service=None)] * 12 + [RUNNING] * 4, wait_timeout=100,
                  ray=ray(("live_nodes", (), SILENT), ("version", (), SILENT), VERSION, NODES, NODES))
    early, late = played.waits[:12], played.waits[12:]
    assert [least for most, least in early] == [0.1] * 12 and early[0][0] == 0.2 and early[-1][0] == 10
    assert late == [(0.5, 0.5), (0.5, 0.5), (0.2, 0.2)]


def test_ready_needs_enough_workers_in_two_looks_in_a_row() -> None:
    answers = ray(FEW, NODES, FEW, ("live_nodes", (), SILENT), VERSION, NODES, NODES)
    played = play([*known(RUNNING), LISTED, WATCH, *AGES], looks=[RUNNING] * 5, ray=answers)
    assert not played["changed"] and played["vmray_cluster"]["ready_by"] == "ray"
    assert played.told[1].startswith("c: Ray answers; workers 1 of 1") and "not answering any more" in played.told[3]


def test_one_good_look_is_not_enough_for_a_cluster_that_was_just_written_to() -> None:
    played = play(CREATED, looks=[RUNNING] * 2, ray=ray(NODES, NODES))
    assert played.waits == [(0.2, 0.2)]


def test_a_healthy_operator_without_ray_is_not_ready() -> None:
    with pytest.raises(RayError, match="10.0.0.1; Ray not answering yet; workers 0 of 1, .*How far it got") as caught:
        play([*known(RUNNING), LISTED, WATCH, *AGES], ray=ray(("live_nodes", (), SILENT)), wait_timeout=0)
    assert caught.value.code == "TIMEOUT"


def test_a_token_that_ray_wants_is_asked_for_at_once() -> None:
    with pytest.raises(RayError, match="wants a token"):
        play([*known(RUNNING), WATCH], image="vmi-1", ray=ray(("live_nodes", (), RayError("Ray wants a token", code="AUTH"))))


def test_a_young_cluster_is_not_asked_for_its_ages() -> None:
    young = at({"vm_status": "running", "ip": "10.0.0.1"})
    young["metadata"]["creationTimestamp"] = vmray_ages.stamp(time.time() - 86400)
    assert not play([*known(young), WATCH], image="vmi-1", ray=ray(NODES))["notices"]


def test_a_missing_image_is_told_at_once_and_ends_the_wait_when_it_has_stood() -> None:
    bad = at(service=None, conditions=[{"type": "InvalidVirtualMachineImage", "status": "False", "message": "x not found"}])
    with pytest.raises(RayError, match="cannot become ready: InvalidVirtualMachineImage: x not found") as caught:
        play([*CREATED, *AGES], looks=[bad] * 16, wait_timeout=600)
    assert caught.value.code == "FAILED"


def test_a_cluster_that_vanishes_is_an_error() -> None:
    with pytest.raises(RayError, match="has vanished"):
        play(CREATED, looks=[RUNNING, None], ray=ray(FEW))


def test_the_same_password_changes_nothing_and_another_is_refused() -> None:
    assert not play([*known(), *AGES], image="vmi-1", check=True)["changed"]
    with pytest.raises(RayError, match="would not heed a change of: vm_password"):
        play(known(), image="vmi-1", vm_password="another", check=True)


def test_all_fields_that_would_not_be_heeded_are_named() -> None:
    with pytest.raises(RayError) as caught:
        play(known(), image="vmi-1", enable_tls=False, max_workers=4, workers=[{"node_type": "w", "min_workers": 3}], check=True)
    assert caught.value.details["fields"] == ["common_node_config.available_node_types.w.min_workers", "common_node_config.max_workers", "enable_tls"]


def test_a_change_is_a_merge_patch_of_that_field_only() -> None:
    merged = stored()
    merged["spec"]["common_node_config"]["storage_class"] = "slow"
    patch = {"spec": {"common_node_config": {"storage_class": "slow"}}}
    result = play(
        [
            *known(),
            ("merge", ("VMRayCluster", "c", "ns", patch, {"dry_run": True}), merged),
            *OFFER,
            ("merge", ("VMRayCluster", "c", "ns", patch), merged),
            *known(merged),
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
    gone = [*BESIDE, ("delete", ("VMRayCluster", "c", "ns"), None), ("list", ("Secret", "ns", {"labels": {"vcf.ray/cluster": "c"}}), [])]
    played = play([(*READ, current), *gone, WATCH, *left, *nothing], looks=[current, None, None], absent=True)
    assert played["changed"] and played["vmray_cluster"] is None
    assert played.waits == [(0.2, 0.1), (0.3, 1.0)]
    assert [line.rsplit(" (", 1)[0] for line in played.told] == [
        "c: the operator has not let it go yet",
        "c: still there: VirtualMachine c-h-abcde, VirtualMachine odd-name, VirtualMachineService c-h-abcde, Secret c-tls",
    ]


def test_absent_names_what_is_left() -> None:
    left = [
        ("names", ("VirtualMachine", "ns"), ["c-h-abcde", "c-x-h-abcde"]),
        ("names", ("VirtualMachineService", "ns"), []),
        ("names", ("Secret", "ns"), ["c-tls"]),
    ]
    with pytest.raises(RayError, match="still there: VirtualMachine c-h-abcde, Secret c-tls,"):
        play([(*READ, stored()), *BESIDE, ("delete", ..., None), ("list", ..., []), WATCH, *left], looks=[None], absent=True, wait_timeout=0)


def test_absent_twice_changes_nothing() -> None:
    nothing = [("names", (k, "ns"), []) for k in ("VirtualMachine", "VirtualMachineService", "Secret")]
    assert not play([(*READ, None), *nothing, ("list", ..., [])], absent=True)["changed"]


def test_the_view_hides_the_hash() -> None:
    assert "$6$" not in str(vmray_cluster.view(stored()))
