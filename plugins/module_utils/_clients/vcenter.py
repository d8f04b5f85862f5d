# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The vCenter REST API: one session for a task, ended with it, or one that was handed in and is left alone."""

from __future__ import annotations

import typing as t
from contextlib import contextmanager
from urllib.parse import quote

from ansible.module_utils.basic import env_fallback

from .._errors import RayError
from .._http import Http, Reply
from .._ports import Json, Task
from . import proxy
from .inventory import Inventory
from .version import Version, released

ARGSPEC: dict[str, Json] = {
    "hostname": {"type": "str", "required": True, "fallback": (env_fallback, ["VMWARE_HOST"])},
    "username": {"type": "str", "fallback": (env_fallback, ["VMWARE_USER"])},
    "password": {"type": "str", "no_log": True, "fallback": (env_fallback, ["VMWARE_PASSWORD"])},
    "session_id": {"type": "str", "no_log": True},
    "port": {"type": "int", "default": 443, "fallback": (env_fallback, ["VMWARE_PORT"])},
    # No environment variable: credential types of controllers set one to false by default.
    "validate_certs": {"type": "bool", "default": True},
    "ca_path": {"type": "path", "fallback": (env_fallback, ["VCF_RAY_CA_PATH"])},
    "proxy_host": {**proxy.ARGSPEC["proxy_host"], "fallback": (env_fallback, ["VMWARE_PROXY_HOST"])},
    "proxy_port": {**proxy.ARGSPEC["proxy_port"], "fallback": (env_fallback, ["VMWARE_PROXY_PORT"])},
}
SESSION = "/api/session"
SESSION_HEADER = "vmware-api-session-id"
VERSIONS = "/sdk/vimServiceVersions.xml"


class VCenter:
    """Calls with one session; answers are decoded bodies, None where there is none.

    Args:
        session_id: a session that was handed in: it is used, and never ended by ``logout``.
        credentials: user and password, for a session of our own: at the start, or when the other one has ended.
    """

    def __init__(self, http: Http, session_id: str | None = None, credentials: tuple[str, str] | None = None) -> None:
        self._http = http
        self._session = session_id
        self._credentials = credentials
        self._own = False
        # Logged in, and no call has been carried out since.
        self._fresh = False
        self._version: Version | None = None
        self.inventory = Inventory(self)

    @property
    def version(self) -> Version:
        """The release of this vCenter, asked for once, and only if somebody wants to know; vCenter tells it without a login."""
        if self._version is None:
            self._version = released(self._http.request("GET", VERSIONS).text, self._http.what)
        return self._version

    def needs(self, release: str, what: str) -> None:
        """Refuse what this vCenter is too old for.

        Args:
            release: the first vCenter that has it, such as ``8.0.3``.
            what: begins the sentence, such as ``A namespace in zones``.
        Raises:
            RayError: ``UNSUPPORTED``.
        """
        if self.version < Version.of(release):
            raise RayError(f"{what} needs vCenter {release}; {self._http.what.removeprefix('vCenter ')} is {self.version}.", code="UNSUPPORTED",
                           hint="Upgrade vCenter, or leave it out.", details={"needs": release, "version": str(self.version)})

    def login(self) -> None:
        """Ask once: five refusals within minutes lock the account, so credentials that were not accepted are forgotten."""
        credentials, self._credentials = self._credentials, None
        self._session, self._own = None, False
        try:
            token = self._http.request("POST", SESSION, auth=credentials).json
        except RayError as error:
            if unauthenticated(error) and credentials:
                raise refused_login(self._http.what, credentials[0], error) from error
            error.hint = error.hint or (SESSIONS if TOO_MANY in error.message else HINTS.get(error.code))
            raise
        if not isinstance(token, str):
            raise RayError(f"{self._http.what} answered the login with no session.", code="CONNECTION",
                           hint="Check that hostname and port are those of vCenter 7.0 U2 or later.")
        self._credentials, self._session, self._own, self._fresh = credentials, token, True, True

    def logout(self) -> None:
        """End the session if it is our own."""
        if self._own:
            self.end()

    def end(self) -> None:
        """End the session, whoever made it. One that has ended already is as good."""
        try:
            self._http.request("DELETE", SESSION, headers=self._header())
        except RayError as error:
            if not unauthenticated(error):
                raise
        self._session, self._own = None, False

    def keep(self) -> str | None:
        """Let the session live on after the task. Returns its id if it is our own, None for one that was handed in."""
        own, self._own = self._own, False
        return self._session if own else None

    def get(self, path: str, query: Json | None = None) -> t.Any:
        return self._call("GET", path, query=query)

    def find(self, path: str) -> t.Any:
        """Like get, but None for 404: the one place where "not there" is an answer."""
        reply = self._request("GET", path, ok404=True)
        return None if reply.status == 404 else reply.json

    def post(self, path: str, body: t.Any = None, query: Json | None = None, headers: Json | None = None) -> t.Any:
        return self._call("POST", path, json=body, query=query, headers=headers)

    def ask(self, path: str, body: t.Any = None, query: Json | None = None) -> t.Any:
        """A POST that only reads (find, probe, checkContent ...): a lost one is sent again, as a GET is."""
        return self._call("POST", path, json=body, query=query, safe=True)

    def patch(self, path: str, body: t.Any = None, query: Json | None = None) -> t.Any:
        return self._call("PATCH", path, json=body, query=query)

    def put(self, path: str, body: t.Any, query: Json | None = None) -> t.Any:
        return self._call("PUT", path, json=body, query=query)

    def delete(self, path: str, query: Json | None = None) -> None:
        self._call("DELETE", path, query=query)

    def _call(self, method: str, path: str, **kwargs: t.Any) -> t.Any:
        return self._request(method, path, **kwargs).json

    def _request(self, method: str, path: str, **kwargs: t.Any) -> Reply:
        """One call. A 401 was not carried out, whatever it was, so it may be sent again in a new session; once."""
        try:
            return self._send(method, path, **kwargs)
        except RayError as error:
            if not unauthenticated(error) or self._fresh:
                raise
            if not self._credentials:
                raise self._ended(error) from error
        self.login()
        return self._send(method, path, **kwargs)

    def _send(self, method: str, path: str, headers: Json | None = None, **kwargs: t.Any) -> Reply:
        try:
            reply = self._http.request(method, path, headers={**self._header(), **(headers or {})}, **kwargs)
        except RayError as error:
            error.hint = error.hint or HINTS.get(error.code)
            raise
        self._fresh = False
        if reply.json is None and reply.text.strip():
            raise RayError(f"{self._http.what} answered {method} {path} with something that is no answer of its API: {reply.text.strip()[:60]!r}.",
                           code="CONNECTION", hint="A proxy or another server may stand at this hostname and port; look at it with a browser.")
        return reply

    def _header(self) -> dict[str, str]:
        return {SESSION_HEADER: self._session} if self._session else {}

    def _ended(self, error: RayError) -> RayError:
        return RayError(
            f"The session that was handed in as session_id has ended at {self._http.what}: {error.details.get('vendor')}.",
            code=error.code,
            hint="Log in again with vcf.ray.vcenter_session. With username and password beside it, a task would go on with a session of its own.",
            details=error.details,
        )


HINTS = {
    "UNAUTHORIZED": "This account lacks a privilege on the object; ask an administrator for it.",
    "UNAUTHENTICATED": "The login was accepted just before, so another one would not help.",
    "INVALID_ARGUMENT": "Change the option that vCenter objects to.",
    "NOT_ALLOWED_IN_CURRENT_STATE": "Look at the state of the object; it may be changing, or be in use.",
    "CONCURRENT_CHANGE": "Somebody else has changed the object meanwhile; run the task again.",
    "SERVICE_UNAVAILABLE": "The service of vCenter is starting or stopped; try again in some minutes.",
}
# Ends the id with which vCenter answers 503 to a login of a user who has as many sessions as he may.
TOO_MANY = "MaxUserSessionCountReached"
SESSIONS = ("Sessions that nobody ends are ended by vCenter after a while. Let tasks share one, by vcf.ray.vcenter_session, and look which "
            "other client of this user leaves its own open.")
LOCKED = "vCenter unlocks it after some minutes, or vcf.ray.sso_user does with unlock. The login was tried once only."


def unauthenticated(error: RayError) -> bool:
    """Whether vCenter does not know the session, or refused a login; not a lack of privileges, which is 403."""
    return error.details.get("status") == 401


def refused_login(what: str, username: str, error: RayError) -> RayError:
    return RayError(
        f"{what} refused the login of {username!r}: {error.details.get('vendor') or error.message.rstrip('.')}.",
        code="AUTH",
        hint=LOCKED if "locked" in str(error.details.get("vendor", "")).lower() else
        "Check username and password. The login was tried once only, as repeated refusals lock the account.",
        details=error.details,
    )


def segment(name: str) -> str:
    """A name as one segment of a path."""
    return quote(name, safe="")


def open_http(params: Json, what: str = "vCenter") -> Http:
    """The connection that the options of a task describe; nothing is sent yet."""
    host = params["hostname"]
    return Http(
        f"https://{f'[{host}]' if ':' in host else host}:{params['port']}",
        ca_path=params["ca_path"],
        validate_certs=params["validate_certs"],
        proxy=proxy.url(params),
        what=f"{what} {host}",
    )


def credentials(params: Json) -> tuple[str, str] | None:
    """User and password of the options; None when a session stands in for both. Nothing is sent yet."""
    missing = [name for name in ("username", "password") if not params.get(name)]
    if not missing:
        return params["username"], params["password"]
    if params.get("session_id") is not None:
        return None
    raise RayError(
        f"No login at vCenter {params['hostname']}: {' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not given.",
        code="INPUT",
        hint="Set the options username and password, or the environment variables VMWARE_USER and VMWARE_PASSWORD; "
             "or hand in a session_id of vcf.ray.vcenter_session.",
    )


@contextmanager
def connect(task: Task) -> t.Iterator[VCenter]:
    """The client with the session that was handed in, or with one of its own for as long as it is needed."""
    session_id, login = task.params.get("session_id"), credentials(task.params)
    http = open_http(task.params)
    client = VCenter(http, session_id, login)
    with logged_out(task, client, http):
        if session_id is None:
            client.login()
        yield client


class Session(t.Protocol):
    """A client that has logged in, or will."""

    def logout(self) -> None:
        ...


@contextmanager
def logged_out(task: Task, client: Session, http: Http) -> t.Iterator[None]:
    """A client of vCenter or its SSO logs out at the end; an error of that never hides the one before it."""
    try:
        yield
    finally:
        closed(task, client.logout)
        http.close()


def closed(task: Task, end: t.Callable[[], None]) -> bool:
    """Whether ``end`` has closed a session; if not, a warning says why, as it is no reason to fail what was done in it."""
    try:
        end()
    except RayError as error:
        task.warn(f"The session could not be closed: {error.message}")
        return False
    return True
