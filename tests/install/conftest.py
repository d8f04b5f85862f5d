# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection as its users get it: built, and installed into a folder where nothing else is."""

from __future__ import annotations

import shutil
import subprocess
import sys
import typing as t
from pathlib import Path

import environments
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
from labs import BIN, ROOT, Lab, Play

# What a collection consists of for those who run it. The rest is for people, and nothing that runs may need it.
KEPT = {"meta", "plugins", "roles", "playbooks"}


class Installed:
    """A folder of collections, and playbooks run from it in a lab.

    ``path`` is for ANSIBLE_COLLECTIONS_PATH, ``root`` the collection in it; ``folder`` is where the commands run.
    """

    def __init__(self, path: Path, folder: Path) -> None:
        self.path, self.folder = path, folder
        self.root = path / "ansible_collections/vcf/ray"

    def run(self, lab: Lab, commands: Path, *words: str, timeout: float = 900) -> Play:
        """``words`` inside of the lab; their ansible-playbook is the one in the folder ``commands``."""
        env = {**lab.env, "PATH": f"{commands}:{lab.env['PATH']}", "ANSIBLE_COLLECTIONS_PATH": str(self.path)}
        return Play(subprocess.run([BIN / "lab", "exec", *words], env=env, cwd=self.folder, capture_output=True, text=True,
                                   stdin=subprocess.DEVNULL, timeout=timeout, check=False))


@pytest.fixture(scope="session", name="tarball")
def fixture_tarball(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("artifact")
    environments.run(BIN / "ansible-galaxy", "collection", "build", "--output-path", folder, cwd=ROOT)
    return next(folder.glob("vcf-ray-*.tar.gz"))


@pytest.fixture(scope="session", name="installed")
def fixture_installed(tarball: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    folder = tmp_path_factory.mktemp("installed")
    installed = Installed(folder / "collections", folder / "cwd")
    installed.folder.mkdir()
    # Else one that is anywhere else on the path of collections would do.
    environments.run(BIN / "ansible-galaxy", "collection", "install", "--force", "--offline", tarball, "-p", installed.path)
    return installed


@pytest.fixture(scope="session", name="bare")
def fixture_bare(installed: Installed, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The same without all that is not KEPT."""
    folder = tmp_path_factory.mktemp("bare")
    bare = Installed(folder / "collections", folder / "cwd")
    bare.folder.mkdir()
    shutil.copytree(installed.path, bare.path)
    for entry in [entry for entry in bare.root.iterdir() if entry.name not in KEPT]:
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    assert {entry.name for entry in bare.root.iterdir()} == KEPT
    return bare


@pytest.fixture(scope="session", name="lab")
def fixture_lab(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Lab]:
    lab = Lab(tmp_path_factory.mktemp("lab") / "state")
    lab.up()
    yield lab
    lab.down()
