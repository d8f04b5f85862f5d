# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Storage policies, and the datastores that fit them."""

from __future__ import annotations

from .._errors import RayError
from .._names import canonical
from .._ports import Json, VCenter

POLICIES, DATASTORES = "/api/vcenter/storage/policies", "/api/vcenter/datastore"
# What vCenter checks in one call.
AT_ONCE = 1024
SIZES = {"free_mib": "free_space", "capacity_mib": "capacity"}


def list_policies(client: VCenter, wanted: str | None) -> list[Json]:
    """All policies sorted by name, or those of this name or id; vCenter has no filter for names, so all are read."""
    rows = [{"id": canonical(row["policy"]), "name": row["name"], "description": row.get("description") or ""} for row in client.get(POLICIES) or []]
    return sorted((r for r in rows if wanted is None or r["name"] == wanted or r["id"] == canonical(wanted)), key=lambda r: (r["name"], r["id"]))


def with_datastores(client: VCenter, policies: list[Json]) -> list[Json]:
    """Each policy with the datastores that fit it, the one with most free space first."""
    stores = {row["datastore"]: row for row in _datastores(client)} if policies else {}
    return [{**policy, "datastores": [_shown(stores[i]) for i in _by_space(stores, _fitting(client, policy["id"], list(stores)))]} for policy in policies]


def _datastores(client: VCenter) -> list[Json]:
    try:
        return client.get(DATASTORES) or []
    except RayError as error:
        if error.code == "UNABLE_TO_ALLOCATE_RESOURCE":
            error.hint = "vCenter lists no more than 2500 datastores at once. Read the policies without datastores."
        raise


def _fitting(client: VCenter, policy: str, stores: list[str]) -> list[str]:
    found = []
    for start in range(0, len(stores), AT_ONCE):
        body = {"datastores": stores[start:start + AT_ONCE]}
        answer = client.ask(f"{POLICIES}/{policy}", body, query={"action": "check-compatibility"}) or {}
        found += [row["datastore"] for row in answer.get("compatible_datastores") or []]
    return [store for store in found if store in stores]


def _by_space(stores: dict[str, Json], ids: list[str]) -> list[str]:
    return sorted(ids, key=lambda i: (-(stores[i].get("free_space") or 0), stores[i]["name"]))


def _shown(row: Json) -> Json:
    sizes = {ours: None if row.get(theirs) is None else row[theirs] // 2**20 for ours, theirs in SIZES.items()}
    return {"id": row["datastore"], "name": row["name"], "type": row.get("type"), **sizes}
