# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What speaks against a release. All of it is told at once."""

from __future__ import annotations

import itertools
import re

from . import changelog
from .tree import Tree, numbers

SINCE = re.compile(r"""^\s*version_added: ["']?([^"'\s]+)""", re.MULTILINE)
# What users meet: a change of it wants a word in the release notes.
PRODUCT = ("plugins", "roles", "playbooks", "aap", "extensions/audit", "requirements.txt")


def against(tree: Tree) -> list[str]:
    """Sentences, none when a release can be made."""
    if not re.fullmatch(r"\d+\.\d+\.\d+", tree.version):
        return [f"galaxy.yml has the version {tree.version}: a release needs three numbers, such as 1.2.0."]
    return [*files(tree), *version(tree), *news(tree), *since(tree)]


def files(tree: Tree) -> list[str]:
    dirty = tree.dirty()
    shown = ", ".join(dirty[:5]) + (f" and {len(dirty) - 5} more" if len(dirty) > 5 else "")
    return [f"The tree is not as it was committed ({shown}): commit or remove it."] if dirty else []


def version(tree: Tree) -> list[str]:
    released = tree.releases()
    if numbers(tree.version) in released:
        return [f"{tree.version} is released: {tree.tag} is a tag. Raise the version in galaxy.yml."]
    if released and numbers(tree.version) < released[-1]:
        return [f"galaxy.yml has the version {tree.version}, and {'.'.join(map(str, released[-1]))} is released. Raise it."]
    return []


def news(tree: Tree) -> list[str]:
    """A first release has to say what it is, a later one what has changed for users."""
    if changelog.fragments(tree) or changelog.entry(tree):
        return []
    released = tree.releases()
    changed = tree.git("diff", "--name-only", f"v{'.'.join(map(str, released[-1]))}", "--", *PRODUCT).split() if released else []
    what = f"{len(changed)} files have changed for users, {changed[0]} first, and nothing" if changed else "Nothing"
    return [f"{what} says what is new in {tree.version}: write a fragment into changelogs/fragments."]


def since(tree: Tree) -> list[str]:
    """Parts that say they are from a version still to come, or from none that antsibull-changelog would list."""
    said = []
    for path in itertools.chain((tree.root / "plugins").rglob("*.py"), (tree.root / "roles").glob("*/meta/argument_specs.yml")):
        for found in SINCE.findall(path.read_text(encoding="utf-8")):
            if not re.fullmatch(r"\d+\.\d+\.\d+", found) or numbers(found) > numbers(tree.version):
                said.append(f"{path.relative_to(tree.root)} says version_added: {found}, and this is {tree.version}.")
    return sorted(said)
