# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Items of a content library: which are there, whether their files are, and what a security policy says of them."""

from __future__ import annotations

from .._errors import RayError
from .._ports import Json, VCenter
from .library_names import LIBRARY

ITEM = f"{LIBRARY}/item"
SUBSCRIBED_ITEM = f"{LIBRARY}/subscribed-item"
# What the vSphere Client calls "Verification Failed", by the state that the API gives.
VERDICTS = {
    "NOT_AVAILABLE": "it is not signed, or was there before the policy",
    "UNTRUSTED": "it is signed with a certificate that vCenter does not trust",
    "VERIFICATION_FAILURE": "its files do not fit its signature, so they were damaged or changed after it was signed",
    "VERIFICATION_FAILED": "its files do not fit its signature, so they were damaged or changed after it was signed",
}


def view(info: Json) -> Json:
    """What a user needs of an item."""
    checked = info.get("certificate_verification_info") or {}
    return {**{key: info.get(key) for key in ("id", "name", "type", "cached", "security_compliance")}, "verification": checked.get("status")}


def wanted_items(client: VCenter, library: str, names: list[str]) -> list[Json]:
    """Those of these names; a library may hold hundreds, and each costs a request."""
    ids = [i for name in names for i in client.ask(ITEM, {"library_id": library, "name": name}, query={"action": "find"}) or []]
    # They are found without regard to case.
    return [item for item in _read(client, ids) if item["name"] in names]


def all_items(client: VCenter, library: str) -> list[Json]:
    """Every item, sorted by name."""
    return sorted(_read(client, client.get(ITEM, query={"library_id": library}) or []), key=lambda item: item["name"])


def stale_items(client: VCenter, library: str, wanted: list[Json]) -> list[Json]:
    """Items whose files lie on the datastore, except the wanted ones."""
    kept = {item["id"] for item in wanted}
    cached = client.ask(ITEM, {"library_id": library, "cached": True}, query={"action": "find"}) or []
    found = _read(client, [i for i in cached if i not in kept])
    return sorted(({"id": item["id"], "name": item["name"]} for item in found), key=lambda item: item["name"])


def missing_items(names: list[str], items: list[Json], *, files: bool, policy: str) -> list[str]:
    """Names of which no item is there, or with ``files`` one without its files. A refused item never gets files."""
    there = {item["name"] for item in items if not files or item["cached"] or refused(item, policy)}
    return [name for name in names if name not in there]


def refused(item: Json, policy: str) -> bool:
    """Whether the security policy of the library keeps an item from being used."""
    return bool(policy) and item["security_compliance"] is False and item["verification"] != "VERIFICATION_IN_PROGRESS"


def refuse_unverified(library: str, items: list[Json], policy: str) -> None:
    """An item that the policy has refused does not get better by waiting."""
    bad = [item for item in items if refused(item, policy)]
    if bad:
        why = "; ".join(f"{item['name']}: {VERDICTS.get(item['verification'] or '', 'no reason given')}" for item in bad)
        raise RayError(f"Content library {library} holds items that its security policy has refused (Verification Failed), so that their files "
                       f"are not synchronised. {why}.", code="FAILED",
                       hint="Let the publisher sign the item anew, add its certificate to those that vCenter's content libraries trust, or take "
                            "the policy away with security_policy: ''.",
                       details={"refused_items": [item["name"] for item in bad]})


def _read(client: VCenter, ids: list[str]) -> list[Json]:
    # One that has gone since it was listed is not there.
    return [view(info) for info in (client.find(f"{ITEM}/{i}") for i in ids) if info]
