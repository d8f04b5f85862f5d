# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role vi_admin on each version: all at once and again; faults told together; what an older vCenter does not have."""

from __future__ import annotations

import json

import pytest
import world
from labs import Play
from world import OLD

ABSENT = {"vi_admin_state": "absent", "vi_admin_confirm_absent": True, "vi_admin_remove_supervisor": True}
CLASSES = [{"name": "ray-small", "cpus": 1, "memory_mib": 2048}, {"name": "ray-gpu", "cpus": 8, "memory_mib": 16384, "vgpus": [{"profile": "grid_a100-10c"}]}]
MANY = {
    "vi_admin_vm_classes": CLASSES,
    "vi_admin_namespaces": [{"name": "team-one", "description": "One", "storage_policies": [{"policy": "vSAN Default Storage Policy", "limit_mib": 102400}]},
                            {"name": "team-two", "vm_classes": ["best-effort-small"], "limits": {"memory_mib": 65536}}],
    "vi_admin_users": [{"name": "ray-dev", "password": "Right-0ne!Dev", "namespaces": ["team-one"]}, {"name": "alice", "domain": "corp.lab", "role": "VIEW"}],
    "vi_admin_groups": [{"name": "ray-people", "members": ["ray-dev@vsphere.local"], "namespaces": ["team-two"]}],
}
# Five mistakes in five places, with a cluster that is not there.
WRONG = {
    "vi_admin_service_package": "/nowhere/package.yaml",
    "vi_admin_libraries": [{"name": "ray-images", "subscription_url": "https://packages.lab/dl-vm/lib.json", "datastore": "LocalDS_9"}],
    "vi_admin_namespaces": [{"name": "deploy-ray", "vm_classes": ["best-effort-smal"]}],
    "vi_admin_users": [{"name": "ray-dev", "password": "Right-0ne!Dev", "namespaces": ["deploy-rya"]}],
}


@pytest.fixture(name="role")
def fixture_role(cycle, bench, tmp_path):
    if cycle.way == "module":
        pytest.skip("once for each version")
    bench.lab.way = cycle.way
    (tmp_path / "role.yml").write_text(world.role())

    def run(extra: dict | None = None, *args: str) -> Play:
        (tmp_path / "extra.json").write_text(json.dumps(extra or {}))
        bench.lab.ask("/requests", "DELETE")
        return Play(bench.lab.playbook(str(tmp_path / "role.yml"), "-e", f"@{tmp_path}/extra.json", *args))

    run.lab = bench.lab
    return run


def test_it_goes_there_and_back(cycle, role) -> None:
    if cycle.version == OLD:
        pytest.skip("has no Carvel services")
    start = role.lab.digest()
    check = role(MANY, "--check", "--diff")
    assert check.rc == 0, check.text
    assert role.lab.writes() == [] and role.lab.digest() == start
    made = role(MANY)
    assert made.rc == 0, made.text
    assert made.counts["changed"] == check.counts["changed"], check.text + made.text
    again = role(MANY)
    assert again.rc == 0 and again.counts["changed"] == 0, again.text
    assert role.lab.writes() == []
    logins = [r for r in role.lab.ask("/requests") if r["method"] == "POST" and r["path"] == "/api/session"]
    assert len(logins) == 1
    gone = role({**MANY, **ABSENT})
    assert gone.rc == 0, gone.text
    assert role.lab.digest() == start
    assert role({**MANY, **ABSENT}).counts["changed"] == 0


def test_what_an_older_vcenter_lacks_is_told_before_the_first_write(cycle, role) -> None:
    if cycle.version != OLD:
        pytest.skip("has Carvel services")
    start = role.lab.digest()
    play = role()
    assert play.rc != 0
    assert "needs vCenter 8.0.1" in play.text and "7.0.3" in play.text, play.text
    assert role.lab.writes() == [] and role.lab.digest() == start


def test_all_faults_are_told_at_once_and_nothing_is_written(cycle, role) -> None:
    if cycle.version == OLD:
        pytest.skip("is refused as a whole")
    start = role.lab.digest()
    play = role({**WRONG, "vi_admin_supervisor": {**role.lab.variables()["vi_admin_supervisor"], "cluster": "DC0_C7"}})
    assert play.rc != 0 and play.counts["failed"] == 1, play.text
    for words in ("5 faults, and nothing was written", "DC0_C7", "/nowhere/package.yaml", "LocalDS_9", "best-effort-smal,", "deploy-rya"):
        assert words in play.text, f"{words}\n{play.text}"
    assert role.lab.writes() == [] and role.lab.digest() == start


def test_a_namespace_for_nobody_is_a_fault_unless_administrators_are_meant(cycle, role) -> None:
    if cycle.version == OLD:
        pytest.skip("is refused as a whole")
    play = role({"vi_admin_users": [], "vi_admin_groups": []}, "--check")
    assert play.rc != 0 and "vi_admin_administrator_only" in play.text, play.text
    play = role({"vi_admin_users": [{"name": "x", "password": "y"}], "vi_admin_administrator_only": True}, "--check")
    assert play.rc == 0 and "x on" not in play.text, play.text


def test_three_zones(cycle, role) -> None:
    if cycle.version == OLD:
        pytest.skip("has no zones")
    start = role.lab.digest()
    supervisor = {k: v for k, v in role.lab.variables()["vi_admin_supervisor"].items() if k != "cluster"}
    supervisor["control_plane"] = {k: v for k, v in supervisor["control_plane"].items() if k != "count"}
    zonal = {"vi_admin_supervisor": {**supervisor, "zones": ["zone-1", "zone-2", "zone-3"]}}
    made = role(zonal)
    assert made.rc == 0, made.text
    record = next(iter(role.lab.ask("/state")["supervisors"].values()))
    assert "zone-3" in json.dumps(record), record
    assert role(zonal).counts["changed"] == 0
    gone = role({**zonal, **ABSENT})
    assert gone.rc == 0, gone.text
    assert role.lab.digest() == start
