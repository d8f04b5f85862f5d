# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One armed fault, and the request that it looks at."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

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


@dataclass
class Fault:
    """What was asked for by `lab fault add`, and how often it has struck."""

    name: str
    times: int = 1  # 0: until it is cleared
    skip: int = 0  # so many requests that fit are spared first
    method: str = ""
    path: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    struck: int = 0

    @property
    def over(self) -> bool:
        return bool(self.times) and self.struck >= self.times

    def fits(self, method: str, where: str) -> bool:
        """Whether the request is among those that were asked for."""
        return not self.over and method in (self.method or method) and bool(re.search(self.path, where))

    def claim(self, call: Call | None = None) -> bool:
        """Strike now? True at most `times` times. To be asked only when the strike would be felt."""
        if self.over:
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.struck += 1
        if call is not None:
            call.request.setdefault("faults", []).append(self.name)
        return True

    def shown(self) -> dict[str, Any]:
        """For `lab fault list`."""
        chosen = {key: value for key, value in (("method", self.method), ("path", self.path), ("skip", self.skip)) if value}
        return {"name": self.name, "times": self.times, **chosen, **self.options, "struck": self.struck, "over": self.over}


Strike = Callable[[Fault, Call, Proceed], Awaitable[Answer]]


@dataclass(frozen=True)
class Kind:
    """What a name means."""

    text: str
    strike: Strike
    fits: Callable[[Call], bool]  # requests that it can strike at all
    usual: Callable[[Call], bool] = lambda call: True  # those among them that it strikes when no method is named
    options: dict[str, Any] = field(default_factory=dict)  # name -> default, or the tuple of allowed words
    times: int = 1
    rank: int = 1  # lower ones are asked first
