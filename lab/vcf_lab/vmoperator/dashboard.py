# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A connection to a head's dashboard, as a fault has to see it.

Nothing of what passes is changed, and while no fault is armed nothing but the line of the last request is kept: a
connection that was open before a fault was armed, perhaps a log that is followed, has to be struck as well.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from vcf_lab.forwarder import Cut

from .faults import VmFaults, about_service

PORT = 8265
_REQUEST = re.compile(rb"([A-Z]+) (\S+) HTTP/1\.[01]\r\n")
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})")
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_LOG = re.compile(r"^/api/(jobs/[^/]+/logs(/tail)?|v0/logs/(file|stream))/?(\?|$)")
_JOBS = re.compile(r"^/api/jobs/?(\?|$)")
_HEAD_END = b"\r\n\r\n"
NO_LOG = 16  # bytes of an answer with an empty log
CONTROL_FRAME = 8  # bytes of a ping or a pong; nothing of a log


class Conversation:
    """Request after request on one connection. Nobody pipelines: the answer is always to the last one."""

    def __init__(self, faults: VmFaults, service: Callable[[], dict[str, Any] | None]) -> None:
        self._faults, self._service = faults, service
        self._method = self._where = ""
        self._status = 0  # of the answer, once it has begun
        self._left = -1  # bytes of the answer that have not passed yet; -1: not known
        self._cut_at = -1  # so many bytes before the end; -1: not cut

    def asked(self, data: bytes) -> None:
        """Client to Ray; what follows a request's first line is its body, or messages of a websocket."""
        if found := _REQUEST.match(data):
            self._method, self._where = found[1].decode(), found[2].decode("latin-1")
            self._status, self._left, self._cut_at = 0, -1, -1

    def answered(self, data: bytes) -> None:
        """Ray to client; Cut where a fault strikes."""
        service = self._service() if self._faults.looks() else None
        if service is None:
            return
        facts = about_service(service)
        body = data
        if not self._status and (found := _STATUS.match(data)):
            if found[1] == b"100":
                return
            self._status = int(found[1])
            if self._faults.next_loss(facts, self._method, self._where):
                raise Cut
            head, _, body = data.partition(_HEAD_END)
            length = _LENGTH.search(head)
            self._left = int(length[1]) if length else -1
        self._maybe_cut(data, body, facts)
        self._left -= len(body) if self._left >= 0 else 0
        handed_in = self._method == "POST" and _JOBS.match(self._where) and 200 <= self._status < 300
        if handed_in and self._left <= 0 and self._faults.dashboard_closed(service, submitted=True):
            raise Cut(data)

    def _maybe_cut(self, data: bytes, body: bytes, facts: dict[str, str]) -> None:
        """Half of a log: of an answer, or of one message where there is no end to wait for."""
        if self._status not in (0, 101, 200) or self._method != "GET" or not _LOG.match(self._where):
            return
        if self._cut_at < 0:
            size = len(body) if self._left < 0 else self._left
            least = CONTROL_FRAME if self._status in (0, 101) else NO_LOG
            if size <= least or (body is data and self._left >= 0) or not self._faults.next_cut(facts):
                return
            self._cut_at = size - size // 2
        before = (len(body) if self._left < 0 else self._left) - self._cut_at
        if len(body) >= before:
            raise Cut(data[: len(data) - len(body) + before])
