# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One job of a Ray cluster, known by its submission id; success is its status, never the end of a log stream."""

from __future__ import annotations

import re
import typing as t

from .. import _wait
from .._errors import RayError

ENDED = ("SUCCEEDED", "FAILED", "STOPPED")
# How long a job may take to show up after its hand-in was not answered.
LOST_ANSWER = 10
# Ray kills a driver that does not end by itself after a few seconds.
STOPPING = 60


def view(job: dict, dashboard_url: str, log_tail: list[str] | None = None) -> dict:
    """What is shown of a job: not its runtime environment, which may hold secrets."""
    return {"submission_id": job.get("submission_id"), "status": job.get("status"), "entrypoint": job.get("entrypoint"),
            "message": _first_line(job.get("message")), "error_type": job.get("error_type"), "exit_code": job.get("driver_exit_code"),
            "metadata": job.get("metadata") or {}, "start_time": job.get("start_time"), "end_time": job.get("end_time"),
            "log_tail": log_tail or [], "dashboard_url": dashboard_url}


class RayJob:
    """A job that is to run to its end.

    Args:
        log_lines: how many of the last lines of its log are shown.
        stopping: it is to be ended; then ``read`` sees only a job that still runs.
        removing: it is to be ended and forgotten.
    """

    noun = "ray_job"
    longest_pause = 2.0
    create_only = ("entrypoint",)
    hidden = ("runtime_env",)
    write_only = ("metadata", "entrypoint_num_cpus", "entrypoint_num_gpus", "entrypoint_memory", "entrypoint_resources")

    def __init__(self, ray: t.Any, name: str, *, log_lines: int = 20, stopping: bool = False, removing: bool = False) -> None:
        self._ray, self.name, self._lines = ray, name, log_lines
        self._stopping, self._removing = stopping, removing

    def read(self) -> dict | None:
        job = self._ray.job(self.name)
        if job is None or (self._stopping and job["status"] in ENDED):
            return None
        return view(job, self._ray.url)

    def resolve(self, before: dict | None, desired: dict) -> dict:
        """A job of this id that has failed is never handed in again behind the user's back."""
        if before and before["entrypoint"] == desired["entrypoint"]:
            self._refuse_failed(before)
        return desired

    def create(self, desired: dict) -> None:
        """Hand it in once; when the answer is lost, look whether it arrived instead of handing it in again."""
        try:
            self._ray.submit({**desired, "submission_id": self.name})
        except RayError as error:
            if error.details.get("status") not in (None, 500, 502, 503, 504) or not self._arrived():
                raise

    def update(self, before: dict, desired: dict) -> None:
        raise RayError(f"Job {self.name} exists and cannot be changed.", code="INPUT", hint="Choose another submission_id.")

    def delete(self, before: dict) -> None:
        """Stop it while it runs; Ray forgets a job only after its end."""
        if before["status"] not in ENDED:
            self._ray.stop(self.name)
        if self._removing:
            _wait.until(lambda: self._ray.job(self.name), lambda job: job is None or job["status"] in ENDED, what=f"job {self.name} to end",
                        timeout=STOPPING, limit=self.longest_pause, say=lambda job: job and job["status"])
            self._ray.delete(self.name)

    def ready(self, current: dict | None) -> bool:
        if current is None:
            raise RayError(f"Job {self.name} has vanished from {self._ray.url} while it was waited for.", code="FAILED",
                           hint="The head of the cluster may have been restarted; hand the job in again.")
        self._refuse_failed(current)
        return current["status"] == "SUCCEEDED"

    def say(self, current: dict | None) -> str:
        return current["status"] if current else "no job of this id"

    def diagnose(self) -> str:
        """A pending job mostly waits for resources that no node has; a running one tells by its log."""
        job = self._ray.job(self.name)
        if job is None:
            return ""
        if job["status"] == "PENDING":
            why = f" ({_first_line(job.get('message')).rstrip('.')})" if job.get("message") else ""
            return f"It has not started{why}; {len(self._ray.live_nodes())} nodes are alive: do they have the CPUs and GPUs that it asks for?"
        return f"Last lines of its log: {_joined(self.log_tail())}"

    def log_tail(self) -> list[str]:
        """The last lines; [] when none are asked for, so that a long log is not fetched for nothing."""
        return self._ray.log(self.name).splitlines()[-self._lines:] if self._lines > 0 else []

    def describe(self) -> dict | None:
        """The job as it is now, with the end of its log; None when there is none."""
        job = self._ray.job(self.name)
        return None if job is None else view(job, self._ray.url, self.log_tail())

    def _arrived(self) -> bool:
        try:
            _wait.until(lambda: self._ray.job(self.name), bool, what=f"job {self.name} to show up", timeout=LOST_ANSWER)
        except RayError:
            return False
        return True

    def _refuse_failed(self, job: dict) -> None:
        if job["status"] in ("FAILED", "STOPPED"):
            tail = self.log_tail()
            why = f": {job['message']}" if job["message"] else ""
            raise RayError(f"Job {self.name} is {job['status']}{why}{'' if why.endswith('.') else '.'} Last lines of its log: {_joined(tail)}", code="FAILED",
                           hint="To run it again, choose another submission_id, or remove this job first (state: absent).",
                           details={"ray_job": {**job, "log_tail": tail}})


def secrets(runtime_env: dict | None) -> list[str]:
    """Values of environment variables that by their names are secrets; short values would garble every text they are cut from."""
    variables = (runtime_env or {}).get("env_vars")
    found = variables.items() if isinstance(variables, dict) else ()
    return [str(v) for k, v in found if re.search(r"pass|secret|token|key|cred", k, re.IGNORECASE) and len(str(v)) >= 6]


def _first_line(message: str | None) -> str:
    """Ray puts the log behind its reason; the log is shown on its own."""
    return (message or "").split(", last available logs")[0].strip()[:2000]


def _joined(lines: list[str]) -> str:
    return " | ".join(lines) or "(none)"
