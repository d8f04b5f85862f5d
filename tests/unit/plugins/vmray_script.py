# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A VMRayCluster that is reconciled by a script: of the API server's answers, of what a watch tells, and of Ray's."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.vcf.ray.plugins.module_utils import _password, _wait
from ansible_collections.vcf.ray.plugins.module_utils._errors import RayError
from ansible_collections.vcf.ray.plugins.module_utils._reconcile import Task, reconcile
from ansible_collections.vcf.ray.plugins.module_utils._resources.vmray_cluster import VMRayCluster
from ansible_collections.vcf.ray.tests.unit.plugins.preflight_script import IMAGES, PREFLIGHT
from ansible_collections.vcf.ray.tests.unit.plugins.scripted import Scripted

PARAMS = {
    "name": "c",
    "namespace": "ns",
    "image": "ubuntu",
    "storage_class": "fast",
    "ray_image": "rayproject/ray:2.60.0",
    "vm_password": "a password",
    "head": {"vm_class": "small"},
    "workers": [{"node_type": "w", "vm_class": "small", "min_workers": 1}],
    "definition": None,
    "open_dashboard": "accept",
    "wait": True,
    "wait_timeout": 5,
}
READ = ("get", ("VMRayCluster", "c", "ns"))
# What belongs to a cluster and is not told by its object: orphans.
BESIDE = [("names", ("VirtualMachine", "ns"), ["c-h-abcde"]), ("names", ("VirtualMachineService", "ns"), ["c-h-abcde"])]
VERSION = ("version", (), {"ray_version": "2.60.0"})
SILENT = RayError("refused", code="CONNECTION")
HEAD, WORKER = {"node_id": "1", "node_ip": "10.0.0.1", "is_head": True}, {"node_id": "2", "node_ip": "10.0.0.2", "is_head": False}


def stored(**spec: t.Any) -> dict:
    """The cluster as the API server keeps it, with what the operator's webhooks add."""
    config = {
        "vm_image": "vmi-1",
        "storage_class": "fast",
        "vm_user": "ray",
        "vm_password_salt_hash": _password.hashed("a password"),
        "max_workers": 1,
        "idle_timeout_minutes": 5,
        "available_node_types": {
            "ray.head.default": {"vm_class": "small", "min_workers": 0, "max_workers": 0, "resources": {}},
            "w": {"vm_class": "small", "min_workers": 1, "max_workers": 1, "resources": {}},
        },
    }
    return {
        "metadata": {"name": "c", "namespace": "ns", "uid": "1", "labels": {"vmray.kubernetes.io/head-nounce": "abcde"}},
        "status": {"vm_service_status": {"ip": "10.0.0.9"}},
        "spec": {
            "api_server": {"location": "api:6443"},
            "common_node_config": config,
            "docker_config": {"auth_secret_name": ""},
            "enable_tls": True,
            "head_node": {"node_type": "ray.head.default", "port": 6379},
            "ray_docker_image": "rayproject/ray:2.60.0",
            "worker_node": {},
            **spec,
        },
    }


class Clock:
    """Time goes on only while somebody waits."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class Watch:
    """Tells the states in order, one at each look; a wait is noted as (seconds at the most, at the least) and ends at its most."""

    def __init__(self, clock: Clock, states: list) -> None:
        self.clock, self.states, self.waits, self.closed = clock, list(states), [], False

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, *exc: object) -> None:
        self.closed = True

    def get(self) -> dict | None:
        assert self.states, "one look too many"
        return self.states.pop(0)

    def wait(self, seconds: float, least: float = 0.0) -> None:
        self.waits.append((round(seconds, 2), least))
        self.clock.now += max(seconds, least)


class Played:
    """What came of a task: its result, the waits between its looks, and the words that it said."""

    def __init__(self, result: dict, watch: Watch, told: list) -> None:
        self.result, self.waits, self.told = result, watch.waits, told

    def __getitem__(self, key: str) -> t.Any:
        return self.result[key]


WATCH = ("watch", ("VMRayCluster", "c", "ns"), None)


def play(script: list, *, looks: t.Iterable = (), ray: Scripted | None = None, stranger: Scripted | None = None, check: bool = False,
         absent: bool = False, ray_options: dict | None = None, **params: t.Any) -> Played:
    """Reconcile by a script of requests; ``looks`` are what the watch knows at each look of the wait, all of which ``ray`` answers.

    ``stranger`` is the same Ray for who has no token; ``urls`` of the result tells where each of them was asked.
    """
    clock, told, urls, rays, strangers = Clock(), [], [], [ray] if ray else [], [stranger] if stranger else []
    watch = Watch(clock, list(looks))
    kube = Scripted([(*WATCH[:2], watch) if step is WATCH else step for step in script], address="api:6443")
    options = {**PARAMS, "state": "absent" if absent else "present", "ray": ray_options, **params}
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(_wait.until, "__kwdefaults__", {**_wait.until.__kwdefaults__, "clock": clock, "sleep": lambda seconds: None})
        cluster = VMRayCluster(kube, options, ray_at=lambda url: urls.append(url) or rays.pop(0), diagnose=lambda *seen: "How far it got: ...",
                               stranger_at=lambda url: urls.append(url) or strangers.pop(0), clock=clock)
        task = Task(options, check_mode=check, diff_mode=True, progress=told.append)
        try:
            result = reconcile(task, cluster, cluster.ask())
            result["notices"] = cluster.notices(result["vmray_cluster"])
        finally:
            kube.done()
            assert not rays and not strangers and not watch.states and watch.closed == (WATCH in script)
            for asked in (ray, stranger):
                if asked:
                    asked.done()
    return Played({**result, "urls": urls}, watch, told)


def ray(*script: tuple) -> Scripted:
    return Scripted([*script, ("close", (), None)])


NODES = ("live_nodes", (), [HEAD, WORKER])
FEW = ("live_nodes", (), [HEAD])
LISTED = ("list", ("VirtualMachineImage", "ns"), IMAGES)
# At the first look after the write.
CREATED = [(*READ, None), *PREFLIGHT, ("create", ..., {}), ("create", ..., {}), WATCH, *BESIDE]
# At the end of a wait for a cluster that was there before.
AGES = [("get", ("Secret", "c-hsecret", "ns"), None), ("get", ("Secret", "c-tls", "ns"), None)]


def at(head: dict | None = None, service: str | None = "10.0.0.9", **status: t.Any) -> dict:
    """The cluster when the operator has come so far."""
    found = stored()
    found["status"] = {"cluster_state": "healthy", **({"head_node_status": head} if head else {}),
                       **({"vm_service_status": {"ip": service}} if service else {}), **status}
    return found


RUNNING = at({"vm_status": "running", "ip": "10.0.0.1"})


def known(raw: dict | None = None) -> list[tuple]:
    """The first read of a cluster that is there."""
    return [(*READ, raw or stored()), *BESIDE]
