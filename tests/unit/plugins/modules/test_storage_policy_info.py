# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""storage_policy_info: policies with one request, and a check for each only when it was asked for."""

from __future__ import annotations

import pytest

from ansible_collections.vcf.ray.plugins.module_utils._errors import RayError
from ansible_collections.vcf.ray.plugins.modules import storage_policy_info
from ansible_collections.vcf.ray.tests.unit.plugins.conversation import refusal, run

GOLD, TIN = "aa6d5a82-1c88-45da-85d3-3d74b91a5bad", "bb6d5a82-1c88-45da-85d3-3d74b91a5bad"
LIST = ("GET", "/api/vcenter/storage/policies", None, [
    {"policy": TIN, "name": "tin", "description": "slow"}, {"policy": GOLD.upper(), "name": "gold"}])
STORES = ("GET", "/api/vcenter/datastore", None)
ROWS = [{"datastore": "datastore-1", "name": "small", "type": "VMFS", "free_space": 5 * 2**20, "capacity": 9 * 2**20},
        {"datastore": "datastore-2", "name": "large", "type": "VSAN", "free_space": 7 * 2**20},
        {"datastore": "datastore-3", "name": "other", "type": "NFS"}]


def check(policy: str, asked: list[str], fitting: list[str]) -> tuple:
    return ("POST", f"/api/vcenter/storage/policies/{policy}?action=check-compatibility", {"datastores": asked},
            {"compatible_datastores": [{"datastore": i} for i in fitting]})


def test_all_or_one_by_name_or_id() -> None:
    assert [p["name"] for p in run(storage_policy_info, LIST)["storage_policies"]] == ["gold", "tin"]
    for name in ("tin", TIN, TIN.upper()):
        assert run(storage_policy_info, LIST, name=name)["storage_policies"] == [{"id": TIN, "name": "tin", "description": "slow"}]
    assert run(storage_policy_info, LIST, name="lead", datastores=True)["storage_policies"] == []


def test_datastores_that_fit_with_most_room_first() -> None:
    ids = ["datastore-1", "datastore-2", "datastore-3"]
    rows = run(storage_policy_info, LIST, (*STORES, ROWS), check(GOLD, ids, ["datastore-1", "datastore-2"]), check(TIN, ids, []), datastores=True)
    assert rows["storage_policies"][0]["datastores"] == [
        {"id": "datastore-2", "name": "large", "type": "VSAN", "free_mib": 7, "capacity_mib": None},
        {"id": "datastore-1", "name": "small", "type": "VMFS", "free_mib": 5, "capacity_mib": 9}]
    assert rows["storage_policies"][1]["datastores"] == []


def test_no_more_than_1024_are_checked_at_once() -> None:
    ids = [f"datastore-{n}" for n in range(1025)]
    rows = [{"datastore": i, "name": i, "type": "VMFS"} for i in ids]
    found = run(storage_policy_info, LIST, (*STORES, rows), check(TIN, ids[:1024], ids[:1]), check(TIN, ids[1024:], ids[1024:]),
                name="tin", datastores=True)
    assert len(found["storage_policies"][0]["datastores"]) == 2


def test_too_many_datastores_are_told_with_a_way_out() -> None:
    with pytest.raises(RayError) as caught:
        run(storage_policy_info, LIST, (*STORES, refusal(500, "UNABLE_TO_ALLOCATE_RESOURCE", "Too many.")), datastores=True)
    assert "2500" in caught.value.hint
