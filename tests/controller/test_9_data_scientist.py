# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role data_scientist with nothing but a dashboard: jobs side by side, all faults at once, no secret in what is shown."""

from __future__ import annotations

import json
import socket
import threading
import typing as t
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from running import Run

TOKEN, SECRET = "planted-T0ken-of-ray", "planted-Pa55word-in-env"
FAULTS = "vcf.ray.data_scientist : Say everything that is wrong at once"


class Dashboard(ThreadingHTTPServer):
    """Ray's job API on 127.0.0.1, for who has the token. A job runs until it was looked at three times."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.jobs: dict[str, dict] = {}
        self.looks: dict[str, int] = {}
        self.events: list[str] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def take(self, body: dict) -> None:
        name = body["submission_id"]
        self.events.append(f"handed in {name}")
        self.jobs[name] = {**body, "type": "SUBMISSION", "status": "RUNNING", "start_time": len(self.jobs) + 1, "driver_node_id": "n1"}

    def look(self, name: str) -> dict | None:
        job = self.jobs.get(name)
        self.looks[name] = self.looks.get(name, 0) + bool(job)
        if job and self.looks[name] > 3 and job["status"] == "RUNNING":
            self.events.append(f"ended {name}")
            job["status"] = "FAILED" if job["entrypoint"] == "false" else "SUCCEEDED"
        return job


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self.answer(401, {"error": "Unauthorized"})
        elif path == "/api/v0/logs/file":
            self.answer(200, f"the password is {SECRET}\n" if "job-driver-second" in query else "done\n")
        elif path.removeprefix("/api/jobs/"):
            job = self.server.look(path.removeprefix("/api/jobs/"))
            self.answer(200 if job else 404, job or {})
        else:
            self.answer(200, list(self.server.jobs.values()))

    def do_POST(self) -> None:
        self.server.take(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.answer(200, {})

    def answer(self, status: int, body: t.Any) -> None:
        data = (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture(name="dashboard")
def fixture_dashboard() -> t.Iterator[Dashboard]:
    server = Dashboard()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(name="role")
def fixture_role(play, dashboard):
    """``role(JOBS, ARGS, {variable: value})`` runs the role at -vvv; neither the token nor a secret of a job is shown."""

    def role(jobs: list[dict], *args: str, **variables: t.Any) -> Run:
        given = {"jobs": jobs, "dashboard_url": dashboard.url, "token": TOKEN, **variables}
        done = play("data_scientist.yml", "-vvv", "-e", json.dumps({f"data_scientist_{name}": value for name, value in given.items()}), *args)
        shown = [line for line in done.text.splitlines() if TOKEN in line or SECRET in line]
        assert not shown, shown
        assert "Traceback" not in done.text
        return done

    return role


def faults(run: Run) -> list[str]:
    assert run.rc != 0, run.text
    return run.results(FAULTS)[0]["msg"].split("\n- ")[1:]


def closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


JOBS = [{"submission_id": "first", "entrypoint": "true"},
        {"name": "second", "cluster": "two", "entrypoint": "true", "runtime_env": {"env_vars": {"DB_PASSWORD": SECRET}}},
        {"entrypoint": "true"}]


def test_jobs_run_side_by_side_and_once(role, dashboard) -> None:
    urls = {"two": dashboard.url}
    check = role(JOBS, "--check", dashboard_urls=urls)
    assert check.rc == 0 and "changed=1" in check.text and not dashboard.jobs, check.text
    made = role(JOBS, dashboard_urls=urls)
    assert made.rc == 0 and "changed=1" in made.text, made.text
    assert [event.split()[0] for event in dashboard.events] == ["handed"] * 3 + ["ended"] * 3
    assert list(dashboard.jobs)[:2] == ["first", "second"] and list(dashboard.jobs)[2].startswith("job-")
    handed_on = made.results("vcf.ray.data_scientist : Hand on how they ended")[0]["ansible_stats"]["data"]
    assert handed_on == {"data_scientist_ended_jobs": dict.fromkeys(dashboard.jobs, "SUCCEEDED")}
    again = role(JOBS, dashboard_urls=urls)
    assert again.rc == 0 and "changed=0" in again.text and len(dashboard.jobs) == 3, again.text


def test_the_others_are_waited_for_when_one_fails(role, dashboard) -> None:
    run = role([{"submission_id": "bad", "entrypoint": "false"}, *JOBS[:1]])
    assert run.rc != 0 and "bad is FAILED" in run.text, run.text
    assert dashboard.jobs["first"]["status"] == "SUCCEEDED"


def test_all_faults_are_told_before_the_first_job_is_handed_in(role, dashboard) -> None:
    port = closed_port()
    jobs = [*JOBS[:1], {"submission_id": "far", "dashboard_url": f"127.0.0.1:{port}"}, {"submission_id": "lost", "cluster": "three"}, *JOBS[:1]]
    found = faults(role(jobs, dashboard_urls={"two": dashboard.url}))
    assert len(found) == 3, found
    assert "has a submission_id twice for one cluster" in found[0] and "first, first" in found[0]
    assert "cannot be reached" in found[1] and f"ssh -N -L 8265:127.0.0.1:{port} USER@MACHINE" in found[1]
    assert "Of the job lost no dashboard is known" in found[2] and "(asked for: three; there: two)" in found[2]
    assert not dashboard.jobs


def test_a_refused_token_is_told_once(role, dashboard) -> None:
    found = faults(role(JOBS[:1], token="another-token"))
    assert len(found) == 1 and "wants a token" in found[0], found


def test_the_port_of_a_dashboard_may_be_left_out(role) -> None:
    found = faults(role([{"submission_id": "far"}], dashboard_url="ray.invalid", token=""))
    assert "ssh -N -L 8265:ray.invalid:8265" in found[0], found


def test_no_job_is_no_fault(role) -> None:
    run = role([], dashboard_url="")
    assert run.rc == 0 and "changed=0" in run.text, run.text


def test_a_job_that_shall_stop_is_not_passed_over(role) -> None:
    lost = [{"submission_id": "lost", "cluster": "three"}]
    run = role(lost, state="stopped")
    assert run.rc != 0 and "Of the job lost no dashboard is known" in run.text, run.text
    assert role(lost, state="absent").rc == 0, "a job of a cluster that is gone is gone with it"
