# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of a VMRayCluster that does not come up: its own words, and what lies around it in the namespace, each read once."""

from __future__ import annotations

import re
import typing as t

from .._errors import RayError
from .._ports import Json, Kube


class Facts:
    """The cluster as seen, and reads beside it; None for what cannot be read.

    Attributes:
        alive: workers that Ray lists, None as long as it has not answered.
        silence: why Ray did not answer.
    """

    def __init__(self, kube: Kube, namespace: str, name: str, seen: Json) -> None:
        self._kube, self.namespace, self.name, self.seen = kube, namespace, name, seen
        self.spec: Json = seen.get("spec") or {}
        self.status: Json = seen.get("status") or {}
        self.conditions: list[Json] = self.status.get("conditions") or []
        self.head: Json = self.status.get("head_node_status") or {}
        self.current: Json = self.status.get("current_workers") or {}
        self.desired: Json = self.spec.get("autoscaler_desired_workers") or {}
        self.address: str | None = seen.get("service_address")
        self.alive: int | None = None
        self.silence: RayError | None = None
        self._lists: dict[str, list[Json] | None] = {}
        self._secrets: dict[str, Json | None] = {}

    @property
    def running(self) -> list[str]:
        """The workers whose machine runs."""
        return [name for name, worker in self.current.items() if worker.get("vm_status") == "running"]

    @property
    def first_boot(self) -> str:
        """Why the first boot of the head failed, as its machine tells; empty when it does not."""
        machines = [self.head, *((machine.get("status") or {}) for machine in self.own("VirtualMachine") or [])]
        failed = [c for machine in machines for c in machine.get("conditions") or [] if c.get("type") == "GuestBootstrap" and c.get("status") == "False"]
        return (failed[0].get("message") or failed[0].get("reason") or "").rstrip(".") if failed else ""

    @property
    def user(self) -> str:
        return (self.spec.get("common_node_config") or {}).get("vm_user") or "USER"

    def listed(self, kind: str) -> list[Json] | None:
        """All of a kind in the namespace."""
        if kind not in self._lists:
            self._lists[kind] = self._read(lambda: self._kube.list(kind, self.namespace))
        return self._lists[kind]

    def own(self, kind: str) -> list[Json] | None:
        """What bears the name of a head of this cluster."""
        found, head = self.listed(kind), re.compile(rf"{re.escape(self.name)}-h(-[a-z0-9]{{5,8}})?")
        return None if found is None else [item for item in found if head.fullmatch(item["metadata"]["name"])]

    def secret(self, name: str) -> Json | None:
        """The secret, {} where there is none. What it holds must not leave the diagnosis."""
        if name not in self._secrets:
            self._secrets[name] = self._read(lambda: self._kube.get("Secret", name, self.namespace) or {})
        return self._secrets[name]

    @staticmethod
    def _read(asked: t.Callable[[], t.Any]) -> t.Any:
        try:
            return asked()
        except RayError:
            # What is explained is another trouble; a read that fails must not hide it.
            return None
