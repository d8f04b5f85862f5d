# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.vcf.ray.plugins.module_utils._resources import vmray_ready


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
        signs.judge({})
    assert signs.judge({"bad": 0}) is None


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
