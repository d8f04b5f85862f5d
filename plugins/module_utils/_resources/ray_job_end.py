# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The end of a job with all its runs: they do not run any more, or Ray has forgotten them."""

from __future__ import annotations

import typing as t
from contextlib import contextmanager

from .. import _wait
from .._errors import RayError
from .._ports import Json, Ray
from .ray_job import ENDED, PENDING_STAYS, view
from .ray_job_content import RERUN_OF


class RayJobEnd:
    """What there is of a job until it is as ``removing`` says.

    Args:
        removing: it is to be ended and forgotten; else a run that has ended is as it should be.
    """

    noun = "ray_job"
    longest_pause = 2.0

    def __init__(self, ray: Ray, name: str, *, removing: bool) -> None:
        self._ray, self.name, self._removing = ray, name, removing
        # The newest run that was seen at all.
        self.job: Json | None = None
        self._runs: list[Json] = []

    def read(self) -> Json | None:
        """The newest run that is left to be ended or removed; one request for all runs."""
        mine = [job for job in self._ray.jobs() if self.name in (job.get("submission_id"), (job.get("metadata") or {}).get(RERUN_OF))]
        self._runs = sorted(mine, key=lambda job: job.get("start_time") or 0)
        self.job = self._runs[-1] if self._runs else None
        left = [job for job in self._runs if self._removing or job["status"] not in ENDED]
        return view(left[-1], self._ray.url) if left else None

    def create(self, desired: Json) -> None:
        raise RayError(f"Job {self.name} is not to be handed in here.", code="INPUT")

    def update(self, before: Json, desired: Json) -> None:
        self.create(desired)

    def delete(self, before: Json) -> None:
        """Stop what runs. Ray forgets a job only after its end, so what runs now is taken away in the course of the wait."""
        for job in self._runs:
            if job["status"] not in ENDED:
                self._ray.stop(job["submission_id"])
        self._forget()

    def _forget(self) -> bool:
        """Take away what has ended; whether there was any."""
        ended = [job["submission_id"] for job in self._runs if self._removing and job["status"] in ENDED]
        for name in ended:
            self._ray.delete(name)
        return bool(ended)

    @contextmanager
    def watching(self) -> t.Iterator[t.Callable[[float], None]]:
        """The pauses of the wait, in which what has ended meanwhile goes."""
        yield lambda seconds: None if self._forget() else _wait.pause(seconds)

    def ready(self, current: Json | None) -> bool:
        return current is None

    def say(self, current: Json | None) -> str:
        return f"{current['submission_id']} is {current['status']}" if current else "ended"

    def diagnose(self) -> str:
        if any(job["status"] == "PENDING" for job in self._runs):
            return PENDING_STAYS
        return "Ray kills a command that does not end by itself after a few seconds, unless its node is lost."

    def describe(self) -> Json | None:
        return view(self.job, self._ray.url) if self.job else None
