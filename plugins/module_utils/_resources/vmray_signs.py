# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What speaks against a VMRayCluster: signs are believed only after they have stood for a while."""

from __future__ import annotations

import re
import time
import typing as t

# The operator looks again after 60 s, so an old condition may stand that long after its cause has gone.
STALE = 65.0
SETTLE = 5.0
VM_PATIENCE = 60.0
SIGHTINGS = 3
# Reads in a row, and seconds, without the sign after which it is forgotten: the operator's state may flip with every pass, up to
# twenty times a second, and reads fall on either side.
FORGET = 5
FORGET_AFTER = 5.0
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
