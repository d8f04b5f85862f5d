# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Layers of an image: what is in them, what they hide, and what they must not reach."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
from pathlib import Path

import pytest
from image_support import digest, entry, folder, layer, link

from vcf_lab.supervisor.layers import BadLayer, inside, unpack


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "outside").write_text("mine")
    (tmp_path / "root").mkdir()
    return tmp_path / "root"


def apply(root: Path, *entries: tuple[tarfile.TarInfo, bytes], compress: bool = False) -> None:
    data = layer(*entries)
    unpack(io.BytesIO(gzip.compress(data) if compress else data), root, digest(data))


def tree(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*"))


@pytest.mark.parametrize("compress", [False, True])
def test_files_folders_and_links(root: Path, compress: bool) -> None:
    apply(
        root,
        folder("./bin/"),
        entry("bin/run", b"#!", mode=0o4755),
        link("bin/hard", "/bin/run", tarfile.LNKTYPE),
        link("sh", "/bin/run"),
        entry("made/on/the/way", b"x"),
        entry("dev/null", type=tarfile.CHRTYPE),
        compress=compress,
    )
    assert tree(root) == ["bin", "bin/hard", "bin/run", "dev", "made", "made/on", "made/on/the", "made/on/the/way", "sh"]
    state = (root / "bin/run").stat()
    assert (state.st_mode & 0o7777, state.st_mtime, state.st_nlink) == (0o755, 1_700_000_000, 2)
    assert os.readlink(root / "sh") == "/bin/run"


def test_a_closed_folder_can_be_removed_by_an_ordinary_user(root: Path) -> None:
    apply(root, entry("closed", type=tarfile.DIRTYPE, mode=0o555), entry("closed/file"))
    assert (root / "closed").stat().st_mode & 0o777 == 0o755


def test_a_later_layer_replaces_and_hides(root: Path) -> None:
    apply(root, entry("a/one", b"1"), entry("a/two", b"2"), entry("b/three"), link("c", "b"), entry("kind"), folder("other"))
    apply(root, entry("a/one", b"new"), entry("a/.wh.two"), entry(".wh.c"), folder("kind"), entry("other"), entry(".wh..wh.plnk"))
    assert tree(root) == ["a", "a/one", "b", "b/three", "kind", "other"]
    assert (root / "a/one").read_text() == "new"
    assert (root / "kind").is_dir() and (root / "other").is_file()


@pytest.mark.parametrize("marker_first", [True, False])
def test_an_opaque_folder_hides_what_was_below_and_not_what_comes_with_it(root: Path, marker_first: bool) -> None:
    apply(root, entry("d/old"), entry("d/sub/old"), entry("d/sub/both"))
    entries = [entry("d/new"), entry("d/sub/both", b"new")]
    marker = entry("d/.wh..wh..opq")
    apply(root, *([marker, *entries] if marker_first else [*entries, marker]))
    assert tree(root) == ["d", "d/new", "d/sub", "d/sub/both"]


def test_a_whiteout_hides_lower_layers_only(root: Path) -> None:
    apply(root, entry("file", b"old"))
    apply(root, entry("file", b"new"), entry(".wh.file"))
    assert (root / "file").read_text() == "new"


def test_a_folder_that_is_a_link_is_followed_from_the_images_root(root: Path) -> None:
    apply(root, folder("run"), folder("var"), link("var/run", "/run"), entry("var/run/pid", b"1"))
    assert (root / "run/pid").read_text() == "1"
    apply(root, link("up", "../../../.."), entry("up/outside", b"image's"), entry("up/.wh.run"))
    assert (root / "outside").read_text() == "image's"
    assert (root.parent / "outside").read_text() == "mine"
    assert not (root / "run").exists()


def test_a_link_to_the_host_is_never_written_through(root: Path) -> None:
    outside = str(root.parent / "outside")
    apply(root, link("out", outside), entry("out", b"theirs"), link("again", outside))
    apply(root, entry("again", b"theirs"))
    assert (root.parent / "outside").read_text() == "mine"
    assert (root / "out").read_text() == (root / "again").read_text() == "theirs"


def test_removing_a_link_leaves_what_it_means(root: Path) -> None:
    (root.parent / "folder").mkdir()
    (root.parent / "folder" / "file").touch()
    apply(root, link("out", str(root.parent / "folder")))
    apply(root, entry(".wh.out"))
    assert tree(root) == []
    apply(root, link("out", str(root.parent / "folder")))
    apply(root, entry("out/.wh..wh..opq"), folder("out"))
    assert (root.parent / "folder" / "file").exists()


@pytest.mark.parametrize(
    ("entries", "why"),
    [
        ([entry("../outside", b"theirs")], "leads out of the image"),
        ([entry("a/../../outside", b"theirs")], "leads out of the image"),
        ([link("hard", "../outside", tarfile.LNKTYPE)], "leads out of the image"),
        ([link("hard", "nothing", tarfile.LNKTYPE)], "is no file of the image"),
        ([link("hard", "{outside}", tarfile.LNKTYPE)], "is no file of the image"),
        ([folder("d"), link("hard", "d", tarfile.LNKTYPE)], "is no file of the image"),
        ([link("a", "b"), link("b", "a"), entry("a/file")], "too many levels"),
        ([entry("file"), entry("file/below")], "exists"),
        ([entry("a/.wh...")], "hides nothing"),
        ([entry(".wh.")], "hides nothing"),
    ],
)
def test_bad_layers(root: Path, entries: list[tuple[tarfile.TarInfo, bytes]], why: str) -> None:
    for member, _ in entries:
        member.linkname = member.linkname.replace("{outside}", str(root.parent / "outside"))
    with pytest.raises(BadLayer, match=why):
        apply(root, *entries)
    assert (root.parent / "outside").read_text() == "mine"
    assert (root.parent / "outside").stat().st_nlink == 1


def test_a_hard_link_goes_to_the_file_of_the_image(root: Path) -> None:
    apply(root, entry("etc/passwd", b"image's"), link("copy", "/etc/passwd", tarfile.LNKTYPE))
    assert (root / "copy").read_text() == "image's"


def test_a_hard_link_to_a_link_is_the_link(root: Path) -> None:
    apply(root, link("out", str(root.parent / "outside")), link("hard", "out", tarfile.LNKTYPE), entry("hard", b"x"))
    assert (root.parent / "outside").read_text() == "mine"


def test_another_content_than_the_digest_says(root: Path) -> None:
    with pytest.raises(BadLayer, match="its content has the digest"):
        unpack(io.BytesIO(layer(entry("a"))), root, digest(b"something else"))


@pytest.mark.parametrize("data", [b"no tar at all" * 100, gzip.compress(b"x" * 9999, mtime=0)[:-20], b"\x28\xb5\x2f\xfd" + bytes(100)])
def test_what_is_no_layer(root: Path, data: bytes) -> None:
    with pytest.raises(BadLayer):
        unpack(io.BytesIO(data), root, digest(data))


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/var/run/secrets", "run/secrets"),
        ("a/./b//c", "a/b/c"),
        ("../../etc", "etc"),
        ("up/../x", "x"),
        ("loop-free/deep/x", "run/x"),
    ],
)
def test_inside(root: Path, path: str, expected: str) -> None:
    (root / "var").mkdir()
    (root / "var/run").symlink_to("/run")
    (root / "up").symlink_to("../..")
    (root / "loop-free").symlink_to("var")
    (root / "var/deep").symlink_to("../var/run")
    assert inside(root, path) == root / expected
