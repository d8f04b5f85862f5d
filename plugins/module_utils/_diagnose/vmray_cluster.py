# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a VMRayCluster has come, stage by stage from the operator to Ray, and what to do next. Reads only; what may not be read is left out."""

from __future__ import annotations

import re
import typing as t

from .._errors import RayError
from .._ports import Json, Kube, Ray
from . import vmray_next
from .vmray_facts import Facts

SECRETS = ("root-cert", "ssh-key", "hsecret", "wsecret", "tls")
NEWEST = 3


def explain(kube: Kube, namespace: str, name: str, seen: Json | None, ray_at: t.Callable[[str], Ray]) -> str:
    """Sentences that are read from the first to the last, one for each stage.

    Args:
        seen: the cluster as the module shows it, with ``least_workers``; None when it is not there. ``metadata`` (of the object), ``ages``
            (the ends of token and certificate) and ``orphans`` are told when they are in it.
    """
    if seen is None:
        return f"VMRayCluster {namespace}/{name} is not there."
    facts = Facts(kube, namespace, name, seen)
    meta = seen.get("metadata") or {}
    if meta.get("deletionTimestamp"):
        return " ".join(["How far it got:", *_leaving(facts, meta), *_events(facts)])
    if not facts.status.get("cluster_state"):
        return ("How far it got: the cluster was accepted, and the operator has not looked at it. Next: is its pod running? A VI admin sees it in the "
                "namespace of the service, by kubectl get pods -A -l control-plane=vmray-controller-manager.")
    stages = [*_operator(facts), _service(facts), _head(facts), *_workers(facts), *_secrets(facts), *_ages(seen), *_quotas(facts), *_events(facts)]
    stages.append(_ray(facts, ray_at))
    if seen.get("orphans"):
        stages.append(f"Left by earlier replacements: {', '.join(seen['orphans'])}.")
    return " ".join(["How far it got:", *stages, f"Next: {vmray_next.step(facts)}"]).strip()


def _leaving(facts: Facts, meta: Json) -> list[str]:
    """A cluster on its way out: what holds it."""
    held = ", ".join(meta.get("finalizers") or []) or "nothing"
    why = [f"{c.get('reason')}: {c.get('message')}" for c in facts.conditions if c.get("type") == "DeleteCluster"]
    words = [f"it is being removed since {meta['deletionTimestamp']}, held by finalizer {held}."]
    words += [f"The operator says {why[-1]}."] if why else []
    return [*words, "Next: is the operator's pod running? Only it lets go of the machines; taking the finalizer away by hand leaves them behind."]


def _operator(facts: Facts) -> list[str]:
    told = [f"the operator says {facts.status['cluster_state']}."]
    bad = [f"{c.get('type')}: {c.get('reason')}: {c.get('message')}" for c in facts.conditions]
    return told + ([f"Conditions: {'; '.join(bad)}."] if bad else [])


def _service(facts: Facts) -> str:
    if facts.address:
        return f"Service address {facts.address}."
    services = facts.own("VirtualMachineService")
    if services is None:
        return "There is no service address."
    if not services:
        return "There is no service address: no VirtualMachineService yet."
    return f"There is no service address: VirtualMachineService {services[0]['metadata']['name']} waits for one from the load balancer."


def _head(facts: Facts) -> str:
    own = next(iter(facts.own("VirtualMachine") or []), None)
    named = f" {own['metadata']['name']}" if own else ""
    power = ((own or {}).get("status") or {}).get("powerState")
    state = facts.head.get("vm_status") or ("there" if own else "not there yet")
    false = _first_false(facts.head) or _first_false((own or {}).get("status") or {})
    return f"Head VM{named}: {state}{_at(facts.head)}{f', {power}' if power else ''}{false}."


def _workers(facts: Facts) -> list[str]:
    """Those that are not as they should be, one by one; the others by their number."""
    names = sorted({*facts.desired, *facts.current})
    words = []
    for name in names:
        worker = facts.current.get(name) or {}
        if worker.get("vm_status") != "running" or name not in facts.desired:
            extra = "" if name in facts.desired else ", no longer asked for"
            words.append(f"{name} {worker.get('vm_status') or 'not there yet'}{_at(worker)}{extra}{_first_false(worker)}")
    counted = f"Workers: {len(facts.running)} of {facts.seen['least_workers']} machines run, {len(facts.desired)} asked for by the autoscaler"
    return [f"{counted}{': ' + '; '.join(words) if words else ''}."] if names or facts.seen["least_workers"] else []


def _at(node: Json) -> str:
    return f" at {node['ip']}" if node.get("ip") else ""


def _first_false(holder: Json) -> str:
    """The first condition that is false, which is the one that holds up the rest."""
    for condition in holder.get("conditions") or []:
        if condition.get("status") == "False":
            return f" ({condition.get('type')}: {condition.get('reason')} {condition.get('message') or ''})".replace(" )", ")")
    return ""


def _secrets(facts: Facts) -> list[str]:
    """Which are there, with their keys; never what they hold."""
    docker = (facts.spec.get("docker_config") or {}).get("auth_secret_name")
    there, missing = [], []
    for name in [f"{facts.name}-{part}" for part in SECRETS] + ([docker] if docker else []):
        secret = facts.secret(name)
        if secret is None:
            return []
        if secret:
            there.append(f"{name} ({', '.join(sorted(secret.get('data') or {})) or 'empty'})")
        else:
            missing.append(name)
    return [f"Secrets: {', '.join(there) or 'none'}{'; not there: ' + ', '.join(missing) if missing else ''}."]


def _ages(seen: Json) -> list[str]:
    ages = seen.get("ages") or {}
    words = [f"{what} ends at {ages[key]}" for what, key in (("the token of the head", "token_expires_at"), ("its certificate", "certificate_expires_at"))
             if ages.get(key)]
    return [f"{' and '.join(words)[:1].upper()}{' and '.join(words)[1:]}."] if words else []


def _quotas(facts: Facts) -> list[str]:
    """Limits that are used up or nearly so."""
    full = []
    for quota in facts.listed("ResourceQuota") or []:
        used = (quota.get("status") or {}).get("used") or {}
        full += [f"{key} {used[key]} of {hard}" for key, hard in sorted(((quota.get("status") or {}).get("hard") or {}).items()) if used.get(key) == hard]
    return [f"Quota used up: {', '.join(full)}."] if full else []


def _events(facts: Facts) -> list[str]:
    """The newest warnings of its machines and services; the operator itself writes none."""
    own = re.compile(rf"{re.escape(facts.name)}(-[hw](-[a-z0-9]+)?)?")
    told = [e for e in facts.listed("Event") or [] if e.get("type") == "Warning" and own.fullmatch((e.get("involvedObject") or {}).get("name") or "")]
    told.sort(key=lambda e: e.get("lastTimestamp") or e.get("eventTime") or "")
    words = [f"{e['involvedObject'].get('kind')} {e['involvedObject']['name']}: {e.get('reason')}: {(e.get('message') or '').rstrip('.')}"
             for e in told[-NEWEST:]]
    return [f"Events: {'; '.join(words)}."] if words else []


def _ray(facts: Facts, ray_at: t.Callable[[str], Ray]) -> str:
    """Ray's own answer."""
    url = facts.seen.get("dashboard_url")
    if not url:
        return "Ray was not asked."
    ray = None
    try:
        ray = ray_at(url)
        version, nodes = ray.version().get("ray_version"), ray.live_nodes()
    except RayError as error:
        facts.silence = error
        return f"Ray does not answer: {error.message.rstrip('.')}."
    finally:
        if ray:
            ray.close()
    facts.alive = sum(1 for node in nodes if not node["is_head"])
    return f"Ray {version} answers, {facts.alive} of {facts.seen['least_workers']} workers alive."
