# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""REST sessions: made with a password or an assertion, ended by DELETE or by idleness."""

from __future__ import annotations

import base64
import binascii
import gzip
import re
import secrets
import time
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from .directory import Directory, Refused, full_name
from .errors import ApiError
from .security import InvalidToken, verify_assertion
from .store import now

HEADER = "vmware-api-session-id"
IDLE_LIMIT = 300.0  # seconds; the vendor gives no figure
PER_USER = 550  # as field reports tell it

routes = web.RouteTableDef()


@dataclass
class Session:
    """Who is logged in, and since when."""

    user: str
    created_time: str
    last_accessed_time: str
    last_used: float


class Sessions:
    """All sessions, in memory: a restart of the server ends them, as on a real one."""

    def __init__(self, idle_limit: float = IDLE_LIMIT) -> None:
        self.idle_limit = idle_limit
        self._open: dict[str, Session] = {}

    def create(self, user: str) -> str:
        """A new session of `user`; returns its secret. Refused when the user has too many that live."""
        if sum(session.user.lower() == user.lower() for session in self._alive()) >= PER_USER:
            raise session_limit(user)
        token = secrets.token_hex(16)
        self._open[token] = Session(user, now(), now(), time.monotonic())
        return token

    def _alive(self) -> list[Session]:
        """Forget those that idled too long, as nobody will come back for them."""
        oldest = time.monotonic() - self.idle_limit
        self._open = {token: session for token, session in self._open.items() if session.last_used >= oldest}
        return list(self._open.values())

    def touch(self, token: str) -> Session | None:
        """The session, its idle clock set back; None when it has ended."""
        session = self._open.get(token)
        if session is None:
            return None
        if time.monotonic() - session.last_used > self.idle_limit:
            del self._open[token]
            return None
        session.last_used, session.last_accessed_time = time.monotonic(), now()
        return session

    def end(self, token: str) -> None:
        """Logout."""
        self._open.pop(token, None)

    def end_all(self) -> int:
        """What a restart of the session service does to clients; for tests of their recovery."""
        count = len(self._open)
        self._open.clear()
        return count

    def listing(self) -> list[dict[str, Any]]:
        """Open sessions without their secrets."""
        return [{"user": session.user, "created_time": session.created_time} for session in self._open.values()]


def unauthenticated(text: str = "Authentication required.") -> ApiError:
    """401 in the vendor's form."""
    return ApiError("UNAUTHENTICATED", text, id="com.vmware.vapi.endpoint.method.authentication.required")


def session_limit(user: str) -> ApiError:
    """503, which does not look like what it is: clients show only the status."""
    text = f"User session count is limited to {PER_USER}. Existing session count is {PER_USER} for user {user}"
    return ApiError("SERVICE_UNAVAILABLE", text, id="com.vmware.vapi.endpoint.failedToLoginMaxUserSessionCountReached")


@routes.post("/api/session")
async def login(request: web.Request) -> web.Response:
    """201 with the bare secret as a JSON string."""
    user = user_of(request)
    token = request.app["sessions"].create(full_name(user))
    return web.json_response(token, status=201)


@routes.get("/api/session")
async def show(request: web.Request) -> web.Response:
    """The cheap way to ask whether a session still lives."""
    session: Session = request["session"]
    return web.json_response(
        {
            "user": session.user,
            "created_time": session.created_time,
            "last_accessed_time": session.last_accessed_time,
        }
    )


@routes.delete("/api/session")
async def logout(request: web.Request) -> web.Response:
    """End the session of the request."""
    request.app["sessions"].end(request.headers[HEADER])
    return web.Response(status=204)


def user_of(request: web.Request) -> dict[str, Any]:
    """The user whose credentials the request carries; 401 when there is none."""
    directory: Directory = request.app["directory"]
    scheme, _, rest = request.headers.get("Authorization", "").partition(" ")
    try:
        if scheme.lower() == "basic":
            name, _, password = base64.b64decode(rest).decode().partition(":")
            return directory.authenticate(name, password)
        if scheme.lower() == "sign":
            return _user_of_assertion(request, rest)
    except Refused as error:
        raise unauthenticated("Authentication failed: " + str(error)) from error
    except (binascii.Error, UnicodeDecodeError) as error:
        raise unauthenticated("The credentials cannot be read.") from error
    raise unauthenticated()


def _user_of_assertion(request: web.Request, parameters: str) -> dict[str, Any]:
    found = re.search(r'token="([^"]+)"', parameters)
    if not found:
        raise unauthenticated()
    try:
        text = gzip.decompress(base64.b64decode(found.group(1))).decode()
        claims = verify_assertion(request.app["sts_key"], text)
    except (OSError, EOFError, InvalidToken) as error:
        raise unauthenticated(f"The assertion is not valid: {error}") from error
    user = request.app["directory"].find(claims.user)
    if user is None:
        raise unauthenticated("The user of the assertion does not exist.")
    return dict(user)
