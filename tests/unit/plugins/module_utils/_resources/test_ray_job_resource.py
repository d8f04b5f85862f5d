# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import typing as t
from functools import partial

import pytest

from ansible_collections.vcf.ray.plugins.module_utils import _wait
from ansible_collections.vcf.ray.plugins.module_utils._errors import RayError
from ansible_collections.vcf.ray.plugins.module_utils._reconcile import Task, reconcile
from ansible_collections.vcf.ray.plugins.module_utils._resources import ray_job_content as content
from ansible_collections.vcf.ray.plugins.module_utils._resources.ray_job import PENDING_STAYS, RayJob
from ansible_collections.vcf.ray.plugins.module_utils._resources.ray_job_end import RayJobEnd
from ansible_collections.vcf.ray.plugins.module_utils._resources.ray_job_failure import reason, waiting
from ansible_collections.vcf.ray.plugins.module_utils._resources.ray_job_log import LONGEST_LINE, Follower, tail
from ansible_collections.vcf.ray.tests.unit.plugins.ray_server import job as row
from ansible_collections.vcf.ray.tests.unit.plugins.scripted import Scripted

BODY = {"entrypoint": "echo hi", "submission_id": "j"}
LOST = RayError("cannot be reached", code="CONNECTION")
NONE = ("job", ("j",), None)
SUBMIT = ("submit", (BODY,), None)
NO_PIP = """runtime_env setup failed: Failed to set up runtime environment.
Could not create the actor because its associated runtime env failed to be created.
Traceback (most recent call last):
  File "/x/agent.py", line 388, in _create_runtime_env_with_retry
    runtime_env_context = await asyncio.wait_for(
ray._private.runtime_env.utils.SubprocessCalledProcessError: Run cmd[5] failed with the following details.
Stderr:
ERROR: No matching distribution found for nosuch
"""


def job(status: str, message: str = "") -> tuple:
    return "job", ("j",), row("j", status, message=message, runtime_env={"env_vars": {"TOKEN": "planted"}}, driver_node_id="")


def play(script: list, *, state: str = "present", check: bool = False, **params: t.Any) -> dict:
    ray = Scripted(script, url="http://ray:8265", clean=str)
    resource = RayJob(ray, "j") if state == "present" else RayJobEnd(ray, "j", removing=state == "absent")
    desired = {"entrypoint": "echo hi"} if state == "present" else None
    result = reconcile(Task({"wait": True, "wait_timeout": 60, **params}, check_mode=check, diff_mode=True), resource, desired)
    ray.done()
    assert "planted" not in str(result)
    return result


def stopped_by(resource: RayJob, clock: t.Iterator[int]) -> str:
    """What it says of its end, where each look at the clock is a second later."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ansible_collections.vcf.ray.plugins.module_utils._wait.until", partial(_wait.until, clock=lambda: next(clock)))
        return resource.stop()


@pytest.fixture(name="naps", autouse=True)
def _naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses, which take no time."""
    naps: list[float] = []
    monkeypatch.setattr("time.sleep", naps.append)
    return naps


def test_a_job_is_looked_at_every_two_seconds(naps: list[float]) -> None:
    play([NONE, SUBMIT, *[job("PENDING")] * 4, *[job("RUNNING", "anything")] * 8, job("SUCCEEDED")])
    assert max(naps) == 2 and naps[-1] == 2


def test_a_running_job_is_adopted() -> None:
    assert not play([job("RUNNING"), job("RUNNING"), job("SUCCEEDED")])["changed"]


@pytest.mark.parametrize("check", [True, False])
def test_a_failed_job_is_an_error_and_is_not_run_again(check: bool) -> None:
    failed = job("FAILED", "exit code 3, last available logs (truncated): one")
    with pytest.raises(RayError, match=r"Job j is FAILED: exit code 3\. Last lines") as caught:
        play([failed, ("jobs", (), [failed[2]])], check=check, wait=False)
    assert caught.value.details["ray_job"]["message"] == "exit code 3"


def test_a_refusal_is_passed_on_without_looking() -> None:
    for refused in (RayError("x", code="INVALID_ARGUMENT", details={"status": 400}), RayError("y", details={"status": 500, "vendor": "ValueError: x"}),
                    RayError("x", details={"status": 500, "vendor": "No available agent to submit job, please try again later"})):
        with pytest.raises(RayError, match="x"):
            play([NONE, ("submit", (BODY,), refused)])


def test_who_took_the_id_at_the_same_moment_is_looked_at() -> None:
    taken = RayError("x", details={"status": 500, "vendor": "ValueError: Job with submission_id j already exists. Please use a different submission_id"})
    with pytest.raises(RayError, match="Another job took the id j at the same moment: entrypoint is 'other'"):
        play([NONE, ("submit", (BODY,), taken), ("job", ("j",), row("j", "RUNNING", entrypoint="other"))])


def test_a_job_that_vanishes_is_an_error() -> None:
    with pytest.raises(RayError, match="has vanished"):
        play([NONE, SUBMIT, NONE])


def test_the_deadline_shows_the_last_state() -> None:
    with pytest.raises(RayError, match=r"last seen: PENDING, .*not started \(no CPU\)\. Of 2 live nodes the head runs its command") as caught:
        play([job("PENDING"), job("PENDING", "no CPU"), ("resources", (), {"nodes": [{}, {}]})], wait_timeout=0)
    assert caught.value.code == "TIMEOUT"


def test_a_job_that_no_node_has_started_cannot_be_ended() -> None:
    pending = row("j", "PENDING")
    ray = Scripted([("job", ..., pending), ("stop", ("j",), None), *[("job", ..., pending)] * 30], clean=str)
    resource = RayJob(ray, "j")
    resource.read()
    clock = iter(range(100))
    words = stopped_by(resource, clock)
    assert words.startswith("it has not ended yet. Waiting for job j to end took more than 10 s") and PENDING_STAYS in words


def test_stopped() -> None:
    running, stopped = ("jobs", (), [row("j", "RUNNING"), row("other", "RUNNING")]), ("jobs", (), [row("j", "STOPPED")])
    assert play([running, ("stop", ("j",), None), running, stopped], state="stopped")["changed"]
    assert not play([stopped], state="stopped")["changed"] and not play([("jobs", (), [])], state="stopped")["changed"]
    assert play([running], state="stopped", check=True)["changed"]


def test_absent() -> None:
    runs = ("jobs", (), [row("j-2", "RUNNING", start_time=5, metadata={content.RERUN_OF: "j"}), row("j", "FAILED")])
    going, ended = ([row("j-2", status, metadata={content.RERUN_OF: "j"})] for status in ("RUNNING", "STOPPED"))
    script = [runs, ("stop", ("j-2",), None), ("delete", ("j",), None), ("jobs", (), going), ("jobs", (), ended), ("delete", ("j-2",), None), ("jobs", (), [])]
    assert play(script, state="absent")["changed"]
    assert play(script[:4], state="absent", wait=False)["changed"]
    assert not play([("jobs", (), [])], state="absent")["changed"]


def test_secrets_of_the_runtime_environment_are_known_by_name() -> None:
    assert content.secrets({"env_vars": {"API_TOKEN": "long enough", "PASSWORD": "x", "MODE": "something"}}) == ["long enough"]
    assert content.secrets({"pip": ["https://me:hidden-one@index/simple"]}) == ["hidden-one"]
    assert content.secrets(None) == [] and content.secrets({"env_vars": "x"}) == []


@pytest.mark.parametrize(("amount", "size"), [("4Gi", 4 * 1024**3), ("512", 512), ("1.5G", 1500000000), ("2 MiB", 2 * 1024**2), ("3kB", 3000)])
def test_amounts_of_memory(amount: str, size: int) -> None:
    options = dict.fromkeys(("metadata", *content.RESOURCES))
    assert content.content({**options, "entrypoint": "x", "entrypoint_memory": amount}, None)["entrypoint_memory"] == size


def test_a_runtime_environment_that_fails_is_told_by_the_lines_that_tell_why() -> None:
    assert reason(NO_PIP, "RUNTIME_ENV_SETUP_FAILURE") == (
        "runtime_env setup failed: Failed to set up runtime environment. "
        "ray._private.runtime_env.utils.SubprocessCalledProcessError: Run cmd[5] failed with the following details. "
        "ERROR: No matching distribution found for nosuch")
    assert reason(None) == "" and reason("runtime_env setup failed: a\nb", None) == "runtime_env setup failed: a b"


def test_what_a_pending_job_waits_for() -> None:
    nodes = {"nodes": [{"CPU": 4.0, "memory": 2.0 * 1024**3}, {"CPU": 2.0}]}
    assert waiting({"CPU": 8, "memory": 1024**3}, nodes) == (
        "Its command asks for 8 CPU, 1.0 GiB memory on one node, and none of 2 live nodes has that; the most that one has is 4 CPU, 2.0 GiB memory.")
    assert waiting({"CPU": 3}, nodes).endswith("1 of 2 live nodes can have that: other work may hold it now.")


def test_last_lines() -> None:
    def file(node: str, name: str, into: t.Callable[[bytes], None], lines: int) -> None:
        into(b"10%\r20%\r\n\x00bar\tbaz \xff\n")

    ray = Scripted([], file=file, clean=str)
    assert tail(ray, row("j", "RUNNING"), 2) == ["20%", "bar\tbaz \ufffd"] and tail(ray, row("j", "PENDING"), 2) == [] == tail(ray, row("j", "RUNNING"), 0)
    for refused, lines in ((RayError("x", details={"status": 500}), []), (RayError("x", code="AUTH", details={"status": 403}), None)):
        ray = Scripted([("file", ..., refused)], clean=str)
        if lines is None:
            with pytest.raises(RayError):
                tail(ray, row("j", "RUNNING"), 2)
        else:
            assert tail(ray, row("j", "RUNNING"), 2) == lines


def test_a_long_log_is_read_the_rarer_and_never_kept() -> None:
    now, told, reads = [0.0], [], []

    def file(node: str, name: str, into: t.Callable[[bytes], None]) -> None:
        reads.append(now[0])
        now[0] += 2.0
        for _piece in range(8):
            into(b"x" * 65536)

    follower = Follower(Scripted([], file=file, clean=str), told.append, clock=lambda: now[0])
    for _look in range(60):
        follower.look(row("j", "RUNNING"))
        now[0] += 1.0
    assert reads == [0.0, 22.0, 44.0] and len(told) == 8 * 65536 // LONGEST_LINE - 1 and {len(line) for line in told} == {LONGEST_LINE}
    follower.finish(row("j", "SUCCEEDED"))
    assert sum(map(len, told)) == 8 * 65536
