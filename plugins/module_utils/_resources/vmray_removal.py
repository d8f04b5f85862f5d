# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The end of a cluster. The operator asks for the removal of its machines and does not wait for it; here it is waited for.

What bears the cluster's name after its object has gone is either being removed, or nobody will ever remove it.
"""

from __future__ import annotations

import re
import time
import typing as t

from .._errors import RayError
from .._ports import Json, Kube
from . import vmray_orphans, vmray_secret

KIND = "VMRayCluster"
SECRETS = ("hsecret", "wsecret", "tls")
# Gone with a cluster too; without one, a user may have prepared them for a cluster to come.
PREPARED = ("root-cert", "ssh-key")
# Seconds for which something may be left that nobody is removing.
STAYS = 30.0


class Removal:
    """The end of one cluster.

    Args:
        purge: whether orphans, and what else nobody removes, go with it.
        final: whether the secret with the login of the registry goes too; a cluster that is made anew needs it.
    """

    def __init__(self, kube: Kube, namespace: str, name: str, *, purge: bool, final: bool, clock: t.Callable[[], float] = time.monotonic) -> None:
        self._kube, self._namespace, self._name = kube, namespace, name
        self._purge, self._final, self._clock = purge, final, clock
        self._workers: set[str] = set()
        self._secrets = {f"{name}-{suffix}" for suffix in SECRETS}
        self._since: float | None = None
        self.begun = False
        # Left by earlier replacements, or by a removal that was cut short; nobody removes them but who is told to.
        self.orphans: list[str] = []

    def look(self, raw: Json | None) -> None:
        """Before the end of a cluster: what of earlier ones is beside it, and whether it may go."""
        if raw is not None:
            self.orphans = vmray_orphans.orphans(self._kube, self._namespace, self._name, raw)
        if self._purge:
            vmray_orphans.check(self._kube, self._namespace, self._name, self.orphans)

    def begin(self, raw: Json | None) -> None:
        """Ask for the removal of all that goes; ``raw`` is None where only leftovers are there."""
        self.begun = True
        if raw is not None:
            status, spec = raw.get("status") or {}, raw.get("spec") or {}
            self._secrets |= {f"{self._name}-{suffix}" for suffix in PREPARED}
            self._workers |= {*(status.get("current_workers") or {}), *(spec.get("autoscaler_desired_workers") or {})}
            self._kube.delete(KIND, self._name, self._namespace)
        if self._final:
            for name in vmray_secret.made_for(self._kube, self._namespace, self._name):
                self._kube.delete("Secret", name, self._namespace)
        if self._purge:
            vmray_orphans.remove(self._kube, self._namespace, self.orphans)
            self.orphans = []

    def leftovers(self) -> list[str]:
        """Before anything was asked for and without a cluster: what is going by itself, and what ``begin`` would remove."""
        there = self._there()
        going = [text for text in there if self._goes(text)]
        self.orphans = [text for text in there if text not in going]
        found = going + (self.orphans if self._purge else [])
        return found + [f"Secret {name}" for name in vmray_secret.made_for(self._kube, self._namespace, self._name)]

    def left(self) -> list[str]:
        """After the object has gone: what is still there."""
        left = [text for text in self._there() if text not in self.orphans]
        self._give_up(left)
        return left

    def _there(self) -> list[str]:
        """What bears the cluster's name; the operator only asks for removals and does not wait for them."""
        made = re.compile(rf"{re.escape(self._name)}-(h|[hw]-[a-z0-9]{{5,8}})")
        there = [f"{kind} {name}" for kind in vmray_orphans.KINDS for name in vmray_orphans.names(self._kube, kind, self._namespace)
                 if made.fullmatch(name) or (kind == "VirtualMachine" and name in self._workers)]
        return there + [f"Secret {name}" for name in vmray_orphans.names(self._kube, "Secret", self._namespace) if name in self._secrets]

    def _goes(self, text: str) -> bool:
        kind, name = text.split(" ")
        there = self._kube.get(kind, name, self._namespace) if kind != "Secret" else {"metadata": {}}
        return there is None or "deletionTimestamp" in there["metadata"]

    def _give_up(self, left: list[str]) -> None:
        """No wait for what nobody removes."""
        now = self._clock()
        if not left:
            self._since = None
            return
        self._since = now if self._since is None else self._since
        if now - self._since < STAYS:
            return
        if any(self._goes(text) for text in left):
            self._since = now
            return
        raise RayError(f"VMRayCluster {self._namespace}/{self._name} has gone, and nobody removes what is left of it: {', '.join(left)}.", code="FAILED",
                       hint="state: absent with remove_orphans: true removes it.")
