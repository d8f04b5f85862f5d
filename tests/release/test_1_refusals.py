# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What speaks against a release is told, all at once, and what does not speak against it is let through."""

from __future__ import annotations

import datetime
import pathlib

import pytest
import yaml
from repository import Repository

from release import __main__ as steps
from release import changelog, refusals
from release.tree import Refusal

DAY = datetime.date(2026, 11, 24)


def test_nothing_speaks_against_what_is_ready(small: Repository) -> None:
    assert refusals.against(small.tree) == []


def test_what_is_not_committed(small: Repository) -> None:
    small.write("README.md", "# other\n")
    small.write("new.txt", "new\n")
    [said] = refusals.against(small.tree)
    assert "README.md" in said and "new.txt" in said and "commit or remove" in said


def test_what_git_ignores_is_not_in_the_way(small: Repository) -> None:
    small.write("build/made", "made\n")
    assert refusals.against(small.tree) == []


@pytest.mark.parametrize(("tag", "version", "words"), [
    ("v1.0.0", "1.0.0", "v1.0.0 is a tag"),
    ("v1.10.0", "1.9.0", "1.10.0 is released"),
    ("issue6", "1.0.0", None),
    ("v1.0.0", "1.0.1", None),
])
def test_a_version_is_released_once_and_in_its_order(small: Repository, tag: str, version: str, words: str | None) -> None:
    small.galaxy(version=version)
    small.git("commit", "-q", "--allow-empty", "-am", "Raise it")
    small.git("tag", tag)
    said = refusals.against(small.tree)
    assert (words in said[0]) if words else said == []


@pytest.mark.parametrize("version", ["1.0", "1.0.0-beta.1", "next"])
def test_a_version_has_three_numbers(small: Repository, version: str) -> None:
    small.galaxy(version=version)
    [said] = refusals.against(small.tree)
    assert version in said


def test_the_first_release_has_to_say_what_it_is(small: Repository) -> None:
    small.git("rm", "-q", "changelogs/fragments/first.yml")
    small.commit()
    assert "write a fragment" in refusals.against(small.tree)[0]


def test_a_later_release_has_to_say_what_has_changed(small: Repository) -> None:
    small.git("rm", "-q", "changelogs/fragments/first.yml")
    small.git("commit", "-q", "-m", "Release")
    small.git("tag", "v1.0.0")
    small.galaxy(version="1.0.1")
    small.write("plugins/modules/greet.py", (small.root / "plugins/modules/greet.py").read_text(encoding="utf-8") + "\n")
    small.commit()
    [said] = refusals.against(small.tree)
    assert "1 files have changed for users, plugins/modules/greet.py" in said


@pytest.mark.parametrize(("found", "refused"), [("1.0.0", False), ("0.9.0", False), ("1.1.0", True), ("1.10.0", True), ("next", True)])
def test_no_part_is_from_a_version_to_come(small: Repository, found: str, refused: bool) -> None:
    path = small.root / "plugins/modules/greet.py"
    path.write_text(path.read_text(encoding="utf-8").replace("version_added: 1.0.0", f'version_added: "{found}"'), encoding="utf-8")
    small.commit()
    said = refusals.against(small.tree)
    assert bool(said) is refused and all("greet.py" in line and found in line for line in said)


def test_all_is_told_at_once(small: Repository) -> None:
    small.git("tag", "v1.0.0")
    small.write("new.txt", "new\n")
    assert len(refusals.against(small.tree)) == 2


def releases(small: Repository) -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = yaml.safe_load((small.root / "changelogs/changelog.yaml").read_text(encoding="utf-8"))["releases"]
    return found


def test_the_notes_name_the_module_and_leave_no_fragment(small: Repository) -> None:
    assert changelog.write(small.tree, DAY)
    assert [module["name"] for module in releases(small)["1.0.0"]["modules"]] == ["greet"]
    assert "some.thing.greet" in (small.root / "CHANGELOG.rst").read_text(encoding="utf-8")
    assert changelog.fragments(small.tree) == []


def test_until_the_tag_later_fragments_and_modules_join_the_notes(small: Repository) -> None:
    changelog.write(small.tree, DAY)
    small.write("changelogs/fragments/later.yml", "---\nbugfixes:\n  - greet - says it once.\n")
    module = (small.root / "plugins/modules/greet.py").read_text(encoding="utf-8")
    small.write("plugins/modules/leave.py", module.replace("greet", "leave"))
    small.commit()
    assert changelog.write(small.tree, DAY)
    text = (small.root / "CHANGELOG.rst").read_text(encoding="utf-8")
    assert text.count("v1.0.0") == 1
    assert all(word in text for word in ("The first.", "says it once", "some.thing.greet", "some.thing.leave"))


def test_notes_that_tell_all_stay_as_they_are(small: Repository) -> None:
    changelog.write(small.tree, DAY)
    before = changelog.notes(small.tree)
    assert not changelog.write(small.tree, DAY + datetime.timedelta(days=9))
    assert changelog.notes(small.tree) == before


def test_notes_without_a_word_are_refused(small: Repository) -> None:
    (small.root / "changelogs/fragments/first.yml").unlink()
    with pytest.raises(Refusal, match="write a fragment"):
        changelog.write(small.tree, DAY)


def test_notes_without_a_summary_are_refused(small: Repository) -> None:
    small.write("changelogs/fragments/first.yml", "---\nbugfixes:\n  - greet - says it once.\n")
    with pytest.raises(Refusal, match="release_summary"):
        changelog.write(small.tree, DAY)


def test_the_notes_of_a_release_are_not_touched(small: Repository) -> None:
    small.git("tag", "v1.0.0")
    with pytest.raises(Refusal, match="Raise the version"):
        steps.notes(small.tree)


def test_only_the_notes_are_committed(small: Repository) -> None:
    steps.notes(small.tree)
    small.write("README.md", "# other\n")
    steps.commit(small.tree)
    assert small.tree.dirty() == ["README.md"]
    assert "CHANGELOG.rst" in small.git("show", "--stat", "--format=%s")
    assert steps.commit(small.tree) == "The release notes are committed."


def test_tests_prove_nothing_of_what_they_have_not_seen(small: Repository) -> None:
    pathlib.Path(small.root / "build").mkdir()
    with pytest.raises(Refusal, match="have not run"):
        steps.tested(small.tree)
    small.write("README.md", "# other\n")
    assert steps.passed(small.tree).startswith("Not noted")
    small.commit()
    steps.passed(small.tree)
    steps.tested(small.tree)
    small.write("README.md", "# third\n")
    small.commit()
    with pytest.raises(Refusal, match="have not run"):
        steps.tested(small.tree)


def test_the_tag_is_the_version(small: Repository) -> None:
    assert "collection publish build/release/some-thing-1.0.0.tar.gz" in steps.tag(small.tree)
    assert small.git("describe").strip() == "v1.0.0"
    assert "is released" in refusals.against(small.tree)[0]
