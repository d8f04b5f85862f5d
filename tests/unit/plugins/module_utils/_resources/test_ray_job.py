# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import typing as t

import pytest

from ansible_collections.vcf.ray.plugins.module_utils._errors import RayError
from ansible_collections.vcf.ray.plugins.module_utils._reconcile import Task, reconcile
from ansible_collections.vcf.ray.plugins.module_utils._resources.ray_job import RayJob, secrets
from ansible_collections.vcf.ray.tests.unit.plugins.scripted import Scripted

BODY = {"entrypoint": "echo hi", "submission_id": "j"}
LOST = RayError("cannot be reached", code="CONNECTION")


def job(status: str, message: str = "") -> tuple:
    return (
        "job",
        ("j",),
        {"submission_id": "j", "status": status, "entrypoint": "echo hi", "message": message, "runtime_env": {"env_vars": {"TOKEN": "planted"}}},
    )


NONE = ("job", ("j",), None)
SUBMIT = ("submit", (BODY,), None)


def play(script: list, *, state: str = "present", check: bool = False, **params: t.Any) -> dict:
    ray = Scripted(script, url="http://ray:8265")
    resource = RayJob(ray, "j", log_lines=2, stopping=state == "stopped", removing=state == "absent")
    desired = {"entrypoint": params.pop("entrypoint", "echo hi"), "runtime_env": None, "metadata": None} if state == "present" else None
    result = reconcile(Task({"wait": True, "wait_timeout": 60, **params}, check_mode=check, diff_mode=True), resource, desired)
    ray.done()
    assert "planted" not in str(result)
    return result


@pytest.fixture(name="naps", autouse=True)
def _naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses, which take no time."""
    naps: list[float] = []
    monkeypatch.setattr("time.sleep", naps.append)
    return naps


def test_a_job_is_looked_at_every_two_seconds(naps: list[float]) -> None:
    play([NONE, SUBMIT, *[job("PENDING")] * 4, *[job("RUNNING", "anything")] * 8, job("SUCCEEDED")])
    assert max(naps) == 2 and naps[-1] == 2


def test_a_new_job_is_handed_in_once_and_waited_for() -> None:
    result = play([NONE, SUBMIT, job("PENDING"), job("RUNNING"), job("SUCCEEDED")])
    assert result["changed"] and result["ray_job"]["status"] == "SUCCEEDED"


def test_check_mode_hands_nothing_in() -> None:
    assert play([NONE], check=True)["changed"]


def test_a_running_job_is_adopted() -> None:
    assert not play([job("RUNNING"), job("RUNNING"), job("SUCCEEDED")])["changed"]


def test_a_job_that_has_succeeded_is_left() -> None:
    assert not play([job("SUCCEEDED")])["changed"]


@pytest.mark.parametrize("check", [True, False])
def test_a_failed_job_is_an_error_with_its_last_lines_and_is_not_run_again(check: bool) -> None:
    with pytest.raises(RayError, match=r"Job j is FAILED: exit code 3\. Last lines of its log: two \| three") as caught:
        play([job("FAILED", "exit code 3, last available logs (truncated): one"), ("log", ("j",), "one\ntwo\nthree\n")], check=check, wait=False)
    assert caught.value.details["ray_job"]["log_tail"] == ["two", "three"]


def test_another_entrypoint_under_the_same_id_is_refused() -> None:
    with pytest.raises(RayError, match="entrypoint is 'echo hi', asked for 'other'"):
        play([job("SUCCEEDED")], entrypoint="other")


def test_a_lost_answer_is_looked_up_and_not_repeated() -> None:
    assert play([NONE, ("submit", (BODY,), LOST), NONE, job("PENDING"), job("SUCCEEDED")])["changed"]


def test_a_refusal_is_passed_on_without_looking() -> None:
    refused = RayError("bad runtime_env", code="INVALID_ARGUMENT", details={"status": 400})
    with pytest.raises(RayError, match="bad runtime_env"):
        play([NONE, ("submit", (BODY,), refused)])


def test_a_job_that_vanishes_is_an_error() -> None:
    with pytest.raises(RayError, match="has vanished"):
        play([NONE, SUBMIT, NONE])


def test_the_deadline_shows_the_last_state() -> None:
    with pytest.raises(RayError, match=r"last seen: PENDING, .*not started \(no CPU\); 2 nodes are alive") as caught:
        play([job("PENDING"), job("PENDING", "no CPU"), ("live_nodes", (), [1, 2])], wait_timeout=0)
    assert caught.value.code == "TIMEOUT"


def test_stopped() -> None:
    assert play([job("RUNNING"), ("stop", ("j",), None), job("RUNNING"), job("STOPPED")], state="stopped")["changed"]
    assert not play([job("SUCCEEDED")], state="stopped")["changed"]
    assert not play([NONE], state="stopped")["changed"]


def test_absent() -> None:
    assert play([job("RUNNING"), ("stop", ("j",), None), job("RUNNING"), job("STOPPED"), ("delete", ("j",), None), NONE], state="absent")["changed"]
    assert play([job("FAILED"), job("FAILED"), ("delete", ("j",), None), NONE], state="absent")["changed"]
    assert not play([NONE], state="absent")["changed"]


def test_secrets_of_the_runtime_environment_are_known_by_name() -> None:
    assert secrets({"env_vars": {"API_TOKEN": "long enough", "PASSWORD": "x", "MODE": "something"}}) == ["long enough"]
    assert secrets(None) == [] and secrets({"env_vars": "x"}) == []
