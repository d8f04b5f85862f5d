# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What users get: the list that galaxy.yml's ``build_ignore`` has to arrive at, from the other side.

A list of what to leave out ships the cache of the next tool without a word; this one refuses it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

SHIPPED = re.compile(r"""
    (changelogs|docs(?!/docsite/)|extensions/audit|meta|playbooks|plugins|roles|tests/unit)/.+
    | docs/docsite/links\.yml | CHANGELOG\.rst | CONTRIBUTING\.md | LICENSE | README\.md | requirements\.txt | tests/config\.yml
    """, re.VERBOSE)


def complaints(found: Iterable[str], tracked: Iterable[str]) -> list[str]:
    """What is wrong with the files of an artifact, beside those that git knows."""
    found, tracked = set(found), set(tracked)
    wanted = {path for path in tracked if SHIPPED.fullmatch(path)}
    said = [f"{path} is in the artifact, and git does not know it: commit or remove it." for path in found - tracked]
    said += [f"{path} is in the artifact and belongs to the repository only: add it to build_ignore in galaxy.yml, or to release/contents.py."
             for path in found & tracked - wanted]
    said += [f"{path} is not in the artifact: build_ignore in galaxy.yml leaves out too much." for path in wanted - found]
    return sorted(said)
