# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shape of the molecule scenarios: what molecule itself would pass over in silence, or with a warning."""

from __future__ import annotations

import pathlib
import re
import subprocess
import sys
import zipfile

import pytest
import yaml

ROOT = pathlib.Path(__file__).parents[2]
FOLDER = ROOT / "extensions/molecule"
SCENARIOS = sorted(path.parent.name for path in FOLDER.glob("*/molecule.yml") if path.parent.name != "default")
# The steps that are playbooks of the scenario; check and idempotence run converge.yml again.
PLAYBOOKS = {"create", "destroy", "prepare", "converge", "verify", "cleanup"}


def loaded(path: pathlib.Path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def sequence(scenario: str) -> list[str]:
    own = loaded(FOLDER / scenario / "molecule.yml") or {}
    return own.get("scenario", loaded(FOLDER / "config.yml")["scenario"])["test_sequence"]


def test_each_role_has_a_scenario_and_so_has_the_whole_way() -> None:
    assert sorted([*(path.name for path in (ROOT / "roles").iterdir() if path.is_dir()), "site"]) == SCENARIOS


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_scenario_looks_twice_and_from_outside_and_tidies_up(scenario: str) -> None:
    steps = [step for step in sequence(scenario) if step != "prepare"]
    assert steps == ["check", "converge", "idempotence", "verify", "cleanup"]


@pytest.mark.parametrize("scenario", [*SCENARIOS, "default"])
def test_each_step_has_its_playbook_and_each_playbook_its_step(scenario: str) -> None:
    """A step without one is only warned of, and a playbook without a step never runs."""
    there = {path.stem for path in (FOLDER / scenario).glob("*.yml")} - {"molecule"}
    assert there == PLAYBOOKS & set(sequence(scenario))


@pytest.mark.parametrize("path", sorted([*FOLDER.glob("*/verify.yml"), *FOLDER.glob("tasks/*.yml"), *FOLDER.glob("default/*.yml")]),
                         ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_what_looks_does_not_use_what_is_looked_at(path: pathlib.Path) -> None:
    assert not re.search(r"^[^#]*\bvcf\.ray\.", path.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_no_verify_is_without_an_answer_of_its_own(scenario: str) -> None:
    """It asserts, or it is made of others that do."""
    plays = loaded(FOLDER / scenario / "verify.yml")
    others = [FOLDER / scenario / play["ansible.builtin.import_playbook"] for play in plays if "ansible.builtin.import_playbook" in play]
    text = "".join(path.read_text(encoding="utf-8") for path in [FOLDER / scenario / "verify.yml", *others])
    assert text.count("ansible.builtin.assert:") >= max(1, len(others))


def test_the_whole_way_is_seen_by_the_eyes_of_the_roles_on_it() -> None:
    seen = {pathlib.Path(play["ansible.builtin.import_playbook"]).parent.name for play in loaded(FOLDER / "site/verify.yml")}
    assert seen == set(SCENARIOS) - {"site", "site_report"}  # the report is made when it is asked for


def test_the_lab_brings_all_its_files_when_it_is_installed(tmp_path) -> None:
    """Not as a link into the repository, but as a wheel: what git knows of it is in there."""
    copy = tmp_path / "repository"
    subprocess.run(["git", "clone", "--quiet", ROOT, copy], check=True)
    subprocess.run([sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps", "--wheel-dir", tmp_path, copy / "lab"], check=True)
    [wheel] = tmp_path.glob("*.whl")
    inside = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("vcf_lab/")}
    known = subprocess.run(["git", "-C", copy / "lab", "ls-files", "vcf_lab"], capture_output=True, text=True, check=True).stdout.split()
    assert inside == set(known)
