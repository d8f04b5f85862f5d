# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each way in which a cluster goes wrong, on a clock of its own: which end at once, which wait, which heal."""

from __future__ import annotations

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


def condition(kind: str, message: str) -> dict:
    return {"status": {"conditions": [{"type": kind, "status": "False", "reason": "r", "message": message}]}}


def test_which_conditions_speak_against_a_cluster() -> None:
    assert list(vmray_signs.signs(condition("InvalidStorageClass", "x not found")).values()) == [vmray_signs.STALE]
    for text in (
        'Secret "pull" not found',
        "missing `password` key",
        'admission webhook "q" denied the request: x',
        "Invalid node type `x` requested",
    ):
        assert list(vmray_signs.signs(condition("HeadNodeReady", text)).values()) == [vmray_signs.SETTLE]
    for text in ("Head node VM service IP is not assigned", "primary IPv4 not found for x Node"):
        assert vmray_signs.signs(condition("HeadNodeReady", text)) == {}


def test_a_running_machine_has_nothing_against_it() -> None:
    bad = [{"type": "VirtualMachineClassReady", "status": "False", "reason": "NotFound", "message": "no class"}]
    assert len(vmray_signs.signs({"status": {"head_node_status": {"vm_status": "initialized", "conditions": bad}}})) == 1
    assert vmray_signs.signs({"status": {"head_node_status": {"vm_status": "running", "conditions": bad}}}) == {}
