# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fault machine: what can be armed, what is armed, and the middleware in which it strikes."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from . import fault_answers as answers
from . import fault_objects as objects
from .directory import Refused
from .errors import ApiError
from .fault import Answer, Call, Fault, Kind, Proceed
from .fault_hold import Hold, hold
from .fault_reorder import reordered
from .proxy import OPERATION

_INSTALLS = re.compile(r"/namespace-management/(supervisors|clusters)/[^/]+/supervisor-services(/[^/]+)?$")
_SERVICES = re.compile(r"/namespace-management/supervisor-services$")


def _any(call: Call) -> bool:
    return True


def _write(call: Call) -> bool:
    return call.writes


def _rest_write(call: Call) -> bool:
    return call.rest and call.writes


def _login(call: Call) -> bool:
    return call.login


def _rest_login(call: Call) -> bool:
    return call.login and call.rest


def _install_or_check(call: Call) -> bool:
    return bool(_INSTALLS.search(call.path)) and call.method in ("POST", "PUT")


def _install(call: Call) -> bool:
    """An install, or an upgrade; the precheck is neither, and struck only when the method is named."""
    return _install_or_check(call) and "action" not in call.where


def _in_session(call: Call) -> bool:
    return not call.login and not (call.method == "DELETE" and call.path == "/api/session")


def _register(call: Call) -> bool:
    return call.method == "POST" and bool(_SERVICES.search(call.path)) and "action" not in call.where


def _read_of_object(call: Call) -> bool:
    return call.method == "GET" and any(pattern.search(call.path) for pattern in objects.READS.values())


KINDS = {
    "unavailable": Kind(
        "503 (retry_after=S: with that header)", answers.unavailable, _any, options={"retry_after": 0}
    ),
    "cut": Kind("the write is carried out, then the connection is closed without an answer", answers.cut, _any, _write),
    "html": Kind("200 with a page of HTML", answers.html, _any),
    "session-limit": Kind("the login is answered 503: too many sessions of this user", answers.too_many_sessions, _rest_login),
    "login-refused": Kind("the login is answered as one with a wrong password", answers.login_refused, _login),
    "login-locked": Kind("the login is answered as one of a locked user", answers.login_locked, _login),
    "session-expired": Kind("the session ends before the request", answers.session_expired, _any, _in_session),
    "reordered": Kind(
        "sets in another order, unknown keys and defaults added, identifiers in capitals",
        reordered, lambda call: call.rest, times=0, rank=-1,
    ),  # fmt: skip
    "error-state": Kind(
        "the next polls=N reads of object=supervisor|namespace|install say ERROR, then the truth (0: for ever)",
        objects.error_state, _read_of_object, options={"object": tuple(objects.READS), "polls": 2},
    ),  # fmt: skip
    "try-later": Kind(
        "an install is refused for now: text=service-account|compatibility|signature|terminating",
        answers.try_later, _install_or_check, _install, options={"text": tuple(answers.TRY_LATER)},
    ),  # fmt: skip
    "installed-anyway": Kind("an install is carried out and answered 500", answers.installed_anyway, _install),
    "terminating-namespace": Kind(
        "the next polls=N reads of a namespace (namespace=NAME) say REMOVING, also when it is not there, and it takes no write",
        objects.terminating, objects.about_namespaces, options={"namespace": "", "polls": 2},
    ),  # fmt: skip
    "conflict": Kind("a write is answered 409 CONCURRENT_CHANGE and not carried out", answers.conflict, lambda call: call.rest, _rest_write),
    "changed-meanwhile": Kind(
        "another client changes, creates or deletes the object just before the write", objects.changed_meanwhile, _any, _write
    ),
    "not-allowed-service": Kind("a new Supervisor Service is not on the allow-list", answers.not_allowed_service, _register),
    "hold": Kind(
        "the Nth write (after=N) is carried out; its answer and all later requests wait until this is cleared",
        hold, _any, options={"after": 1}, rank=-2,
    ),  # fmt: skip
}
COMMON = {"times": "how often it strikes (0: until it is cleared)", "skip": "how many fitting requests are spared first",
          "method": "only requests of this method", "path": "only requests whose path?query fits this regular expression"}  # fmt: skip


def described() -> str:
    """Every name with its meaning and options, for `lab fault names`."""
    lines = []
    for name, kind in KINDS.items():
        lines.append(f"{name:22} {kind.text}")
    lines.append("\nEvery fault takes also:")
    lines += [f"  {key + '=':20} {text}" for key, text in COMMON.items()]
    return "\n".join(lines)


class Faults:
    """All armed faults, in the order in which they were armed."""

    def __init__(self) -> None:
        self._armed: list[Fault] = []

    def __bool__(self) -> bool:
        return bool(self._armed)

    def add(self, asked: dict[str, Any]) -> Fault:
        """Arm one; ValueError with a sentence for what cannot be."""
        values = dict(asked)
        name = str(values.pop("name", ""))
        if name not in KINDS:
            raise ValueError(f"There is no fault '{name}'. There are: {', '.join(KINDS)}.")
        common = {key: values.pop(key) for key in COMMON if key in values}
        options = _options(name, values)
        times = options["polls"] if "polls" in options else KINDS[name].times
        kind = Hold if name == "hold" else Fault
        fault = kind(
            name=name,
            times=_number("times", common.get("times", times)),
            skip=_number("skip", common.get("skip", 0)),
            method=str(common.get("method", "")).upper(),
            path=_pattern(str(common.get("path", ""))),
            options=options,
        )
        self._armed.append(fault)
        return fault

    def listing(self) -> list[dict[str, Any]]:
        return [fault.shown() for fault in self._armed]

    def clear(self, name: str = "", *, ending: bool = False) -> int:
        """Disarm all, or those of a name; what was held goes on."""
        gone = [fault for fault in self._armed if name in ("", fault.name)]
        self._armed = [fault for fault in self._armed if fault not in gone]
        for fault in gone:
            if isinstance(fault, Hold):
                fault.release(ending=ending)
        return len(gone)

    def striking(self, call: Call) -> list[Fault]:
        """Those that look at this request, the outermost first."""
        found = []
        for fault in self._armed:
            kind = KINDS[fault.name]
            if fault.fits(call.method, call.where) and kind.fits(call) and (fault.method or kind.usual(call)):
                found.append(fault)
        return sorted(found, key=lambda fault: KINDS[fault.name].rank)

    def supervisor_login(self) -> None:
        """Refused when a login of the Supervisor, which asks us for it, is to fail."""
        for fault in self._armed:
            if fault.name in ("login-refused", "login-locked") and fault.fits("POST", "/wcp/login") and fault.claim():
                locked = fault.name == "login-locked"
                raise Refused(answers.LOCKED if locked else answers.REFUSED, locked=locked)


def _options(name: str, values: dict[str, Any]) -> dict[str, Any]:
    known = KINDS[name].options
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise ValueError(f"The fault {name} has no option {unknown[0]}. It has: {', '.join([*known, *COMMON])}.")
    chosen: dict[str, Any] = {}
    for key, default in known.items():
        if isinstance(default, tuple):
            if values.get(key) not in default:
                raise ValueError(f"The fault {name} needs {key}= one of {', '.join(default)}.")
            chosen[key] = values[key]
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


@web.middleware
async def strike(request: web.Request, handler: Callable[[web.Request], Awaitable[Answer]]) -> Answer:
    """Let every armed fault look at the request, the first outermost."""
    faults: Faults = request.app["faults"]
    if not faults:
        return await handler(request)
    call = Call(request)
    if call.soap:
        found = OPERATION.search(await request.text())
        call.operation = found.group(1) if found else ""

    async def carry_out() -> Answer:
        return await handler(call.request)

    proceed: Proceed = carry_out
    for fault in reversed(faults.striking(call)):
        proceed = _around(fault, call, proceed)
    try:
        return await proceed()
    except ApiError as error:  # a fault had to read what the request says, and could not
        return answers.refusal(error)


def _around(fault: Fault, call: Call, inner: Proceed) -> Proceed:
    async def outer() -> Answer:
        return await KINDS[fault.name].strike(fault, call, inner)

    return outer


async def release(app: web.Application) -> None:
    """The server ends: nobody waits any longer."""
    app["faults"].clear(ending=True)
