# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names to ids: what is ambiguous or missing is told with what there is."""

from __future__ import annotations

import pytest

from ansible_collections.vcf.ray.plugins.module_utils._errors import RayError
from ansible_collections.vcf.ray.tests.unit.plugins.conversation import refusal, vcenter

C1 = {"cluster": "domain-c9", "name": "c1"}
BY_NAME = ("GET", "/api/vcenter/cluster?names=c1", None)


def test_a_name_is_looked_up_once() -> None:
    client, http = vcenter((*BY_NAME, [C1]))
    assert [client.inventory.cluster("c1") for dummy in range(2)] == ["domain-c9", "domain-c9"]
    http.done()


def test_nothing_asked_for_is_nothing_asked() -> None:
    client, http = vcenter()
    assert client.inventory.cluster(None) is None and client.inventory.security_policy(None) is None


def test_an_id_is_accepted() -> None:
    client, http = vcenter(("GET", "/api/vcenter/cluster?clusters=domain-c9", None, [C1]))
    assert client.inventory.cluster("domain-c9") == "domain-c9"
    http.done()


def test_an_ambiguous_name_lists_the_candidates() -> None:
    client, http = vcenter(("GET", "/api/vcenter/network?names=net", None, [
        {"network": "network-2", "name": "net", "type": "STANDARD_PORTGROUP"}, {"network": "dvportgroup-1", "name": "net", "type": "DISTRIBUTED_PORTGROUP"},
    ]))
    with pytest.raises(RayError) as caught:
        client.inventory.network("net")
    assert "dvportgroup-1 (DISTRIBUTED_PORTGROUP), network-2 (STANDARD_PORTGROUP)" in caught.value.message
    assert caught.value.code == "INPUT"


def test_a_missing_name_lists_what_there_is_closest_first() -> None:
    rows = [{"cluster": f"domain-c{i}", "name": name} for i, name in enumerate(["zebra", "C1", "c11"])]
    client, http = vcenter((*BY_NAME, []), ("GET", "/api/vcenter/cluster", None, rows))
    with pytest.raises(RayError, match="There is: C1, c11, zebra") as caught:
        client.inventory.cluster("c1")
    http.done()
    assert caught.value.code == "NOT_FOUND"


def test_a_list_that_is_too_long_does_not_hide_that_the_name_is_missing() -> None:
    client, http = vcenter((*BY_NAME, []), ("GET", "/api/vcenter/cluster", None, refusal(500, "UNABLE_TO_ALLOCATE_RESOURCE", "Too many.")))
    with pytest.raises(RayError, match="No cluster is called 'c1'"):
        client.inventory.cluster("c1")
    http.done()


def test_policies_are_read_once_and_matched_here() -> None:
    rows = [{"policy": "p-1", "name": "gold"}, {"policy": "p-2", "name": "silver"}]
    client, http = vcenter(("GET", "/api/vcenter/storage/policies", None, rows))
    assert [client.inventory.policy(n) for n in ("gold", "silver")] == ["p-1", "p-2"]
    http.done()
