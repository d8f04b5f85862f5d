# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A page as the shell script of a reader who does what it says: types the commands and writes the files that it shows."""

from __future__ import annotations

import dataclasses
import pathlib
import re

# What a page shows but a reader at this point does not do has such a comment before it. Files are written even so.
NOT_RUN = re.compile(r"<!-- not run here: [^>]+ -->\n$")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclasses.dataclass(frozen=True)
class Block:
    language: str
    text: str
    run: bool

    @property
    def path(self) -> str:
        """Of a file: its first line is a comment with its name."""
        found = re.match(r"# (\S+)\n", self.text)
        return found.group(1) if found else ""

    @property
    def script(self) -> str:
        if self.language == "sh":
            return self.text
        return f"mkdir -p \"$(dirname '{self.path}')\"\ncat > '{self.path}' <<'END-OF-FILE'\n{self.text}END-OF-FILE\n"


def blocks(page: pathlib.Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    return [Block(found.group(1), found.group(2), not NOT_RUN.search(text[:found.start()])) for found in BLOCK.finditer(text)]


def script(page: pathlib.Path) -> str:
    """All that the page says, in its order; it ends at the first command that fails."""
    return "set -euo pipefail\n" + "".join(block.script for block in blocks(page) if block.run)
