# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Galaxy's importer has nothing against this tree, and what it has against another one is heard."""

from __future__ import annotations

import pathlib
import subprocess

import pytest
from repository import ROOT, Repository

from release import artifact, importer

PYTHON = ROOT / "build/importer/bin/python"


@pytest.fixture(scope="module", autouse=True)
def installed() -> None:
    subprocess.run(["make", "--silent", "build/importer/ready"], cwd=ROOT, check=True)


def test_it_has_nothing_against_this_tree(whole: Repository, tmp_path: pathlib.Path) -> None:
    assert importer.complaints(artifact.build(whole.tree, tmp_path), PYTHON) == []


def test_what_it_warns_of_is_heard(small: Repository, tmp_path: pathlib.Path) -> None:
    """It ends well in this case, and says that all was completed successfully."""
    small.write("CHANGELOG.rst", "First\n")
    small.write("playbooks/play.yml", "---\n- name: Play\n  hosts: localhost\n  tasks:\n    - name: Say it\n      debug: {msg: hello}\n")
    said = importer.complaints(artifact.build(small.tree, tmp_path), PYTHON)
    assert any("WARNING" in line and "fqcn" in line for line in said)


def test_what_it_refuses_is_heard(small: Repository, tmp_path: pathlib.Path) -> None:
    small.galaxy(tags=["hello"])
    said = importer.complaints(artifact.build(small.tree, tmp_path), PYTHON)
    assert any("ERROR" in line and "tag" in line for line in said)


@pytest.mark.parametrize(("line", "heard"), [
    ("Loading module greet", False),
    ("WARNING: no changelog", True),
    ("ERROR: The import failed for the following reason: no tag", True),
])
def test_lines_of_warning_and_error_count(line: str, heard: bool) -> None:
    assert bool(importer.unaccepted(line)) is heard


def test_an_accepted_line_has_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    assert all(reason for reason in importer.ACCEPTED.values())
    monkeypatch.setitem(importer.ACCEPTED, "no changelog", "this is a test")
    assert importer.unaccepted("WARNING: no changelog\nWARNING: no tag") == ["WARNING: no tag"]
