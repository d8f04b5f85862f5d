# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What counts for the digest of a tree, and what a copy of it has."""

from __future__ import annotations

import os
import pathlib
import typing as t

import pytest

from ansible_collections.vcf.ray.plugins.module_utils._clients.source_tree import Entry, copy, digest, entries


def nothing(path: str) -> bool:
    return False


@pytest.fixture(name="tree")
def fixture_tree(tmp_path: pathlib.Path) -> pathlib.Path:
    root = tmp_path / "tree"
    (root / "b/empty").mkdir(parents=True)
    (root / "a").write_bytes(b"\x00\xff")
    (root / "b/run.sh").write_text("true\n")
    (root / "b/run.sh").chmod(0o555)
    (root / "link").symlink_to("nowhere")
    (root / "to-b").symlink_to("b")
    os.mkfifo(root / "pipe")
    return root


def test_all_that_is_source_in_one_order(tree: pathlib.Path) -> None:
    assert list(entries(str(tree), nothing)) == [
        Entry("a", "file"), Entry("b", "folder"), Entry("b/empty", "folder"), Entry("b/run.sh", "program"), Entry("link", "link"), Entry("to-b", "link")]
    assert [entry.path for entry in entries(str(tree), lambda path: path == "b")] == ["a", "link", "to-b"]


CHANGES: dict[str, t.Callable[[pathlib.Path], object]] = {
    "content": lambda root: (root / "a").write_bytes(b"\x00"),
    "name": lambda root: (root / "a").rename(root / "c"),
    "place": lambda root: (root / "a").rename(root / "b/a"),
    "can be run": lambda root: (root / "a").chmod(0o755),
    "link": lambda root: ((root / "link").unlink(), (root / "link").symlink_to("elsewhere")),
    "link made a file": lambda root: ((root / "link").unlink(), (root / "link").write_text("nowhere")),
    "folder": lambda root: (root / "b/empty").rmdir(),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_counts(tree: pathlib.Path, change: t.Callable[[pathlib.Path], object]) -> None:
    before = digest(str(tree), nothing)
    change(tree)
    assert digest(str(tree), nothing) != before


def test_what_does_not_count(tree: pathlib.Path) -> None:
    before = digest(str(tree), nothing)
    os.utime(tree / "a", (0, 0))
    (tree / "a").chmod(0o600)
    (tree / "pipe").unlink()
    assert digest(str(tree), nothing) == before and len(before) == 64
    (tree / "left").write_text("x")
    assert digest(str(tree), lambda path: path == "left") == before


def test_a_copy_is_the_same_tree_and_may_be_written(tree: pathlib.Path, tmp_path: pathlib.Path) -> None:
    os.utime(tree / "a", (1, 1))
    made = tmp_path / "copy"
    made.mkdir()
    copy(str(tree), str(made), lambda path: path == "b/empty")
    assert digest(str(made), nothing) == digest(str(tree), lambda path: path == "b/empty")
    assert (made / "a").stat().st_mtime == 1 and (made / "b/run.sh").stat().st_mode & 0o700 == 0o700
    assert os.readlink(made / "to-b") == "b" and not (made / "pipe").exists()
