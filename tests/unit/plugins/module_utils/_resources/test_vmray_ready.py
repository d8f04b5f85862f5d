# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import typing as t

import pytest

from ansible_collections.vcf.ray.plugins.module_utils._errors import RayError
from ansible_collections.vcf.ray.plugins.module_utils._resources import vmray_ready
from ansible_collections.vcf.ray.tests.unit.plugins.scripted import Scripted


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_sign_must_stand_for_its_time_and_be_seen_often() -> None:
    clock = Clock()
    signs = vmray_ready.Signs(clock)
    assert signs.judge({"bad": 5}) is None
    clock.now = 100
    assert signs.judge({"bad": 5}) is None
    assert signs.judge({"bad": 5}) == "bad"


def test_a_sign_that_flips_is_still_counted() -> None:
    clock = Clock()
    signs = vmray_ready.Signs(clock)
    found = []
    for second in range(12):
        clock.now = second
        found.append(signs.judge({"bad": 5} if second % 2 == 0 else {}))
    assert found[6] == "bad"


def test_a_sign_that_went_is_forgotten() -> None:
    clock = Clock()
    signs = vmray_ready.Signs(clock)
    for attempt in range(2):
        signs.judge({"bad": 0})
    for attempt in range(vmray_ready.FORGET):
        clock.now += 2
        signs.judge({})
    assert signs.judge({"bad": 0}) is None


def test_a_sign_that_is_missed_by_many_quick_looks_is_not_forgotten() -> None:
    clock = Clock()
    signs = vmray_ready.Signs(clock)
    found = []
    for look in range(60):
        clock.now = look / 10
        found.append(signs.judge({"bad": 5} if look % 10 == 0 else {}))
    assert found[50] == "bad" and not any(found[:50])


def condition(kind: str, message: str) -> dict:
    return {"status": {"conditions": [{"type": kind, "status": "False", "reason": "r", "message": message}]}}


def test_which_conditions_speak_against_a_cluster() -> None:
    assert list(vmray_ready.signs(condition("InvalidStorageClass", "x not found")).values()) == [vmray_ready.STALE]
    for text in (
        'Secret "pull" not found',
        "missing `password` key",
        'admission webhook "q" denied the request: x',
        "Invalid node type `x` requested",
    ):
        assert list(vmray_ready.signs(condition("HeadNodeReady", text)).values()) == [vmray_ready.SETTLE]
    for text in ("Head node VM service IP is not assigned", "primary IPv4 not found for x Node"):
        assert vmray_ready.signs(condition("HeadNodeReady", text)) == {}


def test_a_running_machine_has_nothing_against_it() -> None:
    bad = [{"type": "VirtualMachineClassReady", "status": "False", "reason": "NotFound", "message": "no class"}]
    assert len(vmray_ready.signs({"status": {"head_node_status": {"vm_status": "initialized", "conditions": bad}}})) == 1
    assert vmray_ready.signs({"status": {"head_node_status": {"vm_status": "running", "conditions": bad}}}) == {}


HEAD, WORKER = {"node_id": "1", "node_ip": "10.0.0.1", "is_head": True}, {"node_id": "2", "node_ip": "10.0.0.2", "is_head": False}
SILENT = RayError("refused", code="CONNECTION")


def cluster(address: str | None = "10.0.0.9", least: int = 1) -> dict:
    return {"spec": {"common_node_config": {"available_node_types": {"w": {"min_workers": least}}}}, "status": {"vm_service_status": {"ip": address}}}


def test_ray_is_asked_over_one_connection_with_one_request_a_look() -> None:
    ray, asked = Scripted([("live_nodes", (), [HEAD]), ("live_nodes", (), [HEAD, WORKER]), ("live_nodes", (), SILENT), ("version", (), SILENT),
                           ("version", (), {"ray_version": "2.60.0"}), ("live_nodes", (), [HEAD]), ("close", (), None)]), []
    dashboard = vmray_ready.Dashboard(lambda url: asked.append(url) or ray)
    looks = [(dashboard.look(cluster()), dashboard.words(cluster())) for look in range(5)]
    dashboard.close()
    ray.done()
    assert asked == ["http://10.0.0.9:8265"]
    assert [good for (good, nodes), words in looks] == [False, True, False, False, False]
    lost = "Ray not answering any more; workers 0 of 1"
    assert [words for found, words in looks] == ["Ray answers; workers 0 of 1", "Ray answers; workers 1 of 1", lost, lost,
                                                 "Ray 2.60.0 answers; workers 0 of 1"]


def test_without_an_address_nobody_is_asked() -> None:
    assert vmray_ready.Dashboard(lambda url: pytest.fail("asked")).look(cluster(None)) == (False, [])


def test_another_address_is_another_connection() -> None:
    rays = [Scripted([("live_nodes", (), [HEAD]), ("close", (), None)]) for each in range(2)]
    left = list(rays)
    dashboard = vmray_ready.Dashboard(lambda url: left.pop(0))
    for address in ("10.0.0.9", "10.0.0.8"):
        assert dashboard.look(cluster(address, least=0)) == (True, [HEAD])
    dashboard.close()
    for ray in rays:
        ray.done()


def test_a_silent_address_that_holds_up_the_wait_is_left_alone_for_a_while() -> None:
    clock, asked = Clock(), []

    class Ray:
        def live_nodes(self) -> t.Any:
            asked.append(clock.now)
            clock.now += 3
            raise SILENT

        version = live_nodes

    dashboard = vmray_ready.Dashboard(lambda url: Ray(), clock)
    for look in range(20):
        dashboard.look(cluster())
        clock.now += 0.5
    assert asked == [0, 5, 10, 15, 20]
