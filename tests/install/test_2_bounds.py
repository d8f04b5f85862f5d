# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The units with each requirement at its lower bound; those with the newest are a stage of their own."""

from __future__ import annotations

import json
import os
import re

import environments
import pytest
from environments import ROOT, oldest_core, required, run


def test_the_environment_has_exactly_the_lower_bounds() -> None:
    listed = json.loads(run(environments.lowest() / "python", "-m", "pip", "--disable-pip-version-check", "list", "--format", "json"))
    there = {row["name"].lower(): row["version"] for row in listed}
    wanted = {**required(), "ansible-core": oldest_core()}
    assert {name: there[name.lower()] for name in wanted} == wanted
    # An environment of which pip says that it does not go together is none that anybody has.
    run(environments.lowest() / "python", "-m", "pip", "check")


def test_all_units_pass_with_the_lower_bounds() -> None:
    env = {**os.environ, "PYTHONPATH": str(ROOT / "build/collections"), "PYTHONDONTWRITEBYTECODE": "1"}
    units = ROOT / "build/collections/ansible_collections/vcf/ray/tests/unit"
    said = run(environments.lowest() / "python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "ignore", units, env=env, cwd=ROOT)
    passed = re.search(r"^(\d+) passed", said, re.MULTILINE)
    assert passed, said[-2000:]
    assert int(passed.group(1)) > 1000


@pytest.mark.parametrize("line", ["requests", "requests==2.31.0", "requests>=2.25,<3", "git+https://git.example.com/x"])
def test_a_requirement_without_a_lower_bound_or_with_an_upper_one_is_refused(line: str) -> None:
    with pytest.raises(AssertionError, match="no NAME>=VERSION"):
        environments.bounds(line)
