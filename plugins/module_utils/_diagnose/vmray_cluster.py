# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a VMRayCluster has come, stage by stage, and where to look next. Reads only."""

from __future__ import annotations

import typing as t

from .._errors import RayError

LOG = "/var/log/cloud-init-output.log"


def explain(kube: t.Any, namespace: str, name: str, seen: dict | None, ray_at: t.Callable[[str], t.Any]) -> str:
    """A few sentences: what was seen at each stage, then where to look next.

    Args:
        seen: the cluster as the module shows it, with ``least_workers``; None when it is not there.
    """
    if seen is None:
        return f"VMRayCluster {namespace}/{name} is not there."
    status = seen["status"]
    if not status.get("cluster_state"):
        return "How far it got: the cluster was accepted, and the operator has not looked at it: is its pod running? (A VI admin sees it.)"
    steps = [f"operator says {status['cluster_state']}{_conditions(status.get('conditions'))}"]
    steps.append(_machines(kube, namespace, name, status))
    address = seen["service_address"]
    steps.append(f"service address {address}" if address else f"no service address{_service(kube, namespace, name)}")
    words, hint = _ray(address, seen, ray_at)
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


def _ray(address: str | None, seen: dict, ray_at: t.Callable[[str], t.Any]) -> tuple[str, str]:
    """What Ray says, and the next step that follows from it."""
    if not address:
        return "Ray not asked", ""
    user = (seen["spec"].get("common_node_config") or {}).get("vm_user") or "USER"
    ray = ray_at(seen["dashboard_url"])
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
    desired = len(seen["spec"].get("autoscaler_desired_workers") or {})
    words = f"Ray {version} answers, {alive} of {seen['least_workers']} workers alive, {desired} asked for by the autoscaler"
    return words, _workers_hint(seen, alive, desired, f"ssh {user}@{address}")


def _workers_hint(seen: dict, alive: int, desired: int, ssh: str) -> str:
    if alive >= seen["least_workers"]:
        return ""
    if desired < seen["least_workers"]:
        return (f"The autoscaler does not ask for workers: its token may have expired (7.5 days), or api_server "
                f"{(seen['spec'].get('api_server') or {}).get('location')} cannot be reached from the head. On the head ({ssh}) "
                "see /tmp/ray/session_latest/logs/monitor.log in the container.")
    return (f"Workers are brought up by the head over SSH: see monitor.log in its container ({ssh}), "
            "and whether quota and capacity of the namespace allow more machines.")
