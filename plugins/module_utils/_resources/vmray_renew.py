# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A new head for a cluster, in place: same name, same service address; new token, certificates and boot data of the spec as it is now.

The operator renders the data of a machine's first boot once, into the secrets ``-hsecret`` (head, with the token) and ``-wsecret`` (workers),
and takes what is there ever after. So they go, and then the head's machine: the operator misses it, and makes both anew.

What has to be minded, all of it seen with a real Ray:

- The secrets go before the machine: an operator that is quick makes a new head of the old secret, with the token that is dead.
- Ray may only create ``-tls``: one that is still there keeps the old certificate, and whoever reads its end is misled.
- The workers of the old head are of no use to the new one, which takes them for outdated and replaces them. It does so only while each of them
  runs: a single worker without an address, and the new head neither removes nor adds any, for ever. So they are given back while there is no
  head: nobody but Ray writes ``autoscaler_desired_workers`` as long as there is one.
- As long as the old machine is being removed, its Ray may answer, and the operator may boot a worker. Data of workers that is older than the
  head's goes once more.
- The service keeps its ports and its address: the port of the head cannot be changed like this.
"""

from __future__ import annotations

import time
import typing as t

from .. import _wait
from .._errors import RayError
from .._ports import Json, Kube, Ray
from . import vmray_ages

CLUSTER, MACHINE, SECRET = "VMRayCluster", "VirtualMachine", "Secret"
NOUNCE = "vmray.kubernetes.io/head-nounce"
# In this order: a head without its data, or data that is younger than its head, tells of a replacement that was cut short.
SECRETS = ("hsecret", "wsecret", "tls")
AUTHORITY = "root-cert"
# Each head gets a certificate of a year anew. The authority lives for ten and is what clients trust: it goes only when it has less than this.
AUTHORITY_LEFT = vmray_ages.NEAR_CERTIFICATE
REMOVAL, BEAR = 600.0, 60.0
# Seconds between two looks at the machine that goes. A new head's Ray takes longer to start, so it has no workers yet when the old ones are given back.
SOON = 1.0
BUSY = ("PENDING", "RUNNING")


def head_name(raw: Json) -> str:
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

    def __init__(self, kube: Kube, namespace: str, name: str, ray_at: t.Callable[[str], Ray], clock: t.Callable[[], float] = time.monotonic,
                 today: t.Callable[[], float] = time.time) -> None:
        self._kube, self._namespace, self._name = kube, namespace, name
        self._ray_at, self._clock, self._today = ray_at, clock, today
        self._old: str | None = None
        self._begun = self._new = False

    def due(self, raw: Json, within: float) -> str | None:
        """Why the head has to be replaced, a phrase that fits behind a colon; None when it has not."""
        machines = self._machines()
        head = machines.get(head_name(raw))
        if head is None:
            # The operator is about to make one, of new data or of the data that an earlier head has left.
            return None
        held = {suffix: self._secret(suffix) for suffix in (AUTHORITY, *SECRETS)}
        return self._unfinished(head, held) or self._left_behind(raw, head, machines) or self._ending(held, within)

    def drain(self, url: str | None, timeout: float) -> None:
        """Wait until no job is pending or running; who gives up has changed nothing. With 0 seconds the jobs are not asked for."""
        if not url or timeout <= 0 or self._begun:
            return
        ray = self._ray_at(url)
        try:
            _wait.until(ray.jobs, lambda jobs: not _busy(jobs), what=f"the jobs of VMRayCluster {self._namespace}/{self._name} to end", timeout=timeout,
                        say=lambda jobs: f"jobs that have not ended: {', '.join(_busy(jobs))}", bear=timeout, clock=self._clock)
        except RayError as error:
            if error.code in ("TIMEOUT", *_wait.BORNE):
                # A lost answer of Ray is none to a write, which would be sent again.
                error.code = "TIMEOUT"
                error.hint = "Let the jobs end or stop them, or raise drain_timeout. With drain_timeout 0 the head is replaced whatever runs there."
            error.message = f"The head was not replaced, nothing was changed: {error.message}"
            raise
        finally:
            ray.close()

    def replace(self, raw: Json, spec: Json | None = None) -> None:
        """Remove the head and all that was made for it; returns when it is gone, and may be called again after an error.

        Args:
            spec: a merge-patch of the spec that takes effect with the new head. It is written between the removals of the secrets and of the
                machine, so that whoever is cut short after it leaves a head without its data, which ``due`` sees.
        """
        head = head_name(raw)
        machine = self._kube.get(MACHINE, head, self._namespace)
        # The operator's webhook answers a dry run: where no operator is, a head that is removed does not come back.
        self._kube.merge(CLUSTER, self._name, self._namespace, {"spec": spec or {}}, dry_run=True)
        if self._old is None or (machine and machine["metadata"]["uid"] == self._old):
            self._old, self._begun = machine["metadata"]["uid"] if machine else None, True
            for suffix in (*self._authority(), *SECRETS):
                self._kube.delete(SECRET, f"{self._name}-{suffix}", self._namespace)
            if spec:
                self._kube.merge(CLUSTER, self._name, self._namespace, {"spec": spec})
            if machine is not None:
                self._kube.delete(MACHINE, head, self._namespace)
        _wait.until(lambda: self._kube.get(MACHINE, head, self._namespace), self._is_another, what=f"VirtualMachine {head} to be gone",
                    timeout=REMOVAL, say=lambda now: f"VirtualMachine {head} is being removed", bear=BEAR, limit=SOON, clock=self._clock)
        self._give_back(head)

    def is_new(self, raw: Json) -> bool:
        """Whether the head's machine is there and another than before ``replace``. When the old object is gone, so are its machine and its Ray."""
        if not self._new:
            machine = self._kube.get(MACHINE, head_name(raw), self._namespace)
            self._new = machine is not None and self._is_another(machine)
        return self._new

    def _is_another(self, machine: Json | None) -> bool:
        return machine is None or not (machine["metadata"]["uid"] == self._old or machine["metadata"].get("deletionTimestamp"))

    def _authority(self) -> tuple[str, ...]:
        end = vmray_ages.certificate_end(_data(self._secret(AUTHORITY), "ca.cert"))
        return (AUTHORITY,) if end is not None and end - self._today() < AUTHORITY_LEFT else ()

    def _give_back(self, head: str) -> None:
        """The workers as the old head has left them, and data for workers that was made while it was being removed."""
        workers, machines = _desired(self._kube.get(CLUSTER, self._name, self._namespace)), self._machines()
        old = [n for n in workers if head not in machines or n not in machines or _made(machines[n]) < _made(machines[head])]
        if old:
            self._kube.merge(CLUSTER, self._name, self._namespace, {"spec": {"autoscaler_desired_workers": dict.fromkeys(old)}})
        boot, left = self._secret("hsecret"), self._secret("wsecret")
        if left and (boot is None or _made(left) < _made(boot)):
            self._kube.delete(SECRET, f"{self._name}-wsecret", self._namespace)

    def _unfinished(self, head: Json, held: dict[str, Json | None]) -> str | None:
        """What a replacement that was cut short has left."""
        boot, workers, authority = held["hsecret"], held["wsecret"], held[AUTHORITY]
        if head["metadata"].get("deletionTimestamp"):
            return "the machine of the head is being removed"
        if boot is None:
            return f"Secret {self._name}-hsecret is gone, and the machine of the head is still the one that was made of it"
        if _made(boot) > _made(head):
            return f"the machine of the head is older than Secret {self._name}-hsecret"
        if workers and _made(workers) < _made(boot):
            return f"Secret {self._name}-wsecret, of which workers are made, is older than the head"
        if authority is None or _made(authority) > _made(boot):
            return f"Secret {self._name}-{AUTHORITY} is not the authority any more with which the head was made"
        return None

    def _left_behind(self, raw: Json, head: Json, machines: dict[str, Json]) -> str | None:
        """A new head removes the workers of an earlier one within a minute, or never."""
        old = [n for n in _desired(raw) if n in machines and _made(machines[n]) < _made(head)]
        return f"the workers {', '.join(old)} are of an earlier head" if old else None

    def _ending(self, held: dict[str, Json | None], within: float) -> str | None:
        ends = {"token of its head": vmray_ages.token_end(_data(held["hsecret"], "user-data")),
                "certificate of its head": vmray_ages.certificate_end(_data(held["tls"], "tls.crt")),
                "authority of its certificates": vmray_ages.certificate_end(_data(held[AUTHORITY], "ca.cert"))}
        for what, end in ends.items():
            if end is not None and end - self._today() < within:
                return f"the {what} {'has ended' if end <= self._today() else 'ends'} at {vmray_ages.stamp(end)}"
        return None

    def _machines(self) -> dict[str, Json]:
        return {m["metadata"]["name"]: m for m in self._kube.list(MACHINE, self._namespace)}

    def _secret(self, suffix: str) -> Json | None:
        return self._kube.get(SECRET, f"{self._name}-{suffix}", self._namespace)


def _desired(raw: Json | None) -> list[str]:
    return sorted(((raw or {}).get("spec") or {}).get("autoscaler_desired_workers") or {})


def _data(secret: Json | None, key: str) -> str | None:
    return ((secret or {}).get("data") or {}).get(key)


def _made(item: Json) -> float:
    return vmray_ages.seconds(item["metadata"].get("creationTimestamp")) or 0.0


def _busy(jobs: list[Json]) -> list[str]:
    return sorted(f"{j.get('submission_id') or j.get('job_id')} {j['status']}" for j in jobs if j.get("status") in BUSY)
