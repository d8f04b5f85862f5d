# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""until: deadline, memory, failure, on a clock that only sleeping moves."""

from __future__ import annotations

import pytest

from ansible_collections.vcf.ray.plugins.module_utils._errors import RayError
from ansible_collections.vcf.ray.plugins.module_utils._wait import heard_by, until


class Clock:
    def __init__(self) -> None:
        self.now, self.slept = 0.0, []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def wait(states: list[str], clock: Clock, **kwargs: object) -> str:
    values = iter(states)
    last = states[-1]
    return until(lambda: next(values, last), lambda v: v == "RUNNING", what="namespace ray to be ready", clock=clock, sleep=clock.sleep,
                 **{"timeout": 60, "say": lambda v: f"it is {v}", **kwargs})


def test_the_interval_grows_to_its_limit() -> None:
    clock = Clock()
    assert wait(["NEW"] * 6 + ["RUNNING"], clock, interval=1, limit=2) == "RUNNING"
    assert clock.slept == [1, 1.5, 2, 2, 2, 2]


def test_no_time_still_reads_once() -> None:
    clock = Clock()
    assert wait(["RUNNING"], clock, timeout=0) == "RUNNING"
    assert clock.slept == []


def test_a_deadline_tells_the_last_state_how_long_it_stood_and_the_diagnosis() -> None:
    clock = Clock()
    with pytest.raises(RayError) as caught:
        wait(["NEW", "CONFIGURING"], clock, interval=10, limit=10, diagnose=lambda: "The disk is full.")
    assert caught.value.code == "TIMEOUT"
    assert caught.value.message == ("Waiting for namespace ray to be ready took more than 60 s (7 reads); "
                                    "last seen: it is CONFIGURING, for 50 s. The disk is full.")
    assert sum(clock.slept) == 60


def test_a_state_that_cannot_get_better_ends_the_wait() -> None:
    clock = Clock()
    with pytest.raises(RayError, match="Gave up waiting for namespace ray to be ready: quota used up") as caught:
        wait(["NEW", "ERROR"], clock, failed=lambda v: "quota used up" if v == "ERROR" else None)
    assert caught.value.code == "FAILED"


def test_a_diagnosis_that_fails_does_not_hide_the_wait() -> None:
    def diagnose() -> str:
        raise RayError("no connection")

    with pytest.raises(RayError, match=r"took more than 60 s .*\(No diagnosis: no connection\)"):
        wait(["NEW"], Clock(), diagnose=diagnose)


def test_each_change_is_told_once_and_the_state_once_a_minute() -> None:
    clock, told = Clock(), []
    with heard_by(told.append):
        wait(["NEW", "NEW"] + ["CONFIGURING"] * 8 + ["RUNNING"], clock, interval=20, limit=20, timeout=600)
    assert told == ["it is NEW (0 s)", "it is CONFIGURING (40 s)", "it is CONFIGURING (100 s)", "it is CONFIGURING (160 s)"]


def test_a_state_without_words_is_not_told() -> None:
    clock, told = Clock(), []
    with heard_by(told.append):
        wait(["NEW", "RUNNING"], clock, say=lambda v: "")
    assert told == []


def flaky(*answers: object):
    values = iter(answers)

    def read() -> object:
        value = next(values)
        if isinstance(value, Exception):
            raise value
        return value

    return read


def lost(code: str = "SERVICE_UNAVAILABLE") -> RayError:
    return RayError("vCenter vc does not answer.", code=code)


def test_a_server_that_restarts_is_borne_for_a_while_and_heard_of() -> None:
    clock, told = Clock(), []
    with heard_by(told.append):
        read = flaky("NEW", lost(), lost("CONNECTION"), "RUNNING")
        until(read, lambda v: v == "RUNNING", what="x", timeout=600, bear=60, interval=10, clock=clock, sleep=clock.sleep, say=str)
    assert told == ["NEW (0 s)", "no answer: vCenter vc does not answer (10 s)"]


@pytest.mark.parametrize(("code", "bear"), [("SERVICE_UNAVAILABLE", 0), ("AUTH", 60), ("UNAUTHORIZED", 60)])
def test_what_does_not_pass_is_not_borne(code: str, bear: float) -> None:
    clock = Clock()
    with pytest.raises(RayError, match="does not answer"):
        until(flaky("NEW", lost(code), "RUNNING"), lambda v: v == "RUNNING", what="x", timeout=600, bear=bear, clock=clock, sleep=clock.sleep)


def test_a_server_that_stays_away_ends_the_wait_with_its_own_error() -> None:
    clock = Clock()
    with pytest.raises(RayError, match="does not answer"):
        until(flaky("NEW", *[lost()] * 100), lambda v: False, what="x", timeout=600, bear=60, interval=10, clock=clock, sleep=clock.sleep)
    assert 60 <= clock.now <= 80
