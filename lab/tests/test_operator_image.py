# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The operator's image in the user's cache: made once, made anew when anything of it changed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from vcf_lab import operator_image
from vcf_lab.toolchain import BuildError


@pytest.fixture
def script(tmp_path, monkeypatch):
    """A cache of its own, and a script that makes the image at once."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path = tmp_path / "build.py"
    path.write_text("import sys\nopen(sys.argv[-1], 'x').write('image')\nprint(*sys.argv[1:3])\n")
    monkeypatch.setattr(operator_image, "SCRIPT", path)
    return path


def test_it_is_made_once(script):
    said: list[str] = []
    archive = operator_image.ensure(said.append)
    assert archive.read_text() == "image"
    assert said == ["the operator's image: --tag vmray-cluster-controller:latest"]
    assert operator_image.ensure(said.append) == archive
    assert len(said) == 1


def test_a_script_that_fails_is_one_sentence(script):
    script.write_text("raise SystemExit('image: no loader')")
    with pytest.raises(BuildError, match="could not be made: image: no loader"):
        operator_image.ensure(print)
    assert not list(operator_image.folder().rglob("*.tar.gz"))


def test_every_source_is_in_its_name(tmp_path, monkeypatch):
    shutil.copytree(operator_image.PACKAGE, tmp_path / "copy", ignore=shutil.ignore_patterns("__pycache__", "go"))
    monkeypatch.setattr(operator_image, "PACKAGE", tmp_path / "copy")
    known = {operator_image.digest()}
    for name in ("kube.py", "rayoperator/node.py", "rayoperator/gencert.sh", "operator_source/image/contents.py"):
        with open(tmp_path / "copy" / name, "a") as file:
            file.write("# changed\n")
        known.add(operator_image.digest())
    assert len(known) == 5


def test_what_the_operator_imports_of_this_package_is_a_source():
    told = "import sys, vcf_lab.rayoperator.__main__ as m; print(*(v.__file__ for n, v in sys.modules.items() if n[:7] == 'vcf_lab'))"
    done = subprocess.run(
        [sys.executable, "-c", told], cwd=operator_image.PACKAGE.parent, capture_output=True, text=True, check=True
    )
    sources = {path for pattern in operator_image.SOURCES for path in operator_image.PACKAGE.glob(pattern)}
    assert {Path(path) for path in done.stdout.split()} <= sources


def test_only_a_few_old_ones_are_kept(script, monkeypatch):
    for name in "abcdef":
        monkeypatch.setattr(operator_image, "digest", lambda name=name: name)
        operator_image.ensure(lambda text: None)
    left = [path.name for path in operator_image.folder().iterdir() if path.is_dir()]
    assert len(left) == operator_image.KEPT + 1
    assert "f" in left
