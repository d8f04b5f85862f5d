# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Memory of one running task: the controller's worker, and the process of the module where there is one."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from typing import Any

from ..plays import write
from ..rows import AS_MODULE
from ..stats import summary
from ..world import BIN, NAMESPACE, World
from .notice import absent, cluster_task

TITLE = "Memory of a fork"
BUDGET = 120
ROUNDS = 3
WAIT = 6  # seconds that each task waits for what does not come
PAUSE = 0.1


def run(world: World) -> dict[str, Any]:
    waiting = {"ours": [cluster_task(world, wait_timeout=WAIT)], "module": [{**cluster_task(world, wait_timeout=WAIT), "vars": AS_MODULE}],
               "k8s": [_k8s(world)]}
    labels = {"ours": "vmray_cluster in process", "module": "vmray_cluster as module", "k8s": "kubernetes.core.k8s"}
    found: dict[str, list[dict[str, int]]] = {key: [] for key in waiting}
    for _ in range(ROUNDS):
        for key, tasks in waiting.items():
            found[key].append(steady(world, key, tasks))
            absent(world)
    parts = ("worker_pss", "worker_uss", "module_pss", "module_uss", "pss", "uss")
    return {"rows": [{"key": key, "label": labels[key], **{p: summary([f[p] / 1024 for f in found[key]]) for p in parts}} for key in waiting]}


def _k8s(world: World) -> dict[str, Any]:
    """It waits for a condition that the object does not have; nothing else is to be done."""
    wanted = {"api_version": "vmray.broadcom.com/v1alpha1", "kind": "VMRayCluster", "name": world.variables["devops_user_clusters"][0]["name"],
              "namespace": NAMESPACE, "kubeconfig": world.kubeconfig, "context": NAMESPACE, "wait": True, "wait_timeout": WAIT,
              "wait_condition": {"type": "Never"}}
    return {"name": "k8s", "kubernetes.core.k8s": {"state": "present", **wanted}}


def steady(world: World, name: str, tasks: list[dict[str, Any]]) -> dict[str, int]:
    """The middle of all moments of the wait, so neither its start nor a process that is just being made; the task waits in vain and fails."""
    command = subprocess.Popen([BIN / "ansible-playbook", write(world, f"memory_{name}", tasks)], env=world.env, cwd=world.work,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    moments = []
    while command.poll() is None:
        moments.append(taken(command.pid))
        time.sleep(PAUSE)
    working = sorted((m for m in moments if m["worker_pss"]), key=lambda m: m["pss"])
    return working[len(working) // 2]


def taken(controller: int) -> dict[str, int]:
    """Kilobytes: children of the controller are workers, what is below them belongs to modules."""
    below = children()
    workers = below.get(controller, [])
    modules, new = [], workers
    while new:
        new = [child for parent in new for child in below.get(parent, [])]
        modules += new
    worker, module = memory(workers), memory(modules)
    return {"worker_pss": worker[0], "worker_uss": worker[1], "module_pss": module[0], "module_uss": module[1],
            "pss": worker[0] + module[0], "uss": worker[1] + module[1]}


def children() -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            # The name stands in brackets and may hold anything, brackets too.
            parent = int(path.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        found.setdefault(parent, []).append(int(path.parent.name))
    return found


def memory(pids: list[int]) -> tuple[int, int]:
    """PSS (shared pages divided among those who share them) and USS (pages of nobody else)."""
    pss = uss = 0
    for pid in pids:
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
        except OSError:
            continue  # it has ended
        sizes = {line.split(":")[0]: int(line.split()[1]) for line in lines}
        pss += sizes.get("Pss", 0)
        uss += sizes.get("Private_Clean", 0) + sizes.get("Private_Dirty", 0)
    return pss, uss
