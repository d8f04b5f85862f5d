# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""supervisor_info: one request more for each Supervisor, and closer looks only where they are asked for."""

from __future__ import annotations

import pytest

from ansible_collections.vcf.ray.plugins.modules import supervisor_info
from ansible_collections.vcf.ray.tests.unit.plugins.conversation import MISSING, run

BASE = "/api/vcenter/namespace-management"
LIST = ("GET", f"{BASE}/supervisors/summaries", None)
TOPOLOGY = ("GET", f"{BASE}/supervisors/b-id/topology", None, [{"zone": "z", "clusters": ["domain-c9"]}])
CAPABILITIES = ("GET", f"{BASE}/supervisors/b-id/capabilities", None)
MESSAGE = {"severity": "WARNING", "details": {"default_message": "Low."}}
CONDITIONS = ("GET", f"{BASE}/supervisors/b-id/conditions", None,
              [{"type": "Deployed", "status": "FALSE", "reason": "Waiting", "description": {"default_message": "Is deployed"}, "messages": [MESSAGE]}])


def row(name: str, **more: object) -> dict:
    info = {"name": name, "config_status": "RUNNING", "kubernetes_status": "WARNING", "api_endpoint": "10.0.0.5", **more}
    return {"supervisor": f"{name}-id", "info": info}


def test_all_in_short_sorted_by_name() -> None:
    other = ("GET", f"{BASE}/supervisors/a-id/topology", None, [{"zone": z, "clusters": [f"domain-c{n}"]} for n, z in enumerate("yx")])
    found = run(supervisor_info, (*LIST, {"items": [row("b", messages=[MESSAGE]), row("a", config_status="CONFIGURING")]}), TOPOLOGY, other)["supervisors"]
    assert found[0] == {
        "supervisor": "a-id", "name": "a", "cluster": "domain-c0, domain-c1", "clusters": ["domain-c0", "domain-c1"], "zones": ["x", "y"],
        "config_status": "CONFIGURING", "kubernetes_status": "WARNING", "api_endpoint": "10.0.0.5", "ready": False, "messages": [],
    }
    assert (found[1]["name"], found[1]["ready"], found[1]["messages"]) == ("b", True, ["WARNING: Low."])


@pytest.mark.parametrize("shape", [lambda rows: {"items": rows}, lambda rows: rows])
def test_none_of_that_name(shape) -> None:
    assert run(supervisor_info, (*LIST, shape([row("b")])), name="other")["supervisors"] == []


def test_one_by_name_is_looked_at_closer() -> None:
    told = {"supervisor": "b-id", "version": "v1.34", "capabilities": [
        {"name": "vpc", "status": "UNSUPPORTED", "description": "V"},
        {"name": "devops", "status": "SUPPORTED_NOT_ACTIVATED", "description": "D", "messages": [{"default_message": "Off."}]}]}
    found = run(supervisor_info, (*LIST, {"items": [row("b")]}), TOPOLOGY, (*CAPABILITIES, told), CONDITIONS, name="b")["supervisors"][0]
    assert found["version"] == "v1.34"
    assert found["capabilities"] == [
        {"name": "devops", "status": "SUPPORTED_NOT_ACTIVATED", "description": "D", "messages": ["Off."]},
        {"name": "vpc", "status": "UNSUPPORTED", "description": "V", "messages": []},
    ]
    assert found["conditions"] == [{"type": "Deployed", "status": "FALSE", "reason": "Waiting", "severity": None, "last_transition_time": None,
                                    "description": "Is deployed", "messages": ["WARNING: Low."]}]
    assert "conditions" not in run(supervisor_info, (*LIST, {"items": [row("b")]}), TOPOLOGY, name="b", details=False)["supervisors"][0]


def test_before_9_1_the_version_is_that_of_the_cluster() -> None:
    software = ("GET", f"{BASE}/software/clusters/domain-c9", None, {"current_version": "v1.28"})
    found = run(supervisor_info, (*LIST, [row("b")]), TOPOLOGY, (*CAPABILITIES, MISSING), software, CONDITIONS, details=True)["supervisors"][0]
    assert (found["version"], found["capabilities"]) == ("v1.28", [])


def test_one_that_is_not_ready_is_explained_by_its_cluster() -> None:
    cluster = ("GET", f"{BASE}/clusters/domain-c9", None, {"messages": [MESSAGE]})
    software = ("GET", f"{BASE}/software/clusters/domain-c9", None, {})
    broken = {"items": [row("b", config_status="ERROR")]}
    found = run(supervisor_info, (*LIST, broken), TOPOLOGY, cluster, (*CAPABILITIES, MISSING), software, CONDITIONS, name="b")["supervisors"][0]
    assert (found["messages"], found["version"]) == (["WARNING: Low."], None)


def test_one_of_7_0() -> None:
    there = {"cluster": "domain-c9", "cluster_name": "c1", "config_status": "RUNNING", "kubernetes_status": "READY"}
    detail = ("GET", f"{BASE}/clusters/domain-c9", None, {"api_server_cluster_endpoint": "10.0.0.5", "kubernetes_status_messages": [MESSAGE]})
    software = ("GET", f"{BASE}/software/clusters/domain-c9", None, {"current_version": "v1.22"})
    found = run(supervisor_info, (*LIST, MISSING), ("GET", f"{BASE}/clusters", None, [there]), detail, software, name="c1")["supervisors"][0]
    assert found == {
        "supervisor": "domain-c9", "name": "c1", "cluster": "domain-c9", "clusters": ["domain-c9"], "zones": [], "config_status": "RUNNING",
        "kubernetes_status": "READY", "api_endpoint": "10.0.0.5", "ready": True, "messages": ["WARNING: Low."], "version": "v1.22",
        "conditions": [], "capabilities": [],
    }
