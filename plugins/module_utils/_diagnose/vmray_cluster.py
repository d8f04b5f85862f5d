# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a VMRayCluster has come, stage by stage, and where to look next. Reads only."""

from __future__ import annotations

import typing as t

from .._errors import RayError
from .._resources import vmray_ready
from .._resources.vmray_spec import least_workers, node_types

LOG = "/var/log/cloud-init-output.log"


def explain(kube: t.Any, namespace: str, name: str, raw: dict | None, ray_at: t.Callable[[str], t.Any]) -> str:
    """A few sentences, first the stage that is missing, then what was seen on the way there."""
    if raw is None:
        return f"VMRayCluster {namespace}/{name} is not there."
    status = raw.get("status") or {}
    if not status.get("cluster_state"):
        return "How far it got: the cluster was accepted, and the operator has not looked at it: is its pod running? (A VI admin sees it.)"
    steps = [f"operator says {status['cluster_state']}{_conditions(status.get('conditions'))}"]
    steps.append(_machines(kube, namespace, name, status))
    address = vmray_ready.service_address(raw)
    steps.append(f"service address {address}" if address else f"no service address{_service(kube, namespace, name)}")
    words, hint = _ray(address, raw, ray_at)
    return f"How far it got: {'; '.join([*steps, words])}. {hint}".strip()


def _conditions(conditions: list[dict] | None) -> str:
    bad = [f"{c.get('type')}: {c.get('reason')}: {c.get('message')}" for c in conditions or []]
    return f" ({'; '.join(bad)})" if bad else ""


def _machines(kube: t.Any, namespace: str, name: str, status: dict) -> str:
    head, workers = status.get("head_node_status") or {}, status.get("current_workers") or {}
    words = [f"head machine {head.get('vm_status') or 'not there'}{' at ' + head['ip'] if head.get('ip') else ''}{_false(head)}"]
    words += [f"worker machine {n} {w.get('vm_status') or 'not there'}{_false(w)}" for n, w in sorted(workers.items())]
    if not head.get("conditions"):
        try:
            for machine in kube.list("VirtualMachine", namespace):
                if machine["metadata"]["name"].startswith(f"{name}-h-"):
                    words[0] += _false(machine.get("status") or {})
        except RayError as error:
            words.append(f"virtual machines cannot be read: {error.message}")
    return ", ".join(words)


def _false(holder: dict) -> str:
    """The first condition that is false, which is the one that holds up the rest."""
    for condition in holder.get("conditions") or []:
        if condition.get("status") == "False":
            return f" ({condition.get('type')}: {condition.get('reason')} {condition.get('message') or ''})".replace(" )", ")")
    return ""


def _service(kube: t.Any, namespace: str, name: str) -> str:
    try:
        names = [n for n in kube.names("VirtualMachineService", namespace) if n.startswith(f"{name}-h-")]
    except RayError as error:
        return f" (services cannot be read: {error.message})"
    return f" (VirtualMachineService {names[0]} waits for one: has the load balancer addresses left?)" if names else " (no VirtualMachineService yet)"


def _ray(address: str | None, raw: dict, ray_at: t.Callable[[str], t.Any]) -> tuple[str, str]:
    """What Ray says, and the next step that follows from it."""
    if not address:
        return "Ray not asked", ""
    user = ((raw.get("spec") or {}).get("common_node_config") or {}).get("vm_user") or "USER"
    ray = ray_at(vmray_ready.dashboard_url(raw) or "")
    try:
        version = ray.version().get("ray_version")
        nodes = ray.live_nodes()
    except RayError as error:
        return (f"Ray does not answer: {error.message.rstrip('.')}",
                f"Look on the head, with ssh {user}@{address}: {LOG} tells whether the container image was pulled, docker ps -a whether it runs. "
                "If the address cannot be reached from here at all, run this task from where it can.")
    finally:
        ray.close()
    alive = sum(1 for n in nodes if not n["is_head"])
    desired = len((raw.get("spec") or {}).get("autoscaler_desired_workers") or {})
    words = f"Ray {version} answers, {alive} of {least_workers(raw.get('spec') or {})} workers alive, {desired} asked for by the autoscaler"
    return words, _workers_hint(raw, alive, desired, user, address)


def _workers_hint(raw: dict, alive: int, desired: int, user: str, address: str) -> str:
    least = least_workers(raw.get("spec") or {})
    if alive >= least:
        return ""
    if desired < least:
        return (f"The autoscaler does not ask for workers: its token may have expired (7.5 days), or api_server "
                f"{(raw['spec'].get('api_server') or {}).get('location')} cannot be reached from the head. On the head (ssh {user}@{address}) "
                "see /tmp/ray/session_latest/logs/monitor.log in the container.")
    classes = ", ".join(sorted({str(n.get("vm_class")) for n in node_types(raw["spec"]).values()}))
    return (f"Workers are brought up by the head over SSH: see monitor.log in its container (ssh {user}@{address}), "
            f"and whether quota and capacity allow more machines of class {classes}.")
