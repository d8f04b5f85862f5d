# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A file that is replaced as a whole, and the manifests of a folder."""

from __future__ import annotations

import os
import pathlib
import stat

import pytest

from ansible_collections.vcf.ray.plugins.module_utils._clients.text_file import TextFile, manifests
from ansible_collections.vcf.ray.plugins.module_utils._errors import RayError, UnknownYet


def test_written_as_a_whole_for_everybody(tmp_path: pathlib.Path) -> None:
    file, before = TextFile(str(tmp_path / "a.yaml")), os.umask(0o077)
    try:
        assert file.read() is None
        file.write("é\r\nx\n")
    finally:
        os.umask(before)
    assert (tmp_path / "a.yaml").read_bytes() == "é\r\nx\n".encode() and file.read() == "é\r\nx\n"
    assert stat.S_IMODE((tmp_path / "a.yaml").stat().st_mode) == 0o644
    assert os.listdir(tmp_path) == ["a.yaml"]


def test_a_link_stays_a_link(tmp_path: pathlib.Path) -> None:
    (tmp_path / "to").write_text("old")
    (tmp_path / "link").symlink_to("to")
    TextFile(str(tmp_path / "link")).write("new")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "to").read_text() == "new"


def test_a_write_that_is_cut_short_leaves_the_old_file(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_text("old")

    def fail(*names: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(RayError, match="No space left"):
        TextFile(str(tmp_path / "a")).write("new")
    assert os.listdir(tmp_path) == ["a"] and (tmp_path / "a").read_text() == "old"


def test_where_it_cannot_be_written(tmp_path: pathlib.Path) -> None:
    with pytest.raises(UnknownYet, match="The folder .*/no for a is not there"):
        TextFile(str(tmp_path / "no/a")).check()
    with pytest.raises(RayError, match="is a folder"):
        TextFile(str(tmp_path))
    TextFile(str(tmp_path / "a")).check()


def test_manifests_are_the_yaml_files_of_a_folder_or_one_file(tmp_path: pathlib.Path) -> None:
    for name in ("b.yml", "a.yaml", "c.txt"):
        (tmp_path / name).write_text(name)
    (tmp_path / "d.yml").mkdir()
    assert list(manifests(str(tmp_path)).items()) == [("a.yaml", "a.yaml"), ("b.yml", "b.yml")]
    assert manifests(str(tmp_path / "c.txt")) == {"c.txt": "c.txt"}


def test_manifests_that_are_none(tmp_path: pathlib.Path) -> None:
    with pytest.raises(UnknownYet, match="are not there"):
        manifests(str(tmp_path / "no"))
    with pytest.raises(RayError, match="no file that ends in"):
        manifests(str(tmp_path))
    (tmp_path / "a.yml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(RayError, match="no text in UTF-8"):
        manifests(str(tmp_path))
