# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ray_job and ray_job_info as they are run, against a dashboard on the loopback: every request of a task is known."""

from __future__ import annotations

import pathlib
import types
import typing as t

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.vcf.ray.plugins.module_utils import _wait
from ansible_collections.vcf.ray.plugins.module_utils._clients import ray as ray_client
from ansible_collections.vcf.ray.plugins.module_utils._errors import RayError
from ansible_collections.vcf.ray.plugins.module_utils._reconcile import Task
from ansible_collections.vcf.ray.plugins.module_utils._resources import ray_job_log
from ansible_collections.vcf.ray.plugins.modules import ray_job, ray_job_info
from ansible_collections.vcf.ray.tests.unit.plugins.ray_server import NODE, Dashboard, dashboard, job

HI = {"submission_id": "j", "entrypoint": "echo hi"}
LOOK, SUBMIT, LIST, LOG = "GET /api/jobs/j", "POST /api/jobs/", "GET /api/jobs/", "GET /api/v0/logs/file"


@pytest.fixture(name="server")
def fixture_server(monkeypatch: pytest.MonkeyPatch) -> t.Iterator[Dashboard]:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"):
        monkeypatch.delenv(name, raising=False)
    with dashboard() as server:
        yield server


def play(server: Dashboard, module: t.Any = ray_job, check: bool = False, **options: t.Any) -> types.SimpleNamespace:
    """The task from its options on; what it has sent is in ``server.asked``, from here on."""
    server.asked.clear()
    spec = {**ray_client.ARGSPEC, **_wait.ARGSPEC, **module.SPEC}
    checked = ArgumentSpecValidator(spec).validate({"dashboard_url": server.url, "wait_timeout": 20, **options})
    assert not checked.error_messages
    seen = types.SimpleNamespace(warnings=[], told=[], hidden=set(), shown=set(), params=checked.validated_parameters)
    task = Task(seen.params, check_mode=check, diff_mode=True, warn=seen.warnings.append, progress=seen.told.append,
                hide=seen.hidden.update, show=seen.shown.update)
    with ray_client.connect(task) as ray:
        seen.result = (ray_job.ensure if module is ray_job else ray_job_info.gather)(task, ray)
    return seen


def test_the_requests_of_a_new_job(server: Dashboard) -> None:
    seen = play(server, **HI)
    assert server.asked == [LOOK, SUBMIT, LOOK, LOOK, LOOK, LOG]
    assert seen.result["changed"] and seen.result["ray_job"]["status"] == "SUCCEEDED"


def test_the_requests_of_a_job_that_has_succeeded(server: Dashboard) -> None:
    server.jobs["j"] = job("j", "SUCCEEDED")
    assert not play(server, **HI).result["changed"] and server.asked == [LOOK, LOG]
    assert not play(server, log_lines=0, **HI).result["changed"] and server.asked == [LOOK]
    assert not play(server, check=True, **HI).result["changed"] and server.asked == [LOOK]


def test_check_mode_says_what_a_run_would_do_and_asks_once(server: Dashboard, tmp_path: pathlib.Path) -> None:
    result = play(server, check=True, log_path=str(tmp_path / "log"), **HI).result
    assert result["changed"] and server.asked == [LOOK] and result["ray_job"]["submission_id"] == "j"
    assert result["files"] == [{"path": str(tmp_path / "log"), "changed": True}] and not list(tmp_path.iterdir())


def test_the_same_content_is_the_same_job(server: Dashboard) -> None:
    options = {"entrypoint": "x", "runtime_env": {"env_vars": {"N": 1, "API_TOKEN": "first-one"}}, "entrypoint_memory": "1Gi"}
    first = play(server, **options).result["ray_job"]["submission_id"]
    renewed = {**options, "runtime_env": {"env_vars": {"N": 1, "API_TOKEN": "second-one"}}}
    again = play(server, **renewed).result
    assert not again["changed"] and again["ray_job"]["submission_id"] == first and len(server.jobs) == 1
    assert play(server, **{**options, "entrypoint_memory": "2Gi"}).result["changed"] and len(server.jobs) == 2
    assert play(server, state="absent", **options).result["changed"] and len(server.jobs) == 1


@pytest.mark.parametrize(("other", "words"), [
    ({"entrypoint": "other"}, "entrypoint is 'echo hi', asked for 'other'"),
    ({"metadata": {"a": "2"}}, "metadata is {'a': '1'}, asked for {'a': '2'}"),
    ({"entrypoint_num_cpus": 2}, "entrypoint_num_cpus is 1.0, asked for 2.0"),
    ({"runtime_env": {"env_vars": {"N": "2"}}}, r"runtime_env.env_vars.N is another\."),
])
def test_another_job_under_the_same_id_is_refused_with_what_differs(server: Dashboard, other: dict, words: str) -> None:
    same = {**HI, "metadata": {"a": "1"}, "entrypoint_num_cpus": 1, "runtime_env": {"env_vars": {"N": "1"}}}
    play(server, **same)
    assert not play(server, **same).result["changed"]
    with pytest.raises(RayError, match=words) as caught:
        play(server, **{**same, **other})
    assert caught.value.code == "INPUT" and server.asked == [LOOK]


def test_a_lost_answer_is_looked_up_and_the_job_is_there_once(server: Dashboard) -> None:
    server.lost.append(SUBMIT)
    assert play(server, **HI).result["changed"]
    assert server.requests("POST") == [SUBMIT] and list(server.jobs) == ["j"]


def test_a_job_that_never_arrives_is_not_handed_in_again(server: Dashboard, monkeypatch: pytest.MonkeyPatch) -> None:
    server.lost.append(SUBMIT)
    monkeypatch.setattr("ansible_collections.vcf.ray.plugins.module_utils._resources.ray_job.LOST_ANSWER", 0)
    monkeypatch.setattr(server.RequestHandlerClass, "act", lambda handler, line, query: (404, b"none"))
    with pytest.raises(RayError, match="was handed in, but the answer was lost, and after 0 s there is none of this id") as caught:
        play(server, **HI)
    assert caught.value.code == "FAILED"
    assert server.requests("POST") == [SUBMIT]


def test_two_tasks_at_once_share_one_job(server: Dashboard) -> None:
    """The other one was faster between our look and our hand-in: Ray refuses ours with a 500."""
    real, first = server.RequestHandlerClass.act, []

    def act(handler: t.Any, line: str, query: dict) -> tuple[int, t.Any]:
        answer = real(handler, line, query)
        if line == LOOK and not first:
            first.append(line)
            server.jobs["j"] = job("j", "RUNNING", life=["RUNNING", "SUCCEEDED"])
        return answer

    server.RequestHandlerClass = type("Racing", (server.RequestHandlerClass,), {"act": act})
    assert play(server, **HI).result["ray_job"]["status"] == "SUCCEEDED"
    assert server.requests("POST") == [SUBMIT] and len(server.jobs) == 1


@pytest.mark.parametrize(("rerun", "status", "ran"), [
    ("failed", "FAILED", True), ("failed", "STOPPED", True), ("failed", "SUCCEEDED", False), ("failed", "RUNNING", False),
    ("always", "SUCCEEDED", True), ("always", "FAILED", True), ("always", "RUNNING", False), ("never", "SUCCEEDED", False),
])
def test_rerun(server: Dashboard, rerun: str, status: str, ran: bool) -> None:
    server.jobs["j"] = job("j", status, life=["SUCCEEDED"] if status == "RUNNING" else [])
    result = play(server, rerun=rerun, **HI).result
    assert result["changed"] == ran and result["ray_job"]["submission_id"] == ("j-2" if ran else "j")
    again = play(server, rerun="failed", **HI).result
    assert not again["changed"] and again["ray_job"]["submission_id"] == ("j-2" if ran and status != "SUCCEEDED" else "j")


def test_a_rerun_counts_for_whoever_asks_later_and_never_takes_an_id_of_another_job(server: Dashboard) -> None:
    server.jobs["j"] = job("j", "FAILED")
    server.jobs["j-2"] = job("j-2", "SUCCEEDED", entrypoint="another")
    assert play(server, rerun="failed", **HI).result["ray_job"]["submission_id"] == "j-3"
    assert not play(server, **HI).result["changed"] and server.asked == [LOOK, LIST, LOG]
    assert play(server, submission_id="j", state="absent").result["changed"] and list(server.jobs) == ["j-2"]
    assert server.requests("DELETE") == ["DELETE /api/jobs/j", "DELETE /api/jobs/j-3"] and not server.requests("POST")


def test_a_failed_job_brings_its_log_all_the_same(server: Dashboard, tmp_path: pathlib.Path) -> None:
    server.life, server.log = ["RUNNING", "FAILED"], lambda: b"one\n\x1b[31mtwo\x1b[0m\n"
    path = tmp_path / "log"
    with pytest.raises(RayError, match=r"Job j is FAILED\. Last lines of its log: two") as caught:
        play(server, log_path=str(path), log_lines=1, **HI)
    assert caught.value.details["ray_job"]["log_tail"] == ["two"]
    assert path.read_bytes() == b"one\n\x1b[31mtwo\x1b[0m\n" and path.stat().st_mode & 0o777 == 0o600


def test_files_come_once_for_each_run(server: Dashboard, tmp_path: pathlib.Path) -> None:
    server.files["out/j.csv"] = b"42\n"
    options = {**HI, "fetch": [{"file": "out/{submission_id}.csv", "dest": str(tmp_path / "out.csv")}]}
    assert play(server, **options).result["files"] == [{"path": str(tmp_path / "out.csv"), "changed": True}]
    assert (tmp_path / "out.csv").read_text() == "42\n" and (tmp_path / "out.csv").stat().st_mode & 0o777 == 0o600
    assert not play(server, **options).result["changed"] and server.asked == [LOOK, LOG]
    server.jobs["j"]["end_time"] = 4000000000000
    assert play(server, **options).result["changed"] and (tmp_path / "out.csv").stat().st_mtime == 4000000000
    assert not play(server, **options).result["changed"]
    (tmp_path / "out.csv").unlink()
    again = play(server, **options).result
    assert again["changed"] and server.asked == [LOOK, LOG, LOG] and again["diff"][1]["before"] == {}


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "a/../../b", ""])
def test_a_file_outside_of_the_log_folder_is_refused_before_anything_is_sent(server: Dashboard, name: str) -> None:
    with pytest.raises(RayError, match="log folder"):
        play(server, fetch=[{"file": name, "dest": "/tmp/x"}], **HI)
    assert not server.asked


def test_a_file_that_is_not_there_is_told_in_rays_words(server: Dashboard, tmp_path: pathlib.Path) -> None:
    with pytest.raises(RayError, match=r"Ray cannot give nothing.csv of job j: A file is not found at: /tmp/ray/session/logs/nothing.csv"):
        play(server, fetch=[{"file": "nothing.csv", "dest": str(tmp_path / "x")}], **HI)
    assert not list(tmp_path.iterdir())


def test_code_is_sent_once(server: Dashboard, tmp_path: pathlib.Path) -> None:
    (tmp_path / "main.py").write_text("1")
    play(server, entrypoint="python main.py", working_dir=str(tmp_path), submission_id="j")
    (name,) = server.packages
    assert server.jobs["j"]["runtime_env"] == {"working_dir": f"gcs://{name}"}
    assert server.asked[:4] == [LOOK, f"GET /api/packages/gcs/{name}", f"PUT /api/packages/gcs/{name}", SUBMIT]
    play(server, entrypoint="python main.py", working_dir=str(tmp_path), submission_id="k")
    assert not server.requests("PUT") and server.requests(f"GET /api/packages/gcs/{name}")
    assert not play(server, entrypoint="python main.py", working_dir=str(tmp_path), submission_id="j").result["changed"]
    assert server.asked == [LOOK, LOG]


def test_a_lost_answer_to_a_package_is_settled_by_asking(server: Dashboard, tmp_path: pathlib.Path) -> None:
    (tmp_path / "main.py").write_text("1")
    play(server, entrypoint="x", working_dir=str(tmp_path), submission_id="j")
    name = f"/api/packages/gcs/{next(iter(server.packages))}"
    server.packages.clear()
    server.lost.append(f"PUT {name}")
    play(server, entrypoint="x", working_dir=str(tmp_path), submission_id="k")
    assert server.requests("GET /api/packages", "PUT") == [f"GET {name}", f"PUT {name}", f"GET {name}"]


def test_code_that_an_earlier_task_makes_is_unknown_in_check_mode(server: Dashboard, tmp_path: pathlib.Path) -> None:
    options = {"entrypoint": "x", "working_dir": str(tmp_path / "later")}
    assert play(server, check=True, **options).result["unknown"] == [f"working_dir {tmp_path / 'later'} is not there."]
    with pytest.raises(RayError, match="is not there"):
        play(server, **options)
    assert not server.asked


def test_the_log_is_told_line_by_line_across_cut_answers(server: Dashboard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_job_log, "PAUSE", 0)
    monkeypatch.setattr(ray_job_log, "SHARE", 1e9)
    lines = [b"line %d\n" % number for number in range(40)]
    server.life = ["RUNNING"] * 25 + ["SUCCEEDED"]
    states = iter(range(2, 60))
    server.log = lambda: b"".join(lines[:min(next(states), 40)]) if server.jobs["j"]["life"] else b"".join(lines) + b"the end"
    server.cut = [3, 0, 50, 7, 200, 11, 100, 35]
    seen = play(server, follow_logs=True, log_lines=0, **HI)
    assert [text for text in seen.told if "|" in text] == [f"j | line {number}" for number in range(40)] + ["j | the end"]


def test_the_log_of_a_job_that_has_ended_before_is_not_told_again(server: Dashboard) -> None:
    server.jobs["j"] = job("j", "SUCCEEDED")
    server.log = lambda: b"old\n"
    assert not play(server, follow_logs=True, log_lines=0, **HI).told and server.asked == [LOOK]


def test_timeout(server: Dashboard) -> None:
    server.life = ["PENDING"] * 3
    with pytest.raises(RayError, match=r"It has not started\. Its command asks for 8 CPU on one node, and none of 1 live node has that; "
                       r"the most that one has is 4 CPU\. The job goes on\. Run it again to go on waiting") as caught:
        play(server, entrypoint_num_cpus=8, wait_timeout=0, **HI)
    assert caught.value.code == "TIMEOUT" and not server.requests("POST /api/jobs/j/stop")
    with pytest.raises(RayError, match=r"It was told to stop, as stop_on_timeout asks: it is STOPPED\."):
        play(server, entrypoint_num_cpus=8, wait_timeout=0, stop_on_timeout=True, **HI)
    assert server.jobs["j"]["status"] == "STOPPED"


def test_the_runtime_environment_is_shown_nowhere(server: Dashboard) -> None:
    variables = {"DB_PASSWORD": "planted-one", "URL": "postgres://me:planted-two@db/x", "EPOCHS": "10"}
    seen = play(server, runtime_env={"env_vars": variables, "pip": ["requests"]}, **HI)
    assert server.jobs["j"]["runtime_env"]["env_vars"] == variables
    assert {"planted-one", "planted-two"} <= seen.hidden and {"10", "requests"} <= seen.shown and not seen.hidden & seen.shown
    assert "planted" not in f"{seen.result}{seen.told}{seen.params}" and seen.params["runtime_env"] == "(not shown)"
    with pytest.raises(RayError) as caught:
        play(server, runtime_env={"env_vars": {**variables, "EPOCHS": "11"}}, **HI)
    assert "runtime_env.env_vars.EPOCHS is another" in caught.value.message and "11" not in caught.value.message


@pytest.mark.parametrize("options", [
    {"runtime_env": {"env_vars": {"X": True}}}, {"metadata": {"a": ["b"]}}, {"entrypoint_memory": "much"}, {"entrypoint_num_cpus": -1},
    {"metadata": {"vcf.ray/rerun_of": "x"}}, {"entrypoint_resources": {"tpu": "x"}}, {"submission_id": "a/b"}, {"working_dir": "/dev/null"},
    {"working_dir": "x", "runtime_env": {"working_dir": "y"}}, {"dashboard_url": "http://me:secret@h"}, {"dashboard_url": "ftp://h"},
])
def test_input_that_cannot_be_is_refused_before_anything_is_sent(server: Dashboard, options: dict) -> None:
    with pytest.raises(RayError) as caught:
        play(server, **{**HI, **options})
    assert caught.value.code == "INPUT" and not server.asked and "secret" not in str(caught.value)


def test_an_open_dashboard_is_warned_of_without_a_request_more(server: Dashboard, monkeypatch: pytest.MonkeyPatch) -> None:
    server.jobs["j"] = job("j", "SUCCEEDED")
    assert not play(server, **HI).warnings
    monkeypatch.setattr(ray_client.Ray, "is_loopback", False)
    (warning,) = play(server, **HI).warnings
    assert "without a token" in warning and server.asked == [LOOK, LOG]
    assert not play(server, accept_open_dashboard=True, **HI).warnings
    assert not play(server, token="t", **HI).warnings and not play(server, headers={"X-Login": "x"}, **HI).warnings
    server.token = "t"
    with pytest.raises(RayError):
        play(server, **HI)


def test_info(server: Dashboard) -> None:
    server.jobs = {"b": job("b", "FAILED", start_time=2), "a": job("a", "SUCCEEDED", runtime_env={"env_vars": {"X": "planted"}}),
                   "d": {**job("x", "RUNNING", start_time=3), "submission_id": None, "type": "DRIVER"}}
    server.log = lambda: b"1\n2\n"

    def names(**options: object) -> list[str | None]:
        return [row["submission_id"] for row in play(server, ray_job_info, **options).result["ray_jobs"]]

    assert names() == ["a", "b"] and server.asked == [LIST]
    assert names(drivers=True) == ["a", "b", None] and names(status=["FAILED", "STOPPED"]) == ["b"] and names(submission_id="nothing") == []
    (one,) = play(server, ray_job_info, submission_id="a").result["ray_jobs"]
    assert server.asked == ["GET /api/jobs/a", LOG] and one["log_tail"] == ["1", "2"] and "planted" not in str(one)
    assert one["driver_node_id"] == NODE
    assert [row["log_tail"] for row in play(server, ray_job_info, log_lines=1).result["ray_jobs"]] == [["2"], ["2"]] and server.asked == [LIST, LOG, LOG]
