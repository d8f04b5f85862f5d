# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A reference to an image or a bundle, in its parts; one that is wrong is told what is wrong with it."""

from __future__ import annotations

import re
import typing as t

from .._errors import RayError

HOST = re.compile(r"(\[[0-9a-fA-F:]+\]|[a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?)(:[0-9]{1,5})?$")
COMPONENT = re.compile(r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*$")
TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,127}$")
DIGEST = re.compile(r"sha256:[0-9a-f]{64}$")
FORM = "Write it as REGISTRY/REPOSITORY:TAG, such as registry.example.com/ray/operator:1.2.0."


class Reference(t.NamedTuple):
    """``registry`` (host with port), ``repository`` in it, and ``tag`` or ``digest``, or both, or neither."""

    registry: str
    repository: str
    tag: str | None = None
    digest: str | None = None

    @classmethod
    def parse(cls, text: str, what: str = "reference") -> Reference:
        """The parts of ``HOST[:PORT]/REPOSITORY[:TAG][@sha256:DIGEST]``.

        Args:
            what: what the user calls it, usually the name of the option.
        Raises:
            RayError: ``INPUT``.
        """
        rest, at, digest = text.partition("@")
        first, slash, path = rest.partition("/")
        path, colon, tag = path.partition(":")
        wrong = _wrong(text, first if slash else None, path) or _wrong_end(tag if colon else None, digest if at else None)
        if wrong:
            raise RayError(f"The {what} {text!r} cannot be used: {wrong}.", code="INPUT", hint=FORM)
        return cls(first, path, tag or None, digest or None)

    @classmethod
    def of_repository(cls, text: str, what: str) -> Reference:
        """A repository alone, where tag and digest are the version's and the content's.

        Raises:
            RayError: ``INPUT`` when it cannot be used, or has one of the two.
        """
        reference = cls.parse(text, what)
        if reference.tag or reference.digest:
            raise RayError(f"The {what} {text!r} is more than a repository.", code="INPUT", hint=f"Write {reference.name} alone: its tag is the version.")
        return reference

    @property
    def name(self) -> str:
        """Without tag and digest."""
        return f"{self.registry}/{self.repository}"

    def at(self, digest: str) -> Reference:
        """The one content of the repository that has this digest."""
        return self._replace(tag=None, digest=digest)

    def tagged(self, tag: str) -> Reference:
        return self._replace(tag=tag, digest=None)

    def __str__(self) -> str:
        return self.name + (f":{self.tag}" if self.tag else "") + (f"@{self.digest}" if self.digest else "")


def _wrong(text: str, host: str | None, path: str) -> str | None:
    """What is wrong with registry and repository, in words that fit behind a colon."""
    if "://" in text:
        return "it begins with a scheme, and a reference has none"
    if not text or re.search(r"\s", text):
        return "it has a blank in it" if text else "it is empty"
    if host is None or not ("." in host or ":" in host or host == "localhost"):
        return "it does not begin with the host of a registry"
    if not HOST.match(host):
        return f"{host!r} is no host"
    if path != path.lower():
        return "a repository has no upper-case letters"
    wrong = next((part for part in path.split("/") if not COMPONENT.match(part)), None)
    if wrong is None:
        return None
    return f"{wrong!r} is no part of a repository's name" if wrong else "a part of the repository's name is empty"


def _wrong_end(tag: str | None, digest: str | None) -> str | None:
    if tag is not None and not TAG.match(tag):
        return f"{tag!r} is no tag" if tag else "its tag is empty"
    if digest is not None and not DIGEST.match(digest):
        return "its digest is not sha256: and 64 hexadecimal digits"
    return None
