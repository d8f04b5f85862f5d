# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``make release`` from end to end, with a gate and an importer that say what a test wants."""

from __future__ import annotations

import pathlib
import subprocess
import sys

import pytest
from repository import ROOT, Repository

BIN = pathlib.Path(sys.executable).parent
# The tools are there; what would install them anew into the environment of this run is told to be up to date.
INSTALLED = [word for target in (".venv/ready", ".venv/tools", "build/importer/ready") for word in ("-o", target)]
GATE = "#!/bin/sh\necho ran >> build/gate\n"
IMPORTER = "#!/bin/sh\necho '{}'\necho 'Importer processing completed successfully'\n"


@pytest.fixture
def ready(small: Repository) -> Repository:
    """The small collection with the program of this tree, a gate that passes, and an importer that has nothing to say."""
    for path in [ROOT / "Makefile", *(ROOT / "release").glob("*.py")]:
        small.write(str(path.relative_to(ROOT)), path.read_text(encoding="utf-8"))
    small.galaxy(build_ignore=[".git", ".gitignore", "Makefile", "__pycache__", "build", "changelogs/.plugin-cache.yaml", "release", "tests"])
    small.write(".gitignore", "build/\n__pycache__/\nchangelogs/.plugin-cache.yaml\n")
    program(small, "tests/run", f"{GATE}exec {BIN}/python -m release passed\n")
    small.commit()
    program(small, "build/importer/bin/python", IMPORTER.format(""))
    return small


def program(made: Repository, name: str, text: str) -> None:
    made.write(name, text)
    (made.root / name).chmod(0o755)


def release(made: Repository) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["make", *INSTALLED, f"BIN={BIN}", "release"], cwd=made.root, capture_output=True, text=True, check=False)


def test_the_whole_way(ready: Repository) -> None:
    done = release(ready)
    assert done.returncode == 0, done.stderr
    assert ready.git("describe").strip() == ready.tree.tag
    assert (ready.root / "build/release" / ready.tree.file).exists()
    assert "The first." in ready.git("show", f"{ready.tree.tag}:CHANGELOG.rst")
    assert "collection publish" in done.stdout and ready.tree.dirty() == []
    assert "is a tag" in release(ready).stderr
    assert (ready.root / "build/gate").read_text(encoding="utf-8") == "ran\n"


def test_tests_that_have_passed_are_not_run_again(ready: Repository) -> None:
    program(ready, "build/importer/bin/python", IMPORTER.format("WARNING: mend this"))
    assert "mend this" in release(ready).stderr
    program(ready, "build/importer/bin/python", IMPORTER.format(""))
    assert release(ready).returncode == 0
    assert (ready.root / "build/gate").read_text(encoding="utf-8") == "ran\n"


@pytest.mark.parametrize(("name", "text", "words"), [
    ("README.md", "# other\n", "README.md"),
    ("tests/run", f"{GATE}echo the stage units failed >&2; exit 1\n", "the stage units failed"),
    ("tests/run", GATE, "have not run"),
    ("build/importer/bin/python", IMPORTER.format("WARNING: mend this"), "mend this"),
    ("build/importer/bin/python", "#!/bin/sh\nexit 1\n", "came to no verdict"),
], ids=["changed", "tests fail", "tests of something else", "importer warns", "importer fails"])
def test_no_tag_where_a_step_fails(ready: Repository, name: str, text: str, words: str) -> None:
    program(ready, name, text)
    if name == "tests/run":
        ready.commit()
    done = release(ready)
    assert done.returncode and words in done.stderr
    assert ready.git("tag") == ""
