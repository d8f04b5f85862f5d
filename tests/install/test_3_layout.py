# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole way from the installed tarball alone: made with the oldest of everything, found unchanged by the newest."""

from __future__ import annotations

import re
import shlex
import typing as t
from pathlib import Path

import environments
import pytest
from environments import ROOT

PAGE = ROOT / "docs/execution-environment.md"


def secrets(lab: t.Any) -> set[str]:
    found = set(re.findall(r'password: "(.+)"', (lab.state / "vars.yml").read_text(encoding="utf-8")))
    assert len(found) >= 4
    return found


def navigator_command(variables: Path) -> list[str]:
    """As the page has it, with other variables."""
    line = next(line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("ansible-navigator run vcf.ray.site"))
    assert "@site-vars.yml" in line
    return shlex.split(line.replace("@site-vars.yml", f"@{variables}"))


@pytest.fixture(scope="module", name="made")
def fixture_made(lab: t.Any, bare: t.Any) -> t.Any:
    """A site that the oldest of everything has made."""
    # At -vv Ansible tells its version and the file of each task.
    return bare.run(lab, environments.lowest(), "ansible-playbook", "vcf.ray.site", "-e", f"@{lab.state}/vars.yml", "-vv")


def test_the_bare_collection_goes_the_whole_way_with_the_oldest_of_everything(made: t.Any, bare: t.Any) -> None:
    assert made.rc == 0, made.text
    assert re.search(r"Job\s+hello-ray SUCCEEDED", made.text), made.text
    assert f"ansible-playbook [core {environments.oldest_core()}]" in made.text
    files = set(re.findall(r"^task path: (.*):\d+$", made.text, re.MULTILINE))
    assert files
    assert [path for path in files if not path.startswith(f"{bare.root}/")] == []


def test_the_newest_of_everything_by_ansible_navigator_has_nothing_to_do(lab: t.Any, bare: t.Any, made: t.Any) -> None:
    assert made.rc == 0, made.text
    navigator = environments.tools() / "ansible-navigator"
    _, *words = navigator_command(lab.state / "vars.yml")
    play = bare.run(lab, environments.newest(), str(navigator), *words, "-vv")
    assert play.rc == 0, play.text
    assert play.counts["failed"] == play.counts["changed"] == 0, play.text
    assert play.counts["ok"] > 50, play.text
    assert str(environments.newest()) in play.text
    assert_recorded_here_and_no_secrets(lab, bare, play.text)


def assert_recorded_here_and_no_secrets(lab: t.Any, bare: t.Any, shown: str) -> None:
    """What navigator wrote stands where the page says, and not in the collection, where it would be by itself."""
    written = [path for path in bare.folder.rglob("*") if path.is_file()]
    assert len([path for path in written if re.fullmatch(r"site-.*\.json", path.name)]) == 1, written
    assert list(bare.root.rglob("*.json")) == []
    texts = {"the screen": shown, **{str(path): path.read_text(encoding="utf-8") for path in written}}
    assert [name for name, text in texts.items() for secret in secrets(lab) if secret in text] == []
