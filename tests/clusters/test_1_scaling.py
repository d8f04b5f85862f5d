# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster of two worker types under load: it grows by what waits, spreads the work, and shrinks again; others' tools see the same."""

from __future__ import annotations

import json
import re
import time

import pytest
from conftest import NAMESPACE
from labs import BIN

NAME = "grow"
# Two of a type's four "cpu" for each task: only the wide type can hold one, and it has no worker yet.
HUNDRED = """
import collections, json, time, ray
ray.init()

@ray.remote(num_cpus=0, resources={"cpu": 2})
def where():
    time.sleep(0.5)
    return ray.get_runtime_context().get_node_id()

ran = collections.Counter(ray.get([where.remote() for number in range(100)]))
print("ran " + json.dumps(ran))
"""


@pytest.fixture(scope="module", name="cluster")
def fixture_cluster(site):
    made = site.run(site.cluster(NAME, max_workers=3, idle_timeout_minutes=1, workers=[
        {"node_type": "narrow", "vm_class": "ray-small", "min_workers": 1, "max_workers": 2, "resources": {"cpu": 1}},
        {"node_type": "wide", "vm_class": "ray-small", "min_workers": 0, "max_workers": 2, "resources": {"cpu": 4}}])).ok["vmray_cluster"]
    yield made
    site.gone(NAME)


def workers(site) -> dict[str, list[str]]:
    """Names of the workers that the custom resource wants, by type."""
    wanted = site.kubectl("get", "vmrayclusters", NAME, "-o", "json")["spec"].get("autoscaler_desired_workers") or {}
    return {kind: sorted(name for name, its in wanted.items() if its == kind) for kind in ("narrow", "wide")}


def test_a_hundred_tasks_scale_one_type_up_and_spread_over_its_workers(site, cluster) -> None:
    assert {k: len(v) for k, v in workers(site).items()} == {"narrow": 1, "wide": 0}
    entrypoint = f"python -c '{HUNDRED}'"
    job = site.run({"ray_job": {"dashboard_url": cluster["dashboard_url"], "submission_id": "hundred", "entrypoint": entrypoint, "wait_timeout": 300}}).ok["ray_job"]
    assert job["status"] == "SUCCEEDED"
    now = workers(site)
    assert len(now["narrow"]) == 1 and len(now["wide"]) == 2, now
    ran = json.loads(re.search(r"^ran (\{.*)$", "\n".join(job["log_tail"]), re.MULTILINE).group(1))
    assert sum(ran.values()) == 100
    status = site.kubectl("get", "vmrayclusters", NAME, "-o", "json")["status"]
    wide = {status["current_workers"][name]["ip"] for name in now["wide"]}
    nodes = {n["node_id"]: n["node_ip"] for n in site.rays(cluster["dashboard_url"], "/api/v0/nodes")["data"]["result"]["result"]}
    assert {nodes[node] for node in ran} == wide
    assert min(ran.values()) >= 10, ran


def test_kubectl_and_rays_own_commands_agree_with_the_info_modules(site, cluster) -> None:
    url = cluster["dashboard_url"]
    info = site.run({"vmray_cluster_info": {"name": NAME, "namespace": NAMESPACE, "supervisor": site.login, "ask_ray": True}}).ok["vmray_clusters"][0]
    raw = site.kubectl("get", "vmrayclusters", NAME, "-o", "json")
    told = raw["status"]
    assert info["status"]["cluster_state"] == told["cluster_state"]
    assert {n: w["ip"] for n, w in info["status"]["current_workers"].items()} == {n: w["ip"] for n, w in told["current_workers"].items()}
    assert info["head_address"] == told["head_node_status"]["ip"]
    assert info["service_address"] == told["vm_service_status"]["ip"] in info["dashboard_url"]
    asked = {k: v for k, v in raw["spec"]["common_node_config"].items() if k != "vm_password_salt_hash"}
    assert info["spec"]["common_node_config"] == asked
    listed = json.loads(site.exec(str(BIN / "ray"), "list", "nodes", "--address", url, "--format", "json").stdout)
    assert sorted(n["node_id"] for n in info["nodes"]) == sorted(n["node_id"] for n in listed if n["state"] == "ALIVE")
    jobs = site.run({"ray_job_info": {"dashboard_url": url}}).ok["ray_jobs"]
    lines = site.exec(str(BIN / "ray"), "job", "list", "--address", url).stdout
    for job in jobs:
        one = next(part for part in lines.split("JobDetails(")[1:] if f"submission_id='{job['submission_id']}'" in part)
        assert f"status=<JobStatus.{job['status']}" in one
        for field in ("start_time", "end_time", "driver_exit_code"):
            assert re.search(rf"\b{field}=({job['exit_code' if field == 'driver_exit_code' else field]})\b", one), (field, one)
        assert f"message={job['message']!r}" in one
    assert len(jobs) == lines.count("JobDetails(")


def test_without_work_the_type_goes_down_again(site, cluster) -> None:
    deadline = time.monotonic() + 240
    while (now := workers(site))["wide"] and time.monotonic() < deadline:
        time.sleep(2)
    assert {k: len(v) for k, v in now.items()} == {"narrow": 1, "wide": 0}
    while time.monotonic() < deadline:
        machines = [m["metadata"]["name"] for m in site.kubectl("get", "virtualmachines", "-o", "json")["items"] if m["metadata"]["name"].startswith(f"{NAME}-w-")]
        if machines == now["narrow"]:
            return
        time.sleep(1)
    raise AssertionError(machines)


def test_again_it_is_as_it_was_asked_for_whatever_the_autoscaler_did(site, cluster) -> None:
    again = site.run(site.cluster(NAME, max_workers=3, idle_timeout_minutes=1, workers=[
        {"node_type": "narrow", "vm_class": "ray-small", "min_workers": 1, "max_workers": 2, "resources": {"cpu": 1}},
        {"node_type": "wide", "vm_class": "ray-small", "min_workers": 0, "max_workers": 2, "resources": {"cpu": 4}}])).ok
    assert again["changed"] is False
