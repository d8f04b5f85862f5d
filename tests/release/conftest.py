# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small collection in a repository of its own, and this tree as if all of it were committed."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess

import pytest
from repository import MODULE, ROOT, Repository, copy


@pytest.fixture(autouse=True)
def no_time_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)


@pytest.fixture
def small(tmp_path: pathlib.Path) -> Repository:
    """A collection with one module, never released."""
    (tmp_path / "small").mkdir()
    made = Repository(tmp_path / "small")
    made.galaxy()
    made.write(".gitignore", "build/\n.cache/\nchangelogs/.plugin-cache.yaml\n")
    for name, text in {"README.md": "# some.thing\n", "LICENSE": "GPL\n", "meta/runtime.yml": "---\nrequires_ansible: '>=2.16.0'\n",
                       "plugins/modules/greet.py": MODULE, "changelogs/fragments/first.yml": "---\nrelease_summary: The first.\n"}.items():
        made.write(name, text)
    shutil.copy(ROOT / "changelogs/config.yaml", made.root / "changelogs/config.yaml")
    made.commit()
    return made


@pytest.fixture(scope="session")
def names() -> list[str]:
    """Paths of all that is committed, or would be by ``git add``."""
    listed = subprocess.run(["git", "ls-files", "-coz", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return sorted(name for name in set(listed.strip("\0").split("\0")) if os.path.lexists(ROOT / name))


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory, names: list[str]) -> Repository:
    """This tree as if all of it were committed."""
    return copy(tmp_path_factory.mktemp("whole") / "tree", names, 0o022)
