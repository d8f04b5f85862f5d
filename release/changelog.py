# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The release notes: fragments become the entry of the version in galaxy.yml.

Until the version is tagged this can be done again; later fragments and plugins then join its entry.
"""

from __future__ import annotations

import datetime
from typing import Any

import yaml

from .tree import Refusal, Tree

WRITTEN = ("CHANGELOG.rst", "changelogs")
NOTES = ("CHANGELOG.rst", "changelogs/changelog.yaml")
# Said of every later fragment, although the entry that it joins has its summary.
NO_SUMMARY = "Found no release_summary section"


def fragments(tree: Tree) -> list[str]:
    """Names of what no release tells yet."""
    return sorted(path.name for path in (tree.root / "changelogs/fragments").glob("*.y*ml"))


def entry(tree: Tree) -> dict[str, Any]:
    """What the release notes hold of the version; nothing when it is not in them."""
    path = tree.root / "changelogs/changelog.yaml"
    known = yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else {}
    found: dict[str, Any] = known.get("releases", {}).get(tree.version, {})
    return found


def write(tree: Tree, today: datetime.date) -> bool:
    """Brings the release notes up to the tree; whether there was anything to bring."""
    before, texts = entry(tree), notes(tree)
    if not fragments(tree) and not before:
        raise Refusal(f"Nothing says what is new in {tree.version}: write a fragment into changelogs/fragments.")
    date = str(before["release_date"]) if before and not fragments(tree) else today.isoformat()
    said = tree.tool("antsibull-changelog", "release", "--date", date, *(["--update-existing"] if before else []),
                     "--reload-plugins", "--refresh-plugins", "prevent-removal")
    if warnings := [line for line in said.splitlines() if "WARNING" in line and not (before and NO_SUMMARY in line)]:
        raise Refusal("\n".join(warnings))
    return notes(tree) != texts


def notes(tree: Tree) -> list[str]:
    return [path.read_text(encoding="utf-8") for name in NOTES if (path := tree.root / name).exists()]


def commit(tree: Tree) -> None:
    """Of the notes only: nothing else is carried into a release unseen."""
    tree.git("add", "-A", "--", *WRITTEN)
    tree.git("commit", "-q", "-m", f"Tell what is new in {tree.version}", "--", *WRITTEN)
