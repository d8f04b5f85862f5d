# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From "Ray answers with all its workers" to the end of the wait: our task, `kubectl wait`, and `uri` with until.

All of them wait for the same cluster at the same time; what is true is known from a thread of our own that asks all the time.
"""

from __future__ import annotations

import http.client
import json
import ssl
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

from ..plays import environment, write
from ..stats import summary
from ..world import BIN, NAMESPACE, VMRAY, Failed, World, get_json

TITLE = "How soon a ready cluster is noticed"
BUDGET = 330
ROUNDS = 5
NAME = "bench-ray"
WORKERS = 2
PAUSE = 0.05
PATIENCE = 180.0


class Truth(threading.Thread):
    """Asks the API server for the address and Ray for its nodes, and keeps when each answer was first as wanted."""

    def __init__(self, world: World) -> None:
        super().__init__(daemon=True)
        server, self._token = world.kube_login()
        self._kube = http.client.HTTPSConnection(server.split("//")[1], context=ssl.create_default_context(cafile=world.ca), timeout=5)
        self.made, self.addressed, self.ready = threading.Event(), threading.Event(), threading.Event()
        self.dashboard = ""
        self.at: dict[str, float] = {}
        self.stop = False

    def run(self) -> None:
        while not self.stop and not self.ready.is_set():
            try:
                self._look()
            except (OSError, http.client.HTTPException, ValueError):
                self._kube.close()  # Ray is not up yet, or a connection was lost: the next look says
            time.sleep(PAUSE)

    def _look(self) -> None:
        if not self.dashboard:
            self._look_for_address()
        elif self._alive() >= WORKERS:
            self._tick("ready", self.ready)

    def _look_for_address(self) -> None:
        self._kube.request("GET", f"{VMRAY}/{NAME}", headers={"Authorization": f"Bearer {self._token}"})
        answer = self._kube.getresponse()
        found = json.loads(answer.read())
        if answer.status != 200:
            return
        self._tick("made", self.made)
        address = ((found.get("status") or {}).get("vm_service_status") or {}).get("ip")
        if address:
            self.dashboard = f"http://{address}:8265"
            self._tick("addressed", self.addressed)

    def _alive(self) -> int:
        nodes = get_json(f"{self.dashboard}/api/v0/nodes?limit=10000")["data"]["result"]["result"]
        return sum(1 for node in nodes if node["state"] == "ALIVE" and not node["is_head_node"])

    def _tick(self, name: str, event: threading.Event) -> None:
        if not event.is_set():
            self.at[name] = time.monotonic()
            event.set()


class Waiter(threading.Thread):
    """A command that waits; `at` is when it ended well."""

    def __init__(self, world: World, *command: str | Path) -> None:
        super().__init__(daemon=True)
        self._world, self._command = world, command
        self.at, self.error = 0.0, ""
        self.start()

    def run(self) -> None:
        try:
            self._world.run(*self._command, timeout=PATIENCE)
            self.at = time.monotonic()
        except (Failed, subprocess.TimeoutExpired) as error:
            self.error = str(error)


def run(world: World) -> dict[str, Any]:
    late: dict[str, list[float]] = {"ours": [], "kubectl": [], "uri": []}
    built = []
    for number in range(ROUNDS):
        absent(world)
        found = one(world, number)
        built.append(found.pop("built"))
        for name, seconds in found.items():
            late[name].append(seconds)
    absent(world)
    labels = {"ours": "vmray_cluster", "uri": "uri until nodes, retries with delay: 5", "kubectl": "kubectl wait on status.cluster_state=healthy"}
    return {"built_s": summary(built), "rows": [{"key": key, "label": label, "s": summary(late[key], 2), "samples": [round(s, 2) for s in late[key]]}
                                                for key, label in labels.items()]}


def one(world: World, number: int) -> dict[str, float]:
    """Seconds after the truth at which each of them was done; before it is below zero. `built` is from the start to the truth."""
    truth = Truth(world)
    truth.start()
    begin = time.monotonic()
    ours = our_end(world, number)
    held(truth.made, "the object")
    kubectl = Waiter(world, "kubectl", "--kubeconfig", world.kubeconfig, "wait", f"vmraycluster/{NAME}", f"--timeout={PATIENCE:.0f}s",
                     "--for=jsonpath={.status.cluster_state}=healthy")
    held(truth.addressed, "an address")
    uri = Waiter(world, BIN / "ansible-playbook", write(world, "notice_uri", [asked_by_hand(truth.dashboard)]))
    held(truth.ready, "Ray")
    for waiter in (kubectl, uri):
        waiter.join(PATIENCE)
        if not waiter.at:
            raise Failed(waiter.error or "a waiter did not end")
    ready = truth.at["ready"]
    return {"ours": ours() - ready, "kubectl": kubectl.at - ready, "uri": uri.at - ready, "built": ready - begin}


def our_end(world: World, number: int) -> Any:
    """Start our task; the answer is a function that waits for it and tells when the task itself was done."""
    times = world.work / f"notice_{number}.times"
    path = write(world, "notice", [cluster_task(world)])
    command = subprocess.Popen([BIN / "ansible-playbook", path], env={**world.env, **environment(world, times)}, cwd=world.work,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def ended() -> float:
        said = command.communicate(timeout=PATIENCE)[0]
        if command.returncode:
            raise Failed(said[-3000:])
        at: float = next(e["at"] for e in map(json.loads, times.read_text().splitlines()) if e["event"] == "ok")
        return at

    return ended


def cluster_task(world: World, **more: Any) -> dict[str, Any]:
    wanted = {**world.variables["devops_user_clusters"][0], "name": NAME, "namespace": NAMESPACE, "kubeconfig": world.kubeconfig, "context": NAMESPACE}
    return {"name": "cluster", "vcf.ray.vmray_cluster": {**wanted, **more}}


def asked_by_hand(dashboard: str) -> dict[str, Any]:
    alive = "ray.json.data.result.result | selectattr('state', 'eq', 'ALIVE') | rejectattr('is_head_node') | length"
    return {"name": "Ray", "ansible.builtin.uri": {"url": f"{dashboard}/api/v0/nodes"}, "register": "ray", "retries": 60, "delay": 5,
            "until": f"ray.json is defined and ray.json.data is defined and {alive} >= {WORKERS}"}


def absent(world: World) -> None:
    task = {"name": "absent", "vcf.ray.vmray_cluster": {"name": NAME, "namespace": NAMESPACE, "kubeconfig": world.kubeconfig,
                                                       "context": NAMESPACE, "state": "absent"}}
    world.run(BIN / "ansible-playbook", write(world, "absent", [task]))


def held(event: threading.Event, what: str) -> None:
    if not event.wait(PATIENCE):
        raise Failed(f"{what} did not come within {PATIENCE:.0f} s")
