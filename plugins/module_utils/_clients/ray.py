# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ray's dashboard: version, live nodes, jobs and their logs, over its REST API; no Ray library is needed here."""

from __future__ import annotations

import contextlib
import re
import typing as t
from urllib.parse import quote

from ansible.module_utils.basic import env_fallback

from .._errors import RayError
from .._http import Http

ARGSPEC = {
    "dashboard_url": {"type": "str", "required": True, "fallback": (env_fallback, ["VCF_RAY_DASHBOARD_URL"])},
    "token": {"type": "str", "no_log": True, "fallback": (env_fallback, ["RAY_AUTH_TOKEN"])},
    "ca_path": {"type": "path"},
    "validate_certs": {"type": "bool", "default": True},
}
PORT = 8265
ALL_NODES = 10000
ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Ray:
    """One dashboard."""

    def __init__(self, http: Http) -> None:
        self._http = http
        self.url = http.base_url

    def close(self) -> None:
        self._http.close()

    def version(self) -> dict:
        """``ray_version`` and others; that it answers at all is the proof that Ray is up."""
        return self._asked("GET", "/api/version")

    def live_nodes(self) -> list[dict]:
        """The nodes that are alive now: ``node_id``, ``node_ip``, ``is_head``, head first."""
        body = self._asked("GET", "/api/v0/nodes", query={"limit": ALL_NODES})
        rows = ((body.get("data") or {}).get("result") or {}).get("result") or []
        nodes = [{"node_id": r.get("node_id"), "node_ip": r.get("node_ip"), "is_head": bool(r.get("is_head_node"))}
                 for r in rows if r.get("state") == "ALIVE"]
        return sorted(nodes, key=lambda n: (not n["is_head"], n["node_ip"] or ""))

    def jobs(self) -> list[dict]:
        return self._asked("GET", "/api/jobs/")

    def job(self, submission_id: str) -> dict | None:
        """The job, or None when there is none of that id."""
        return self._asked("GET", f"/api/jobs/{quote(submission_id, safe='')}", ok404=True)

    def submit(self, body: dict) -> None:
        """Hand in a job, once; the caller looks whether it arrived when the answer was lost."""
        self._asked("POST", "/api/jobs/", json=body)

    def stop(self, submission_id: str) -> None:
        self._asked("POST", f"/api/jobs/{quote(submission_id, safe='')}/stop")

    def delete(self, submission_id: str) -> None:
        self._asked("DELETE", f"/api/jobs/{quote(submission_id, safe='')}", ok404=True)

    def log(self, submission_id: str) -> str:
        """What the driver has written so far, without colours."""
        body = self._asked("GET", f"/api/jobs/{quote(submission_id, safe='')}/logs", ok404=True)
        return ANSI.sub("", (body or {}).get("logs") or "")

    def _asked(self, method: str, path: str, **kwargs: t.Any) -> t.Any:
        try:
            reply = self._http.request(method, path, **kwargs)
        except RayError as error:
            if error.details.get("status") in (401, 403):
                raise RayError(f"Ray at {self.url} wants a token, or another one: {error.details.get('vendor')}.", code="AUTH",
                               hint="Give the cluster's token with the option token or the environment variable RAY_AUTH_TOKEN.") from error
            raise
        if reply.status == 404:
            return None
        if reply.json is None:
            raise RayError(f"{self.url}{path} does not answer as Ray's dashboard does.", code="FAILED", hint="Is the address that of the dashboard?")
        return reply.json


def at(url: str, *, token: str | None = None, ca_path: str | None = None, validate_certs: bool = True, **kwargs: t.Any) -> Ray:
    """A Ray for an address such as ``http://10.0.0.5:8265``; scheme and port may be left out; ``kwargs`` are those of Http."""
    base = url.rstrip("/") if "://" in url else f"http://{url.rstrip('/')}"
    if re.fullmatch(r"http://(\[[^\]]+\]|[^/:]+)", base):
        base += f":{PORT}"
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return Ray(Http(base, ca_path=ca_path, validate_certs=validate_certs, headers=headers, what="Ray's dashboard", **kwargs))


@contextlib.contextmanager
def connect(task: t.Any) -> t.Iterator[Ray]:
    """A Ray for the options of ARGSPEC."""
    p = task.params
    ray = at(p["dashboard_url"], token=p["token"], ca_path=p["ca_path"], validate_certs=p["validate_certs"])
    try:
        yield ray
    finally:
        ray.close()
