# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Markdown of the repository as pages of the site: one source, whose links are made to hold in both."""

from __future__ import annotations

import os
import pathlib
import re
import shutil

import yaml

LINK = re.compile(r"(?<=\]\()(?![a-z]+:|#)([^)#\s]+)(#[^)\s]*)?(?=\))")
CODE = re.compile(r"(`+[^`]+`+)")
ROLE = re.compile(r"roles/([a-z_]+)/(README\.md|meta/argument_specs\.yml)")


class BadPage(Exception):
    """A page cannot be part of the site; the message says which and why."""


def place(root: pathlib.Path, page: pathlib.PurePath, target: str) -> str:
    """Where a link of a page leads on the site, from the site's own root; page and result are relative to it."""
    path = os.path.normpath(page.parent / target)
    if path.startswith("..") or not (root / path).exists():
        raise BadPage(f"{page} links to {target}, which is not there.")
    role = ROLE.fullmatch(path)
    if role:
        return f"reference/{role[1]}_role.rst"
    if (root / path).is_dir():
        raise BadPage(f"{page} links to the folder {target}. Link to a file in it.")
    return "index.md" if path == "README.md" else path


def relinked(root: pathlib.Path, page: pathlib.PurePath, text: str) -> tuple[str, set[str]]:
    """The text with links as they are on the site, and the files that it leads to; what is code stays as it is."""
    files = set()
    at = pathlib.PurePath("index.md") if page.name == "README.md" else page

    def link(match: re.Match) -> str:
        path = place(root, page, match[1])
        files.add(path)
        return os.path.relpath(path, at.parent) + (match[2] or "")

    lines, fence = [], ""
    for line in text.splitlines():
        mark = re.match(r"\s*(`{3,}|~{3,})", line)
        if mark and (not fence or line.strip() == fence):
            fence = "" if fence else mark[1]
            lines.append(line)
        elif fence:
            lines.append(line)
        else:
            lines.append("".join(part if part.startswith("`") else LINK.sub(link, part) for part in CODE.split(line)))
    return "\n".join(lines) + "\n", files


def contents(root: pathlib.Path) -> str:
    """The table of contents beside each page."""
    parts = yaml.safe_load((root / "docs/docsite/contents.yml").read_text(encoding="utf-8"))
    parts.append({"caption": "Reference", "pages": ["../reference/index", "../reference/environment_variables", "../CHANGELOG"]})
    text = ""
    for part in parts:
        entries = "\n".join(os.path.normpath(f"docs/{page}") for page in part["pages"])
        text += f"\n```{{toctree}}\n:hidden:\n:caption: {part['caption']}\n\n{entries}\n```\n"
    return text


def stage(root: pathlib.Path, source: pathlib.Path) -> None:
    """README.md as the first page, docs/*.md, and every file that one of them links to, into the folder of Sphinx."""
    wanted = {"CHANGELOG.rst"}
    for path in [root / "README.md", *sorted((root / "docs").glob("*.md"))]:
        page = path.relative_to(root)
        text, files = relinked(root, page, path.read_text(encoding="utf-8"))
        wanted |= files
        at = source / ("index.md" if page.name == "README.md" else page)
        at.parent.mkdir(exist_ok=True)
        at.write_text(text + contents(root) if page.name == "README.md" else text, encoding="utf-8")
    for name in sorted(wanted):
        if not name.startswith("reference/") and not (source / name).exists():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(root / name, source / name)
    changelog = source / "CHANGELOG.rst"
    changelog.write_text(without_contents(changelog.read_text(encoding="utf-8")), encoding="utf-8")


def without_contents(text: str) -> str:
    """A page without a list of its own headings, which the theme shows beside it."""
    return re.sub(r"^\.\. contents::.*\n(?:[ \t]+.*\n)*", "", text, flags=re.MULTILINE)


def reference_index(text: str) -> str:
    """The first page of the reference with a title in words, and short names in the table of contents."""
    titled, count = re.subn(r"^Vcf\.Ray\n=+\n", "Modules, roles and plugins\n==========================\n", text, count=1, flags=re.MULTILINE)
    if not count:
        raise BadPage("antsibull-docs has given its index another title than Vcf.Ray: see staging.reference_index.")

    def entry(match: re.Match) -> str:
        kind = "" if match[2] == "module" else f" ({match[2]})"
        return f"    {match[1]}{kind} <{match[1]}_{match[2]}>"

    return re.sub(r"^    ([a-z_]+)_(module|role|inventory)$", entry, titled, flags=re.MULTILINE)
