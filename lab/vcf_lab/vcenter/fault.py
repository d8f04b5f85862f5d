# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One armed fault, and the request that it looks at."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from aiohttp import web

from vcf_lab import faults

from .writes import is_soap, is_write

Answer = web.StreamResponse
Proceed = Callable[[], Awaitable[Answer]]


@dataclass
class Call:
    """A request, as a fault sees it."""

    request: web.Request
    operation: str = ""

    @property
    def method(self) -> str:
        return self.request.method

    @property
    def path(self) -> str:
        """Without the query."""
        return self.request.path

    @property
    def where(self) -> str:
        """With the query."""
        return self.request.path_qs

    @property
    def rest(self) -> bool:
        return self.path.startswith(("/api", "/rest"))

    @property
    def soap(self) -> bool:
        return is_soap(self.path)

    @property
    def writes(self) -> bool:
        return is_write(self.method, self.where, self.operation)

    @property
    def login(self) -> bool:
        """A login with user and password."""
        if self.path in ("/api/session", "/rest/com/vmware/cis/session"):
            return self.method == "POST" and "action" not in self.where
        return self.path.startswith("/sts/") or (self.soap and self.operation == "Login" and self.path.startswith("/sdk"))


class Fault(faults.Fault):
    """A fault that strikes requests."""

    def claim(self, call: Call | None = None) -> bool:
        """Strike now? The log of requests tells it of this one."""
        if not self.due():
            return False
        if call is not None:
            call.request.setdefault("faults", []).append(self.name)
        return True


Strike = Callable[[Fault, Call, Proceed], Awaitable[Answer]]


@dataclass(frozen=True)
class Kind(faults.Kind):
    """What a name means."""

    strike: Strike
    fits: Callable[[Call], bool]  # requests that it can strike at all
    usual: Callable[[Call], bool] = lambda call: True  # those among them that it strikes when no method is named
    rank: int = 1  # lower ones are asked first
    common: tuple[str, ...] = field(default=faults.OF_REQUESTS, kw_only=True)
