# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""lab doctor asks every part, and names the one that stands still."""

from __future__ import annotations

import re

import pytest

# Nothing of it depends on where a task runs.
pytestmark = pytest.mark.parametrize("lab", ["in_process"], indirect=True)
PARTS = ["etcd", "kube-apiserver", "kube-controller-manager", "vcsim", "vcenter", "publisher", "supervisor", "vmoperator",
         "registry", "mirror", "files"]


def test_every_part_shows_its_process_version_and_an_answer(lab) -> None:
    done = lab.command("doctor")
    assert done.returncode == 0, done.stdout + done.stderr
    for part in PARTS:
        assert re.search(rf"^\S*\s*{part}\b.*\d+", done.stdout, re.MULTILINE), done.stdout
    assert "k8s.io/kubernetes@v1.34" in done.stdout
    assert "github.com/vmware/govmomi@v0.56" in done.stdout
    assert "github.com/distribution/distribution/v3@v3.0.0" in done.stdout


@pytest.mark.parametrize("part", PARTS)
def test_a_part_that_stands_still_is_named(lab, part) -> None:
    pid = (lab.state / "pids" / part).read_text().split()[0]
    lab.exec("kill", "-STOP", pid)
    try:
        done = lab.command("doctor")
    finally:
        lab.exec("kill", "-CONT", pid)
    assert done.returncode != 0
    assert part in done.stderr, done.stderr


def test_and_all_is_well_again(lab) -> None:
    assert lab.command("doctor").returncode == 0
