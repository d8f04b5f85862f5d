# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PID 1 of a container: its home, its mounts, then its command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from . import disk, environment, spec
from .mounts import cover, mount
from .reaper import wait_for


def main(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    vm = spec.current()
    mount("--make-rprivate", "/")
    disk.show_meminfo(vm)
    home = Path(environment.CONTAINER_HOME)
    home.mkdir(parents=True, exist_ok=True)
    sources = _sources(folder, config["mounts"])
    cover(str(home), folder / "home", vm.keep)
    for source, target in sources:
        _bind(source, Path(target))
    (home / ".bashrc").touch()
    # Nobody closes this pipe: an interactive `bash` without terminal has to live on.
    reading, _writing = os.pipe()
    child = subprocess.Popen(
        config["command"], env=config["env"], cwd=home, stdin=reading, start_new_session=True, close_fds=True
    )
    (folder / "ready").touch()
    wait_for(child.pid)


def _sources(folder: Path, mounts: list[list[str]]) -> list[tuple[Path, str]]:
    """Bind each source aside first: covering the home may hide it."""
    pairs = []
    for number, (source, target) in enumerate(mounts):
        if not os.path.exists(source):
            os.makedirs(source)  # as docker does
        aside = folder / "mounts" / str(number)
        _bind(Path(source), aside)
        pairs.append((aside, target))
    return pairs


def _bind(source: Path, target: Path) -> None:
    if source.is_dir():
        target.mkdir(parents=True, exist_ok=True)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
    mount("--rbind", str(source), str(target))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
