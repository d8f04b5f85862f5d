# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m release STEP``: one step of ``make release``, which lists them in their order."""

from __future__ import annotations

import argparse
import datetime
import filecmp
import pathlib
import sys
import tempfile

from . import artifact, changelog, contents, importer, refusals
from .tree import Refusal, Tree

ROOT = pathlib.Path(__file__).parents[1]


def refuse(complaints: list[str]) -> None:
    if complaints:
        raise Refusal("\n".join(complaints))


def ready(tree: Tree) -> str:
    refuse(refusals.against(tree))
    return f"Nothing speaks against {tree.version}."


def notes(tree: Tree) -> str:
    """Also on its own, as ``make changelog``: so that the notes can be read, and mended, before a release."""
    if tree.tag in tree.git("tag", "--list").split():
        raise Refusal(f"{tree.version} is released, and so are its notes. Raise the version in galaxy.yml.")
    changed = changelog.write(tree, datetime.datetime.now(tz=datetime.UTC).date())
    tree.tool("antsibull-changelog", "lint")
    return "CHANGELOG.rst was written: read it." if changed else "CHANGELOG.rst tells all."


def commit(tree: Tree) -> str:
    if not tree.git("status", "--porcelain", "--", *changelog.WRITTEN):
        return "The release notes are committed."
    changelog.commit(tree)
    return "The release notes were committed."


def tested(tree: Tree) -> str:
    """Whether tests/run all has passed with these very files."""
    seen = tree.root / "build/tested"
    if not seen.exists() or seen.read_text(encoding="utf-8").strip() != tree.content():
        raise Refusal("The tests have not run with what is committed now.")
    return "The tests have passed with what is committed now."


def passed(tree: Tree) -> str:
    """Said by tests/run all at its end. What is not committed has been tested too, and so proves nothing of the commit."""
    if tree.dirty():
        return "Not noted for a release: the tree is not as it was committed."
    (tree.root / "build/tested").write_text(tree.content() + "\n", encoding="utf-8")
    return "Noted for a release: the tests have passed with what is committed."


def build(tree: Tree) -> str:
    """Twice, since only then it is known to be the same each time."""
    made = artifact.build(tree, tree.root / "build/release")
    with tempfile.TemporaryDirectory() as folder:
        again = artifact.build(tree, pathlib.Path(folder))
        if not filecmp.cmp(made, again, shallow=False):
            raise Refusal(f"Two builds of {tree.file} differ. Was the tree written to meanwhile?")
    refuse(contents.complaints(artifact.names(made), tree.tracked()))
    made.with_suffix(".gz.sha256").write_text(f"{artifact.digest(made)}  {tree.file}\n", encoding="utf-8")
    return f"{made.relative_to(tree.root)} is the same in two builds: sha256 {artifact.digest(made)}."


def imported(tree: Tree) -> str:
    made = tree.root / "build/release" / tree.file
    refuse(importer.complaints(made, tree.root / "build/importer/bin/python"))
    accepted = "".join(f"\nAccepted: {pattern}, since {reason}" for pattern, reason in importer.ACCEPTED.items())
    return f"galaxy-importer has nothing against {tree.file}.{accepted}"


def tag(tree: Tree) -> str:
    tree.git("tag", "-a", tree.tag, "-m", f"vcf.ray {tree.version}")
    return (f"{tree.tag} is a tag now. What is left is the upload:\n  git push --follow-tags\n"
            f"  {pathlib.Path(sys.executable).parent}/ansible-galaxy collection publish build/release/{tree.file}")


STEPS = {"ready": ready, "changelog": notes, "commit": commit, "tested": tested, "passed": passed, "build": build, "importer": imported, "tag": tag}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m release", description="One step of a release.")
    parser.add_argument("step", choices=STEPS)
    try:
        print(STEPS[parser.parse_args().step](Tree(ROOT)))
    except Refusal as refusal:
        print(refusal, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
