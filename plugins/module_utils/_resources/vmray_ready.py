# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a VMRayCluster is ready: by the word of its Ray or, where Ray cannot be reached from here, by what its autoscaler has written."""

from __future__ import annotations

import time
import typing as t

from .._errors import RayError
from .._ports import Json, Kube, Ray
from .vmray_signs import NO_ADDRESS_TEXT, Signs, signs
from .vmray_spec import least_workers

__all__ = ["Dashboard", "Evidence", "Signs", "dashboard_url", "service_address", "signs", "words"]

DASHBOARD_PORT = 8265
# A silent address that held up a look for longer is left alone for a while, in which the other signs can be read.
SLOW, REST = 1.0, 2.0
# Answers that do not come with time: a refused token, a certificate that cannot be trusted, a proxy that closes the way.
FINAL = ("AUTH", "INPUT", "PROXY", "TLS")
# Between two good reads of the custom resource: a failing operator may write twenty states in a second.
APART = 1.0


def service_address(raw: Json) -> str | None:
    """The address of the cluster's load balancer, or None as long as there is none."""
    return ((raw.get("status") or {}).get("vm_service_status") or {}).get("ip") or None


def dashboard_url(raw: Json) -> str | None:
    address = service_address(raw)
    return f"http://{address}:{DASHBOARD_PORT}" if address else None


class Dashboard:
    """Ray's own word on a cluster, look after look over one connection.

    Args:
        ray_at: gives a client of Ray's dashboard for an address.
        url_of: gives the address of the dashboard of a cluster, None as long as it has none.
    """

    def __init__(self, ray_at: t.Callable[[str], Ray], clock: t.Callable[[], float] = time.monotonic,
                 url_of: t.Callable[[Json], str | None] = dashboard_url) -> None:
        self._ray_at, self._clock, self._url_of = ray_at, clock, url_of
        self._ray: Ray | None = None
        self._url = self._version = ""
        self._workers: int | None = None
        self._silent, self._answered, self._not_before = False, False, 0.0

    def close(self) -> None:
        if self._ray:
            self._ray.close()
        self._ray, self._url = None, ""

    def look(self, raw: Json) -> tuple[bool, list[Json]]:
        """Whether Ray answers with enough live workers, and the nodes that live.

        Raises:
            RayError: one of ``FINAL``, as no wait helps then.
        """
        url, start = self._url_of(raw), self._clock()
        if not url or start < self._not_before:
            return False, []
        try:
            nodes = self._nodes(url)
        except RayError as error:
            if error.code in FINAL:
                raise
            now = self._clock()
            self._silent, self._workers, self._not_before = True, None, now + (REST if now - start > SLOW else 0)
            return False, []
        self._silent, self._answered, self._workers = False, True, sum(1 for n in nodes if not n["is_head"])
        return self._workers >= least_workers(raw.get("spec") or {}), nodes

    @property
    def workers(self) -> int | None:
        """How many workers live, as the last answer says; None without one."""
        return self._workers

    @property
    def answers(self) -> bool:
        return self._workers is not None

    def words(self, raw: Json) -> str:
        """The last answer in words."""
        least = least_workers(raw.get("spec") or {})
        if self.answers:
            answer = f"Ray {self._version} answers" if self._version else "Ray answers"
        else:
            answer = "Ray not answering any more" if self._answered else "Ray not answering yet"
        return f"{answer}; workers {self._workers or 0} of {least}" if least else answer

    def _nodes(self, url: str) -> list[Json]:
        """One request where Ray has answered before; a silent one is asked for what costs it least."""
        if self._ray is None or url != self._url:
            self.close()
            self._ray, self._url = self._ray_at(url), url
        if self._silent:
            self._version = self._ray.version().get("ray_version") or ""
        return self._ray.live_nodes()


class Evidence:
    """What the custom resource, and the secret that only a living autoscaler writes, say of a cluster whose Ray cannot be asked from here.

    The operator's own ``healthy`` and ``running`` mean that a machine has an address, and nothing more. Its good state is believed after
    two looks at it, some time apart.
    """

    # Who lives in Ray, only Ray knows.
    workers = None

    def __init__(self, kube: Kube, clock: t.Callable[[], float] = time.monotonic) -> None:
        self._kube, self._clock = kube, clock
        self._since: float | None = None
        self._certified = self.answers = False
        self._words = ""

    def look(self, raw: Json) -> tuple[bool, list[str]]:
        """Whether it is good, for the second time; and what was found, or what is missing, in sentences."""
        found, missing = self._machines(raw)
        marks = [] if missing else self._marks(raw)
        self.answers = bool(marks)
        if not missing and not marks:
            missing = ["nothing shows yet that Ray has started on the head"]
        missing += self._workers(raw, found) if not missing else []
        self._words = "; ".join(missing) or "all is there"
        if missing:
            self._since = None
            return False, [*found, *marks, *missing]
        self._since = self._clock() if self._since is None else self._since
        return self._clock() - self._since >= APART, [*found, *marks]

    def words(self, raw: Json) -> str:
        """What the last look missed."""
        return self._words

    def close(self) -> None:
        """Nothing is kept open."""

    @staticmethod
    def _machines(raw: Json) -> tuple[list[str], list[str]]:
        status = raw.get("status") or {}
        head = status.get("head_node_status") or {}
        bad = [f"the operator says {c.get('type')}: {c.get('message') or c.get('reason')}" for c in status.get("conditions") or []]
        if head.get("vm_status") != "running" or not head.get("ip"):
            bad.append("the machine of the head does not run yet")
        if not service_address(raw):
            bad.append("the cluster has no service address yet")
        return [] if bad else [f"the machine of the head runs at {head['ip']}, its service at {service_address(raw)}"], bad

    def _marks(self, raw: Json) -> list[str]:
        """Traces that only a living autoscaler leaves; a sentence that says so where it has no reason to leave any."""
        name, spec = raw["metadata"]["name"], raw.get("spec") or {}
        marks, tls = [], spec.get("enable_tls", True)
        if tls and not self._certified:
            self._certified = f"{name}-tls" in self._secrets(raw["metadata"]["namespace"])
        if self._certified:
            marks.append(f"Ray on the head has stored its certificate in Secret {name}-tls")
        wanted = spec.get("autoscaler_desired_workers") or {}
        if wanted:
            marks.append(f"the autoscaler has asked for workers: {', '.join(sorted(wanted))}")
        if not marks and not tls and not least_workers(spec):
            marks.append("that Ray runs cannot be told: without TLS and with no workers to start, it leaves no trace")
        return marks

    @staticmethod
    def _workers(raw: Json, found: list[str]) -> list[str]:
        spec, status = raw.get("spec") or {}, raw.get("status") or {}
        wanted, current, least = spec.get("autoscaler_desired_workers") or {}, status.get("current_workers") or {}, least_workers(spec)
        up = [n for n in wanted if (current.get(n) or {}).get("vm_status") == "running" and current[n].get("ray_status") == "running"]
        leaving = sorted(set(current) - set(wanted))
        missing = [f"machines of workers running: {len(up)} of {max(least, len(wanted))}"] if len(up) < max(least, len(wanted)) else []
        missing += [f"leaving: {', '.join(leaving)}"] if leaving else []
        if wanted and not missing:
            found.append(f"the machines of all {len(wanted)} workers run")
        return missing

    def _secrets(self, namespace: str) -> list[str]:
        try:
            return self._kube.names("Secret", namespace)
        except RayError as error:
            if error.code == "FORBIDDEN":
                return []
            raise


def words(raw: Json, dashboard: Dashboard | Evidence) -> str:
    """How far the cluster has come. Nothing in it may change by itself, or flip as the operator's state does when it fails."""
    status = raw.get("status") or {}
    wrong = [c for c in status.get("conditions") or [] if (c.get("type") or "").startswith("Invalid")]
    if wrong:
        return f"the operator says {wrong[0]['type']}: {wrong[0].get('message') or ''}"
    if not status.get("cluster_state"):
        return "accepted; the operator has not looked at it yet"
    head = status.get("head_node_status") or {}
    if dashboard.answers:
        return dashboard.words(raw)
    if head.get("vm_status") not in ("initialized", "running"):
        pending = any(NO_ADDRESS_TEXT.search(c.get("message") or "") for c in status.get("conditions") or [])
        return f"head VM not there yet{'; no service address from the load balancer yet' if pending else ''}"
    if not head.get("ip"):
        return "head VM has no address yet"
    return f"head VM has address {head['ip']}; {dashboard.words(raw) if service_address(raw) else 'no service address yet'}"
