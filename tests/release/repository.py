# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checkouts that a test writes to: a small collection, or this tree as if all of it were committed."""

from __future__ import annotations

import os
import pathlib
import subprocess

import yaml

from release.tree import Tree

ROOT = pathlib.Path(__file__).parents[2]

MODULE = '''#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
DOCUMENTATION = """
module: greet
version_added: 1.0.0
short_description: Say hello
description: [Says hello.]
author: [Somebody (@somebody)]
options: {}
"""
EXAMPLES = "- some.thing.greet:"
RETURN = ""
'''

GALAXY = {"namespace": "some", "name": "thing", "version": "1.0.0", "readme": "README.md", "authors": ["Somebody"], "license": ["GPL-3.0-or-later"],
          "description": "Says hello", "tags": ["cloud"], "dependencies": {}, "repository": "https://example.com/some", "build_ignore": [".git", "build"]}


class Repository:
    """A checkout that a test writes to."""

    def __init__(self, root: pathlib.Path) -> None:
        self.root = root
        self.git("init", "-q", "-b", "main")
        self.git("config", "user.name", "Somebody")
        self.git("config", "user.email", "somebody@example.com")

    def git(self, *arguments: str) -> str:
        return subprocess.run(["git", *arguments], cwd=self.root, check=True, capture_output=True, text=True).stdout

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def galaxy(self, **values: object) -> None:
        self.write("galaxy.yml", yaml.safe_dump({**GALAXY, **values}))

    def commit(self) -> None:
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "Go on")

    @property
    def tree(self) -> Tree:
        """Anew each time: what it knows of galaxy.yml it has read once."""
        return Tree(self.root)


def copy(target: pathlib.Path, names: list[str], umask: int) -> Repository:
    """This tree, written in an order and with a umask, and committed."""
    target.mkdir()
    made = Repository(target)
    before = os.umask(umask)
    try:
        for name in names:
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            if (ROOT / name).is_symlink():
                (target / name).symlink_to(os.readlink(ROOT / name))
            else:
                (target / name).write_bytes((ROOT / name).read_bytes())
                (target / name).chmod((0o777 if os.access(ROOT / name, os.X_OK) else 0o666) & ~umask)
    finally:
        os.umask(before)
    made.commit()
    return made
