# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Local code as packages: what is in them, what they are called, and what is too large."""

from __future__ import annotations

import hashlib
import io
import os
import pathlib
import zipfile

import pytest

from ansible_collections.vcf.ray.plugins.module_utils._clients import ray_package
from ansible_collections.vcf.ray.plugins.module_utils._clients.ray_ignore import Patterns, files_of
from ansible_collections.vcf.ray.plugins.module_utils._errors import RayError


@pytest.fixture(name="code")
def fixture_code(tmp_path: pathlib.Path) -> pathlib.Path:
    folder = tmp_path / "code"
    for name in ("main.py", "pkg/mod.py", "pkg/__pycache__/mod.pyc", ".git/config", "data/x.bin", "data/keep.bin", "empty/"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith("/"):
            path.mkdir()
        else:
            path.write_text(name)
    (folder / "main.py").chmod(0o755)
    (folder / ".gitignore").write_text("# data\n*.bin\n!keep.bin\n")
    return folder


def names(package: ray_package.Package) -> dict[str, int]:
    with package.opened() as file, zipfile.ZipFile(io.BytesIO(file.read())) as packed:
        return {info.filename: info.external_attr >> 16 & 0o777 for info in packed.infolist()}


def test_a_folder(code: pathlib.Path) -> None:
    package = ray_package.working_dir(str(code), ["pkg/mod.*"], True)
    assert names(package) == {".gitignore": 0o644, "data/keep.bin": 0o644, "empty/": 0o755, "main.py": 0o755}
    assert "data/x.bin" in names(ray_package.working_dir(str(code), [], False))
    package.check()


def test_the_name_follows_from_the_content_alone(code: pathlib.Path) -> None:
    uri = ray_package.working_dir(str(code), [], True).uri
    assert uri.startswith("gcs://_ray_pkg_") and uri.endswith(".zip")
    os.utime(code / "main.py", (1, 1))
    (code / "data/x.bin").write_text("left out")
    assert ray_package.working_dir(str(code), [], True).uri == uri
    with ray_package.working_dir(str(code), [], True).opened() as one, ray_package.working_dir(str(code), [], True).opened() as two:
        assert one.read() == two.read()
    (code / "main.py").chmod(0o644)
    assert ray_package.working_dir(str(code), [], True).uri != uri


def test_a_zip_is_sent_as_it_is(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "code.zip"
    path.write_bytes(b"bytes")
    package = ray_package.working_dir(str(path), [], True)
    # What Ray's own client calls it.
    assert package.uri == f"gcs://_ray_pkg_{hashlib.sha1(b'bytes').hexdigest()}.zip"
    with package.opened() as file:
        assert file.read() == b"bytes"


def test_modules(code: pathlib.Path, tmp_path: pathlib.Path) -> None:
    assert "pkg/mod.py" in names(ray_package.module(str(code / "pkg") + "/", [], True))
    assert list(names(ray_package.module(str(code / "main.py"), [], True))) == ["main.py"]
    (tmp_path / "x-1-py3-none-any.whl").write_bytes(b"wheel")
    assert ray_package.module(str(tmp_path / "x-1-py3-none-any.whl"), [], True).uri == "gcs://x-1-py3-none-any.whl"
    with pytest.raises(RayError, match="neither a folder"):
        ray_package.module(str(code / ".gitignore"), [], True)


def test_what_is_too_large_is_said_with_its_largest_files(code: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_package, "LIMIT", 1000)
    (code / "zeros.dat").write_bytes(bytes(5000))
    ray_package.working_dir(str(code), [], True).check()
    (code / "noise.dat").write_bytes(os.urandom(5000))
    with pytest.raises(RayError, match=r"takes no more than 0.0 MiB; the largest files: zeros.dat .*, noise.dat|noise.dat .*, zeros.dat") as caught:
        ray_package.working_dir(str(code), [], True).check()
    assert caught.value.code == "INPUT"


def test_an_empty_folder_and_a_link_to_oneself(tmp_path: pathlib.Path) -> None:
    with pytest.raises(RayError, match="nothing to send"):
        ray_package.working_dir(str(tmp_path), [], True)
    (tmp_path / "up").symlink_to(tmp_path)
    with pytest.raises(RayError, match="link to a folder that it lies in"):
        ray_package.working_dir(str(tmp_path), [], True)


@pytest.mark.parametrize(("pattern", "path", "excluded"), [
    ("*.log", "a/b.log", True), ("/b.log", "a/b.log", False), ("/b.log", "b.log", True), ("a/*.log", "a/b.log", True), ("a/*.log", "x/a/b.log", False),
    ("data/", "data", False), ("data/", "data/", True), ("a/**/z", "a/z", True), ("a/**/z", "a/b/c/z", True), ("**/z", "a/b/z", True), ("a/**", "a/b/c", True),
    ("x?.txt", "x1.txt", True), ("x[0-9].txt", "x1.txt", True), ("x[!0-9].txt", "x1.txt", False), (r"\!x", "!x", True), ("# x", "# x", False),
    ("a*b", "a/b", False), ("  ", "x", False), ("x ", "x", True), ("a.b", "axb", False), ("[", "[", True), ("/", "x", False),
])
def test_patterns_are_those_of_git(pattern: str, path: str, excluded: bool) -> None:
    assert Patterns([pattern]).exclude(path.rstrip("/"), path.endswith("/")) is excluded


def test_the_last_pattern_decides_and_each_ignore_file_counts_for_its_folder(tmp_path: pathlib.Path) -> None:
    assert not Patterns(["*.log", "!keep.log"]).exclude("keep.log", False) and Patterns(["!keep.log", "*.log"]).exclude("keep.log", False)
    (tmp_path / "a").mkdir()
    for name in ("x", "a/x", "a/y"):
        (tmp_path / name).write_text("")
    (tmp_path / "a/.rayignore").write_text("/x")
    assert [name for name, path in files_of(str(tmp_path), [], gitignore=False)] == ["a/.rayignore", "a/y", "x"]
