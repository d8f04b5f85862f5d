# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs at the same moment against one vCenter end in one right state; and several vCenters are hosts of one inventory."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
import world
from cases import VERSIONS
from killed import differing, vcenter
from labs import BIN, Play

VERSION = VERSIONS[-1]


@pytest.fixture(name="lab")
def fixture_lab(bench, tmp_path):
    lab = bench.at(VERSION)
    (tmp_path / "role.yml").write_text(world.role())
    return lab


def role(lab, folder, *args: str) -> Play:
    return Play(lab.playbook(str(folder / "role.yml"), *args))


def absent(lab, folder, *args: str) -> Play:
    return role(lab, folder, "-e", '{"vi_admin_state": "absent", "vi_admin_confirm_absent": true, "vi_admin_remove_supervisor": true}', *args)


def test_two_runs_at_the_same_moment_end_in_one_right_state(lab, tmp_path) -> None:
    start = lab.digest()
    alone = role(lab, tmp_path)
    assert alone.rc == 0, alone.text
    right = vcenter(lab)
    assert absent(lab, tmp_path).rc == 0
    assert lab.digest() == start
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda number: role(lab, tmp_path), range(2)))
    for play in both:
        assert play.rc == 0, play.text
    left = differing(right, vcenter(lab))
    assert not left, left
    again = role(lab, tmp_path)
    assert again.rc == 0 and again.counts["changed"] == 0, again.text
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda number: absent(lab, tmp_path), range(2)))
    for play in both:
        assert play.rc == 0, play.text
    assert lab.digest() == start


def test_several_vcenters_are_hosts_of_one_inventory(lab, tmp_path) -> None:
    """Each with variables of its own; here two names of one vCenter, as there is one."""
    start = lab.digest()
    own = {name: {"vcenter_hostname": address, "vi_admin_namespaces": [{"name": name, "vm_classes": ["best-effort-small"]}], "vi_admin_administrator_only": True}
           for name, address in (("east", "vcenter.lab"), ("west", "10.244.0.2"))}
    (tmp_path / "hosts.json").write_text(json.dumps({"sites": {"hosts": own}}))
    (tmp_path / "role.yml").write_text(world.role(hosts="sites"))
    # Extra variables would reach all hosts.
    variables = (lab.state / "vars.yml").read_text().replace("vcenter_hostname: vcenter.lab\n", "")
    (tmp_path / "group_vars").mkdir()
    head, _, tail = variables.partition("vi_admin_namespaces:")
    (tmp_path / "group_vars/sites.yml").write_text(head)
    assert tail
    done = lab.exec(str(BIN / "ansible-playbook"), str(tmp_path / "role.yml"), "-i", str(tmp_path / "hosts.json"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert {"east", "west"} <= set(lab.ask("/state")["namespaces"])
    for name in own:
        lines = [line for line in done.stdout.splitlines() if line.startswith(name) and "failed=0" in line]
        assert lines, done.stdout
    both = '{"vi_admin_namespaces": [{"name": "east"}, {"name": "west"}]}'
    (tmp_path / "role.yml").write_text(world.role())
    gone = absent(lab, tmp_path, "-e", both)
    assert gone.rc == 0, gone.text
    assert lab.digest() == start
