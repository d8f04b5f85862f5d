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
    ]), ("GET", "/api/vcenter/datacenter", None, refusal(403, "UNAUTHORIZED", "No.")))
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


DC0 = ("GET", "/api/vcenter/datacenter?names=DC0", None, [{"datacenter": "datacenter-2", "name": "DC0"}])
ROOT = ("GET", "/api/vcenter/folder?names=host&type=HOST&datacenters=datacenter-2", None, [{"folder": "group-h1", "name": "host"}])


def found(*script: tuple, wanted: str, what: str = "cluster") -> str:
    client, http = vcenter(*script)
    try:
        return getattr(client.inventory, what)(wanted)
    finally:
        http.done()


def test_a_datacenter_before_the_name_is_enough() -> None:
    assert found(DC0, ("GET", "/api/vcenter/cluster?names=c1&datacenters=datacenter-2", None, [C1]), wanted="DC0/c1") == "domain-c9"


def test_a_path_is_walked_to_its_end() -> None:
    folder = ("GET", "/api/vcenter/folder?names=edge&parent_folders=group-h1", None, [{"folder": "group-h5", "name": "edge"}])
    leaf = ("GET", "/api/vcenter/cluster?names=c1&folders=group-h5", None, [C1])
    assert found(DC0, ROOT, folder, leaf, wanted="/DC0/host/edge/c1") == "domain-c9"
    assert found(DC0, ROOT, folder, wanted="/DC0/host/edge", what="folder") == "group-h5"
    assert found(DC0, ROOT, wanted="/DC0/host", what="folder") == "group-h1"


def test_a_datacenter_may_stand_in_folders() -> None:
    region = ("GET", "/api/vcenter/folder?names=regions&type=DATACENTER", None, [{"folder": "group-d3", "name": "regions"}])
    inside = ("GET", "/api/vcenter/datacenter?names=DC1&folders=group-d3", None, [{"datacenter": "datacenter-7", "name": "DC1"}])
    assert found(region, inside, wanted="/regions/DC1", what="datacenter") == "datacenter-7"
    leaf = ("GET", "/api/vcenter/datastore?names=ds&folders=group-s1", None, [{"datastore": "datastore-5", "name": "ds"}])
    root = ("GET", "/api/vcenter/folder?names=datastore&type=DATASTORE&datacenters=datacenter-7", None, [{"folder": "group-s1", "name": "datastore"}])
    assert found(region, inside, root, leaf, wanted="/regions/DC1/datastore/ds", what="datastore") == "datastore-5"


def test_a_folder_named_like_the_root_is_not_taken_for_it() -> None:
    two = (*ROOT[:3], [{"folder": "group-h1", "name": "host"}, {"folder": "group-h8", "name": "host"}])
    below = ("GET", "/api/vcenter/folder?names=host&parent_folders=group-h1&parent_folders=group-h8", None, [{"folder": "group-h8", "name": "host"}])
    assert found(DC0, two, below, ("GET", "/api/vcenter/cluster?names=c1&folders=group-h1", None, [C1]), wanted="/DC0/host/c1") == "domain-c9"


def test_a_step_that_is_not_there_is_named_with_what_there_is() -> None:
    nothing = ("GET", "/api/vcenter/cluster?names=c2&datacenters=datacenter-2", None, [])
    there = ("GET", "/api/vcenter/cluster?datacenters=datacenter-2", None, [C1])
    plain = ("GET", "/api/vcenter/cluster?names=DC0%2Fc2", None, [])
    with pytest.raises(RayError, match="No cluster in datacenter DC0 is called 'c2'. There is: c1"):
        found(DC0, nothing, there, plain, wanted="DC0/c2")


def test_a_name_with_a_slash_is_found_too() -> None:
    script = [("GET", "/api/vcenter/datacenter?names=VLAN+10", None, []), ("GET", "/api/vcenter/datacenter", None, []),
              ("GET", "/api/vcenter/network?names=VLAN+10%2F11", None, [{"network": "network-3", "name": "VLAN 10/11"}])]
    assert found(*script, wanted="VLAN 10/11", what="network") == "network-3"


def test_what_can_be_no_path_is_told_how_one_looks() -> None:
    with pytest.raises(RayError, match="not the path of a cluster. Write /DATACENTER/host/FOLDER/NAME or DATACENTER/NAME"):
        found(("GET", "/api/vcenter/cluster?names=a%2Fb%2Fc", None, []), wanted="a/b/c")


def test_candidates_are_told_with_their_paths() -> None:
    twins = [{"cluster": "domain-c9", "name": "c1"}, {"cluster": "domain-c7", "name": "c1"}]
    script = [(*BY_NAME, twins),
              ("GET", "/api/vcenter/datacenter", None, [{"datacenter": "datacenter-2", "name": "DC0"}, {"datacenter": "datacenter-7", "name": "DC1"}]),
              ("GET", "/api/vcenter/cluster?names=c1&datacenters=datacenter-2", None, twins[:1]),
              ("GET", "/api/vcenter/cluster?names=c1&datacenters=datacenter-7", None, twins[1:])]
    with pytest.raises(RayError, match=r"DC0/c1 \(domain-c9\), DC1/c1 \(domain-c7\). Give the path or the id"):
        found(*script, wanted="c1")


def test_candidates_in_one_datacenter_are_told_with_their_folders() -> None:
    twins = [{"cluster": "domain-c9", "name": "c1"}, {"cluster": "domain-c7", "name": "c1"}]
    script = [(*BY_NAME, twins), ("GET", "/api/vcenter/datacenter", None, [{"datacenter": "datacenter-2", "name": "DC0"}]),
              ("GET", "/api/vcenter/cluster?names=c1&datacenters=datacenter-2", None, twins), ROOT,
              ("GET", "/api/vcenter/cluster?names=c1&folders=group-h1", None, twins[:1]),
              ("GET", "/api/vcenter/folder?parent_folders=group-h1", None, [{"folder": "group-h5", "name": "edge"}]),
              ("GET", "/api/vcenter/cluster?names=c1&folders=group-h5", None, twins[1:]), ("GET", "/api/vcenter/folder?parent_folders=group-h5", None, [])]
    with pytest.raises(RayError, match=r"/DC0/host/c1 \(domain-c9\), /DC0/host/edge/c1 \(domain-c7\)"):
        found(*script, wanted="c1")


def test_ids_that_are_uuids_know_no_case() -> None:
    policy = "AA11bb22-0000-1111-2222-333344445555"
    rows = [{"policy": policy.lower(), "name": "gold"}]
    listed = ("GET", f"/api/vcenter/storage/policies?policies={policy}", None, rows)
    assert found(listed, wanted=policy, what="policy") == policy.lower()
    assert found(("GET", "/api/vcenter/storage/policies", None, [{"policy": policy.upper(), "name": "gold"}]), wanted="gold", what="policy") == policy.lower()


def test_a_distributed_switch_is_found_by_name() -> None:
    listed = ("GET", "/api/vcenter/namespace-management/networks/nsx/distributed-switches", None, [{"distributed_switch": "dvs-1", "name": "DVS0"}])
    assert found(listed, wanted="DVS0", what="distributed_switch") == "dvs-1"
