# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each way in which a cluster goes wrong, on a clock of its own: which end at once, which wait, which heal."""

from __future__ import annotations

import pytest

from ansible_collections.vcf.ray.plugins.module_utils._resources import vmray_signs


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_sign_must_stand_for_its_time_and_be_seen_often() -> None:
    clock = Clock()
    signs = vmray_signs.Signs(clock)
    assert signs.judge({"bad": 5}) is None
    clock.now = 100
    assert signs.judge({"bad": 5}) is None
    assert signs.judge({"bad": 5}) == "bad"


def test_a_sign_that_flips_is_still_counted() -> None:
    clock = Clock()
    signs = vmray_signs.Signs(clock)
    found = []
    for second in range(12):
        clock.now = second
        found.append(signs.judge({"bad": 5} if second % 2 == 0 else {}))
    assert found[6] == "bad"


def test_a_sign_that_went_is_forgotten() -> None:
    clock = Clock()
    signs = vmray_signs.Signs(clock)
    for attempt in range(2):
        signs.judge({"bad": 0})
    for attempt in range(vmray_signs.FORGET):
        clock.now += 2
        signs.judge({})
    assert signs.judge({"bad": 0}) is None


def test_a_sign_that_is_missed_by_many_quick_looks_is_not_forgotten() -> None:
    clock = Clock()
    signs = vmray_signs.Signs(clock)
    found = []
    for look in range(60):
        clock.now = look / 10
        found.append(signs.judge({"bad": 5} if look % 10 == 0 else {}))
    assert found[50] == "bad" and not any(found[:50])


def condition(kind: str, message: str, state: str = "unhealthy") -> dict:
    return {"cluster_state": state, "conditions": [{"type": kind, "status": "False", "reason": "r", "message": message}]}


class Ray:
    """The last answer of a dashboard."""

    def __init__(self, workers: int | None) -> None:
        self.workers, self.answers = workers, workers is not None


SILENT, NO_WORKER, ONE_WORKER = Ray(None), Ray(0), Ray(1)
UP, DOWN, ABSENT = {"vm_status": "running", "ip": "10.0.0.1"}, {"vm_status": "failure"}, {}
BAD = [{"type": "VirtualMachineImageReady", "status": "False", "reason": "NotFound", "message": "no image"}]

BOOT = [{"type": "GuestBootstrap", "status": "False", "reason": "Failed", "message": "docker: no space left"}]


def cluster(status: dict, wanted: dict | None = None, least: int = 1, **meta: str) -> dict:
    return {"metadata": {"name": "c", **meta}, "status": {"cluster_state": "healthy", **status}, "spec": {
        "common_node_config": {"available_node_types": {"w": {"min_workers": least}}}, "autoscaler_desired_workers": wanted or {}}}


def started(workers: dict | None = None) -> dict:
    """A head that runs, with workers of these states, as far as the operator knows."""
    return {"head_node_status": {**UP, "ray_status": "running"}, "vm_service_status": {"ip": "10.0.0.9"}, "current_workers": workers or {}}


def ends(*states: dict, ray: Ray | None = None, every: float = 1.0, limit: float = 2000.0) -> tuple[float, str] | None:
    """When and why a wait gives up that sees these states in turn, over and over; None when it goes on."""
    clock = Clock()
    found, look = vmray_signs.Signs(clock), 0
    while clock.now < limit:
        reason = found.look(states[look % len(states)], ray)
        if reason:
            return clock.now, reason
        clock.now, look = clock.now + every, look + 1
    return None


@pytest.mark.parametrize(("state", "ray", "after", "words"), [
    # What the namespace lacks: it may come, by a library that is being synchronized.
    (cluster(condition("InvalidVirtualMachineImage", "x not found")), None, 65, "InvalidVirtualMachineImage: x not found"),
    (cluster(condition("InvalidVirtualMachineClass", "x not found")), None, 65, "InvalidVirtualMachineClass"),
    # A load balancer gives its address late, or has none left.
    (cluster(condition("HeadNodeReady", "Head node VM service IP is not assigned")), None, 600, "no address has come from the load balancer"),
    # What only the user can mend.
    (cluster(condition("HeadNodeReady", 'Secret "pull" not found')), None, 5, 'Secret "pull" not found'),
    (cluster(condition("HeadNodeReady", "missing `password` key")), None, 5, "missing"),
    (cluster(condition("HeadNodeReady", 'admission webhook "q" denied the request: exceeded')), None, 5, "denied the request"),
    (cluster(condition("WorkerNodeReady", "Invalid node type `x` requested")), None, 5, "Invalid node type"),
    # Machines: what VM Operator says of them, then their address.
    (cluster({"head_node_status": {"vm_status": "initialized", "conditions": BAD}}), None, 130,
     "virtual machine of the head: VirtualMachineImageReady: NotFound no image"),
    (cluster({"head_node_status": {"vm_status": "initialized"}}), None, 600, "the virtual machine of the head has got no address"),
    (cluster(started({"c-w-1": {"vm_status": "initialized"}}), {"c-w-1": "w"}), NO_WORKER, 900, "the virtual machine of c-w-1 has got no address"),
    (cluster(condition("HeadNodeReady", "primary IPv4 not found for c-h-1 Node")), None, None, ""),
    # Ray on the head.
    (cluster(started()), SILENT, 900, "no sign of Ray has come from it"),
    (cluster({**started(), "head_node_status": {**UP, "conditions": BOOT}}), SILENT, 65, "the first boot of the head failed: docker: no space left"),
    (cluster({**started(), "head_node_status": {**UP, "conditions": BOOT}}, least=0), NO_WORKER, None, ""),
    (cluster(started({"c-w-1": UP}), {"c-w-1": "w"}), SILENT, 300, "its dashboard does not answer here"),
    (cluster(started()), NO_WORKER, 300, "its autoscaler does not ask for the workers"),
    (cluster(started({"c-w-1": UP}), {"c-w-1": "w"}), NO_WORKER, 900, "their Ray does not join the head"),
    (cluster(started({"c-w-1": UP}), {"c-w-1": "w"}), ONE_WORKER, None, ""),
    (cluster(started(), least=0), NO_WORKER, None, ""),
    # The operator itself.
    (cluster({"cluster_state": "unhealthy"}), None, 130, "its log tells"),
    (cluster({"cluster_state": None}), None, 130, "the operator has not looked at it"),
    (cluster(started(), deletionTimestamp="2026-11-23T00:00:00Z"), NO_WORKER, 5, "somebody removes it"),
])
def test_each_sign_ends_the_wait_when_its_time_is_over(state: dict, ray: Ray | None, after: float | None, words: str) -> None:
    end = ends(state, ray=ray)
    assert (end is None) if after is None else (end and end[0] == after and words in end[1])


GONE, FAILED = cluster(started({"c-w-1": ABSENT}), {"c-w-1": "typo"}), cluster(started({"c-w-1": DOWN}), {"c-w-1": "typo"})


def test_a_machine_that_flips_between_absent_and_failure_is_never_made() -> None:
    when, why = ends(GONE, FAILED, ray=Ray(1))
    assert when < 15 and "c-w-1 cannot be made" in why and "its node type typo is not one of the cluster" in why
    # Twenty times a second, and looked at by chance.
    assert ends(FAILED, FAILED, GONE, FAILED, GONE, GONE, ray=Ray(1), every=0.1)


def test_a_head_that_flips_with_its_condition_is_told_by_the_condition() -> None:
    failing = cluster({**condition("HeadNodeReady", 'Secret "pull" not found'), "head_node_status": DOWN})
    when, why = ends(failing, cluster({"head_node_status": ABSENT}))
    assert why == 'HeadNodeReady: Secret "pull" not found' and when < 10


def test_a_head_that_flips_is_told_with_a_condition_that_was_seen_once() -> None:
    failing = cluster({**condition("HeadNodeReady", 'Secret "pull" not found'), "head_node_status": DOWN})
    clock = Clock()
    signs = vmray_signs.Signs(clock)
    found = signs.look(failing)
    for second in range(20):
        clock.now = second
        found = found or signs.look(cluster({"head_node_status": DOWN if second % 2 else ABSENT}))
    assert "cannot be made" in found and found.endswith('. The operator said HeadNodeReady: Secret "pull" not found')


def test_a_machine_that_loses_its_address_may_come_back() -> None:
    lost, again = {"vm_status": "failure", "ip": "10.0.0.2"}, {"vm_status": "initialized"}
    states = [cluster(started({"c-w-1": state}), {"c-w-1": "w"}) for state in (UP, lost, again, UP, lost, ABSENT, again)]
    assert ends(*states, ray=ONE_WORKER, every=10, limit=800) is None


def test_what_is_mended_in_time_is_forgotten() -> None:
    clock = Clock()
    found = vmray_signs.Signs(clock)
    for second in range(200):
        clock.now = second
        wrong = second % 80 < 60
        assert found.look(cluster(condition("InvalidVirtualMachineImage", "x not found") if wrong else {})) is None


def test_a_running_machine_has_nothing_against_it() -> None:
    assert vmray_signs.signs(cluster({"head_node_status": {**UP, "conditions": BAD}})) == {}
