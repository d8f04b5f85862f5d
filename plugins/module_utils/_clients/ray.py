# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ray's dashboard: version, live nodes, jobs, packages and logs, over its REST API; no Ray library is needed here."""

from __future__ import annotations

import contextlib
import ipaddress
import re
import typing as t
from functools import partial
from urllib.parse import quote, urlsplit

from ansible.module_utils.basic import env_fallback

from .._errors import RayError
from .._http import Http, Reply
from .._ports import Json, Task
from . import proxy, ray_token

ARGSPEC = {
    "dashboard_url": {"type": "str", "required": True, "fallback": (env_fallback, ["VCF_RAY_DASHBOARD_URL"])},
    **ray_token.ARGSPEC,
    "ca_path": {"type": "path"},
    "validate_certs": {"type": "bool", "default": True},
    **proxy.ARGSPEC,
}
# For a task about something else: an option of its own says how Ray is reached.
WAY = {"ray": {"type": "dict", "options": {"url": {"type": "str"}, **{name: ARGSPEC[name] for name in
                                                                      ("token", "headers", "ca_path", "validate_certs", *proxy.ARGSPEC)}}}}
PORT = 8265
ALL_NODES = 10000
# Seconds that Ray may take to send a file of a log folder; its own default would cut a large one after 30.
FILE_SECONDS = 600
TOKEN_OPTIONS = "the option token or token_path, or the environment variable RAY_AUTH_TOKEN"  # noqa: S105 - words
PACKAGE_TRIES = 3
DASHBOARD = "Ray's dashboard"
# Colours and other commands to a terminal, and titles of its window.
ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[ -/]+[0-~]|[0-~])")


class Ray:
    """One dashboard.

    Args:
        proved: whether an answer shows that the dashboard wants no login, as nothing was sent that could be one.
        stranger: gives a connection to the same place that sends no token and no header of the user.
        asked_as: the options that a token is given with.
    """

    def __init__(self, http: Http, *, proved: bool = False, stranger: t.Callable[[], Http] | None = None, asked_as: str = TOKEN_OPTIONS) -> None:
        self._http, self._proves, self._stranger, self._asked_as = http, proved, stranger, asked_as
        self.url = http.base_url
        # It has answered somebody who has shown no token.
        self.answered_a_stranger = False

    def close(self) -> None:
        self._http.close()

    def version(self) -> Json:
        """``ray_version`` and others; that it answers at all is the proof that Ray is up."""
        known: Json = self._asked("GET", "/api/version")
        return known

    def open(self) -> bool:
        """Whether it answers a request without a token; one request, on a connection of its own."""
        with contextlib.closing((self._stranger or (lambda: self._http))()) as http:
            reply = http.request("GET", "/api/version", accept=(301, 302, 303, 307, 308, 401, 403, 407))
        return reply.status == 200 and isinstance(reply.json, dict) and "ray_version" in reply.json

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it by this address."""
        host = urlsplit(self.url).hostname or ""
        with contextlib.suppress(ValueError):
            return ipaddress.ip_address(host).is_loopback
        return host == "localhost"

    def live_nodes(self) -> list[Json]:
        """The nodes that are alive now: ``node_id``, ``node_ip``, ``is_head``, head first."""
        nodes = [{"node_id": r.get("node_id"), "node_ip": r.get("node_ip"), "is_head": bool(r.get("is_head_node"))} for r in self._living()]
        return sorted(nodes, key=lambda n: (not n["is_head"], n["node_ip"] or ""))

    def resources(self) -> Json:
        """What all live nodes have together: ``CPU``, ``GPU``, ``memory`` and others by name; ``nodes``: the same of each."""
        each = [{name: amount for name, amount in (r.get("resources_total") or {}).items() if not name.startswith("node:")} for r in self._living()]
        return {"total": {name: sum(node.get(name, 0) for node in each) for name in sorted({n for node in each for n in node})}, "nodes": each}

    def _living(self) -> list[Json]:
        body = self._asked("GET", "/api/v0/nodes", query={"limit": ALL_NODES})
        rows = ((body.get("data") or {}).get("result") or {}).get("result") or []
        return [row for row in rows if row.get("state") == "ALIVE"]

    def jobs(self) -> list[Json]:
        jobs: list[Json] = self._asked("GET", "/api/jobs/")
        return jobs

    def job(self, submission_id: str) -> Json | None:
        """The job, or None when there is none of that id."""
        job: Json | None = self._asked("GET", _job(submission_id), ok404=True)
        return job

    def submit(self, body: Json) -> None:
        """Hand in a job, once; the caller looks whether it arrived when the answer was lost."""
        self._asked("POST", "/api/jobs/", json=body)

    def stop(self, submission_id: str) -> None:
        self._asked("POST", _job(submission_id) + "/stop", ok404=True)

    def delete(self, submission_id: str) -> None:
        self._asked("DELETE", _job(submission_id), ok404=True)

    def upload(self, uri: str, opened: t.Callable[[], t.ContextManager[t.IO[bytes]]]) -> bool:
        """Put a package where the nodes of the cluster get it, unless it is there; True when it was sent.

        That it is asked for first also keeps Ray from forgetting it before the job starts. A lost answer is settled by asking again.
        """
        path = f"/api/packages/{uri.replace('://', '/', 1)}"
        for left in range(PACKAGE_TRIES - 1, -1, -1):
            if self._sent("GET", path, ok404=True).status != 404:
                return left < PACKAGE_TRIES - 1
            try:
                with opened() as file:
                    self._sent("PUT", path, data=file)
                return True
            except RayError as error:
                if not left or error.code != "CONNECTION":
                    raise
        raise AssertionError("the last try returns or raises")

    def log(self, submission_id: str) -> str:
        """What the driver has written so far, without colours, as a whole."""
        body = self._asked("GET", _job(submission_id) + "/logs", ok404=True)
        return self.clean((body or {}).get("logs") or "")

    def file(self, node_id: str, name: str, into: t.Callable[[bytes], t.Any], lines: int = -1) -> None:
        """A file of the log folder of a node, piece by piece as it is; the last ``lines``, or all of it."""
        self._sent("GET", "/api/v0/logs/file", into=into, query={"node_id": node_id, "filename": name, "lines": lines, "timeout": FILE_SECONDS})

    @staticmethod
    def clean(text: str) -> str:
        """Without what is meant for a terminal."""
        return ANSI.sub("", text)

    def _sent(self, method: str, path: str, **kwargs: t.Any) -> Reply:
        try:
            reply = self._http.request(method, path, **kwargs)
        except RayError as error:
            if error.details.get("status") in (401, 403):
                wants = "wants a token" if error.details["status"] == 401 else "refuses this token"
                raise RayError(f"Ray at {self.url} {wants}: {error.details.get('vendor')}.", code="AUTH",
                               hint=f"Give the cluster's token with {self._asked_as}.") from error
            raise
        self.answered_a_stranger = self._proves
        return reply

    def _asked(self, method: str, path: str, **kwargs: t.Any) -> t.Any:
        reply = self._sent(method, path, **kwargs)
        if reply.status == 404:
            return None
        if reply.json is None:
            raise RayError(f"{self.url}{path} does not answer as Ray's dashboard does.", code="FAILED", hint="Is the address that of the dashboard?")
        return reply.json


def _job(submission_id: str) -> str:
    return f"/api/jobs/{quote(submission_id, safe='')}"


def _base(url: str, option: str) -> str:
    """The address with scheme and port; a path in front of Ray's own, as a reverse proxy may have one, is kept."""
    base = url.rstrip("/") if "://" in url else f"http://{url.rstrip('/')}"
    parts = urlsplit(base)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise RayError(f"{option} is not the address of a dashboard.", code="INPUT", hint="Give it as http://ADDRESS:8265, or https://NAME/PATH.")
    if parts.username or parts.password:
        raise RayError(f"{option} has a login in it, which would be shown.", code="INPUT", hint="Give it with headers, as Authorization.")
    return f"{base}:{PORT}" if re.fullmatch(r"http://(\[[^\]]+\]|[^/:]+)", base) else base


def at(url: str, *, token: str | None = None, headers: Json | None = None, inside: str | None = None, **kwargs: t.Any) -> Ray:
    """A Ray for an address such as ``http://10.0.0.5:8265``; scheme and port may be left out.

    Args:
        inside: the option that holds those of the way to Ray, where they are not the task's own.
        kwargs: those of Http.
    """
    base = _base(url, f"{inside}.url" if inside else "dashboard_url")
    own = {str(name): str(value) for name, value in (headers or {}).items()}
    options = {"what": DASHBOARD, **kwargs}
    return Ray(Http(base, headers={**ray_token.headers(token, own), **own}, **options), proved=not token and not own,
               stranger=lambda: Http(base, **options), asked_as=f"{inside}.token" if inside else TOKEN_OPTIONS)


def ways(params: Json, **kwargs: t.Any) -> tuple[t.Callable[[str], Ray], t.Callable[[str], Ray]]:
    """What gives a Ray for an address by the options of WAY, and the same without token and headers.

    Args:
        params: those of the task.
        kwargs: for Http.
    Raises:
        RayError: now, and not in the middle of a wait, for options that cannot work.
    """
    p = params["ray"] or {}
    options = {"ca_path": p.get("ca_path"), "validate_certs": p.get("validate_certs", True), "proxy": proxy.url(p), "inside": "ray", **kwargs}
    known: t.Callable[[str], Ray] = partial(at, token=p.get("token"), headers=p.get("headers"), **options)
    if p.get("url") or p.get("ca_path"):
        known(p.get("url") or "localhost")
    return known, partial(at, **options)


@contextlib.contextmanager
def connect(task: Task) -> t.Iterator[Ray]:
    """A Ray for the options of ARGSPEC."""
    p = task.params
    token = ray_token.found(p)
    task.hide([token] if token else [])
    ray = at(p["dashboard_url"], token=token, headers=p["headers"], ca_path=p["ca_path"], validate_certs=p["validate_certs"], proxy=proxy.url(p))
    try:
        yield ray
    finally:
        ray.close()
