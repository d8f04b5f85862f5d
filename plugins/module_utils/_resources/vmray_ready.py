# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a VMRayCluster is ready, and when it never will be: signs are believed only after they have stood for a while."""

from __future__ import annotations

import re
import time
import typing as t

from .._errors import RayError
from .vmray_spec import least_workers

DASHBOARD_PORT = 8265
# The operator looks again after 60 s, so an old condition may stand that long after its cause has gone.
STALE = 65.0
SETTLE = 5.0
VM_PATIENCE = 60.0
SIGHTINGS = 3
# Reads in a row, and seconds, without the sign after which it is forgotten: the operator's state may flip with every pass, up to
# twenty times a second, and reads fall on either side.
FORGET = 5
FORGET_AFTER = 5.0
# A silent address that held up a look for longer is left alone for a while, in which the other signs can be read.
SLOW, REST = 1.0, 2.0
TERMINAL_TEXT = re.compile(r"secret \S+ not found|missing .*(username|password)|`(username|password)`|denied the request|exceeded quota|is forbidden|"
                           r"is invalid|invalid node type", re.IGNORECASE)


class Signs:
    """Bad signs of successive reads; ``judge`` gives the one that has stood for too long."""

    def __init__(self, clock: t.Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        # sentence: when it was seen first and last, how often, and reads without it since
        self._seen: dict[str, list[float]] = {}

    def judge(self, signs: dict[str, float]) -> str | None:
        """``signs`` is sentence -> seconds of patience; returns a sentence when its patience is over."""
        now = self._clock()
        for text in list(self._seen):
            if text not in signs:
                entry = self._seen[text]
                entry[3] += 1
                if entry[3] >= FORGET and now - entry[1] >= FORGET_AFTER:
                    del self._seen[text]
        for text, patience in signs.items():
            entry = self._seen.setdefault(text, [now, now, 0, 0])
            entry[1:] = now, entry[2] + 1, 0
            if entry[2] >= SIGHTINGS and now - entry[0] >= patience:
                return text
        return None


def signs(raw: dict) -> dict[str, float]:
    """What speaks against the cluster, each with how long it may stand."""
    status = raw.get("status") or {}
    found: dict[str, float] = {}
    for condition in status.get("conditions") or []:
        kind, message = condition.get("type") or "", condition.get("message") or ""
        if kind.startswith("Invalid"):
            found[f"{kind}: {message}"] = STALE
        elif TERMINAL_TEXT.search(message):
            found[f"{kind}: {message}"] = SETTLE
    nodes = {"the head": status.get("head_node_status") or {}, **(status.get("current_workers") or {})}
    for name, node in nodes.items():
        if node.get("vm_status") == "running":
            continue
        for condition in node.get("conditions") or []:
            if condition.get("status") == "False" and condition.get("reason"):
                found[f"virtual machine of {name}: {condition.get('type')}: {condition['reason']} {condition.get('message') or ''}".strip()] = VM_PATIENCE
    return found


def service_address(raw: dict) -> str | None:
    """The address of the cluster's load balancer, or None as long as there is none."""
    return ((raw.get("status") or {}).get("vm_service_status") or {}).get("ip") or None


def dashboard_url(raw: dict) -> str | None:
    address = service_address(raw)
    return f"http://{address}:{DASHBOARD_PORT}" if address else None


class Dashboard:
    """Ray's own word on a cluster, look after look over one connection.

    Args:
        ray_at: gives a client of Ray's dashboard for an address.
    """

    def __init__(self, ray_at: t.Callable[[str], t.Any], clock: t.Callable[[], float] = time.monotonic) -> None:
        self._ray_at, self._clock = ray_at, clock
        self._ray: t.Any = None
        self._url = self._version = ""
        self._workers: int | None = None
        self._silent, self._answered, self._not_before = False, False, 0.0

    def close(self) -> None:
        if self._ray:
            self._ray.close()
        self._ray, self._url = None, ""

    def look(self, raw: dict) -> tuple[bool, list[dict]]:
        """Whether Ray answers with enough live workers, and the nodes that live."""
        url, start = dashboard_url(raw), self._clock()
        if not url or start < self._not_before:
            return False, []
        try:
            nodes = self._nodes(url)
        except RayError as error:
            if error.code == "AUTH":
                raise
            now = self._clock()
            self._silent, self._workers, self._not_before = True, None, now + (REST if now - start > SLOW else 0)
            return False, []
        self._silent, self._answered, self._workers = False, True, sum(1 for n in nodes if not n["is_head"])
        return self._workers >= least_workers(raw.get("spec") or {}), nodes

    @property
    def answers(self) -> bool:
        return self._workers is not None

    def words(self, raw: dict) -> str:
        """The last answer in words."""
        least = least_workers(raw.get("spec") or {})
        if self.answers:
            answer = f"Ray {self._version} answers" if self._version else "Ray answers"
        else:
            answer = "Ray not answering any more" if self._answered else "Ray not answering yet"
        return f"{answer}; workers {self._workers or 0} of {least}" if least else answer

    def _nodes(self, url: str) -> list[dict]:
        """One request where Ray has answered before; a silent one is asked for what costs it least."""
        if url != self._url:
            self.close()
            self._ray, self._url = self._ray_at(url), url
        if self._silent:
            self._version = self._ray.version().get("ray_version") or ""
        return self._ray.live_nodes()


def words(raw: dict, dashboard: Dashboard) -> str:
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
        return "head VM not there yet"
    if not head.get("ip"):
        return "head VM has no address yet"
    return f"head VM has address {head['ip']}; {dashboard.words(raw) if service_address(raw) else 'no service address yet'}"
