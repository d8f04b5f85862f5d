# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The written pages, and what of them can be held against the code: quoted messages, names, blocks of variables."""

from __future__ import annotations

import ast
import functools
import pathlib
import re
import typing as t

import yaml

ROOT = pathlib.Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
ROLES = sorted(path.name for path in (ROOT / "roles").iterdir())
# A text may be put together of so many pieces, as a reason is put into a sentence; shorter pieces would be found anywhere.
MOST_PIECES, LEAST_LENGTH = 2, 8


def quoted(text: str) -> t.Iterator[str]:
    """What stands in backticks in the first column of tables that begin with ``what is said``, without the names and numbers."""
    for table in re.findall(r"^\| what is said \|.*\n\|[-|]+\n((?:\|.*\n)+)", text, re.MULTILINE):
        for row in table.splitlines():
            for quote in re.findall(r"`([^`]+)`", row.split("|")[1]):
                yield from (piece for piece in re.split(r"\.\.\.", quote) if len(piece.strip()) >= LEAST_LENGTH)


@functools.cache
def corpus() -> str:
    """All that the collection may say, and all that the lab says in a vendor's place; what no sentence spans is between the pieces."""
    pieces = []
    for folder in ("plugins", "lab/vcf_lab"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            pieces += [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    for role in ROLES:
        pieces += [" ".join(path.read_text(encoding="utf-8").split()) for path in sorted((ROOT / "roles" / role).rglob("*.yml"))]
    return "\x00".join(pieces)


def is_said(piece: str, known: str | None = None) -> bool:
    """Whether the piece is one text of the code, or two that are put together."""
    known, rest, pieces = known if known is not None else corpus(), piece.strip(' .:;,'), 0
    while rest and pieces < MOST_PIECES:
        length = next((n for n in range(len(rest), LEAST_LENGTH - 1, -1) if rest[:n] in known), 0)
        if not length:
            return False
        rest, pieces = rest[length:], pieces + 1
    return not rest


@functools.cache
def options(role: str) -> dict:
    return yaml.safe_load((ROOT / "roles" / role / "meta/argument_specs.yml").read_text(encoding="utf-8"))["argument_specs"]["main"]["options"]


@functools.cache
def facts() -> frozenset[str]:
    """What roles and playbooks leave behind, beside their variables."""
    found: set[str] = set()
    for path in [*(ROOT / "roles").rglob("*.yml"), *(ROOT / "playbooks").rglob("*.yml")]:
        found |= set(re.findall(r"^\s+([a-z_]+):", path.read_text(encoding="utf-8"), re.MULTILINE))
    return frozenset(found)


@functools.cache
def names() -> frozenset[str]:
    """All that can stand behind ``vcf.ray.``."""
    files = [*(ROOT / "plugins/modules").glob("*.py"), *(ROOT / "plugins/inventory").glob("*.py"), *(ROOT / "playbooks").glob("*.yml")]
    groups = yaml.safe_load((ROOT / "meta/runtime.yml").read_text(encoding="utf-8"))["action_groups"]
    return frozenset({path.stem for path in files} | set(ROLES) | set(groups))
