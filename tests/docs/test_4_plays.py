# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbooks of the pages, in check mode, against a lab on which site.yml has run: as they stand there, not a word changed."""

from __future__ import annotations

import json
import os
import pathlib
import re
import typing as t

import pytest
from labs import Lab
from reading import Block, blocks, pages

PLAYS = [block for page in pages() for block in blocks(page) if block.is_playbook()]
RUN = [block for block in PLAYS if block.reason is None]


@pytest.fixture(scope="module", name="lab")
def fixture_lab(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Lab]:
    """A lab at the end of the whole way; DOCS_LAB names one that is there already."""
    state = pathlib.Path(os.environ.get("DOCS_LAB") or tmp_path_factory.mktemp("lab") / "state")
    lab = Lab(state, ANSIBLE_SHOW_CUSTOM_STATS="true", ANSIBLE_CALLBACK_RESULT_FORMAT="json")
    lab.up()
    yield lab
    if not os.environ.get("DOCS_LAB"):
        lab.down()


@pytest.fixture(scope="module", name="handed_on")
def fixture_handed_on(lab: Lab) -> dict[str, t.Any]:
    """What the personas hand on to each other: with it a page may speak of the data scientist alone."""
    done = lab.playbook("vcf.ray.site")
    assert done.returncode == 0, done.stdout + done.stderr
    stats = re.search(r"^\s*RUN: (\{.*\})\s*$", done.stdout, re.MULTILINE | re.DOTALL)
    assert stats, done.stdout
    return json.loads(stats[1])


@pytest.mark.parametrize("block", RUN, ids=str)
def test_a_playbook_of_a_page_runs_in_check_mode_and_writes_nothing(lab: Lab, handed_on: dict, tmp_path: pathlib.Path, block: Block) -> None:
    play = tmp_path / "play.yml"
    play.write_text(block.text, encoding="utf-8")
    before = lab.writes(), lab.digest()
    done = lab.playbook(str(play), "-e", json.dumps(handed_on), "--check", "--diff", timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    recap = re.findall(r"^\S+\s+: ok=(\d+) .*failed=0", done.stdout, re.MULTILINE)
    assert recap, done.stdout
    assert all(int(ok) for ok in recap), done.stdout
    assert (lab.writes(), lab.digest()) == before


def test_the_playbooks_that_are_not_run_say_why() -> None:
    skipped = {str(block): block.reason for block in PLAYS if block.reason is not None}
    assert len(RUN) >= len(skipped), f"most playbooks of the pages are not run: {skipped}"
    assert all(len(reason.split()) >= 3 for reason in skipped.values()), skipped
