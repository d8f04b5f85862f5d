# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A file of a job, brought here: its whole log, or what it has put into Ray's log folder of the node that it ran on."""

from __future__ import annotations

import os
import tempfile
import typing as t

from .._errors import RayError, UnknownYet
from .._ports import Json, Ray

# Milliseconds that a file system may round a time by.
COARSE = 2000


def checked(name: str) -> str:
    """A name inside the log folder; Ray would refuse another, but only after the job has run."""
    if not name or name.startswith("/") or ".." in name.split("/"):
        raise RayError(f"fetch: {name!r} is no name inside Ray's log folder.", code="INPUT",
                       hint="Let the job write into /tmp/ray/session_latest/logs, or put a link to its file there, and name it from there.")
    return name


class Job(t.Protocol):
    """The job: what Ray says of it, and whether it has run just now, so that what lies here is of an earlier run."""

    @property
    def job(self) -> Json | None:
        ...

    @property
    def fresh(self) -> bool:
        ...


class RayJobFile:
    """A file of the node that a job ran on, at ``path``, readable by its owner alone.

    Args:
        file: gives its name in the log folder, when the job's id is known.
        job: whose file it is.
    """

    noun = "file"

    def __init__(self, ray: Ray, file: t.Callable[[], str], path: str, *, job: Job) -> None:
        self._ray, self._file, self.name, self._job, self._brought = ray, file, path, job, False

    def check(self) -> None:
        """Whether it could be written; asked before the job is handed in."""
        folder = os.path.dirname(os.path.abspath(self.name))
        if not os.path.isdir(folder):
            raise UnknownYet(f"The folder {folder} for {self.name} is not there.", code="INPUT", hint="Make it first, or name another path.")
        if os.path.isdir(self.name) or not os.access(folder, os.W_OK | os.X_OK):
            raise RayError(f"{self.name} cannot be written.", code="INPUT", hint="Name a file in a folder that you may write to.")

    def read(self) -> Json | None:
        known = os.path.isfile(self.name) and (self._brought or not (self._job.fresh or self._older()))
        return {"path": self.name} if known else None

    def _older(self) -> bool:
        """Whether it was written before the job ended. What is brought here gets the time of the end, so that no clock of this machine counts."""
        end = (self._job.job or {}).get("end_time")
        return bool(end and os.stat(self.name).st_mtime_ns // 10**6 < end - COARSE)

    def create(self, desired: Json) -> None:
        job, wanted = self._job.job or {}, self._file()
        if not job.get("driver_node_id"):
            raise RayError(f"Job {job.get('submission_id')} never got to a node, so it has no {wanted}.", code="NOT_FOUND")
        handle, name = tempfile.mkstemp(dir=os.path.dirname(os.path.abspath(self.name)), prefix=f".{os.path.basename(self.name)}-")
        try:
            with os.fdopen(handle, "wb") as file:
                self._ray.file(job["driver_node_id"], wanted, file.write)
            if job.get("end_time"):
                os.utime(name, ns=(job["end_time"] * 10**6,) * 2)
            os.replace(name, self.name)
        except OSError as error:
            raise RayError(f"{self.name} cannot be written: {error.strerror}.", code="INPUT", hint="Is there space left?") from error
        except RayError as error:
            if error.details.get("status") != 500:
                raise
            raise RayError(f"Ray cannot give {wanted} of job {job.get('submission_id')}: {error.details.get('vendor')}.", code="NOT_FOUND",
                           hint="Only files in the log folder of the node that the command ran on can be fetched, while the node lives.") from error
        finally:
            if os.path.exists(name):
                os.unlink(name)
        self._brought = True

    def update(self, before: Json, desired: Json) -> None:
        self.create(desired)

    def delete(self, before: Json) -> None:
        os.unlink(self.name)

    def ready(self, current: Json | None) -> bool:
        return current is not None

    def diagnose(self) -> str:
        return ""
