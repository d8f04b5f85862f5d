# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The container image of Ray: what its reference tells of the Ray inside."""

from __future__ import annotations

import re
import typing as t

from .._ports import Json

_HOST = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_PART = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
# The operator's webhook has the same rule.
REFERENCE = re.compile(
    rf"(?P<name>(?:(?:{_HOST}(?:\.{_HOST})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?/)?{_PART}(?:/{_PART})*)"
    r"(?::(?P<tag>\w[\w.-]{0,127}))?(?P<digest>@[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,})?"
)
# Ray's own images, wherever they are mirrored; and others that are named like them, whose tags may be numbers of their own.
OWN, LIKE_OWN = re.compile(r"(^|/)rayproject/ray(-\w+)?$"), re.compile(r"(^|/)ray(-\w+)?$")
MOVING = re.compile(r"(latest|nightly)(-|$)")
GPU = re.compile(r"(^|-)(gpu|cu\d+)(-|$)")
# The wheels tell it: the provider that drives this kind is in 2.45.0, and not in 2.44.1.
FIRST_WITH_PROVIDER = (2, 45)
# CVE-2026-27482: before, the dashboard keeps the writes of foreign web pages out, but not their DELETE.
FIRST_WITHOUT_DELETE = (2, 54)


def version(reference: str) -> tuple[int, int] | None:
    """Major and minor of the Ray that a tag such as ``2.60.0-py311`` names; None where it names none."""
    tag = _parts(reference).get("tag") or ""
    found = re.match(r"(\d+)\.(\d+)(\.\d+)?(rc\d+)?(-|$)", tag)
    return (int(found[1]), int(found[2])) if found else None


def is_gpu(reference: str) -> bool:
    """Whether the tag says that the image brings CUDA."""
    return bool(GPU.search(_parts(reference).get("tag") or ""))


def image_faults(spec: Json) -> list[str]:
    reference = spec.get("ray_docker_image")
    if not reference:
        return []
    if not _parts(reference):
        return [f"ray_image {reference} is no reference of a container image"]
    named = version(reference)
    if OWN.search(_parts(reference)["name"]) and named and named < FIRST_WITH_PROVIDER:
        return [f"ray_image {reference} is too old: the Ray in it cannot scale a VMRayCluster, the first that can is {_dotted(FIRST_WITH_PROVIDER)}"]
    return []


def image_warnings(spec: Json) -> list[str]:
    reference, found = spec.get("ray_docker_image") or "", []
    parts, named = _parts(reference), version(reference)
    if not parts:
        return []
    if not parts["digest"] and (parts["tag"] is None or MOVING.match(parts["tag"])):
        found.append(f"ray_image {reference} has no fixed tag: nodes that are made later may run another Ray, and a newer one may want a token that "
                     "nobody has given it. Name a tag.")
    if not named or not LIKE_OWN.search(parts["name"]):
        return found
    if named >= FIRST_WITH_PROVIDER:
        if named < FIRST_WITHOUT_DELETE:
            found.append(f"ray_image {reference}: before Ray {_dotted(FIRST_WITHOUT_DELETE)} a web page may delete jobs through the browser of "
                         "whoever reaches the dashboard (CVE-2026-27482). Take a newer one.")
    elif not OWN.search(parts["name"]):
        found.append(f"If the tag of ray_image {reference} is that of Ray, it is too old: none before {_dotted(FIRST_WITH_PROVIDER)} can scale a "
                     "VMRayCluster.")
    return found


def _parts(reference: str) -> dict[str, t.Any]:
    found = REFERENCE.fullmatch(reference)
    return found.groupdict() if found else {}


def _dotted(number: tuple[int, int]) -> str:
    return ".".join(str(part) for part in number)
