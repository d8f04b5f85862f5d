# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The release of a vCenter, out of what it tells everyone about its vim API."""

from __future__ import annotations

import re
import typing as t

from .._errors import RayError

VIM = re.compile(r"<name>urn:vim25</name>\s*<version>([0-9.]+)</version>")


class Version(t.NamedTuple):
    """Four numbers, which compare: 8.0.3.0 for 8.0 U3."""

    major: int
    minor: int
    update: int = 0
    patch: int = 0

    @classmethod
    def of(cls, text: str) -> Version:
        return cls(*[int(number) for number in text.split(".")][:4])

    def __str__(self) -> str:
        """Without zeros at the end: 9.1, 8.0.3."""
        numbers = list(self)
        while len(numbers) > 2 and not numbers[-1]:
            numbers.pop()
        return ".".join(map(str, numbers))


def released(document: str, what: str) -> Version:
    """The version of the namespace ``urn:vim25`` in ``vimServiceVersions.xml``, which is the release of vCenter.

    Raises:
        RayError: the document is another one.
    """
    found = VIM.search(document)
    if not found or "." not in found[1]:
        raise RayError(f"{what} does not tell its version.", code="CONNECTION", hint="Check that hostname and port are those of vCenter.")
    return Version.of(found[1])
