# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Conditions of a VirtualMachine (v1alpha2)."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

CLASS_READY = "VirtualMachineClassReady"
IMAGE_READY = "VirtualMachineImageReady"
STORAGE_READY = "VirtualMachineStorageReady"
BOOTSTRAP_READY = "VirtualMachineBootstrapReady"
NETWORK_READY = "VirtualMachineNetworkReady"
PLACEMENT_READY = "VirtualMachineConditionPlacementReady"  # its name really differs from the others
CREATED = "VirtualMachineCreated"
GUEST_BOOTSTRAP = "GuestBootstrap"


@dataclass(frozen=True)
class Condition:
    type: str
    ok: bool
    reason: str = ""
    message: str = ""

    def as_dict(self) -> dict[str, str]:
        status = "True" if self.ok else "False"
        return {"type": self.type, "status": status, "reason": self.reason or status, "message": self.message}


def merge(old: list[dict[str, Any]], new: list[Condition]) -> list[dict[str, Any]]:
    """`new` over `old`; the time of a transition changes only with the status."""
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    result = {entry["type"]: entry for entry in old}
    for condition in new:
        before, entry = result.get(condition.type, {}), condition.as_dict()
        same = before.get("status") == entry["status"]
        entry["lastTransitionTime"] = before.get("lastTransitionTime", now) if same else now
        result[condition.type] = entry
    return list(result.values())
