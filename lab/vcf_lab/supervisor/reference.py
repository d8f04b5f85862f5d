# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of images as a container runtime reads them."""

from __future__ import annotations

import re
from dataclasses import dataclass

HUB = "docker.io"  # what a name without a registry means
_WORD = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_HOST = r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?|\[[0-9a-fA-F:]+\])(?::[0-9]+)?"
_SHAPE = re.compile(
    rf"(?:(?P<registry>{_HOST})/)?(?P<repository>{_WORD}(?:/{_WORD})*)"
    r"(?::(?P<tag>\w[\w.-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?",
    re.ASCII,
)


class BadReference(ValueError):
    """This names no image."""


@dataclass(frozen=True)
class Reference:
    """`registry/repository[:tag][@digest]`, written out in full."""

    registry: str
    repository: str
    tag: str
    digest: str

    @classmethod
    def parse(cls, text: str) -> Reference:
        first, slash, rest = text.partition("/")
        # Only a dot, a port or this one name make the first word a host and not a folder of the hub.
        if not (slash and (first == "localhost" or any(mark in first for mark in ".:"))):
            text = f"{HUB}/{text}" if slash else f"{HUB}/library/{text}"
        found = _SHAPE.fullmatch(text)
        if not found or not found["registry"]:
            raise BadReference("invalid reference format")
        tag, digest = found["tag"] or "", found["digest"] or ""
        return cls(found["registry"], found["repository"], tag or ("" if digest else "latest"), digest)

    @property
    def name(self) -> str:
        return f"{self.registry}/{self.repository}"

    def at(self, digest: str) -> str:
        return f"{self.name}@{digest}"

    def __str__(self) -> str:
        tag, digest = self.tag and f":{self.tag}", self.digest and f"@{self.digest}"
        return f"{self.name}{tag}{digest}"
