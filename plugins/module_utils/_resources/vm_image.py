# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images that a namespace offers for virtual machines, found by the name that they had in the content library."""

from __future__ import annotations

import difflib

from .._errors import RayError
from .._ports import Json

KIND = "VirtualMachineImage"


def view(image: Json) -> Json:
    """What a user needs of an image: its id, the item's name, and whether it can be used."""
    status = image.get("status") or {}
    conditions = [{k: c.get(k) for k in ("type", "status", "reason", "message")} for c in status.get("conditions") or []]
    ready = is_ready(image)
    return {"name": image["metadata"]["name"], "display_name": status.get("name"), "ready": ready, "why_not": "" if ready else why_not(image),
            "conditions": conditions}


def is_ready(image: Json) -> bool:
    """Old releases set no condition at all: then nothing speaks against the image."""
    found = [c for c in (image.get("status") or {}).get("conditions") or [] if c.get("type") == "Ready"]
    return not found or found[0].get("status") == "True"


def why_not(image: Json) -> str:
    """The reasons of the conditions that are not true."""
    bad = [c for c in (image.get("status") or {}).get("conditions") or [] if c.get("status") != "True"]
    return "; ".join(f"{c.get('type')}: {c.get('reason') or ''} {c.get('message') or ''}".strip() for c in _last_ready(bad))


def _last_ready(conditions: list[Json]) -> list[Json]:
    """Ready only sums the others up: it comes last, and not at all where another says the same."""
    others = [c for c in conditions if c.get("type") != "Ready"]
    told = {(c.get("reason"), c.get("message")) for c in others}
    return others + [c for c in conditions if c.get("type") == "Ready" and (c.get("reason"), c.get("message")) not in told]


def matching(images: list[Json], wanted: str) -> list[Json]:
    """Images of that id or, when there is none, of that item name."""
    return [i for i in images if i["metadata"]["name"] == wanted] or [i for i in images if (i.get("status") or {}).get("name") == wanted]


def only(images: list[Json], wanted: str, namespace: str) -> Json:
    """The one image of that item name or id; else an error that lists what there is, closest first."""
    found = matching(images, wanted)
    if len(found) == 1:
        return found[0]
    if found:
        ids = ", ".join(i["metadata"]["name"] for i in found)
        raise RayError(f"{len(found)} images in namespace {namespace} are named {wanted}: {ids}.", code="INPUT", hint="Name one of them by its id.")
    names = sorted({(i.get("status") or {}).get("name") or i["metadata"]["name"] for i in images},
                   key=lambda name: -difflib.SequenceMatcher(None, name, wanted).ratio())
    there = f"there are: {', '.join(names)}" if names else "there is none: is the content library attached to the namespace and synchronized?"
    raise RayError(f"No image {wanted} in namespace {namespace}; {there}.", code="NOT_FOUND", hint="See vcf.ray.vm_image_info.")
