# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""sso_group: what is called, in order; members of every domain, in whatever spelling."""

from __future__ import annotations

import pytest

from ansible_collections.vcf.ray.plugins.module_utils._errors import RayError
from ansible_collections.vcf.ray.plugins.modules import sso_group
from ansible_collections.vcf.ray.tests.unit.plugins.conversation import task_for
from ansible_collections.vcf.ray.tests.unit.plugins.scripted import Scripted

ME = {"name": "team", "domain": "vsphere.local"}
LIST = {"groupId": ME, "searchString": "", "limit": 2**31 - 1}
GROUP = {"id": ME, "details": {"description": "Ray"}}


def find(answer: object) -> tuple:
    return "call", ("FindGroup", "principalDiscoveryService", {"groupId": ME}), answer


def inside(*names: str, groups: tuple[str, ...] = ()) -> list[tuple]:
    """The two lists that a read of a group asks for."""
    rows = [[{"id": dict(zip(("name", "domain"), name.split("@")))} for name in some] for some in (names, groups)]
    methods = ("FindPersonUsersInGroup", "FindGroupsInGroup")
    return [("find_all", (method, "principalDiscoveryService", LIST), some) for method, some in zip(methods, rows)]


def look(method: str, name: str, answer: object) -> tuple:
    who = dict(zip(("name", "domain"), name.split("@")))
    return "call", (method, "principalDiscoveryService", {"userId" if method == "FindUser" else "groupId": who}), answer


def do(method: str, **params: object) -> tuple:
    return "call", (method, "principalManagementService", params), None


def run(*script: tuple, check_mode: bool = False, login: str | None = None, **options: object) -> dict:
    client = Scripted(list(script))
    task = task_for(sso_group, check_mode, name="team", **options)
    task.params["username"] = login
    try:
        return sso_group.ensure(task, client)
    finally:
        client.done()


ALICE, TEAM = {"id": {"name": "Alice", "domain": "corp.lab"}}, {"id": {"name": "platform", "domain": "corp.lab"}}


def test_make_with_members_of_every_kind_and_domain() -> None:
    looks = [look("FindUser", "alice@corp.lab", ALICE), look("FindUser", "platform@corp.lab", None), look("FindGroup", "platform@corp.lab", TEAM)]
    made = [do("CreateLocalGroup", groupName="team", groupDetails={"description": "Ray"}),
            do("AddUserToLocalGroup", userId={"name": "Alice", "domain": "corp.lab"}, groupName="team"),
            do("AddGroupToLocalGroup", groupId={"name": "platform", "domain": "corp.lab"}, groupName="team")]
    asked = {"description": "Ray", "members": ["alice@corp.lab", "platform@corp.lab"]}
    result = run(find(None), *looks, *made, find(GROUP), *inside("Alice@corp.lab", groups=("platform@corp.lab",)), **asked)
    assert result["sso_group"] == {**ME, "description": "Ray", "members": ["Alice@corp.lab", "platform@corp.lab"]} and result["changed"]
    assert run(find(None), *looks, check_mode=True, **asked)["diff"] == result["diff"]


def test_unchanged_in_three_calls_whatever_the_spelling() -> None:
    assert not run(find(GROUP), *inside("ray-dev@vsphere.local", "alice@corp.lab"), members=["ALICE@Corp.Lab", "Ray-Dev"], description="Ray")["changed"]
    assert not run(find(GROUP), *inside("alice@corp.lab"))["changed"]


def test_the_list_is_the_whole_list() -> None:
    leave = do("RemoveFromLocalGroup", principalId={"name": "bob", "domain": "corp.lab"}, groupName="team")
    result = run(find(GROUP), *inside("alice@corp.lab", "bob@corp.lab"), leave, find(GROUP), *inside("alice@corp.lab"), members=["alice@corp.lab"])
    assert result["changed"] and result["sso_group"]["members"] == ["alice@corp.lab"]


def test_without_purge_members_are_only_added() -> None:
    assert not run(find(GROUP), *inside("alice@corp.lab", "bob@corp.lab"), members=["alice@corp.lab"], purge=False)["changed"]


def test_the_description_alone() -> None:
    change = do("UpdateLocalGroupDetails", groupName="team", groupDetails={"description": "new"})
    assert run(find(GROUP), *inside(), change, find({**GROUP, "details": {"description": "new"}}), *inside(), description="new")["changed"]


def test_a_member_that_nobody_knows() -> None:
    nobody = [look("FindUser", "x@corp.lab", RayError("x", code="SsoFaultInvalidPrincipalFault")), look("FindGroup", "x@corp.lab", None)]
    with pytest.raises(RayError, match="SSO knows no user and no group x@corp.lab. Check the spelling"):
        run(find(GROUP), *inside(), *nobody, members=["x@corp.lab"], check_mode=True)
    ours = [look("FindUser", "x@vsphere.local", None), look("FindGroup", "x@vsphere.local", None)]
    result = run(find(GROUP), *inside(), *ours, members=["x"], check_mode=True)
    assert result["changed"] and "x@vsphere.local" in result["unknown"][0]


def test_who_runs_the_task_stays_in() -> None:
    with pytest.raises(RayError, match="logged in as"):
        run(find(GROUP), *inside("me@vsphere.local"), members=[], login="Me@vsphere.local")


def test_a_group_of_vcenter_itself_is_not_removed() -> None:
    me = {"name": "Administrators", "domain": "vsphere.local"}
    client = Scripted([("call", ("FindGroup", "principalDiscoveryService", {"groupId": me}), {"id": me})])
    with pytest.raises(RayError, match="belongs to vCenter itself"):
        sso_group.ensure(task_for(sso_group, True, name="Administrators", state="absent"), client)


def test_remove() -> None:
    assert run(find(GROUP), *inside(), do("DeleteLocalPrincipal", principalName="team"), find(None), state="absent")["changed"]
    assert not run(find(None), state="absent")["changed"]


@pytest.mark.parametrize("name", ["@corp.lab", "alice@", "CORP\\alice"])
def test_what_is_no_name_is_told(name: str) -> None:
    with pytest.raises(RayError, match="Write name@domain"):
        run(find(GROUP), *inside(), members=[name])
