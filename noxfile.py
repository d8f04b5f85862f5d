# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each check alone: ``nox -l`` lists them, ``nox -s NAME`` runs one, ``nox`` those that look at the source only.

They run in .venv, with the tools of tests/requirements.txt, which ``make`` installs when they are missing.
"""

from __future__ import annotations

import pathlib
import re
from collections.abc import Callable

import nox

ROOT = pathlib.Path(__file__).parent
BIN = ROOT / ".venv/bin"
# tests/run tests the artifact in a tree of its own, and knows how long each of its stages may take.
STAGES = re.findall(r"^ *(?:stage|long) (\w+) (\d+)$", (ROOT / "tests/run").read_text(encoding="utf-8"), re.MULTILINE)
# Before all others, and the one that runs this file.
NOT_ALONE = {"build", "cores", "quality"}

nox.options.default_venv_backend = "none"
nox.options.tags = ["quality"]


def run(session: nox.Session, tool: str, *arguments: str) -> None:
    """A tool of .venv, whichever environment is active."""
    session.run("make", "--silent", ".venv/tools", external=True, silent=True)
    session.run(str(BIN / tool), *arguments, external=True)


@nox.session(tags=["quality"])
def ruff(session: nox.Session) -> None:
    """Habits and faults of the Python code: ruff."""
    run(session, "ruff", "check", *(session.posargs or ["."]))


@nox.session(tags=["quality"])
def typing(session: nox.Session) -> None:
    """Types of what the plugins share, of the lab and of the release program: mypy. The plugins also as their oldest Python reads them."""
    run(session, "mypy")
    run(session, "mypy", "release")
    run(session, "mypy", "--python-version", "3.10", "plugins/module_utils", "tests/typing")


@nox.session(tags=["quality"])
def licences(session: nox.Session) -> None:
    """Every file has a licence and somebody who has the copyright: reuse."""
    run(session, "reuse", "lint", "--lines")


@nox.session(tags=["quality"])
def spelling(session: nox.Session) -> None:
    """Slips of the pen in all that git knows: codespell. Words of the project are in .codespell-words."""
    session.run("make", "--silent", ".venv/tools", external=True, silent=True)
    session.run("sh", "-c", f"git ls-files -z | xargs -0 '{BIN}/codespell'", external=True)


@nox.session(tags=["quality"])
def changelog(session: nox.Session) -> None:
    """Fragments that can become release notes: antsibull-changelog."""
    run(session, "antsibull-changelog", "lint")


@nox.session
def importer(session: nox.Session) -> None:
    """The artifact of what is committed, and Galaxy's importer on it: no line of warning or error."""
    session.run("make", "--silent", "build/importer/ready", external=True)
    run(session, "python", "-m", "release", "build")
    run(session, "python", "-m", "release", "importer")


def stage(name: str, seconds: str) -> Callable[[nox.Session], None]:
    """A stage of tests/run as a session."""
    def alone(session: nox.Session) -> None:
        session.run(str(ROOT / "tests/run"), name, external=True)
    alone.__doc__ = f"Stage {name} of tests/run, at most {int(seconds) // 60} minutes."
    return alone


for _name, _seconds in STAGES:
    if _name not in NOT_ALONE:
        nox.session(stage(_name, _seconds), name=_name)
