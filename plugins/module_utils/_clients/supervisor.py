# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The login service of a Supervisor: who may enter, and a token for it."""

from __future__ import annotations

import contextlib
import typing as t

from ansible.module_utils.basic import env_fallback

from .._errors import RayError
from .._http import Http

ARGSPEC = {
    "hostname": {"type": "str", "required": True, "fallback": (env_fallback, ["VCF_RAY_SUPERVISOR_HOST"])},
    "username": {"type": "str", "required": True, "fallback": (env_fallback, ["VCF_RAY_SUPERVISOR_USER"])},
    "password": {"type": "str", "required": True, "no_log": True, "fallback": (env_fallback, ["VCF_RAY_SUPERVISOR_PASSWORD"])},
    "ca_path": {"type": "path", "fallback": (env_fallback, ["VCF_RAY_SUPERVISOR_CA_PATH"])},
    "validate_certs": {"type": "bool", "default": True},
}
API_PORT = 6443


class Supervisor:
    """Login and namespaces of one Supervisor, for one user. Nothing is to be closed on the server: a token only expires."""

    def __init__(self, http: Http, hostname: str, username: str, password: str, *, ca_path: str | None = None, validate_certs: bool = True) -> None:
        self._http = http
        self._auth = (username, password)
        self.hostname, self.username, self.ca_path, self.validate_certs = hostname, username, ca_path, validate_certs

    def login(self) -> str:
        """A fresh token; asked for once only, because SSO locks an account after a few refused logins."""
        reply = self._asked("POST", "/wcp/login")
        token = (reply.json or {}).get("session_id") if isinstance(reply.json, dict) else None
        if not token:
            raise RayError(f"The Supervisor {self.hostname} answered the login without a token.", code="FAILED",
                           hint="Is this the address of a Supervisor, and not of vCenter?")
        return token

    def workloads(self) -> list[dict]:
        """The namespaces that the user may enter, each with ``namespace`` and the port of the API server."""
        reply = self._asked("GET", "/wcp/workloads")
        return [w for w in reply.json or [] if isinstance(w, dict) and w.get("namespace")]

    def ca_pem(self) -> str | None:
        """What this client trusts, to be carried into a kubeconfig; None for the authorities of the system."""
        if not self.ca_path or not self.validate_certs:
            return None
        with open(self.ca_path, encoding="utf-8") as file:
            return file.read()

    def _asked(self, method: str, path: str) -> t.Any:
        try:
            return self._http.request(method, path, json={} if method == "POST" else None, auth=self._auth)
        except RayError as error:
            if error.details.get("status") == 401:
                raise RayError(f"The Supervisor {self.hostname} refused user {self.username}: {error.details.get('vendor')}.", code="AUTH",
                               hint="Check user and password (user@domain). It was tried once only: SSO locks an account after a few tries.") from error
            if error.details.get("status") == 404:
                raise RayError(f"{self.hostname} is not a Supervisor: it knows no {path}.", code="NOT_FOUND",
                               hint="Give the address of the Supervisor's API (api_endpoint of vcf.ray.supervisor), not that of vCenter.") from error
            raise


@contextlib.contextmanager
def connect(task: t.Any) -> t.Iterator[Supervisor]:
    """A Supervisor for the options of ARGSPEC."""
    p = task.params
    host = p["hostname"].split("://")[-1].rstrip("/")
    http = Http(f"https://{host}", ca_path=p["ca_path"], validate_certs=p["validate_certs"], what="the Supervisor")
    try:
        yield Supervisor(http, host, p["username"], p["password"], ca_path=p["ca_path"], validate_certs=p["validate_certs"])
    finally:
        http.close()
