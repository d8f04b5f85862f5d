# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compiled files beside the sources: a container whose root is read-only would compile all anew at each start."""

from __future__ import annotations

import importlib.util
import marshal
from pathlib import Path

# Never compared with the source (PEP 552): its time is no part of an image that is the same bytes whenever it is made.
UNCHECKED_HASH = (0b01).to_bytes(4, "little")


def compiled(files: dict[str, Path]) -> dict[str, bytes]:
    """What this Python finds in `__pycache__`, for each source among the files."""
    found: dict[str, bytes] = {}
    for name, path in sorted(files.items()):
        if name.endswith(".py"):
            source = path.read_bytes()
            try:
                code = compile(source, f"/{name}", "exec", dont_inherit=True)
            except SyntaxError:
                continue  # for another Python, or a template
            header = importlib.util.MAGIC_NUMBER + UNCHECKED_HASH + importlib.util.source_hash(source)
            found[importlib.util.cache_from_source(name, optimization="")] = header + marshal.dumps(code)
    return found
