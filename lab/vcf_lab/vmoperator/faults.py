# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can go wrong with machines, load balancers and the dashboards behind them."""

from __future__ import annotations

from typing import Any

from vcf_lab.faults import OF_REQUESTS, Fault, Faults, Kind, OneOf

HEAD_LABEL = "vmray.kubernetes.io/ray-cluster-head"
ROLES = {"-hsecret": "head", "-wsecret": "worker"}  # by the Secret with the user data
OF_CLUSTER = {"cluster": ""}
RUN_FAILS = (
    "docker: Error response from daemon: failed to create task for container: failed to create shim task: "
    "OCI runtime create failed: runc create failed: unable to start container process: "
    'exec: "/bin/bash": stat /bin/bash: no such file or directory: unknown.'
)

# Those that the forwarder of a dashboard has to look into the stream for.
OF_STREAM = ("dashboard-closed", "log-cut", "answer-lost")
KINDS = {
    "no-load-balancer-address": Kind(
        "a head's new service gets no address, until this is cleared", options=OF_CLUSTER, times=0
    ),
    "no-address": Kind(
        "a new VM (role=head|worker) is on and gets no address, until this is cleared",
        options={"role": OneOf(("", "head", "worker")), **OF_CLUSTER}, times=0,
    ),
    "stuck-worker": Kind("one new worker VM is on and gets no address, until this is cleared", options=OF_CLUSTER),
    "container-fails": Kind(
        "`docker run` fails on a new VM (role=head|worker, text=WORDS of docker)",
        options={"role": OneOf(("head", "worker")), "text": RUN_FAILS, **OF_CLUSTER}, times=0,
    ),
    "worker-lost": Kind(
        "a running worker VM loses its power until this is cleared, or is deleted (mode=off|deleted)",
        options={"mode": OneOf(("off", "deleted")), **OF_CLUSTER},
    ),
    "load-balancer-unreachable": Kind(
        "the address of a service answers at no port: mode=closed|silent, to all or only to others than VMs "
        "(seen=everywhere|outside)",
        options={"mode": OneOf(("closed", "silent")), "seen": OneOf(("everywhere", "outside")), **OF_CLUSTER}, times=0,
    ),
    "dashboard-closed": Kind(
        "port 8265 of a service is closed; after=submit: from the first job on that was handed in",
        options={"after": OneOf(("", "submit")), **OF_CLUSTER}, times=0,
    ),
    "log-cut": Kind(
        "the answer with a job's log, or a message of its log as it grows, is cut in the middle", options=OF_CLUSTER
    ),
    "answer-lost": Kind(
        "a request to the dashboard (without method= or path= a write) is carried out, and gets no answer",
        options=OF_CLUSTER, common=OF_REQUESTS,
    ),
}


def about_machine(vm: dict[str, Any]) -> dict[str, str]:
    """Role and cluster of a VM, as its user data tells; others have neither."""
    bootstrap = vm["spec"].get("bootstrap") or {}
    secret = str((bootstrap.get("cloudInit") or {}).get("rawCloudConfig", {}).get("name", ""))
    for suffix, role in ROLES.items():
        if secret.endswith(suffix):
            return {"role": role, "cluster": secret.removesuffix(suffix)}
    return {"role": "other", "cluster": "-"}


def about_service(service: dict[str, Any]) -> dict[str, str]:
    """The cluster of a head's service."""
    head = (service["spec"].get("selector") or {}).get(HEAD_LABEL, "")
    return {"cluster": head.rsplit("-h-", 1)[0] or "-"}


class VmFaults(Faults):
    """The armed faults of the VM Operator's part. Each object is known by its uid: one that is made anew is another."""

    kinds = KINDS

    def without_address(self, vm: dict[str, Any]) -> bool:
        """Whether the VM that is to be powered on gets none."""
        uid, facts = vm["metadata"]["uid"], about_machine(vm)
        stuck = facts["role"] == "worker" and self.strike("stuck-worker", uid, facts)
        return bool(stuck or self.strike("no-address", uid, facts))

    def container(self, vm: dict[str, Any]) -> str:
        """What docker says on the VM when a container is to run; empty: it runs."""
        fault = self.strike("container-fails", vm["metadata"]["uid"], about_machine(vm))
        return str(fault.options["text"]) if fault else ""

    def lost(self, vm: dict[str, Any], *, running: bool) -> str:
        """How the VM is lost: off, deleted or not at all. Only one that runs can begin to be."""
        uid, facts = vm["metadata"]["uid"], about_machine(vm)
        may = running and facts["role"] == "worker"
        fault = self.strike("worker-lost", uid, facts) if may else self.struck("worker-lost", uid)
        return str(fault.options["mode"]) if fault else ""

    def without_balancer(self, service: dict[str, Any]) -> bool:
        """Whether a new service gets no address."""
        return bool(self.strike("no-load-balancer-address", service["metadata"]["uid"], about_service(service)))

    def unreachable(self, service: dict[str, Any]) -> tuple[str, str]:
        """(mode, to whom) of a service whose address answers nobody; two empty words for all others."""
        fault = self.strike("load-balancer-unreachable", service["metadata"]["uid"], about_service(service))
        return (str(fault.options["mode"]), str(fault.options["seen"])) if fault else ("", "")

    def dashboard_closed(self, service: dict[str, Any], *, submitted: bool = False) -> bool:
        """Whether 8265 is closed; `submitted` tells that a job has just been handed in."""
        uid, facts = service["metadata"]["uid"], about_service(service)
        if self.struck("dashboard-closed", uid):
            return True
        if submitted:
            if closed := self.strike("dashboard-closed", uid, facts):
                self.changed()
            return bool(closed)
        return bool(self.strike("dashboard-closed", uid, {**facts, "after": "now"}))

    def looks(self) -> bool:
        """Whether somebody has to look into what dashboards say."""
        return bool(self.armed(*OF_STREAM))

    def next_cut(self, facts: dict[str, str]) -> Fault | None:
        """Of a log, if one is to be cut now."""
        fits = [fault for fault in self.armed("log-cut") if fault.means(facts)]
        return next((fault for fault in fits if fault.due()), None)

    def next_loss(self, facts: dict[str, str], method: str, where: str) -> Fault | None:
        """Of an answer to a request, if it is to be lost now."""
        for fault in self.armed("answer-lost"):
            usual = fault.method or fault.path or method not in ("GET", "HEAD", "OPTIONS")
            if usual and fault.means(facts) and fault.fits(method, where) and fault.due():
                return fault
        return None
