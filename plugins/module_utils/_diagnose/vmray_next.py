# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to do next about a VMRayCluster that does not come up: the first stage that is not good decides."""

from __future__ import annotations

import datetime

from .vmray_facts import Facts

LOG = "/var/log/cloud-init-output.log"
MONITOR = "/tmp/ray/session_latest/logs/monitor.log"  # noqa: S108 - inside a container of the cluster


def step(facts: Facts) -> str:
    """One piece of advice, with the commands that show more."""
    if facts.conditions:
        return _by_condition(facts)
    if facts.status.get("cluster_state") == "unhealthy":
        return "the operator was refused something itself; a VI admin reads its log in the namespace of the service."
    if not facts.address:
        return _no_address(facts)
    if facts.head.get("vm_status") != "running":
        return f"see what holds the machine of the head up: {_kubectl(facts, 'describe virtualmachines')}."
    if facts.alive is None:
        return _silent(facts)
    if facts.alive >= facts.seen["least_workers"]:
        return "nothing is missing now; run this task again."
    if len(facts.desired) < facts.seen["least_workers"]:
        return _not_scaling(facts)
    stuck = sorted(set(facts.desired) - set(facts.running))
    if stuck:
        return (f"worker {', '.join(stuck)} holds up all scaling until its machine runs: see its conditions, and whether quota and addresses of the "
                f"namespace are used up ({_kubectl(facts, 'describe virtualmachines ' + stuck[0])}).")
    return (f"the head brings its workers up over SSH, and that fails: {_on_head(facts, f'docker exec ray_container tail -n 50 {MONITOR}')} tells why. "
            f"Workers reach the head by {facts.address}, so this address must be reachable from their network.")


def _by_condition(facts: Facts) -> str:
    kind, text = facts.conditions[0].get("type") or "", facts.conditions[0].get("message") or ""
    if kind == "InvalidVirtualMachineImage":
        return "have the image synchronized and the content library attached to the namespace (vcf.ray.vm_image_info lists what is there)."
    if kind == "InvalidVirtualMachineClass":
        return "have a VI admin assign the VM class to the namespace (vcf.ray.namespace)."
    if kind == "InvalidStorageClass":
        return "have a VI admin assign the storage policy to the namespace (vcf.ray.namespace)."
    if "service IP is not assigned" in text:
        return _no_address(facts)
    if "ecret" in text:
        return ("store the secret that is named (option docker_auth); until then the operator tries many times a second. Removing the cluster ends that "
                "too.")
    if "nvalid node type" in text:
        return ("somebody has written a node type into autoscaler_desired_workers that the cluster does not have: take that key away "
                f"({_kubectl(facts, 'edit vmraycluster ' + facts.name)}).")
    if "denied" in text or "exceeded quota" in text or "forbidden" in text:
        return "mend what the refusal names (quota, class, network, image); the operator tries again by itself."
    return f"see the machine that it names: {_kubectl(facts, 'describe virtualmachines')}."


def _no_address(facts: Facts) -> str:
    return (f"the load balancer gives addresses out of a pool of its own: a VI admin looks whether it has any left, and whether it runs "
            f"({_kubectl(facts, 'describe virtualmachineservices')}).")


def _silent(facts: Facts) -> str:
    """A head whose Ray does not answer here: either it cannot be reached from here, or it does not run."""
    if facts.silence is not None and facts.silence.code == "AUTH":
        return "give the token of the cluster (option ray.token)."
    tls = facts.seen["spec"].get("enable_tls", True) and facts.secret(f"{facts.name}-tls")
    elsewhere = "run this task from where it can be reached, give a way to it (option ray: url or proxy_host), or be content with ready: resource"
    ended = "; ".join([_key(facts), _on_head(facts, "docker ps -a")])
    if facts.desired or tls:
        trace = "its autoscaler has asked for workers" if facts.desired else f"it has stored its certificate in Secret {facts.name}-tls"
        return (f"Ray has started, for {trace}. If {facts.address} cannot be reached from here at all, {elsewhere}. Else its container has ended, and "
                f"nothing starts it again; docker on the head tells ({ended}). Then replace the head (renew: always with drain_timeout: 0).")
    boot = facts.first_boot
    state = f"the first boot of the head has failed ({boot})" if boot else "either the image is still being pulled, or its container has failed"
    return (f"Ray has left no trace yet: {state}. On the head {LOG} tells whether the image was pulled, docker whether its container runs: {ended}; "
            f"{_on_head(facts, f'tail -n 50 {LOG}')}. If {facts.address} cannot be reached from here at all, {elsewhere}.")


def _not_scaling(facts: Facts) -> str:
    """An autoscaler that lives and asks for nothing: what it needs is its token, the API server, and that no worker is stuck."""
    end = (facts.seen.get("ages") or {}).get("token_expires_at")
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    if end and end <= now:
        return f"the autoscaler's token has expired at {end} (it lives 7.5 days), so it cannot ask for workers: renew the cluster (renew: due)."
    server = facts.spec.get("api_server") or {}
    if server.get("ca_cert"):
        return "api_server.ca_cert is set, which Ray takes for the path of a file: its autoscaler cannot connect. Make the cluster anew without it."
    stuck = sorted(set(facts.desired) - set(facts.running))
    if stuck:
        return f"worker {', '.join(stuck)} holds up all scaling until its machine runs: {_kubectl(facts, 'describe virtualmachines ' + stuck[0])}."
    told = "" if end else "its token may have expired (it lives 7.5 days), or "
    return (f"the autoscaler does not ask for workers: {told}the API server {server.get('location')} cannot be reached from the head. "
            f"Its log tells: {_on_head(facts, f'docker exec ray_container tail -n 50 {MONITOR}')}.")


def _kubectl(facts: Facts, words: str) -> str:
    return f"kubectl -n {facts.namespace} {words}"


def _key(facts: Facts) -> str:
    """How to get the key of the nodes, which no module shows."""
    return (f"(umask 077; {_kubectl(facts, f'get secret {facts.name}-ssh-key')} -o jsonpath='{{.data.ssh-pvt-key}}' | base64 -d > {facts.name}.key)")


def _on_head(facts: Facts, command: str) -> str:
    return f"ssh -i {facts.name}.key {facts.user}@{facts.address} sudo {command}"
