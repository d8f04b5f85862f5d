# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a living cluster does not heed: refused, made by a cluster in the place of the old one, or by a new head."""

from __future__ import annotations

import copy
import typing as t

import pytest

from ansible_collections.vcf.ray.plugins.module_utils import _password
from ansible_collections.vcf.ray.plugins.module_utils._errors import RayError
from ansible_collections.vcf.ray.plugins.module_utils._resources import vmray_cluster
from ansible_collections.vcf.ray.tests.unit.plugins.preflight_script import OFFER
from ansible_collections.vcf.ray.tests.unit.plugins.vmray_script import BESIDE, NODES, READ, RUNNING, WATCH, known, play, ray, stored

MERGE = ("VMRayCluster", "c", "ns")
DELETED = ("delete", MERGE, None)
IMAGE = "rayproject/ray:2.61.0"
PATCH = {"spec": {"ray_docker_image": IMAGE}}
HASH = f"$6$salt${'x' * 86}"
FIELD = "would not heed a change of: ray_docker_image"


def old() -> dict:
    """A cluster with all that must not come along, and a mark of its owner that must."""
    raw = stored(autoscaler_desired_workers={"c-w-abcdefgh": "w"})
    raw["metadata"]["labels"]["team"] = "blue"
    raw["metadata"]["annotations"] = {"kubectl.kubernetes.io/last-applied-configuration": "{}"}
    return raw


def merged(raw: dict, **spec: t.Any) -> dict:
    return {**raw, "spec": {**raw["spec"], **spec}}


def anew(raw: dict, **spec: t.Any) -> dict:
    """What is posted in the place of a cluster."""
    kept = {k: v for k, v in raw["spec"].items() if k not in ("autoscaler_desired_workers", "docker_config")}
    return {"apiVersion": "vmray.broadcom.com/v1alpha1", "kind": "VMRayCluster", "metadata": {"name": "c", "namespace": "ns", "labels": {"team": "blue"}},
            "spec": {**kept, **spec}}


def prepared(raw: dict) -> list[tuple]:
    """All that is asked before a change of the image of the containers."""
    return [*known(raw), ("merge", (*MERGE, PATCH, {"dry_run": True}), merged(raw, ray_docker_image=IMAGE)), *OFFER]


def new(raw: dict) -> dict:
    made = copy.deepcopy(merged(raw, ray_docker_image=IMAGE))
    made["metadata"]["uid"] = "2"
    return made


def names(machines: list[str], secrets: list[str]) -> list[tuple]:
    return [("names", ("VirtualMachine", "ns"), machines), ("names", ("VirtualMachineService", "ns"), []), ("names", ("Secret", "ns"), secrets)]


OPTIONS: dict = {"image": "vmi-1", "ray_image": IMAGE}


def test_it_is_refused_with_both_ways_to_have_it() -> None:
    with pytest.raises(RayError, match=f"{FIELD}.*renew: always.*recreate: true"):
        play(known(old()), **OPTIONS)


def test_recreate_waits_until_all_is_gone_and_posts_what_was_stored_with_the_change() -> None:
    raw = old()
    gone = [*BESIDE, DELETED, (*READ, raw), (*READ, None), *names(["c-h-abcde", "c-w-abcdefgh"], ["c-docker-auth"]), (*READ, None), *names([], [])]
    played = play([*prepared(raw), *gone, ("create", ("VMRayCluster", anew(raw, ray_docker_image=IMAGE)), {}), *known(new(raw))],
                  recreate=True, wait=False, **OPTIONS)
    assert played["changed"] and played["vmray_cluster"]["replaced"]
    assert [side["replaced"] for side in (played["diff"]["before"], played["diff"]["after"])] == [False, True]
    assert [line.rsplit(" (", 1)[0] for line in played.told] == [
        "c: still there: VMRayCluster ns/c", "c: still there: VirtualMachine c-h-abcde, VirtualMachine c-w-abcdefgh"]


def test_recreate_in_check_mode_tells_the_same_and_writes_nothing() -> None:
    played = play(prepared(old()), recreate=True, check=True, wait=False, **OPTIONS)
    assert played["changed"] and played["diff"]["after"]["replaced"] and played["diff"]["after"]["spec"]["ray_docker_image"] == IMAGE


def test_recreate_does_nothing_without_such_a_change() -> None:
    assert not play(known(), image="vmi-1", recreate=True, wait=False)["changed"]


def test_recreate_with_another_password_keeps_no_hash_of_the_old_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_password, "hashed", lambda password: HASH)
    raw = old()
    config = {**raw["spec"]["common_node_config"], "vm_password_salt_hash": HASH}
    patch, made = {"spec": {"common_node_config": {"vm_password_salt_hash": HASH}}}, merged(raw, common_node_config=config)
    script = [*known(raw), ("merge", (*MERGE, patch, {"dry_run": True}), made), *OFFER, *BESIDE, DELETED, (*READ, None), *names([], []),
              ("create", ("VMRayCluster", anew(raw, common_node_config=config)), {}), *known({**made, "metadata": {**raw["metadata"], "uid": "2"}})]
    played = play(script, image="vmi-1", vm_password="another", recreate=True, wait=False)
    assert played["vmray_cluster"]["replaced"] and "$6$" not in str(played.result)


def test_a_recreation_that_was_cut_short_goes_on() -> None:
    raw = old()
    raw["metadata"]["deletionTimestamp"] = "now"
    gone = [*BESIDE, DELETED, (*READ, None), *names([], [])]
    played = play([*prepared(raw), *gone, ("create", ("VMRayCluster", anew(raw, ray_docker_image=IMAGE)), {}), *known(new(old()))],
                  recreate=True, wait=False, **OPTIONS)
    assert played["vmray_cluster"]["replaced"]
    with pytest.raises(RayError, match="is being removed"):
        play(known(raw), **OPTIONS)


def test_a_lost_answer_to_the_post_makes_no_second_cluster() -> None:
    raw = old()
    gone = [*BESIDE, DELETED, (*READ, None), *names([], [])]
    lost = RayError("no answer", code="CONNECTION")
    played = play([*prepared(raw), *gone, ("create", ("VMRayCluster", anew(raw, ray_docker_image=IMAGE)), lost), *known(new(raw)), (*READ, new(raw))],
                  recreate=True, wait=False, **OPTIONS)
    assert played["changed"] and played["vmray_cluster"]["replaced"]


def test_a_cluster_that_is_not_let_go_is_not_made_anew() -> None:
    raw, secrets = old(), [("get", ("Secret", f"c-{suffix}", "ns"), None) for suffix in ("hsecret", "tls")]
    words = "Waiting for VMRayCluster ns/c to be gone, to make it anew took more than .*still there: VMRayCluster ns/c, .*How far it got"
    with pytest.raises(RayError, match=words):
        play([*prepared(raw), *BESIDE, DELETED, (*READ, raw), *secrets], recreate=True, wait_timeout=0, **OPTIONS)


class Head:
    """Stands for the replacement of a head."""

    def __init__(self, *args: t.Any) -> None:
        self.steps: list = []

    def due(self, raw: dict, within: float) -> str | None:
        self.steps.append(("due", within))
        return "the token of its head ends soon"

    def drain(self, url: str | None, timeout: float) -> None:
        self.steps.append(("drain", url, timeout))

    def replace(self, raw: dict, spec: dict) -> None:
        self.steps.append(("replace", spec))

    def is_new(self, raw: dict) -> bool:
        self.steps.append("is new?")
        return self.steps.count("is new?") > 1


@pytest.fixture
def head(monkeypatch: pytest.MonkeyPatch) -> Head:
    found = Head()
    monkeypatch.setattr(vmray_cluster, "Renewal", lambda *args: found)
    return found


def test_a_due_head_is_drained_replaced_and_waited_for(head: Head) -> None:
    played = play([*known(RUNNING), *OFFER, WATCH, *BESIDE], looks=[RUNNING] * 3, ray=ray(NODES, NODES), image="vmi-1",
                  renew="due", renew_within=60, drain_timeout=5)
    assert head.steps == [("due", 60), ("drain", "http://10.0.0.9:8265", 5), ("replace", {}), "is new?", "is new?", "is new?"]
    assert played["vmray_cluster"]["renewed"] == "the token of its head ends soon" and played["vmray_cluster"]["ready_by"] == "ray"
    assert [side["renewed"] for side in (played["diff"]["before"], played["diff"]["after"])] == [None, "the token of its head ends soon"]
    assert played.told[0].startswith("c: the head is being replaced (")


def test_check_mode_tells_why_a_head_would_be_replaced(head: Head) -> None:
    played = play([*known(RUNNING), *OFFER], image="vmi-1", renew="due", renew_within=60, check=True, wait=False)
    assert played["changed"] and played["diff"]["after"]["renewed"] and head.steps == [("due", 60)]


def test_nobody_asks_for_secrets_where_no_renewal_is_wanted(head: Head) -> None:
    assert not play(known(), image="vmi-1", wait=False)["changed"] and not head.steps


def test_a_new_head_brings_what_the_old_one_would_not_heed(head: Head) -> None:
    played = play([*prepared(RUNNING), *known(merged(RUNNING, ray_docker_image=IMAGE))], renew="always", wait=False, **OPTIONS)
    assert played["vmray_cluster"]["renewed"] == "it was asked for" and head.steps == [("drain", "http://10.0.0.9:8265", 0), ("replace", PATCH["spec"])]
    assert not played["vmray_cluster"]["replaced"]


def test_jobs_that_do_not_end_leave_all_as_it_was(head: Head, monkeypatch: pytest.MonkeyPatch) -> None:
    def drain(url: str | None, timeout: float) -> None:
        raise RayError("jobs are still there", code="TIMEOUT")

    monkeypatch.setattr(head, "drain", drain)
    with pytest.raises(RayError, match="jobs are still there"):
        play(prepared(RUNNING), renew="always", **OPTIONS)


def test_the_port_of_the_service_needs_another_cluster(head: Head) -> None:
    with pytest.raises(RayError, match=r"would not heed a change of: head_node.port \(it is .*\)\. The ports of its service.*recreate: true"):
        play(known(), image="vmi-1", head={"port": 7000}, renew="always")


def test_recreate_leaves_to_a_renewal_what_it_can_do(head: Head) -> None:
    played = play([*prepared(RUNNING), *known(merged(RUNNING, ray_docker_image=IMAGE))], renew="always", recreate=True, wait=False, **OPTIONS)
    assert played["vmray_cluster"]["renewed"] and not played["vmray_cluster"]["replaced"]
