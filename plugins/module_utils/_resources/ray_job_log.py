# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The log of a job's driver: its last lines, and each line as it comes.

Ray can tell a log from its start or a number of lines from its end, and a stream of it breaks off without a sign (ray#57002). So it is
asked for from the start again and again, and as many bytes are passed over as were told before: whatever is lost on the way, no
line is lost or told twice. As that grows with the log, it is done the rarer the longer it takes.
"""

from __future__ import annotations

import time
import typing as t

from .._errors import RayError
from .._ports import Json, Ray

# At the most this share of the time goes into reading a long log again.
SHARE = 0.1
PAUSE = 1.0
# A line that is longer is told in parts; of last lines no more than that is kept of all of them.
LONGEST_LINE = 16384
TAIL = 262144
LAST_TRIES = 3


def file_of(submission_id: str) -> str:
    return f"job-driver-{submission_id}.log"


def tail(ray: Ray, job: Json, lines: int) -> list[str]:
    """The last lines; none for a job that never got to a node, or whose node is gone."""
    if lines <= 0 or not job.get("driver_node_id"):
        return []
    kept = bytearray()

    def keep(piece: bytes) -> None:
        kept.extend(piece)
        del kept[:-TAIL]

    try:
        ray.file(job["driver_node_id"], file_of(job["submission_id"]), keep, lines)
    except RayError as error:
        if not _passing(error):
            raise
        return []
    return [_shown(ray, line) for line in kept.decode("utf-8", "replace").rstrip("\n").split("\n")[-lines:] if kept]


class Follower:
    """Tells the lines of one job.

    Args:
        tell: takes one line.
    """

    def __init__(self, ray: Ray, tell: t.Callable[[str], None], clock: t.Callable[[], float] = time.monotonic) -> None:
        self._ray, self._tell, self._clock = ray, tell, clock
        self._told, self._part, self._due = 0, bytearray(), 0.0

    def look(self, job: Json | None) -> None:
        """Tell what is new, if it is time to look."""
        if job and job.get("driver_node_id") and self._clock() >= self._due:
            start = self._clock()
            self._read(job)
            self._due = self._clock() + max(PAUSE, (self._clock() - start) / SHARE)

    def finish(self, job: Json) -> None:
        """Tell the rest of a job that has ended."""
        for left in range(LAST_TRIES - 1, -1, -1):
            if not job.get("driver_node_id") or self._read(job):
                break
            if not left:
                self._tell("(the rest of the log cannot be read)")
        if self._part:
            self._say(bytes(self._part))
            self._part.clear()

    def _read(self, job: Json) -> bool:
        """Pass over what is known and take the rest; what came before a connection broke counts."""
        passed = 0

        def take(piece: bytes) -> None:
            nonlocal passed
            new = piece[max(0, self._told - passed):]
            passed += len(piece)
            if new:
                self._told += len(new)
                self._take(new)

        try:
            self._ray.file(job["driver_node_id"], file_of(job["submission_id"]), take)
        except RayError as error:
            if not _passing(error):
                raise
            return False
        return True

    def _take(self, new: bytes) -> None:
        *lines, rest = (bytes(self._part) + new).split(b"\n")
        for line in lines:
            self._say(line)
        while len(rest) > LONGEST_LINE:
            self._say(rest[:LONGEST_LINE])
            rest = rest[LONGEST_LINE:]
        self._part[:] = rest

    def _say(self, line: bytes) -> None:
        self._tell(_shown(self._ray, line.decode("utf-8", "replace")))


def _shown(ray: Ray, line: str) -> str:
    """As a terminal would show it in the end: a progress bar writes over itself."""
    return "".join(c for c in ray.clean(line).rstrip("\r").rsplit("\r", 1)[-1] if c == "\t" or c.isprintable())


def _passing(error: RayError) -> bool:
    """What is no verdict on the job: the connection broke, the file is not there yet, the node of the driver is gone."""
    return error.code in ("CONNECTION", "SERVICE_UNAVAILABLE") or error.details.get("status") in (404, 500, 502, 503, 504)
