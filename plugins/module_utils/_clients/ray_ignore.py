# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which files of a folder go to a cluster: patterns as those of .gitignore, in the options and in ignore files of any depth.

As for Ray's own client each ignore file counts for its folder and what lies below, one that excludes is enough, and what lies in an
excluded folder stays out.
"""

from __future__ import annotations

import os
import re
import typing as t

from .._errors import RayError

IGNORE_FILES = (".gitignore", ".rayignore")


class Patterns:
    """The lines of one ignore file; the last one that matches decides."""

    def __init__(self, lines: t.Iterable[str]) -> None:
        self._rules = [rule for rule in map(_rule, lines) if rule]

    def exclude(self, path: str, is_folder: bool) -> bool:
        """``path`` is relative to the folder of the file, with slashes."""
        excluded = False
        for pattern, negated, folders_only in self._rules:
            if (is_folder or not folders_only) and pattern.fullmatch(path):
                excluded = not negated
        return excluded


def files_of(root: str, excludes: t.Iterable[str], gitignore: bool = True) -> list[tuple[str, str]]:
    """The files below ``root`` that are not excluded: name in the folder and path, sorted; an empty folder's name ends in a slash."""
    found: list[tuple[str, str]] = []
    _walk(root, "", [("", Patterns(excludes))], IGNORE_FILES if gitignore else IGNORE_FILES[1:], found, frozenset())
    return sorted(found)


def _walk(path: str, name: str, rules: list[tuple[str, Patterns]], ignore_files: tuple[str, ...], found: list[tuple[str, str]],
          above: frozenset[str]) -> None:
    real = os.path.realpath(path)
    if real in above:
        raise RayError(f"The folder {path} is a link to a folder that it lies in.", code="INPUT", hint="Leave it out with excludes.")
    try:
        entries = sorted(os.listdir(path))
        rules = [*rules, *((name, Patterns(_lines(os.path.join(path, file)))) for file in ignore_files if os.path.isfile(os.path.join(path, file)))]
    except OSError as error:
        raise RayError(f"{error.filename or path} cannot be read: {error.strerror}.", code="INPUT", hint="Leave it out with excludes.") from error
    if not entries and name:
        found.append((name, path))
    for entry in entries:
        inner = os.path.join(path, entry)
        is_folder = os.path.isdir(inner)
        if any(patterns.exclude((name + entry)[len(base):], is_folder) for base, patterns in rules):
            continue
        if is_folder:
            _walk(inner, f"{name}{entry}/", rules, ignore_files, found, above | {real})
        elif os.path.isfile(inner):
            found.append((name + entry, inner))


def _lines(path: str) -> list[str]:
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read().splitlines()


def _rule(line: str) -> tuple[re.Pattern[str], bool, bool] | None:
    """Pattern, whether it takes back, whether it is for folders alone."""
    line = re.sub(r"(?<!\\)\s+$", "", line)
    if not line or line.startswith("#"):
        return None
    negated = line.startswith("!")
    line = line[1:] if negated else line
    folders_only, line = line.endswith("/"), line.rstrip("/")
    if not line:
        return None
    anchored = "/" in line
    return re.compile(("" if anchored else "(?:.*/)?") + _regex(line.lstrip("/")), re.DOTALL), negated, folders_only


def _regex(pattern: str) -> str:
    """git's wildcards: ``**`` passes slashes, ``*``, ``?`` and ``[...]`` do not."""
    parts = {"**/": "(?:.*/)?", "/**": "/.*", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    result = ""
    for found in re.finditer(r"\*\*/|/\*\*$|\*\*|\*|\?|\[[!^]?\]?[^\]]*\]|\\.|.", pattern, re.DOTALL):
        token = found.group()
        if token in parts:
            result += parts[token]
        elif token.startswith("[") and len(token) > 1:
            negated = token[1] in "!^"
            members = token[2 if negated else 1:-1].replace("\\", "\\\\").replace("[", "\\[")
            result += f"(?!/)[{'^' if negated else ''}{members}]"
        else:
            result += re.escape(token[-1] if token.startswith("\\") and len(token) > 1 else token)
    return result
