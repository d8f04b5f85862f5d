# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where services are installed: both generations of the API, and the refusals of vCenter that mean "not yet"."""

from __future__ import annotations

import typing as t
from contextlib import contextmanager
from urllib.parse import quote

from .. import _wait
from .._errors import RayError
from .._ports import Json, VCenter
from .supervisor import clusters_of, is_cluster, summaries

BASE = "/api/vcenter/namespace-management"
# To find a Supervisor, and what is installed on it.
FIND, INSTALL = "Namespaces.Manage", "SupervisorServices.Install"
# What vCenter says while it is settling, after a Supervisor was enabled or a service was registered or removed.
NOT_YET = (
    "service account is not ready",
    "failed to run compatibility check",
    "signature verification result not found",
    "is in terminating status",
)


class Installs:
    """The services of one Supervisor, through the path that its vCenter knows."""

    def __init__(self, client: VCenter, supervisor: str) -> None:
        self._client = client
        self._supervisor = supervisor
        self.path: str | None = None

    def rows(self) -> list[Json]:
        """All installs, in short. Asked for as a list: 404 is then about the path, never about a service."""
        if self.path is None:
            return self._first()
        return _rows(self._client.find(self.path))

    def get(self, service: str) -> Json | None:
        if not any(row["supervisor_service"] == service for row in self.rows()):
            return None
        found: Json | None = self._client.find(self.path_of(service))
        return found

    def path_of(self, service: str) -> str:
        return f"{self.path}/{quote(service, safe='')}"

    def _first(self) -> list[Json]:
        """The path of 9.0 and later, else the older one of the cluster."""
        if not is_cluster(self._supervisor):
            newer = f"{BASE}/supervisors/{self._supervisor}/supervisor-services"
            answer = self._client.find(newer)
            if answer is not None:
                self.path = newer
                return _rows(answer)
        clusters = clusters_of(self._client, self._supervisor)
        if not clusters:
            raise RayError(f"vCenter names no cluster of the Supervisor {self._supervisor}.", code="FAILED", hint="Look at it in the vSphere Client.")
        self.path = f"{BASE}/clusters/{clusters[0]}/supervisor-services"
        return _rows(self._client.find(self.path))


def _rows(answer: t.Any) -> list[Json]:
    return (answer.get("supervisor_services") if isinstance(answer, dict) else answer) or []


def installs(client: VCenter) -> list[Json]:
    """What is installed on any Supervisor of the vCenter."""
    with needing(FIND, INSTALL):
        rows = [(supervisor, row) for supervisor in summaries(client) for row in Installs(client, supervisor["supervisor"]).rows()]
    found = []
    for supervisor, row in rows:
        versions = [row.get("current_version"), row.get("desired_version")]
        found.append({
            "supervisor_service": row["supervisor_service"],
            "supervisor": supervisor["supervisor"],
            "name": supervisor["name"],
            "version": versions[0] or versions[1],
            # While one replaces the other, both are in use.
            "versions": sorted({version for version in versions if version}),
            "config_status": row.get("config_status"),
        })
    return found


@contextmanager
def needing(*privileges: str) -> t.Iterator[None]:
    """Inside, a refusal for want of a privilege says which are needed."""
    try:
        yield
    except RayError as error:
        if error.code == "UNAUTHORIZED":
            names = f"privilege {privileges[0]}" if len(privileges) == 1 else f"privileges {' and '.join(privileges)}"
            error.hint = f"This account needs the {names} on vCenter; ask an administrator for it."
        raise


def version_key(version: str) -> list[tuple[int, int, str]]:
    """Numbers by value, words before numbers: 0.10.0 is newer than 0.9.0, and 1.0.0 than 1.0.0-rc1."""
    release, dash, suffix = version.partition("-")
    parts = [(1, int(p), "") if p.isdigit() else (0, 0, p) for p in release.replace("+", ".").split(".")]
    return [*parts, (0, 0, suffix) if suffix else (1, 0, "")]


def is_not_yet(error: RayError) -> bool:
    return any(text in error.message.lower() for text in NOT_YET)


def ride_out(attempt: t.Callable[[], t.Any], what: str, patience: float, landed: t.Callable[[], bool] = lambda: False) -> None:
    """Make a request until vCenter takes it; ``landed`` tells whether one that was refused was carried out all the same."""
    refusals: list[str] = []

    def once() -> bool:
        try:
            attempt()
        except RayError as error:
            not_yet = is_not_yet(error)
            if (not_yet or undecided(error)) and landed():
                return True
            if not not_yet:
                raise
            refusals.append(str(error.details.get("vendor") or error.message).rstrip("."))
            return False
        return True

    def last_refusal() -> str:
        return f"vCenter says: {refusals[-1]}"

    _wait.until(once, bool, what=what, timeout=patience, interval=1.0, limit=15.0, say=lambda done: f"{last_refusal()}; trying again",
                diagnose=lambda: f"{last_refusal()}.")


def undecided(error: RayError) -> bool:
    """Whether what was asked may be so all the same: vCenter failed over the request, or finds that another client has done it.

    Not a 503, which says itself that nothing was done.
    """
    failed = error.details.get("status", 0) >= 500 and error.code != "SERVICE_UNAVAILABLE"
    return failed or error.code == "NOT_ALLOWED_IN_CURRENT_STATE"
