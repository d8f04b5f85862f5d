# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of the VM Operator's stand-in that need no namespaces."""

from __future__ import annotations

from pathlib import Path

import pytest

from vcf_lab.vm import limits, mounts, shims
from vcf_lab.vmoperator.addresses import AddressPool, PoolExhausted
from vcf_lab.vmoperator.checks import quantity
from vcf_lab.vmoperator.conditions import Condition, merge
from vcf_lab.vmoperator.machine import make_folder


def test_addresses_skip_the_reserved_and_belong_to_an_owner() -> None:
    pool = AddressPool("10.244.1.2", 4, reserved=["10.244.1.2"])
    assert pool.take("a") == "10.244.1.3"
    assert pool.take("b") == "10.244.1.4"
    assert pool.take("a") == "10.244.1.3"


def test_an_address_that_was_given_back_rests() -> None:
    pool = AddressPool("10.244.0.11", 3)
    first = pool.take("a")
    assert pool.release("a") == first
    assert pool.take("a") != first


def test_a_full_pool_serves_again_after_a_release() -> None:
    pool = AddressPool("10.244.0.11", 2)
    pool.take("a")
    second = pool.take("b")
    with pytest.raises(PoolExhausted, match="all 2 addresses"):
        pool.take("c")
    pool.release("b")
    assert pool.take("c") == second
    assert pool.release("nobody") is None


def test_quantities() -> None:
    assert quantity("2048Mi") == quantity("2Gi") == 2 * 2**30
    assert quantity("512") == quantity(512) == 512


def test_a_condition_keeps_its_time_until_its_status_changes() -> None:
    old = [{"type": "A", "status": "False", "reason": "X", "message": "m", "lastTransitionTime": "then"}]
    same = merge(old, [Condition("A", False, "Y", "other")])
    assert same[0]["lastTransitionTime"] == "then" and same[0]["message"] == "other"
    changed = merge(old, [Condition("A", True), Condition("B", True)])
    assert changed[0]["lastTransitionTime"] != "then"
    assert [entry["type"] for entry in changed] == ["A", "B"]


def test_a_machine_of_the_same_name_gets_a_new_folder(tmp_path: Path) -> None:
    for text in ("one", "two"):
        folder = make_folder(tmp_path, "ns", "vm")
        assert list(folder.iterdir()) == []
        (folder / "agent.log").write_text(text)
    make_folder(tmp_path, "ns", "vm")
    old = tmp_path / "vms" / "ns" / ".old"
    assert [(old / name / "agent.log").read_text() for name in ("vm.1", "vm.2")] == ["one", "two"]


def test_kept_paths_are_kept_by_both_names(tmp_path: Path) -> None:
    (tmp_path / "real/bin").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    seen = mounts.kept_below(str(tmp_path), [f"{tmp_path}/link", f"{tmp_path}/real/bin", "/elsewhere"])
    assert seen == [
        (f"{tmp_path}/link", f"{tmp_path}/real"),
        (f"{tmp_path}/real", f"{tmp_path}/real"),
    ]


def test_a_guest_is_told_the_size_of_its_class() -> None:
    files = limits.cgroup_files(2, 4 * 2**30)
    assert files["cpu.max"] == "200000 100000\n"
    assert files["memory.max"] == f"{4 * 2**30}\n"
    assert "MemTotal:        4194304 kB" in limits.meminfo(4 * 2**30)


def test_only_the_containers_sudo_leaves_the_key_alone() -> None:
    scripts = shims.scripts()
    assert "chmod\\ 0777" in scripts["container"]["sudo"]
    assert "chmod" not in scripts["vm"]["sudo"]
    assert "docker" not in scripts["container"]
