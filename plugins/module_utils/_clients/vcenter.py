# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The vCenter REST API: one session per task, always closed."""

from __future__ import annotations

import typing as t
from contextlib import contextmanager
from urllib.parse import quote

from ansible.module_utils.basic import env_fallback

from .._errors import RayError
from .._http import Http
from .inventory import Inventory

ARGSPEC = {
    "hostname": {"type": "str", "required": True, "fallback": (env_fallback, ["VMWARE_HOST"])},
    "username": {"type": "str", "required": True, "fallback": (env_fallback, ["VMWARE_USER"])},
    "password": {"type": "str", "required": True, "no_log": True, "fallback": (env_fallback, ["VMWARE_PASSWORD"])},
    "port": {"type": "int", "default": 443, "fallback": (env_fallback, ["VMWARE_PORT"])},
    # No environment variable: credential types of controllers set one to false by default.
    "validate_certs": {"type": "bool", "default": True},
    "ca_path": {"type": "path", "fallback": (env_fallback, ["VCF_RAY_CA_PATH"])},
    "proxy_host": {"type": "str"},
    "proxy_port": {"type": "int"},
}
SESSION = "/api/session"
SESSION_HEADER = "vmware-api-session-id"


class VCenter:
    """Calls with the session of this task; answers are decoded bodies, None where there is none."""

    def __init__(self, http: Http) -> None:
        self._http = http
        self._session: dict[str, str] = {}
        self.inventory = Inventory(self)

    def login(self, username: str, password: str) -> None:
        """Ask once: five refusals within minutes lock the account."""
        try:
            token = self._http.request("POST", SESSION, auth=(username, password)).json
        except RayError as error:
            if error.code == "UNAUTHENTICATED":
                raise refused_login(self._http.what, username, error) from error
            raise
        if not isinstance(token, str):
            raise RayError(f"{self._http.what} answered the login with no session.", code="CONNECTION",
                           hint="Check that hostname and port are those of vCenter 7.0 U2 or later.")
        self._session = {SESSION_HEADER: token}

    def logout(self) -> None:
        if self._session:
            self._http.request("DELETE", SESSION, headers=self._session)
            self._session = {}

    def get(self, path: str, query: dict | None = None) -> t.Any:
        return self._call("GET", path, query=query)

    def find(self, path: str) -> t.Any:
        """Like get, but None for 404: the one place where "not there" is an answer."""
        reply = self._request("GET", path, ok404=True)
        return None if reply.status == 404 else reply.json

    def post(self, path: str, body: t.Any = None, query: dict | None = None, headers: dict | None = None) -> t.Any:
        return self._call("POST", path, json=body, query=query, headers=headers)

    def patch(self, path: str, body: t.Any = None, query: dict | None = None) -> t.Any:
        return self._call("PATCH", path, json=body, query=query)

    def put(self, path: str, body: t.Any, query: dict | None = None) -> t.Any:
        return self._call("PUT", path, json=body, query=query)

    def delete(self, path: str, query: dict | None = None) -> None:
        self._call("DELETE", path, query=query)

    def _call(self, method: str, path: str, **kwargs: t.Any) -> t.Any:
        return self._request(method, path, **kwargs).json

    def _request(self, method: str, path: str, headers: dict | None = None, **kwargs: t.Any) -> t.Any:
        try:
            return self._http.request(method, path, headers={**self._session, **(headers or {})}, **kwargs)
        except RayError as error:
            error.hint = error.hint or HINTS.get(error.code)
            raise


HINTS = {
    "UNAUTHORIZED": "This account lacks a privilege on the object; ask an administrator for it.",
    "UNAUTHENTICATED": "The session has ended on the server; run the task again.",
    "INVALID_ARGUMENT": "Change the option that vCenter objects to.",
    "NOT_ALLOWED_IN_CURRENT_STATE": "Look at the state of the object; it may be changing, or be in use.",
    "CONCURRENT_CHANGE": "Somebody else has changed the object meanwhile; run the task again.",
    "SERVICE_UNAVAILABLE": "The service of vCenter is starting or stopped; try again in some minutes.",
}


def refused_login(what: str, username: str, error: RayError) -> RayError:
    return RayError(
        f"{what} refused the login of {username!r}: {error.details.get('vendor') or error.message.rstrip('.')}.",
        code="AUTH",
        hint="Check username and password. The login was tried once only, as repeated refusals lock the account.",
        details=error.details,
    )


def segment(name: str) -> str:
    """A name as one segment of a path."""
    return quote(name, safe="")


def open_http(params: dict, what: str = "vCenter") -> Http:
    """The connection that the options of a task describe; nothing is sent yet."""
    host = params["hostname"]
    proxy = f"http://{params['proxy_host']}:{params['proxy_port'] or 3128}" if params.get("proxy_host") else None
    return Http(
        f"https://{f'[{host}]' if ':' in host else host}:{params['port']}",
        ca_path=params["ca_path"],
        validate_certs=params["validate_certs"],
        proxy=proxy,
        what=f"{what} {host}",
    )


@contextmanager
def connect(task: t.Any) -> t.Iterator[VCenter]:
    """Log in, hand out the client, log out."""
    http = open_http(task.params)
    with logged_in(task, VCenter(http), http) as client:
        yield client


@contextmanager
def logged_in(task: t.Any, client: t.Any, http: Http) -> t.Iterator[t.Any]:
    """A client of vCenter or its SSO for as long as it is needed; an error of the logout never hides the one before it."""
    try:
        client.login(task.params["username"], task.params["password"])
        yield client
    finally:
        try:
            client.logout()
        except RayError as error:
            task.warn(f"The session could not be closed: {error.message}")
        http.close()
