# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults by name: what all parts have in common that can fail on purpose.

A part says in `Faults.kinds` which names it has, asks `strike` or `claim` where it could fail, and serves `routes`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

COMMON = {
    "times": "how often it strikes (0: until it is cleared)",
    "skip": "how many fitting ones are spared first",
    "method": "only requests of this method",
    "path": "only requests whose path?query fits this regular expression",
}
OF_OBJECTS = ("times", "skip")
OF_REQUESTS = tuple(COMMON)


class OneOf(tuple[str, ...]):
    """The words that an option takes; the first of them when it is not given."""

    __slots__ = ()


@dataclass
class Fault:
    """What was asked for by `lab fault add`, and how often it has struck."""

    name: str
    times: int = 1  # 0: until it is cleared
    skip: int = 0  # so many that fit are spared first
    method: str = ""
    path: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    struck: int = 0
    victims: set[Hashable] = field(default_factory=set, repr=False)
    spared: set[Hashable] = field(default_factory=set, repr=False)

    @property
    def over(self) -> bool:
        return bool(self.times) and self.struck >= self.times

    def due(self) -> bool:
        """Strike now? True at most `times` times. To be asked only when the strike would be felt."""
        if self.over:
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.struck += 1
        return True

    def fits(self, method: str, where: str) -> bool:
        """Whether the request is among those that were asked for."""
        return not self.over and method in (self.method or method) and bool(re.search(self.path, where))

    def means(self, facts: Mapping[str, str]) -> bool:
        """Whether the object is among those that were asked for: an option of a fact's name is empty or equal."""
        return all(self.options.get(key) in (None, "", value) for key, value in facts.items())

    def shown(self) -> dict[str, Any]:
        """For `lab fault list`."""
        chosen = {key: value for key, value in (("method", self.method), ("path", self.path), ("skip", self.skip)) if value}
        return {"name": self.name, "times": self.times, **chosen, **self.options, "struck": self.struck, "over": self.over}


@dataclass(frozen=True)
class Kind:
    """What a name means.

    `options`: name -> default; a tuple of words of which one has to be given, or `OneOf`.
    """

    text: str
    options: dict[str, Any] = field(default_factory=dict, kw_only=True)
    times: int = field(default=1, kw_only=True)
    common: tuple[str, ...] = field(default=OF_OBJECTS, kw_only=True)


def described(part: str, kinds: Mapping[str, Kind]) -> str:
    """Every name of a part with its meaning, for `lab fault names`."""
    lines = [f"{part}:", *(f"  {name:25} {kind.text}" for name, kind in kinds.items())]
    return "\n".join(lines)


def described_common() -> str:
    """The options that several take."""
    lines = ["Every fault that strikes something takes times= and skip=, those of vCenter and answer-lost also method= and path=:"]
    return "\n".join([*lines, *(f"  {key + '=':25} {text}" for key, text in COMMON.items())])


class Faults:
    """All armed faults of a part, in the order in which they were armed."""

    kinds: Mapping[str, Kind] = {}

    def __init__(self, changed: Callable[[], None] = lambda: None) -> None:
        self._armed: list[Fault] = []
        self.changed = changed  # called after each arming and clearing

    def __bool__(self) -> bool:
        return bool(self._armed)

    def add(self, asked: dict[str, Any]) -> Fault:
        """Arm one; ValueError with a sentence for what cannot be."""
        values = dict(asked)
        name = str(values.pop("name", ""))
        if name not in self.kinds:
            raise ValueError(f"There is no fault '{name}'. There are: {', '.join(self.kinds)}.")
        kind = self.kinds[name]
        common = {key: values.pop(key) for key in kind.common if key in values}
        options = _options(name, kind, values)
        times = options.get("polls", kind.times)
        fault = self._made(
            name=name,
            times=_number("times", common.get("times", times)),
            skip=_number("skip", common.get("skip", 0)),
            method=str(common.get("method", "")).upper(),
            path=_pattern(str(common.get("path", ""))),
            options=options,
        )
        self._armed.append(fault)
        self.changed()
        return fault

    def _made(self, **values: Any) -> Fault:
        return Fault(**values)

    def armed(self, *names: str) -> list[Fault]:
        """Those of these names that are armed, also if they are over."""
        return [fault for fault in self._armed if fault.name in names]

    def struck(self, name: str, about: Hashable) -> Fault | None:
        """The fault that has struck the object already, and holds it until it is cleared."""
        return next((fault for fault in self.armed(name) if about in fault.victims), None)

    def strike(self, name: str, about: Hashable, facts: Mapping[str, str]) -> Fault | None:
        """The fault that holds the object: one that struck it before, or one that does so now."""
        if found := self.struck(name, about):
            return found
        for fault in self.armed(name):
            if fault.over or about in fault.spared or not fault.means(facts):
                continue
            if fault.due():
                fault.victims.add(about)
                return fault
            fault.spared.add(about)
        return None

    def listing(self) -> list[dict[str, Any]]:
        return [fault.shown() for fault in self._armed]

    def clear(self, name: str = "") -> int:
        """Disarm all, or those of a name."""
        gone = self._taken(name)
        self.changed()
        return len(gone)

    def _taken(self, name: str) -> list[Fault]:
        gone = [fault for fault in self._armed if name in ("", fault.name)]
        self._armed = [fault for fault in self._armed if fault not in gone]
        return gone


def _options(name: str, kind: Kind, values: dict[str, Any]) -> dict[str, Any]:
    known = kind.options
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise ValueError(f"The fault {name} has no option {unknown[0]}. It has: {', '.join([*known, *kind.common])}.")
    chosen: dict[str, Any] = {}
    for key, default in known.items():
        if isinstance(default, tuple):
            value = values.get(key, default[0] if isinstance(default, OneOf) else None)
            if value not in default:
                raise ValueError(f"The fault {name} needs {key}= one of {', '.join(filter(None, default))}.")
            chosen[key] = value
        else:
            chosen[key] = _number(key, values.get(key, default)) if isinstance(default, int) else str(values.get(key, default))
    return chosen


def _number(name: str, value: Any) -> int:
    if not str(value).isdecimal():
        raise ValueError(f"{name} is a number from 0, not '{value}'.")
    return int(value)


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"path is not a regular expression: {error}.") from error
    return text


def routes(faults_of: Callable[[web.Request], Faults]) -> list[web.RouteDef]:
    """`/faults` of a part's side door: GET lists, POST arms one, DELETE clears all or those of `?name=`."""

    async def listing(request: web.Request) -> web.Response:
        return web.json_response(faults_of(request).listing())

    async def arm(request: web.Request) -> web.Response:
        try:
            fault = faults_of(request).add(await request.json())
        except ValueError as error:
            return web.json_response({"error": str(error)}, status=400)
        return web.json_response(fault.shown(), status=201)

    async def disarm(request: web.Request) -> web.Response:
        return web.json_response({"cleared": faults_of(request).clear(request.query.get("name", ""))})

    return [web.get("/faults", listing), web.post("/faults", arm), web.delete("/faults", disarm)]
