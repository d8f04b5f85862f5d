# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What speaks against a VMRayCluster: which signs are final, and how long the others may stand."""

from __future__ import annotations

import re
import time
import typing as t

from .._ports import Json
from .vmray_spec import least_workers

# The operator looks again after 60 s, so what it wrote may stand that long after its cause has gone.
STALE = 65.0
SETTLE = 5.0
# Two of the operator's looks at a machine: it copies the conditions only then.
VM_PATIENCE = 130.0
# Seconds until there is a load balancer, an address of a machine, and a container of many gigabytes, at a slow place.
ADDRESS_PATIENCE, WORKER_PATIENCE, PULL_PATIENCE = 600.0, 900.0, 900.0
# Seconds in which Ray's autoscaler, which acts every 5 s, should have asked for workers; and in which a dashboard follows a Ray that runs.
AUTOSCALER_PATIENCE, CLOSED_PATIENCE = 300.0, 300.0
# Seconds without a first look of the operator, which watches: it is away.
OPERATOR_PATIENCE = 130.0
SIGHTINGS = 3
# Reads in a row, and seconds, without the sign after which it is forgotten: the operator's state may flip with every pass, up to
# twenty times a second, and reads fall on either side.
FORGET = 5
FORGET_AFTER = 5.0
# Changes of a machine between nothing and failure after which its making is in a loop; one that lost its address comes back by another way.
FLIPS = 4
TERMINAL_TEXT = re.compile(r"secret \S+ not found|missing .*(username|password)|`(username|password)`|denied the request|exceeded quota|is forbidden|"
                           r"is invalid|invalid node type", re.IGNORECASE)
NO_ADDRESS_TEXT = re.compile(r"service IP is not assigned", re.IGNORECASE)


class Witness(t.Protocol):
    """What is known of Ray: whether it answers, and how many workers live in it; None where nobody can say."""

    @property
    def answers(self) -> bool:
        ...

    @property
    def workers(self) -> int | None:
        ...


class Signs:
    """Bad signs of successive reads; ``look`` gives the one that has stood for too long."""

    def __init__(self, clock: t.Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        # sentence: when it was seen first and last, how often, and reads without it since
        self._seen: dict[str, list[float]] = {}
        # machine: its last state without an address, and how often it changed
        self._flips: dict[str, tuple[str, int]] = {}
        # what the operator complained of last, which the next write may have taken away again
        self._complaint = ""

    def look(self, raw: Json, ray: Witness | None = None) -> str | None:
        """Of one read, with what Ray answered to it.

        Args:
            ray: the last look at it.
        """
        told = [f"{c.get('type')}: {c['message']}" for c in (raw.get("status") or {}).get("conditions") or [] if c.get("message")]
        self._complaint = told[-1] if told else self._complaint
        flipping = self._flipping(raw)
        found = self.judge({**signs(raw), **(ray_signs(raw, ray) if ray else {}), **flipping})
        return f"{found}. The operator said {self._complaint}" if found in flipping and self._complaint else found

    def judge(self, found: dict[str, float]) -> str | None:
        """``found`` is sentence -> seconds of patience; returns a sentence when its patience is over."""
        now = self._clock()
        for text in list(self._seen):
            if text not in found:
                entry = self._seen[text]
                entry[3] += 1
                if entry[3] >= FORGET and now - entry[1] >= FORGET_AFTER:
                    del self._seen[text]
        for text, patience in found.items():
            entry = self._seen.setdefault(text, [now, now, 0, 0])
            entry[1:] = now, entry[2] + 1, 0
            if entry[2] >= SIGHTINGS and now - entry[0] >= patience:
                return text
        return None

    def _flipping(self, raw: Json) -> dict[str, float]:
        """Machines that cannot be made: absent, failed, absent again, many times a second, and above the least number without a condition."""
        found = {}
        for name, node in _machines(raw).items():
            state = node.get("vm_status") or "absent"
            if node.get("ip") or state not in ("absent", "failure"):
                self._flips.pop(name, None)
                continue
            before, count = self._flips.get(name, (state, 0))
            count += before != state
            self._flips[name] = (state, count)
            if count >= FLIPS:
                found[f"the virtual machine of {name} cannot be made: the operator tries again and again, and its state flips between absent and failure"
                      f"{_type_of(raw, name)}"] = SETTLE
        return found


def signs(raw: Json) -> dict[str, float]:
    """What the custom resource has against itself, each with how long it may stand."""
    if (raw.get("metadata") or {}).get("deletionTimestamp"):
        return {"somebody removes it": SETTLE}
    status = raw.get("status") or {}
    found = _conditions(status)
    for name, node in _machines(raw).items():
        if node.get("vm_status") == "running":
            continue
        for condition in node.get("conditions") or []:
            if condition.get("status") == "False" and condition.get("reason"):
                found[f"virtual machine of {name}: {condition.get('type')}: {condition['reason']} {condition.get('message') or ''}".strip()] = VM_PATIENCE
        if node.get("vm_status") == "initialized":
            found[f"the virtual machine of {name} has got no address"] = ADDRESS_PATIENCE if name == "the head" else WORKER_PATIENCE
    return found


def _conditions(status: Json) -> dict[str, float]:
    found: dict[str, float] = {}
    for condition in status.get("conditions") or []:
        kind, message = condition.get("type") or "", condition.get("message") or ""
        if kind.startswith("Invalid"):
            found[f"{kind}: {message}"] = STALE
        elif TERMINAL_TEXT.search(message):
            found[f"{kind}: {message}"] = SETTLE
        elif NO_ADDRESS_TEXT.search(message):
            found[f"{kind}: {message}: no address has come from the load balancer"] = ADDRESS_PATIENCE
    if status.get("cluster_state") == "unhealthy" and not status.get("conditions"):
        found["the operator says unhealthy and gives no reason: it was refused something itself, which its log tells"] = VM_PATIENCE
    if not status.get("cluster_state"):
        found["the operator has not looked at it"] = OPERATOR_PATIENCE
    return found


def ray_signs(raw: Json, ray: Witness) -> dict[str, float]:
    """What Ray's answer, or its silence, has against a cluster whose head machine runs. None of the sentences may change by itself."""
    spec, status = raw.get("spec") or {}, raw.get("status") or {}
    wanted, current, least = spec.get("autoscaler_desired_workers") or {}, status.get("current_workers") or {}, least_workers(spec)
    if (status.get("head_node_status") or {}).get("vm_status") != "running" or not (status.get("vm_service_status") or {}).get("ip"):
        return {}
    running = sum(1 for name in wanted if (current.get(name) or {}).get("vm_status") == "running")
    if not ray.answers and not wanted:
        return {"the machine of the head runs, and no sign of Ray has come from it": PULL_PATIENCE, **_first_boot(status["head_node_status"])}
    if not ray.answers:
        return {"Ray has started, for its autoscaler has asked for workers, but its dashboard does not answer here": CLOSED_PATIENCE}
    if len(wanted) < least:
        return {"Ray answers, and its autoscaler does not ask for the workers that there should be": AUTOSCALER_PATIENCE}
    if ray.workers is not None and running >= least > ray.workers:
        return {"the machines of the workers run, and their Ray does not join the head": WORKER_PATIENCE}
    return {}


def _first_boot(head: Json) -> dict[str, float]:
    """A first boot that failed: its last command starts the container of Ray, and no boot repeats it."""
    failed = [c for c in head.get("conditions") or [] if c.get("type") == "GuestBootstrap" and c.get("status") == "False"]
    return {f"the first boot of the head failed: {c.get('message') or c.get('reason')}": STALE for c in failed}


def _machines(raw: Json) -> dict[str, Json]:
    """The head, and each worker that is wanted or there."""
    status = raw.get("status") or {}
    current, wanted = status.get("current_workers") or {}, (raw.get("spec") or {}).get("autoscaler_desired_workers") or {}
    return {"the head": status.get("head_node_status") or {}, **{name: current.get(name) or {} for name in sorted({*wanted, *current})}}


def _type_of(raw: Json, name: str) -> str:
    """The node type of a worker where it is one that there is not: a mistake that a hand edit of the cluster makes."""
    spec = raw.get("spec") or {}
    kind = (spec.get("autoscaler_desired_workers") or {}).get(name)
    known = (spec.get("common_node_config") or {}).get("available_node_types") or {}
    return f" (its node type {kind} is not one of the cluster)" if kind and kind not in known else ""
