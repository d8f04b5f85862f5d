# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The artifact is the same to the byte each time, holds what users need and nothing else, and can be installed."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import tarfile

import pytest
from repository import ROOT, Repository, copy

from release import __main__ as steps
from release import artifact, contents
from release.tree import Refusal, Tree

BIN = pathlib.Path(sys.executable).parent
CORES = [path for name in ("build/oldest", "build/newest") if (path := ROOT / name / "bin/ansible-galaxy").exists()]


def test_neither_order_nor_rights_nor_the_hour_nor_the_place_is_in_it(
        whole: Repository, names: list[str], tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1800000000")
    other = copy(tmp_path / "other place", names[::-1], 0o077)
    one, two = artifact.build(whole.tree, tmp_path / "one"), artifact.build(other.tree, tmp_path / "two")
    assert one.read_bytes() == two.read_bytes()
    with tarfile.open(one) as archive:
        assert {member.mtime for member in archive.getmembers()} == {1800000000}
        assert {(member.uid, member.uname, member.gname) for member in archive.getmembers()} == {(0, "", "")}


@pytest.mark.parametrize("galaxy", CORES, ids=lambda path: path.parents[1].name)
def test_each_core_builds_the_same(small: Repository, tmp_path: pathlib.Path, galaxy: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = artifact.build(small.tree, tmp_path / "here")
    monkeypatch.setattr(Tree, "tool", lambda tree, name, *rest: subprocess.run([galaxy, *rest], check=True, capture_output=True, text=True).stdout)
    assert artifact.build(small.tree, tmp_path / "there").read_bytes() == here.read_bytes()


def test_the_time_is_that_of_the_commit(small: Repository, tmp_path: pathlib.Path) -> None:
    with tarfile.open(artifact.build(small.tree, tmp_path / "made")) as archive:
        assert {member.mtime for member in archive.getmembers()} == {int(small.git("log", "-1", "--format=%ct"))}


def test_another_text_makes_another_artifact(small: Repository, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1800000000")
    before = artifact.digest(artifact.build(small.tree, tmp_path / "before"))
    small.write("README.md", "# other\n")
    assert artifact.digest(artifact.build(small.tree, tmp_path / "after")) != before


def test_a_program_can_be_executed(small: Repository, tmp_path: pathlib.Path) -> None:
    (small.root / "plugins/modules/greet.py").chmod(0o700)
    with tarfile.open(artifact.build(small.tree, tmp_path / "made")) as archive:
        assert {name: archive.getmember(name).mode for name in ("plugins/modules/greet.py", "README.md", "plugins")} == {
            "plugins/modules/greet.py": 0o755, "README.md": 0o644, "plugins": 0o755}


def test_this_tree_ships_what_it_should(whole: Repository, tmp_path: pathlib.Path) -> None:
    found = artifact.names(artifact.build(whole.tree, tmp_path / "made"))
    assert contents.complaints(found, whole.tree.tracked()) == []
    assert {name.split("/")[0] for name in found} >= {"meta", "plugins", "roles", "playbooks", "docs", "changelogs", "README.md", "LICENSE", "CHANGELOG.rst"}


@pytest.mark.parametrize(("name", "words"), [
    (".cache/of-a-tool", "git does not know it"),
    ("plugins/modules/new.py", "git does not know it"),
    ("notes/today.md", "belongs to the repository only"),
    (".hidden", "belongs to the repository only"),
])
def test_what_does_not_belong_to_it_is_refused(small: Repository, name: str, words: str) -> None:
    small.write(name, "text\n")
    if "repository" in words:
        small.commit()
    (small.root / ".gitignore").unlink()
    with pytest.raises(Refusal, match=words) as refused:
        steps.build(small.tree)
    assert name in str(refused.value)


def test_a_folder_without_a_file_is_not_in_it(small: Repository, tmp_path: pathlib.Path) -> None:
    """Such as that of the fragments after a release: it is in this checkout and not in the next."""
    before = artifact.build(small.tree, tmp_path / "before").read_bytes()
    (small.root / "plugins/left/behind").mkdir(parents=True)
    assert artifact.build(small.tree, tmp_path / "after").read_bytes() == before


def test_what_is_left_out_is_told(small: Repository) -> None:
    small.galaxy(build_ignore=[".git", ".gitignore", "build", "meta"])
    small.commit()
    with pytest.raises(Refusal, match=r"^meta/runtime.yml is not in the artifact"):
        steps.build(small.tree)


def test_it_can_be_installed_and_every_checksum_is_right(whole: Repository, tmp_path: pathlib.Path) -> None:
    made = artifact.build(whole.tree, tmp_path / "made")
    environment = {**os.environ, "HOME": str(tmp_path), "ANSIBLE_COLLECTIONS_PATH": str(tmp_path / "here")}
    subprocess.run([BIN / "ansible-galaxy", "collection", "install", "--offline", made], check=True, capture_output=True, env=environment)
    verified = subprocess.run([BIN / "ansible-galaxy", "collection", "verify", "--offline", "vcf.ray"], check=True, capture_output=True, text=True, env=environment)
    assert "that checksums" in verified.stdout or "Successfully verified" in verified.stdout


def test_a_changed_file_does_not_verify(small: Repository, tmp_path: pathlib.Path) -> None:
    """The other side of the test above: the lists that are written anew are read."""
    environment = {**os.environ, "HOME": str(tmp_path), "ANSIBLE_COLLECTIONS_PATH": str(tmp_path / "here")}
    made = artifact.build(small.tree, tmp_path / "made")
    subprocess.run([BIN / "ansible-galaxy", "collection", "install", "--offline", made], check=True, capture_output=True, env=environment)
    (tmp_path / "here/ansible_collections/some/thing/README.md").write_text("# other\n", encoding="utf-8")
    verified = subprocess.run([BIN / "ansible-galaxy", "collection", "verify", "--offline", "some.thing"], capture_output=True, text=True, env=environment, check=False)
    assert verified.returncode and "README.md" in verified.stdout + verified.stderr


def test_the_checksum_lies_beside_it(small: Repository) -> None:
    small.galaxy(build_ignore=[".git", ".gitignore", "build", "galaxy.yml"])
    small.commit()
    steps.build(small.tree)
    assert "some-thing-1.0.0.tar.gz: OK" in subprocess.run(
        ["sha256sum", "-c", "some-thing-1.0.0.tar.gz.sha256"], cwd=small.root / "build/release", check=True, capture_output=True, text=True).stdout
