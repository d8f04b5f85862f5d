# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What git and galaxy.yml say of the tree that is to be released."""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
import sys

import yaml


class Refusal(Exception):
    """Why there is no release now, in sentences."""


class Tree:
    """A checkout of the collection."""

    def __init__(self, root: pathlib.Path) -> None:
        self.root = root
        galaxy = yaml.safe_load((root / "galaxy.yml").read_text(encoding="utf-8"))
        self.version: str = galaxy["version"]
        self.file = f"{galaxy['namespace']}-{galaxy['name']}-{self.version}.tar.gz"
        self.tag = f"v{self.version}"

    def git(self, *arguments: str) -> str:
        return self._run("git", *arguments).stdout

    def tool(self, name: str, *arguments: str) -> str:
        """All that a tool says, which is the one of the environment that this runs in."""
        folder = pathlib.Path(sys.executable).parent
        done = self._run(str(folder / name), *arguments, PATH=f"{folder}:{os.environ['PATH']}")
        return done.stdout + done.stderr

    def _run(self, *command: str, **env: str) -> subprocess.CompletedProcess[str]:
        """What a program says of its failure becomes ours."""
        done = subprocess.run(command, cwd=self.root, env={**os.environ, **env}, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Refusal(f"{' '.join(command[:3])} failed: {(done.stderr or done.stdout).strip()}")
        return done

    def tracked(self) -> set[str]:
        return set(self.git("ls-files", "-z").strip("\0").split("\0"))

    def dirty(self) -> list[str]:
        """Paths that are not as they were committed, or that git has not heard of."""
        return [line[3:] for line in self.git("status", "--porcelain").splitlines()]

    def content(self) -> str:
        """Names what is committed: the same for two commits with the same files."""
        return self.git("rev-parse", "HEAD^{tree}").strip()

    def time(self) -> int:
        """Seconds that all entries of an artifact get, so that they tell nothing of when it was built."""
        return int(os.environ.get("SOURCE_DATE_EPOCH") or self.git("log", "-1", "--format=%ct"))

    def releases(self) -> list[tuple[int, ...]]:
        """Versions that were released, the last one at the end."""
        found = re.findall(r"^v(\d+\.\d+\.\d+)$", self.git("tag", "--list", "v*"), re.MULTILINE)
        return sorted(numbers(version) for version in found)


def numbers(version: str) -> tuple[int, ...]:
    """1.10.0 comes after 1.9.0."""
    return tuple(int(part) for part in version.split("."))
