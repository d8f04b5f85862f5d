# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A new head for a cluster, in place: same name, same service address, new token, certificates and boot data of the spec as it is now.

The operator renders the data of a machine's first boot once, into the secrets ``-hsecret`` (head, with the token) and ``-wsecret`` (workers),
and takes what is there ever after. So they go, and then the head's machine: the operator misses it, and makes both anew.
"""

from __future__ import annotations

import time
import typing as t

from .. import _wait
from .._errors import RayError
from . import vmray_ages, vmray_ready

MACHINE = "VirtualMachine"
NOUNCE = "vmray.kubernetes.io/head-nounce"
# In this order: who is cut short after the first has left a head without its data behind, and that is seen.
SECRETS = ("hsecret", "wsecret", "tls")
# Certificates of nodes are made for a year at the start of a node; an authority that ends before takes them along.
CERTIFICATE_LIFE = 365 * 86400
REMOVAL = 600.0
BUSY = ("PENDING", "RUNNING")


def head_name(raw: dict) -> str:
    """The name of the head's machine and service."""
    meta = raw["metadata"]
    nounce = (meta.get("labels") or {}).get(NOUNCE)
    return f"{meta['name']}-h-{nounce}" if nounce else f"{meta['name']}-h"


class Renewal:
    """The replacement of one cluster's head. Each step may be cut short: ``due`` of the next run sees it, and ``replace`` goes on.

    Args:
        ray_at: gives a client of Ray's dashboard for an address.
        clock, today: for waits, and for the ends of tokens and certificates.
    """

    def __init__(self, kube: t.Any, namespace: str, name: str, ray_at: t.Callable[[str], t.Any], clock: t.Callable[[], float] = time.monotonic,
                 today: t.Callable[[], float] = time.time) -> None:
        self._kube, self._namespace, self._name = kube, namespace, name
        self._ray_at, self._clock, self._today = ray_at, clock, today
        self._old: str | None = None
        self._new = False

    def due(self, raw: dict, within: float) -> str | None:
        """Why the head has to be replaced: a phrase that fits behind "because"; None when it has not."""
        machine = self._kube.get(MACHINE, head_name(raw), self._namespace)
        held = {suffix: self._kube.get("Secret", f"{self._name}-{suffix}", self._namespace) for suffix in ("root-cert", *SECRETS)}
        return self._unfinished(machine, held) or self._ending(held, within)

    def drain(self, url: str | None, timeout: float) -> None:
        """Wait until no job is pending or running. Whoever gives up has changed nothing. With 0, jobs are not asked for."""
        if not url or timeout <= 0:
            return
        ray = self._ray_at(url)
        try:
            _wait.until(ray.jobs, lambda jobs: not _busy(jobs), what=f"the jobs of VMRayCluster {self._namespace}/{self._name} to end",
                        timeout=timeout, say=lambda jobs: f"jobs still there: {', '.join(_busy(jobs))}", bear=timeout, clock=self._clock)
        except RayError as error:
            error.message = f"The head was not replaced, and nothing was changed. {error.message}"
            error.hint = "Let the jobs end or stop them, raise drain_timeout, or set it to 0 to replace the head whatever runs there."
            raise
        finally:
            ray.close()

    def replace(self, raw: dict) -> None:
        """Remove the head with all that was made for it; the operator makes it anew. Returns when the old machine is gone."""
        head = head_name(raw)
        machine = self._kube.get(MACHINE, head, self._namespace)
        self._old = machine and machine["metadata"]["uid"]
        for suffix in SECRETS:
            self._kube.delete("Secret", f"{self._name}-{suffix}", self._namespace)
        if machine is not None:
            self._kube.delete(MACHINE, head, self._namespace)
            _wait.until(lambda: self._kube.get(MACHINE, head, self._namespace), lambda now: now is None or now["metadata"]["uid"] != self._old,
                        what=f"VirtualMachine {head} to be gone", timeout=REMOVAL, say=lambda now: f"VirtualMachine {head} is being removed", bear=60,
                        clock=self._clock)

    def is_new(self, raw: dict) -> bool:
        """Whether the head that runs is another than before ``replace``. The old one's Ray is gone when its object is."""
        if not self._new:
            machine = self._kube.get(MACHINE, head_name(raw), self._namespace)
            self._new = bool(machine) and machine["metadata"]["uid"] != self._old and not machine["metadata"].get("deletionTimestamp")
        return self._new and vmray_ready.service_address(raw) is not None

    def _unfinished(self, machine: dict | None, held: dict[str, dict | None]) -> str | None:
        """What an earlier replacement that was cut short has left."""
        if machine and machine["metadata"].get("deletionTimestamp"):
            return "its head machine is being removed"
        if machine and not held["hsecret"]:
            return f"Secret {self._name}-hsecret is gone and its head machine is still the one of before"
        return None

    def _ending(self, held: dict[str, dict | None], within: float) -> str | None:
        ends = {"token": vmray_ages.token_end(_data(held["hsecret"], "user-data")), "certificate": vmray_ages.certificate_end(_data(held["tls"], "tls.crt"))}
        for what, end in ends.items():
            if end is not None and end - self._today() < within:
                return f"the {what} of its head ends at {vmray_ages.stamp(end)}"
        return None


def _data(secret: dict | None, key: str) -> str | None:
    return ((secret or {}).get("data") or {}).get(key)


def _busy(jobs: list[dict]) -> list[str]:
    return sorted(f"{j.get('submission_id') or j.get('job_id')} ({j['status']})" for j in jobs if j.get("status") in BUSY)
