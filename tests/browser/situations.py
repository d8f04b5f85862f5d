# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the info modules say of several sites, in their shapes: recorded at one, and the others made from it."""

from __future__ import annotations

import copy
import typing as t

START = 1795389241000
# Nothing of the kind is ever handed over; should it be one day, the page has no place for it.
SECRET = "planted-5ecret"
HOSTILE = [
    "<script>document.title='taken'</script>",
    "\"><img src=x onerror=\"document.title='taken'\">",
    "{{ 7 * 7 }}{% raw %}",
    "</title></style></svg><h1>taken</h1>",
    "javascript:document.title='taken'",
    "&lt;b&gt; ]]> <!-- \u202egnp.exe\u0000\u001b[31m \U0001f600 \u8af8\u8a33",
    "W" * 400,
]


def machine(name: str, role: str, address: str | None, state: str = "running", node_type: str = "") -> dict:
    return {"name": name, "role": role, "node_type": node_type or f"ray.{role}.default", "state": state, "address": address}


def cluster(name: str, number: int, workers: int, namespace: str = "deploy-ray") -> dict:
    """A cluster of which all is well: the head has the address .10, the workers follow."""
    names = [f"{name}-w-{i:08x}" for i in range(1, workers + 1)]
    addresses = {w: f"10.244.{number}.{10 + i}" for i, w in enumerate(names, 1)}
    types = {"ray.head.default": {"vm_class": "ray-small", "min_workers": 0, "max_workers": 0, "resources": {}},
             "ray.worker.default": {"vm_class": "ray-small", "min_workers": workers, "max_workers": workers + 1, "resources": {"cpu": 1}}}
    head = f"10.244.{number}.10"
    machines = [machine(f"{name}-h-x7k2p", "head", head), *(machine(w, "worker", a) for w, a in addresses.items())]
    return {
        "name": name, "namespace": namespace, "head_address": head, "service_address": f"10.244.{100 + number}.3",
        "dashboard_url": f"http://10.244.{100 + number}.3:8265", "ready_by": "ray", "machines": machines, "runtime_env": {"env_vars": {"KEY": SECRET}},
        "spec": {"ray_docker_image": "rayproject/ray:2.54.0", "enable_tls": True, "head_node": {"node_type": "ray.head.default", "port": 6379},
                 "autoscaler_desired_workers": dict.fromkeys(names, "ray.worker.default"),
                 "common_node_config": {"vm_password_salt_hash": SECRET, "vm_image": "vmi-4a1ecc97e6e3b08fe", "max_workers": workers + 1,
                                      "available_node_types": types}},
        "status": {"cluster_state": "healthy", "conditions": [], "head_node_status": {"vm_status": "running", "ip": head},
                   "vm_service_status": {"ip": f"10.244.{100 + number}.3"}},
        "nodes": [{"node_id": f"{i:056x}", "node_ip": a, "is_head": a == head} for i, a in enumerate([head, *addresses.values()])],
    }


def job(name: str, status: str = "SUCCEEDED", **more: t.Any) -> dict:
    return {"submission_id": name, "status": status, "entrypoint": "python train.py --epochs 3", "message": "Job finished successfully.",
            "error_type": None, "exit_code": 0, "metadata": {"token": SECRET}, "runtime_env": {"env_vars": {"KEY": SECRET}},
            "start_time": START, "end_time": START + 73500,
            "log_tail": ["epoch 3 of 3", "loss 0.012", ""], "dashboard_url": "", **more}


def dashboard(of: dict, jobs: list[dict], **more: t.Any) -> dict:
    return {"cluster": of["name"], "namespace": of["namespace"], "url": of["dashboard_url"], "asked": True, "token": True, "error": "", "jobs": jobs,
            "older": 0, **more}


def image(name: str = "ray-node-ubuntu-24.04", ready: bool = True, why: str = "") -> dict:
    return {"name": "vmi-4a1ecc97e6e3b08fe", "display_name": name, "ready": ready,
            "conditions": [{"type": "Ready", "status": str(ready), "reason": "", "message": why}]}


def site(clusters: list[dict], dashboards: list[dict], images: list[dict]) -> dict:
    return {
        "vcenter": {"asked": True, "error": ""}, "kubernetes": {"asked": True, "error": ""},
        "supervisors": [{"supervisor": "s-1", "name": "ray-supervisor", "api_endpoint": "10.244.1.2", "ready": True, "config_status": "RUNNING",
                         "kubernetes_status": "READY", "messages": []}],
        "namespaces": [{"name": "deploy-ray", "supervisor": "s-1", "config_status": "RUNNING", "vm_classes": ["ray-small"], "messages": []}],
        "rooms": [{"name": "deploy-ray", "error": "", "images": images, "ray_errors": {}}], "clusters": clusters, "dashboards": dashboards,
    }


def nothing() -> dict:
    return {**site([], [], []), "supervisors": [], "namespaces": [], "rooms": []}


def healthy() -> dict:
    first, second = cluster("test-ray", 1, 2), cluster("train-ray", 2, 3)
    jobs = [job("hello-ray"), job("nightly", start_time=START + 90000, end_time=START + 4290000),
            job("sweep", "RUNNING", message="Job is currently running.", start_time=START + 100000, end_time=None, exit_code=None)]
    return site([first, second], [dashboard(first, jobs, older=4), dashboard(second, [job("train-1")])], [image()])


def failing() -> dict:
    """One of two workers is lost, a second cluster is silent, a third was refused; the image and a job have failed, and time runs out."""
    lost, silent, refused = cluster("test-ray", 1, 2), cluster("silent-ray", 2, 1), cluster("wrong-ray", 3, 0)
    gone = "10.244.1.12"
    lost["nodes"] = [n for n in lost["nodes"] if n["node_ip"] != gone]
    lost.update(ready_by="not_checked", token_expires_at="2020-01-02T03:04:05Z", certificate_expires_at="2020-02-03T04:05:06Z",
                orphans=["test-ray-h-0badc0de"])
    silent.update(nodes=[], ready_by="not_checked")
    silent["machines"][1].update(state="failure", address=None)
    refused["machines"][0].update(state="pending", address=None)
    refused.update(nodes=[], ready_by="not_checked", service_address=None, dashboard_url=None)
    refused["status"] = {"cluster_state": "unhealthy", "head_node_status": {},
                         "conditions": [{"type": "InvalidVirtualMachineImage", "status": "False", "message": "image vmi-4a1ecc97e6e3b08fe not found"}]}
    refused["spec"]["common_node_config"]["available_node_types"].pop("ray.worker.default")
    bad = job("broken", "FAILED", exit_code=1, message="Job entrypoint command failed with exit code 1.", log_tail=["ValueError: no such column"])
    dashboards = [dashboard(lost, [bad], token=False), dashboard(refused, [], asked=False, url=""), dashboard(silent, [], asked=False)]
    found = site([lost, refused, silent], dashboards, [image(ready=False, why="The item has not arrived.")])
    found["supervisors"][0].update(ready=False, kubernetes_status="ERROR", messages=["No connection to its control plane."])
    found["rooms"].append({"name": "other", "error": "namespaces other is forbidden", "images": [], "ray_errors": {}})
    return found


def scientist() -> dict:
    """Neither vCenter nor Kubernetes: a dashboard that was named, and one that refuses."""
    parts = {"namespace": "", "url": "http://192.0.2.10:8265"}
    named = dashboard({"name": "ours", "namespace": "", "dashboard_url": ""}, [job("hello-ray")], **parts)
    closed = dashboard({"name": "closed", "namespace": "", "dashboard_url": ""}, [], **parts, error="Ray at http://192.0.2.10:8265 wants a token.")
    return {**nothing(), "vcenter": {"asked": False, "error": ""}, "kubernetes": {"asked": False, "error": ""}, "dashboards": [named, closed]}


def many() -> dict:
    big = cluster("big-ray", 1, 40)
    big["spec"]["common_node_config"]["available_node_types"]["ray.worker.gpu"] = {"vm_class": "ray-large-gpu", "min_workers": 0, "max_workers": 8}
    big["machines"].append(machine("big-ray-w-ffffffff", "worker", None, "pending", "ray.worker.gpu"))
    return site([big], [dashboard(big, [job(f"job-{i:02d}", start_time=START + i, end_time=START + i + 500) for i in range(5)], older=35)], [image()])


def hostile() -> dict:
    """Every text that somebody else has written is a try to become markup, code or another text."""
    found = copy.deepcopy(healthy())
    texts = iter(HOSTILE * 400)
    keep = {"cluster", "asked", "token", "older", "ready", "is_head", "start_time", "end_time", "exit_code",
            "supervisor", "role", "min_workers", "max_workers"}

    def spoil(value: t.Any, key: str = "") -> t.Any:
        if isinstance(value, dict):
            return {k: spoil(v, k) for k, v in value.items()}
        if isinstance(value, list):
            return [spoil(v, key) for v in value]
        return next(texts) if isinstance(value, str) and key not in keep else value

    # What ties the parts together stays as it is, so that all of them are drawn.
    spoiled = {name: spoil(found[name]) for name in ("supervisors", "namespaces", "clusters", "dashboards", "rooms")}
    for name, rows in spoiled.items():
        for row, was in zip(rows, found[name], strict=True):
            row.update({k: was[k] for k in ("namespace", "name", "nodes", "ready_by") if k in was and name != "supervisors"})
    found.update(spoiled)
    found["supervisors"][0]["name"] = HOSTILE[0]
    found["vcenter"]["error"] = HOSTILE[1]
    found["rooms"][0]["images"] = [image(HOSTILE[0], ready=False, why=HOSTILE[3])]
    # Names that would be allowed nowhere, each as one of two clusters and of its namespace.
    for number, name in enumerate(HOSTILE[:2]):
        old = found["clusters"][number]["name"]
        found["clusters"][number]["name"] = name
        next(d for d in found["dashboards"] if d["cluster"] == old)["cluster"] = name
    return found


SITUATIONS: dict[str, t.Callable[[], dict]] = {
    "nothing": nothing, "healthy": healthy, "failing": failing, "scientist": scientist, "many": many, "hostile": hostile,
}
