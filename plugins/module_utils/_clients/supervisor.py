# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The login service of a Supervisor: who may enter, and a token for it."""

from __future__ import annotations

import contextlib
import typing as t
from urllib.parse import urlsplit

from ansible.module_utils.basic import env_fallback

from .._errors import RayError
from .._http import Http
from .._ports import Json, Task
from . import proxy

ARGSPEC = {
    "hostname": {"type": "str", "required": True, "fallback": (env_fallback, ["VCF_RAY_SUPERVISOR_HOST"])},
    "username": {"type": "str", "required": True, "fallback": (env_fallback, ["VCF_RAY_SUPERVISOR_USER"])},
    "password": {"type": "str", "required": True, "no_log": True, "fallback": (env_fallback, ["VCF_RAY_SUPERVISOR_PASSWORD"])},
    "ca_path": {"type": "path", "fallback": (env_fallback, ["VCF_RAY_SUPERVISOR_CA_PATH"])},
    "validate_certs": {"type": "bool", "default": True},
    **proxy.ARGSPEC,
}
API_PORT = 6443
# Seconds to connect and to answer; a login in the middle of a wait must not take it over.
TIMEOUT = (10, 60)
REFUSED = ("Check user and password (user@domain). It was tried once only: SSO locks an account after a few tries. A user of a federated identity "
           "provider (AD FS, OIDC) has no password here and is always refused: give the option kubeconfig a ready one, in which an exec plugin may "
           "get the token.")


class Supervisor:
    """Login and namespaces of one Supervisor, for one user. Nothing is to be closed on the server: a token only expires.

    Args:
        hostname: the host alone, without a port.
        proxy_url: the proxy that ``http`` goes through.
    """

    def __init__(self, http: Http, hostname: str, username: str, password: str, *, ca_path: str | None = None, validate_certs: bool = True,
                 proxy_url: str | None = None) -> None:
        self._http = http
        self._auth = (username, password)
        self.hostname, self.username, self.ca_path, self.validate_certs, self.proxy_url = hostname, username, ca_path, validate_certs, proxy_url

    def login(self) -> str:
        """A fresh token; asked for once only, because SSO locks an account after a few refused logins."""
        token: str = self._logged_in({})["session_id"]
        return token

    def guest_login(self, cluster: str, namespace: str) -> Json:
        """``token``, ``server`` (host) and ``ca`` (base64 of PEM, or empty) of a cluster that runs in a namespace of this Supervisor."""
        answer = self._logged_in({"guest_cluster_name": cluster, "guest_cluster_namespace": namespace})
        server = answer.get("guest_cluster_server")
        if not server:
            raise RayError(f"Supervisor {self.hostname} leads to no cluster {cluster} in namespace {namespace}.", code="NOT_FOUND",
                           hint="Check both names, that the cluster is running, and that the user has a role on the namespace.")
        return {"token": answer["session_id"], "server": str(server), "ca": answer.get("guest_cluster_ca") or ""}

    def _logged_in(self, body: Json) -> Json:
        """The answer, with a token in ``session_id``. What else releases put in, such as a ``kube_config`` that may be null, is not needed."""
        answer = self._asked("POST", "/wcp/login", body).json
        if not isinstance(answer, dict) or not isinstance(answer.get("session_id"), str) or not answer["session_id"]:
            raise RayError(f"The Supervisor {self.hostname} answered the login without a token.", code="FAILED",
                           hint="Is this the address of a Supervisor, and not of vCenter?")
        return answer

    def workloads(self) -> list[Json]:
        """The namespaces that the user may enter, each with ``namespace`` and the port of the API server."""
        reply = self._asked("GET", "/wcp/workloads")
        return [w for w in reply.json or [] if isinstance(w, dict) and w.get("namespace")]

    def ca_pem(self) -> str | None:
        """What this client trusts, to be carried into a kubeconfig; None for the authorities of the system."""
        if not self.ca_path or not self.validate_certs:
            return None
        with open(self.ca_path, encoding="utf-8") as file:
            return file.read()

    def _asked(self, method: str, path: str, body: Json | None = None) -> t.Any:
        try:
            # A login that got lost or came while the service restarts may be sent again: it changes nothing, and was not refused.
            return self._http.request(method, path, json=body, auth=self._auth, safe=True)
        except RayError as error:
            if error.details.get("status") == 401:
                raise RayError(f"The Supervisor {self.hostname} refused user {self.username}: {error.details.get('vendor')}.", code="AUTH",
                               hint=REFUSED) from error
            if error.details.get("status") == 404:
                raise RayError(f"{self.hostname} is not a Supervisor: it knows no {path}.", code="NOT_FOUND",
                               hint="Give the address of the Supervisor's API (api_endpoint of vcf.ray.supervisor), not that of vCenter.") from error
            raise


@contextlib.contextmanager
def connect(task: Task) -> t.Iterator[Supervisor]:
    """A Supervisor for the options of ARGSPEC; ``proxy_url`` is what a kubeconfig says, which may carry a login."""
    p = task.params
    way = p.get("proxy_url") or proxy.url(p)
    http = Http(address_of(p["hostname"]), ca_path=p["ca_path"], validate_certs=p["validate_certs"], timeout=TIMEOUT, proxy=way, what="Supervisor")
    try:
        yield Supervisor(http, host_of(p["hostname"]), p["username"], p["password"], ca_path=p["ca_path"], validate_certs=p["validate_certs"],
                         proxy_url=way)
    finally:
        http.close()


def address_of(hostname: str) -> str:
    """Where the login service is, for ``host``, ``host:port`` or a URL."""
    return f"https://{hostname.rsplit('://', maxsplit=1)[-1].rstrip('/')}"


def host_of(address: str) -> str:
    """The host alone of ``host``, ``host:port`` or a URL; an IPv6 address keeps its brackets."""
    netloc = urlsplit(address if "://" in address else f"//{address}").netloc
    return netloc[:netloc.index("]") + 1] if netloc.startswith("[") else netloc.partition(":")[0]
