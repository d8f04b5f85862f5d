# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fault machine: what can be armed, what is armed, and the middleware in which it strikes."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from vcf_lab import faults

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
    ),
    "error-state": Kind(
        "the next polls=N reads of object=supervisor|namespace|install say ERROR, then the truth (0: for ever)",
        objects.error_state, _read_of_object, options={"object": tuple(objects.READS), "polls": 2},
    ),
    "try-later": Kind(
        "an install is refused for now: text=service-account|compatibility|signature|terminating",
        answers.try_later, _install_or_check, _install, options={"text": tuple(answers.TRY_LATER)},
    ),
    "installed-anyway": Kind("an install is carried out and answered 500", answers.installed_anyway, _install),
    "terminating-namespace": Kind(
        "the next polls=N reads of a namespace (namespace=NAME) say REMOVING, also when it is not there, and it takes no write",
        objects.terminating, objects.about_namespaces, options={"namespace": "", "polls": 2},
    ),
    "conflict": Kind("a write is answered 409 CONCURRENT_CHANGE and not carried out", answers.conflict, lambda call: call.rest, _rest_write),
    "changed-meanwhile": Kind(
        "another client changes, creates or deletes the object just before the write", objects.changed_meanwhile, _any, _write
    ),
    "not-allowed-service": Kind("a new Supervisor Service is not on the allow-list", answers.not_allowed_service, _register),
    "hold": Kind(
        "the Nth write (after=N) is carried out; its answer and all later requests wait until this is cleared",
        hold, _any, options={"after": 1}, rank=-2,
    ),
}


class Faults(faults.Faults):
    """The armed faults of vCenter, and which of them look at a request."""

    kinds = KINDS
    _armed: list[Fault]  # type: ignore[assignment]  # `_made` makes no others

    def _made(self, **values: Any) -> Fault:
        return (Hold if values["name"] == "hold" else Fault)(**values)

    def clear(self, name: str = "", *, ending: bool = False) -> int:
        """Disarm all, or those of a name; what was held goes on."""
        gone = self._taken(name)
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


@web.middleware
async def strike(request: web.Request, handler: Callable[[web.Request], Awaitable[Answer]]) -> Answer:
    """Let every armed fault look at the request, the first outermost."""
    armed: Faults = request.app["faults"]
    if not armed:
        return await handler(request)
    call = Call(request)
    if call.soap:
        found = OPERATION.search(await request.text())
        call.operation = found.group(1) if found else ""

    async def carry_out() -> Answer:
        return await handler(call.request)

    proceed: Proceed = carry_out
    for fault in reversed(armed.striking(call)):
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
