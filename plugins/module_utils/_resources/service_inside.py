# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A service as the Kubernetes of its Supervisor sees it: APIs that it needs, its pods, and what lives by it. Reading only."""

from __future__ import annotations

import re
import typing as t

from .._errors import RayError, UnknownYet
from .._ports import Json, Kube

RAY = "ray-on-vcf."
RAY_LABELS = {"control-plane": "vmray-controller-manager"}
RAY_KINDS = ["vmray.broadcom.com/v1alpha1/vmrayclusters"]
KIND = re.compile(r"[a-z0-9.-]+\.[a-z0-9-]+/v[a-z0-9]+/[a-z0-9]+$")
API = re.compile(r"[a-z0-9.-]+/v[a-z0-9]+$")
UNCHECKED = "not_checked"
MOST = 10


class Inside:
    """One look into the Supervisor, opened when something is first asked.

    Args:
        enter: takes the address that vCenter tells of the Supervisor, and gives a client of its Kubernetes; None without a login.
        labels: of the pods that have to run; None for those that this collection knows of the service.
        kinds: ``GROUP/VERSION/PLURAL`` of what must not live any more when the service goes; None likewise.
        apis: ``GROUP/VERSION`` of what the service needs to be there.
        going: the service is to be removed, so that nobody cares for its pods.
    """

    def __init__(self, service: str, enter: t.Callable[[str | None], Kube] | None = None, *, labels: Json | None = None,
                 kinds: t.Sequence[str] | None = None, apis: t.Sequence[str] = (), going: bool = False) -> None:
        is_ray = service.startswith(RAY)
        self._service, self._enter = service, enter
        self._client: Kube | None = None
        self._going = going
        self._labels = labels if labels is not None else RAY_LABELS if is_ray else None
        self.kinds = list(kinds if kinds is not None else RAY_KINDS if is_ray else [])
        self.needed = list(apis)
        self.clusters = self.apis = UNCHECKED
        _refuse_misspelt("required_apis", self.needed, API, "vmoperator.vmware.com/v1alpha2")
        _refuse_misspelt("guard_kinds", self.kinds, KIND, RAY_KINDS[0])

    @property
    def open(self) -> bool:
        return self._enter is not None

    @property
    def sees_pods(self) -> bool:
        return self.open and self._labels is not None and not self._going

    def refuse_missing_apis(self, address: str | None) -> None:
        """Before the first write: all that is missing at once."""
        if not self.open or not self.needed:
            return
        served = self._at(address).apis()
        lacking = [api for api in self.needed if api not in served]
        if lacking:
            others = sorted(api for api in served if api.split("/")[0] in {missing.split("/")[0] for missing in lacking})
            raise RayError(f"The Supervisor does not serve {', '.join(lacking)}, which {self._service} needs"
                           f"{' (of those groups it has ' + ', '.join(others) + ')' if others else ''}.", code="UNSUPPORTED",
                           hint="Install what brings it (cert-manager is a Supervisor service, VM Operator is of the release), or upgrade the Supervisor.")
        self.apis = "served"

    def refuse_living(self, address: str | None) -> None:
        """Before the first write: without the service nobody could remove these any more."""
        if not self.open or not self.kinds:
            return
        living = [f"{kind.rsplit('/', 1)[-1]} {_full_name(row)}" for kind in self.kinds for row in self._at(address).everywhere(kind)]
        if living:
            self.clusters = "living"
            shown = ", ".join(living[:MOST]) + (f" and {len(living) - MOST} more" if len(living) > MOST else "")
            raise UnknownYet(f"{self._service} still has work: {shown}.", code="RESOURCE_IN_USE",
                             hint="Remove these first, and wait until they are gone: only the service can take them away; without it they stay for ever.")
        self.clusters = "none"

    def pods(self, address: str | None, namespace: str) -> tuple[str, list[str]]:
        """``running``, or in a few words what they are instead; and their names."""
        rows = self._rows(address, namespace)
        if not rows:
            return f"none with {self._selector()} yet", []
        waiting = [f"{_name(row)} {_state(row)}" for row in rows if not _runs(row)]
        return ", ".join(waiting) or "running", [_name(row) for row in rows]

    def trouble(self, address: str | None, namespace: str) -> str:
        """Why the pods do not run: what their containers wait for, and the latest warnings of the namespace."""
        client = self._at(address)
        rows = self._rows(address, namespace)
        words = [f"Pod {_name(row)}: {_reasons(row)}." for row in rows if not _runs(row)]
        words = words or [f"Its pods in namespace {namespace} run." if rows else f"No pod in namespace {namespace} carries {self._selector()}."]
        warnings = sorted((event for event in client.list("Event", namespace) if event.get("type") == "Warning"), key=_when)
        told = list(dict.fromkeys(f"{(event.get('involvedObject') or {}).get('kind')} {(event.get('involvedObject') or {}).get('name')}: "
                                  f"{event.get('reason')}: {(event.get('message') or '').strip()}" for event in warnings))
        return " ".join([*words, *([f"Events: {'; '.join(told[-3:])}."] if told else [])])

    def _at(self, address: str | None) -> Kube:
        if self._enter is None:
            raise AssertionError("without a login nothing is asked inside")
        if self._client is None:
            self._client = self._enter(address)
        return self._client

    def _rows(self, address: str | None, namespace: str) -> list[Json]:
        """Pods that are being taken away, as those of an earlier version, do not count."""
        rows = self._at(address).list("Pod", namespace, self._labels)
        return sorted((row for row in rows if not row["metadata"].get("deletionTimestamp")), key=_name)

    def _selector(self) -> str:
        return ", ".join(f"{name}={value}" for name, value in sorted((self._labels or {}).items())) or "any label"


def _refuse_misspelt(option: str, given: list[str], form: re.Pattern[str], example: str) -> None:
    wrong = [value for value in given if not form.match(value)]
    if wrong:
        raise RayError(f"{option} has {', '.join(map(repr, wrong))}, which names no API as it has to.", code="INPUT", hint=f"Write it as {example}.")


def _name(row: Json) -> str:
    name: str = row["metadata"]["name"]
    return name


def _full_name(row: Json) -> str:
    return "/".join(filter(None, (row["metadata"].get("namespace"), _name(row))))


def _status(row: Json) -> Json:
    return row.get("status") or {}


def _runs(row: Json) -> bool:
    """Running with all containers ready, or a job that has done its work."""
    containers = _status(row).get("containerStatuses") or []
    return _status(row).get("phase") == "Succeeded" or (_status(row).get("phase") == "Running" and all(c.get("ready") for c in containers))


def _state(row: Json) -> str:
    waiting = [((c.get("state") or {}).get("waiting") or {}).get("reason") for c in _containers(row)]
    return next((reason for reason in waiting if reason), None) or f"{_status(row).get('phase') or 'Pending'}, not ready"


def _containers(row: Json) -> list[Json]:
    return [*(_status(row).get("initContainerStatuses") or []), *(_status(row).get("containerStatuses") or [])]


def _reasons(row: Json) -> str:
    """What its containers wait for or ended with, and the conditions that do not hold."""
    words = []
    for container in _containers(row):
        state = container.get("state") or {}
        for phase in ("waiting", "terminated"):
            if state.get(phase):
                words.append(" ".join(filter(None, (container.get("name"), phase, state[phase].get("reason"), state[phase].get("message")))))
    for condition in _status(row).get("conditions") or []:
        if condition.get("status") == "False" and condition.get("message"):
            words.append(f"{condition.get('type')} is false: {condition.get('reason')}: {condition['message']}")
    return "; ".join(words).rstrip(".") or _state(row)


def _when(event: Json) -> str:
    return event.get("lastTimestamp") or event.get("eventTime") or (event.get("metadata") or {}).get("creationTimestamp") or ""
