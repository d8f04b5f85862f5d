# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many objects: 100 clusters in one play with nothing to change, and 1,000 of them listed."""

from __future__ import annotations

import json
import time
from typing import Any

from ..objects import PREFIX, make, without_operator
from ..plays import environment, play, write
from ..stats import percentile, summary
from ..world import BIN, NAMESPACE, Failed, World, elapsed_ms

TITLE = "100 clusters in one play, 1,000 in a list"
BUDGET = 330
CLUSTERS, OBJECTS = 100, 1000
ROUNDS = 3  # of 100 clusters; the neighbour, which takes more than a minute for them, in the first only
LISTS = 5
AS_MODULE = {"vcf_ray_in_process": False}


def run(world: World) -> dict[str, Any]:
    without_operator(world)
    # test-ray stays: its Ray is the one that all of them name in their status.
    made = make(world, OBJECTS - 1)
    return {"clusters": CLUSTERS, "objects": OBJECTS, "loops": loops(world, made[:CLUSTERS]), "lists": lists(world)}


def loops(world: World, some: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One task with a loop over the clusters, for each way."""
    login = {"kubeconfig": world.kubeconfig, "context": NAMESPACE}
    names = [c["metadata"]["name"] for c in some]
    spec = {k: v for k, v in some[0]["spec"].items() if k != "autoscaler_desired_workers"}
    ours = {"name": "{{ item }}", "namespace": NAMESPACE, **login, "definition": {"spec": spec}}
    theirs = {"apiVersion": some[0]["apiVersion"], "kind": some[0]["kind"], "metadata": {"name": "{{ item }}", "namespace": NAMESPACE}, "spec": spec}
    ways = {
        "ours": ("vmray_cluster, wait: false", {"vcf.ray.vmray_cluster": {**ours, "wait": False}}),
        "ours_wait": ("vmray_cluster, asks Ray too", {"vcf.ray.vmray_cluster": ours}),
        "k8s": ("kubernetes.core.k8s", {"kubernetes.core.k8s": {"state": "present", **login, "definition": theirs}}),
    }
    seconds: dict[str, list[float]] = {key: [] for key in ways}
    for number in range(ROUNDS):
        tasks = [{"name": key, **task, "loop": names} for key, (_, task) in ways.items() if key != "k8s" or number == 0]
        for task in play(world, f"loop_{number}", tasks):
            seconds[task.name].append(task.ms / 1000)
    return [{"key": key, "label": label, "s": summary(seconds[key], 2), "ms_each": round(percentile(seconds[key], 50) * 1000 / len(names), 1)}
            for key, (label, _) in ways.items()]


def lists(world: World) -> list[dict[str, Any]]:
    """Tasks are timed as tasks; commands from their start to their end."""
    login = {"kubeconfig": world.kubeconfig, "context": NAMESPACE}
    info = {"vcf.ray.vmray_cluster_info": {"namespace": NAMESPACE, **login}}
    tasks = {
        "info": ("vmray_cluster_info", info),
        "info_module": ("vmray_cluster_info as module", {**info, "vars": AS_MODULE}),
        "k8s_info": ("kubernetes.core.k8s_info", {"kubernetes.core.k8s_info": {
            "api_version": "vmray.broadcom.com/v1alpha1", "kind": "VMRayCluster", "namespace": NAMESPACE, **login}}),
    }
    inventory = world.work / "many.vmray_cluster.yml"
    inventory.write_text(json.dumps({"plugin": "vcf.ray.vmray_cluster", "namespaces": [NAMESPACE], **login}))
    one = write(world, "k8s_info_alone", [{"name": "k8s_info", **tasks["k8s_info"][1]}])
    commands: dict[str, tuple[str, list[Any]]] = {
        "inventory": ("ansible-inventory with vcf.ray.vmray_cluster (whole command)", [BIN / "ansible-inventory", "-i", inventory, "--list"]),
        "k8s_play": ("ansible-playbook with one k8s_info (whole command, makes no hosts)", [BIN / "ansible-playbook", one]),
        "kubectl": ("kubectl get -o json (whole command)", ["kubectl", "--kubeconfig", world.kubeconfig, "get", "vmrayclusters", "-o", "json"]),
    }
    ms: dict[str, list[float]] = {key: [] for key in (*tasks, *commands)}
    for number in range(LISTS):
        for done in play(world, f"lists_{number}", [{"name": key, **task} for key, (_, task) in tasks.items()]):
            ms[done.name].append(done.ms)
        for key, (_, command) in commands.items():
            start = time.monotonic()
            said = world.run(*command, env=environment(world, world.work / "list.times"))
            ms[key].append(elapsed_ms(start))
            if key == "inventory":
                complete(json.loads(said))
    labels = {key: label for key, (label, _) in (*tasks.items(), *commands.items())}
    return [{"key": key, "label": label, "ms": summary(ms[key])} for key, label in labels.items()]


def complete(inventory: dict[str, Any]) -> None:
    """An inventory that has lost some would be fast too."""
    clusters = {host["vmray_cluster"] for host in inventory["_meta"]["hostvars"].values()}
    if len([c for c in clusters if c.startswith(PREFIX)]) != OBJECTS - 1:
        raise Failed(f"the inventory shows {len(clusters)} clusters, not {OBJECTS}")
