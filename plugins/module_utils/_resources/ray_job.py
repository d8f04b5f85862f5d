# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One job of a Ray cluster, known by its submission id; success is its status, never the end of a log stream."""

from __future__ import annotations

import typing as t
from contextlib import contextmanager

from .. import _wait
from .._errors import RayError
from .._ports import Json, Ray, RayPackage
from .ray_job_content import RERUN_OF, body, differences, wants
from .ray_job_failure import HINTS, reason, waiting
from .ray_job_log import Follower, tail

ENDED = ("SUCCEEDED", "FAILED", "STOPPED")
# How long a job may take to show up after its hand-in was not answered.
LOST_ANSWER = 10
# Ray kills a driver that does not end by itself after a few seconds; it cannot end one that no node has started.
STOPPING, STOPPING_PENDING = 60, 10
PENDING_STAYS = ("Ray ends a job only when its command has got a node, and gives up on one that gets none after 15 minutes "
                 "(RAY_JOB_START_TIMEOUT_SECONDS).")
SHOWN = ("submission_id", "job_id", "type", "status", "entrypoint", "error_type", "start_time", "end_time", "driver_node_id")


def view(job: Json, dashboard_url: str, log_tail: list[str] | None = None) -> Json:
    """What is shown of a job: not its runtime environment, which may hold secrets."""
    return {**{key: job.get(key) for key in SHOWN}, "message": reason(job.get("message"), job.get("error_type")),
            "exit_code": job.get("driver_exit_code"), "metadata": job.get("metadata") or {}, "log_tail": log_tail or [],
            "dashboard_url": dashboard_url}


class RayJob:
    """A job that is to run to its end.

    Args:
        name: its id; of one that is run again that of the newest run counts, which is ``NAME-2`` and so on.
        rerun: ``never``, ``failed`` or ``always``: which job that has ended is run again, under the next number. Ray itself
            advises against an id that was used before, and would write both into one log.
        log_lines: how many of the last lines of its log are shown.
        packages: local code: with ``uri``, ``check()`` and ``opened()``.
        follower: tells its log during the wait.
        fault: why it is not known yet what is to be handed in.
    """

    noun, goal = "ray_job", "to end"
    longest_pause = 2.0
    hidden = ("runtime_env",)

    def __init__(self, ray: Ray, name: str, *, rerun: str = "never", log_lines: int = 20, packages: t.Sequence[RayPackage] = (),
                 follower: Follower | None = None, fault: RayError | None = None) -> None:
        self._ray, self.name, self._base = ray, name, name
        self._rerun, self.log_lines, self._packages, self._follower = rerun, log_lines, packages, follower
        self._fault, self._chosen = fault, False
        self._asked: Json = {}
        # What Ray said last of the job, and of the run that this one is to follow.
        self.job: Json | None = None
        self._ended: Json | None = None
        self._ours = False
        # Whether this task sees it run: then what lies here of an earlier run is old.
        self.fresh = True

    @property
    def handed_in(self) -> bool:
        """Whether it runs, or may run, on the cluster now."""
        return self._ours or bool(self.job and self.job["status"] not in ENDED)

    def read(self) -> Json | None:
        """The job; None when there is none, or it has ended and is to be run again."""
        if self._fault:
            raise self._fault
        if not self._chosen:
            self._choose()
        else:
            self.job = self._ray.job(self.name)
        return view(self.job, self._ray.url) if self.job else None

    def _choose(self) -> None:
        """The newest run, and whether it stays. The list of all jobs is asked for only where there may be a newer one."""
        job = None if self._rerun == "always" else self._ray.job(self._base)
        if self._rerun == "always" or (job and job["status"] in ("FAILED", "STOPPED")):
            job, following = newest(self._ray.jobs(), self._base)
            if job and job["status"] in ENDED and (self._rerun == "always" or (self._rerun == "failed" and job["status"] != "SUCCEEDED")):
                self._ended, self.name, job = job, following, None
        self.name, self.job, self._chosen = job["submission_id"] if job else self.name, job, True

    def resolve(self, before: Json | None, desired: Json) -> Json:
        """Refuse another job under this id, and one that has failed: it is never handed in again behind the user's back."""
        self._asked = desired
        known = self._ended or self.job
        if known and (other := differences(known, desired)):
            raise RayError(f"Job {known['submission_id']} exists and is another one: {'; '.join(other)}.", code="INPUT",
                           hint="Choose another submission_id, or leave it out: then the id follows from the content.")
        if before is not None:
            self.fresh = before["status"] not in ENDED
            self._refuse_failed(self.job or {})
            return {}
        for package in self._packages:
            package.check()
        return {**desired, "submission_id": self.name}

    def create(self, desired: Json) -> None:
        """Send the code and hand the job in once; when the answer is lost, look whether it arrived instead of handing it in again."""
        for package in self._packages:
            self._ray.upload(package.uri, package.opened)
        try:
            self._ours = True
            self._ray.submit(body(self._asked, self.name, self._base if self._ended else None))
        except RayError as error:
            if not _undecided(error):
                self._ours = False
                raise _named(error, self.name) from error
            if not self._arrived():
                raise RayError(f"Job {self.name} was handed in, but the answer was lost, and after {LOST_ANSWER} s there is none of this id: "
                               f"{error.message}", code="FAILED", hint="Run it again: it is handed in only if it is not there.") from error
            if other := differences(self.job or {}, self._asked):
                raise RayError(f"Another job took the id {self.name} at the same moment: {'; '.join(other)}.", code="INPUT",
                               hint="Choose another submission_id.") from error

    def update(self, before: Json, desired: Json) -> None:
        raise RayError(f"Job {self.name} exists and cannot be changed.", code="INPUT", hint="Choose another submission_id.")

    def delete(self, before: Json) -> None:
        """Only RayJobEnd takes jobs away."""
        raise RayError(f"Job {self.name} is not to be taken away here.", code="INPUT")

    def ready(self, current: Json | None) -> bool:
        if current is None or self.job is None:
            raise RayError(f"Job {self.name} has vanished from {self._ray.url} while it was waited for.", code="FAILED",
                           hint="The head of the cluster may have been restarted; run it again, and it is handed in anew.")
        if self._follower and self.fresh and self.job["status"] in ENDED:
            self._follower.finish(self.job)
        self._refuse_failed(self.job)
        return bool(self.job["status"] == "SUCCEEDED")

    @contextmanager
    def watching(self) -> t.Iterator[t.Callable[[float], None]]:
        """The pauses of the wait, in which the log is looked at."""

        def pause(seconds: float) -> None:
            if self._follower:
                self._follower.look(self.job)
            _wait.pause(seconds)

        yield pause

    def say(self, current: Json | None) -> str:
        return current["status"] if current else "no job of this id"

    def diagnose(self) -> str:
        """A pending job mostly waits for resources that no node has; a running one tells by its log."""
        job = self._ray.job(self.name)
        if job is None:
            return ""
        if job["status"] == "PENDING":
            words = reason(job.get("message")).rstrip(".")
            return f"It has not started{f' ({words})' if words else ''}. {waiting(wants(self._asked), self._ray.resources())}"
        return f"Last lines of its log: {_joined(tail(self._ray, job, self.log_lines))}."

    def stop(self) -> str:
        """End it; gives what it has come to, in words."""
        try:
            self._ray.stop(self.name)
            self.job = until_ended(self._ray, self.job or {"submission_id": self.name, "status": "PENDING"})
        except RayError as error:
            return f"it has not ended yet. {error.message}"
        return f"it is {self.job['status'] if self.job else 'gone'}."

    def describe(self) -> Json | None:
        """The job as it was read last, with the end of its log; None when there is none."""
        return None if self.job is None else view(self.job, self._ray.url, tail(self._ray, self.job, self.log_lines))

    def _arrived(self) -> bool:
        def look() -> Json | None:
            self.job = self._ray.job(self.name)
            return self.job

        try:
            _wait.until(look, bool, what=f"job {self.name} to show up", timeout=LOST_ANSWER, bear=LOST_ANSWER)
        except RayError:
            return False
        return True

    def _refuse_failed(self, job: Json) -> None:
        if job["status"] in ("FAILED", "STOPPED"):
            shown = view(job, self._ray.url, tail(self._ray, job, self.log_lines))
            why = f": {shown['message']}" if shown["message"] else ""
            dot = "" if why.endswith(".") else "."
            raise RayError(f"Job {self.name} is {job['status']}{why}{dot} Last lines of its log: {_joined(shown['log_tail'])}.", code="FAILED",
                           details={"ray_job": shown},
                           hint=HINTS.get(job.get("error_type") or "", "To run it again, set rerun: failed, or choose another submission_id."))


def newest(jobs: list[Json], base: str) -> tuple[Json | None, str]:
    """The newest run of a job, and the id that the next one gets."""
    runs = {base: 1}
    for job in jobs:
        number = str(job.get("submission_id") or "").removeprefix(f"{base}-")
        if (job.get("metadata") or {}).get(RERUN_OF) == base and number.isdecimal():
            runs[job["submission_id"]] = int(number)
    known = [job for job in jobs if job.get("submission_id") in runs]
    last = max(known, key=lambda job: runs[job["submission_id"]], default=None)
    taken, following = {job.get("submission_id") for job in jobs}, max(runs.values()) + 1
    while f"{base}-{following}" in taken:
        following += 1
    return last, f"{base}-{following}" if last else base


def until_ended(ray: Ray, job: Json) -> Json | None:
    """The job when it has ended, after it was told to."""
    name, pending = job["submission_id"], job["status"] == "PENDING"
    return _wait.until(lambda: ray.job(name), lambda job: job is None or job["status"] in ENDED, what=f"job {name} to end",
                       timeout=STOPPING_PENDING if pending else STOPPING, limit=RayJob.longest_pause, bear=STOPPING,
                       say=lambda job: job["status"] if job else "gone", diagnose=lambda: PENDING_STAYS if pending else "")


def _undecided(error: RayError) -> bool:
    """Whether it may have been handed in all the same. Ray hides refusals of its agent in a 500; that the id is taken may be our own doing."""
    text, status = str(error.details.get("vendor") or ""), error.details.get("status")
    refused = "No available agent" in text or (text.startswith(("ValueError", "TypeError")) and "already exists" not in text)
    return error.code in ("CONNECTION", "SERVICE_UNAVAILABLE") or (status in (500, 502, 503, 504) and not refused)


def _named(error: RayError, name: str) -> RayError:
    """What Ray would not have, though it says so with a 500."""
    text = str(error.details.get("vendor") or "")
    if not text.startswith(("ValueError", "TypeError")):
        return error
    return RayError(f"Ray refuses job {name}: {text}.", code="INPUT", details=error.details)


def _joined(lines: list[str]) -> str:
    return " | ".join(lines) or "(none)"
