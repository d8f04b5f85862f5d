# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The explanation of a cluster that does not come up: its order, its words, and the one next step."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.vcf.ray.plugins.module_utils._diagnose.vmray_cluster import explain
from ansible_collections.vcf.ray.plugins.module_utils._errors import RayError

NO = RayError("forbidden", code="FORBIDDEN")
SILENT = RayError("Ray's dashboard http://10.0.0.9:8265 cannot be reached: refused.", code="CONNECTION")
HEAD = {"node_id": "1", "node_ip": "10.0.0.1", "is_head": True}
UP = {"vm_status": "running", "ray_status": "running", "ip": "10.0.0.2"}
FALSE = [{"type": "VirtualMachineClassReady", "status": "True"},
         {"type": "VirtualMachineNetworkReady", "status": "False", "reason": "Exhausted", "message": "no address left"}]
BOOT = [{"type": "GuestBootstrap", "status": "False", "reason": "Failed", "message": "docker: no space left."}]


class Kube:
    """Lists and secrets of a namespace; what is not given may not be read."""

    def __init__(self, secrets: dict | None = None, **lists: list[dict]) -> None:
        self._secrets, self._lists = secrets, lists

    def list(self, kind: str, namespace: str) -> list[dict]:
        if kind not in self._lists:
            raise NO
        return self._lists[kind]

    def get(self, kind: str, name: str, namespace: str) -> dict | None:
        assert kind == "Secret"
        if self._secrets is None:
            raise NO
        return {"data": dict.fromkeys(self._secrets[name], "c2VjcmV0")} if name in self._secrets else None


class Ray:
    def __init__(self, nodes: t.Any) -> None:
        self._nodes = nodes

    def version(self) -> dict:
        if isinstance(self._nodes, RayError):
            raise self._nodes
        return {"ray_version": "2.60.0"}

    def live_nodes(self) -> list[dict]:
        return self._nodes

    def close(self) -> None:
        pass


def seen(status: dict | None = None, address: str | None = "10.0.0.9", least: int = 1, wanted: dict | None = None, **more: t.Any) -> dict:
    return {"spec": {"common_node_config": {"vm_user": "ray"}, "api_server": {"location": "api:6443"}, "autoscaler_desired_workers": wanted or {}},
            "status": {"cluster_state": "healthy", "head_node_status": {**UP, "ip": "10.0.0.1"}, **(status or {})}, "service_address": address,
            "dashboard_url": address and f"http://{address}:8265", "least_workers": least, **more}


def told(found: dict | None, kube: Kube | None = None, nodes: t.Any = SILENT) -> str:
    return explain(kube or Kube(), "ns", "c", found, lambda url: Ray(nodes))


def test_all_stages_in_the_order_in_which_a_cluster_comes_up() -> None:
    machine = {"metadata": {"name": "c-h-abcde"}, "status": {"powerState": "PoweredOn", "conditions": []}}
    event = {"type": "Warning", "involvedObject": {"kind": "VirtualMachine", "name": "c-w-1"}, "reason": "Failed", "message": "no host."}
    kube = Kube({"c-hsecret": ["user-data"], "c-tls": ["tls.key", "tls.crt"]}, VirtualMachine=[machine], VirtualMachineService=[],
                ResourceQuota=[{"status": {"hard": {"limits.cpu": "4", "pods": "9"}, "used": {"limits.cpu": "4", "pods": "1"}}}],
                Event=[event, {**event, "type": "Normal"}, {**event, "involvedObject": {"kind": "VirtualMachine", "name": "d-w-1"}}])
    status = {"cluster_state": "unhealthy", "current_workers": {"c-w-1": {"vm_status": "initialized", "conditions": FALSE}},
              "conditions": [{"type": "WorkerNodeReady", "reason": "FailureToDeployNode", "message": "late"}]}
    text = told(seen(status, wanted={"c-w-1": "w"}, least=2, ages={"token_expires_at": "2026-12-01T00:00:00Z", "certificate_expires_at": None},
                     orphans=["VirtualMachine c-h-zzzzz"]), kube, [HEAD])
    parts = ["How far it got: the operator says unhealthy.", "Conditions: WorkerNodeReady: FailureToDeployNode: late.", "Service address 10.0.0.9.",
             "Head VM c-h-abcde: running at 10.0.0.1, PoweredOn.",
             "Workers: 0 of 2 machines run, 1 asked for by the autoscaler: c-w-1 initialized (VirtualMachineNetworkReady: Exhausted no address left).",
             "Secrets: c-hsecret (user-data), c-tls (tls.crt, tls.key); not there: c-root-cert, c-ssh-key, c-wsecret.",
             "The token of the head ends at 2026-12-01T00:00:00Z.", "Quota used up: limits.cpu 4 of 4.", "Events: VirtualMachine c-w-1: Failed: no host.",
             "Ray 2.60.0 answers, 0 of 2 workers alive.", "Left by earlier replacements: VirtualMachine c-h-zzzzz.",
             "Next: see the machine that it names: kubectl -n ns describe virtualmachines."]
    assert text == " ".join(parts)
    assert "c2VjcmV0" not in text


def test_what_may_not_be_read_is_left_out() -> None:
    text = told(seen({"head_node_status": {}}, address=None, least=0))
    assert text.startswith("How far it got: the operator says healthy. There is no service address. Head VM: not there yet. Ray was not asked. "
                           "Next: the load")


@pytest.mark.parametrize(("condition", "text", "advice"), [
    ("InvalidVirtualMachineImage", "x not found", "vcf.ray.vm_image_info"),
    ("InvalidVirtualMachineClass", "x not found", "assign the VM class"),
    ("InvalidStorageClass", "x not found", "assign the storage policy"),
    ("HeadNodeReady", "Head node VM service IP is not assigned", "the load balancer gives addresses out of a pool"),
    ("HeadNodeReady", 'Secret "pull" not found', "docker_auth"),
    ("HeadNodeReady", 'admission webhook "q" denied the request: quota', "mend what the refusal names"),
    ("WorkerNodeReady", "Invalid node type `x` requested", "autoscaler_desired_workers"),
    ("HeadNodeReady", "primary IPv4 not found for c-h-1 Node", "describe virtualmachines"),
])
def test_each_condition_has_its_next_step(condition: str, text: str, advice: str) -> None:
    found = told(seen({"conditions": [{"type": condition, "reason": "r", "message": text}]}, address=None))
    assert f"Conditions: {condition}: r: {text}." in found and advice in found.split("Next: ")[1]


@pytest.mark.parametrize(("found", "kube", "nodes", "words"), [
    (seen(address=None), Kube(VirtualMachineService=[{"metadata": {"name": "c-h-abcde"}}]), None,
     ["There is no service address: VirtualMachineService c-h-abcde waits for one from the load balancer.", "whether it has any left"]),
    (seen({"head_node_status": {"vm_status": "initialized", "conditions": FALSE}}), Kube(), SILENT,
     ["Head VM: initialized (VirtualMachineNetworkReady: Exhausted no address left).", "holds the machine of the head up"]),
    (seen({"cluster_state": "unhealthy"}), Kube(), SILENT, ["reads its log"]),
    # Ray is silent: nothing started, or only not to be reached from here.
    (seen(), Kube({"c-ssh-key": ["ssh-pvt-key"]}), SILENT,
     ["Ray does not answer: Ray's dashboard http://10.0.0.9:8265 cannot be reached: refused.", "has left no trace",
      "ssh -i c.key ray@10.0.0.9 sudo tail -n 50 /var/log/cloud-init-output.log", "docker ps -a", "get secret c-ssh-key"]),
    (seen({"head_node_status": {**UP, "conditions": BOOT}}), Kube(), SILENT,
     ["the first boot of the head has failed (docker: no space left)", "docker ps -a"]),
    (seen(wanted={"c-w-1": "w"}), Kube(), SILENT, ["Ray has started, for its autoscaler has asked for workers", "ready: resource", "renew: always"]),
    (seen(least=0), Kube({"c-tls": ["tls.crt"]}), SILENT, ["it has stored its certificate in Secret c-tls"]),
    (seen(), Kube(), RayError("Ray wants a token.", code="AUTH"), ["option ray.token"]),
    # Ray answers, and its workers are missing.
    (seen(ages={"token_expires_at": "2026-01-01T00:00:00Z"}), Kube(), [HEAD], ["token has expired at 2026-01-01T00:00:00Z", "renew: due"]),
    (seen(ages={"token_expires_at": "2999-01-01T00:00:00Z"}), Kube(), [HEAD],
     ["does not ask for workers: the API server api:6443 cannot be reached", "monitor.log"]),
    (seen(), Kube(), [HEAD], ["its token may have expired", "api:6443"]),
    (seen({"current_workers": {"c-w-1": {"vm_status": "initialized"}}}, wanted={"c-w-1": "w"}, least=2), Kube(), [HEAD],
     ["worker c-w-1 holds up all scaling", "describe virtualmachines c-w-1"]),
    (seen({"current_workers": {"c-w-1": {"vm_status": "failure"}}}, wanted={"c-w-1": "w"}), Kube(), [HEAD], ["worker c-w-1 holds up all scaling"]),
    (seen({"current_workers": {"c-w-1": UP}}, wanted={"c-w-1": "w"}), Kube(), [HEAD], ["over SSH", "monitor.log", "by 10.0.0.9"]),
    (seen({"current_workers": {"c-w-1": UP}}, wanted={"c-w-1": "w"}), Kube(), [HEAD, {**HEAD, "is_head": False}], ["nothing is missing now"]),
])
def test_the_first_stage_that_is_not_good_decides_what_is_next(found: dict, kube: Kube, nodes: t.Any, words: list[str]) -> None:
    text = told(found, kube, nodes)
    assert [w for w in words if w not in text] == []


def test_a_ca_cert_that_ray_takes_for_a_path_is_named() -> None:
    found = seen()
    found["spec"]["api_server"]["ca_cert"] = "LS0t"
    assert "api_server.ca_cert is set" in told(found, nodes=[HEAD])


def test_a_cluster_that_nobody_looks_at_or_that_is_not_there() -> None:
    assert told(None) == "VMRayCluster ns/c is not there."
    assert "the operator has not looked at it" in told(seen({"cluster_state": None}))


def test_a_cluster_that_does_not_go_is_told_with_what_holds_it() -> None:
    status = {"conditions": [{"type": "DeleteCluster", "reason": "FailureToDeleteHeadNode", "message": "refused"}]}
    text = told(seen(status, metadata={"deletionTimestamp": "2026-11-24T00:00:00Z", "finalizers": ["vmraycluster.vmray.broadcom.com"]}))
    assert ("held by finalizer vmraycluster.vmray.broadcom.com. The operator says FailureToDeleteHeadNode: refused. "
            "Next: is the operator's pod running?") in text
