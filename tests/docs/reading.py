# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Markdown of the repository as the tests see it: blocks of code, links, and the anchors that links may name."""

from __future__ import annotations

import dataclasses
import pathlib
import re
import typing as t

import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = pathlib.Path(__file__).parents[2]
NOT_RUN = re.compile(r"<!-- not run: (.*) -->")


@dataclasses.dataclass(frozen=True)
class Block:
    """A fenced block; ``reason`` is that of the comment right before it which says that it is not run."""

    page: str
    line: int
    language: str
    text: str
    reason: str | None

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    def parsed(self) -> list[t.Any]:
        """The documents of a block of YAML."""
        return list(yaml.safe_load_all(self.text))

    def is_playbook(self) -> bool:
        """Whether it is a list of plays."""
        documents = self.parsed() if self.language == "yaml" else []
        plays = [play for document in documents if isinstance(document, list) for play in document if isinstance(play, dict)]
        return any({"hosts", "import_playbook"} & {key.split(".")[-1] for key in play} for play in plays)


def pages() -> list[str]:
    """The pages of the site, as paths in the repository."""
    return ["README.md", *(str(path.relative_to(ROOT)) for path in sorted((ROOT / "docs").glob("*.md")))]


def tokens(page: str) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse((ROOT / page).read_text(encoding="utf-8"))


def blocks(page: str) -> list[Block]:
    """All fenced blocks of a page, those in lists too."""
    found, before = [], None
    for token in tokens(page):
        if token.type == "fence":
            reason = NOT_RUN.fullmatch(before.content.strip()) if before is not None and before.type == "html_block" else None
            found.append(Block(page, t.cast("list[int]", token.map)[0] + 1, token.info.split(" ")[0], token.content, reason[1] if reason else None))
        before = token
    return found


def links(page: str) -> list[str]:
    """Where the links and pictures of a page lead."""
    inner = [child for token in tokens(page) for child in token.children or []]
    return [str(child.attrs[name]) for child in inner for kind, name in (("link_open", "href"), ("image", "src")) if child.type == kind]


def slug(title: str) -> str:
    """The anchor of a heading, as GitHub and MyST make it."""
    return re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-")


def anchors(page: str) -> set[str]:
    found: set[str] = set()
    parsed = tokens(page)
    for i, token in enumerate(parsed):
        if token.type == "heading_open":
            title = slug("".join(child.content for child in parsed[i + 1].children or []))
            number = 1
            while title in found:
                title, number = f"{title.removesuffix(f'-{number - 1}')}-{number}", number + 1
            found.add(title)
    return found
