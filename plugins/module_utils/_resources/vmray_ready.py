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
# Reads in a row without the sign after which it is forgotten; the operator's state flips with every pass.
FORGET = 5
TERMINAL_TEXT = re.compile(r"secret \S+ not found|missing .*(username|password)|`(username|password)`|denied the request|exceeded quota|is forbidden|"
                           r"is invalid|invalid node type", re.IGNORECASE)


class Signs:
    """Bad signs of successive reads; ``judge`` gives the one that has stood for too long."""

    def __init__(self, clock: t.Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: dict[str, list[float]] = {}

    def judge(self, signs: dict[str, float]) -> str | None:
        """``signs`` is sentence -> seconds of patience; returns a sentence when its patience is over."""
        now = self._clock()
        for text in list(self._seen):
            if text not in signs:
                self._seen[text][2] += 1
                if self._seen[text][2] >= FORGET:
                    del self._seen[text]
        for text, patience in signs.items():
            entry = self._seen.setdefault(text, [now, 0, 0])
            entry[1], entry[2] = entry[1] + 1, 0
            if entry[1] >= SIGHTINGS and now - entry[0] >= patience:
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


def ask_ray(ray: t.Any, raw: dict) -> tuple[bool, list[dict], str]:
    """Whether Ray answers with enough live workers; the live nodes; the state in words."""
    least = least_workers(raw.get("spec") or {})
    try:
        version = ray.version().get("ray_version")
        nodes = ray.live_nodes()
    except RayError as error:
        if error.code == "AUTH":
            raise
        return False, [], "Ray does not answer yet"
    alive = sum(1 for n in nodes if not n["is_head"])
    return alive >= least, nodes, f"Ray {version} answers with {alive} of {least} workers"
