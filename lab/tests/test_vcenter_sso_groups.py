# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Groups of SSO, their members of any domain, and what follows from a membership."""

from __future__ import annotations

from sso_support import (
    DISCOVERY,
    GOOD_PASSWORD,
    administrator,
    as_user,
    changed,
    create,
    found,
    names,
    person,
    refused,
    sso,
)
from vcenter_front import PASSWORD, Front, with_front

from vcf_lab.vcenter import sso_domains

DOMAINS = ("SsoAdminDomainManagementService", "domainManagementService")
ALL = "<searchString></searchString><limit>-1</limit>"


async def begin(front: Front) -> None:
    """The administrator is logged in, the company's directory is known."""
    sso_domains.seed(front.app["directory"], PASSWORD)
    await administrator(front)


def group(name: str, description: str = "") -> str:
    return f"<groupName>{name}</groupName><groupDetails><description>{description}</description></groupDetails>"


def into(name: str) -> str:
    return f"<groupName>{name}</groupName>"


def criteria(text: str, domain: str = "vsphere.local", limit: int = -1) -> str:
    inner = f"<searchString>{text}</searchString><domain>{domain}</domain>"
    return f"<criteria>{inner}</criteria><limit>{limit}</limit>"


def test_a_group_from_birth_to_removal() -> None:
    async def scenario(front: Front) -> None:
        await begin(front)
        asked = person("ray-users", role="groupId")
        assert await found(front, "FindGroup", asked) == []
        await changed(front, "CreateLocalGroup", group("ray-users", "first"))
        (one,) = await found(front, "FindGroup", person("RAY-Users", role="groupId"))
        assert one.findtext("{*}details/{*}description") == "first"
        await changed(front, "UpdateLocalGroupDetails", group("ray-users", "second"))
        (one,) = await found(front, "FindGroup", asked)
        assert one.findtext("{*}details/{*}description") == "second"
        for taken in ("Ray-Users", "Administrators", "administrator", "Everyone"):
            fault, text = await refused(front, "CreateLocalGroup", group(taken))
            assert fault == "SsoFaultInvalidPrincipalFault" and "already exists" in text
        await changed(front, "DeleteLocalPrincipal", "<principalName>ray-users</principalName>")
        assert (await refused(front, "DeleteLocalPrincipal", "<principalName>ray-users</principalName>"))[0] == "SsoFaultInvalidPrincipalFault"
        assert (await refused(front, "UpdateLocalGroupDetails", group("ray-users")))[0] == "SsoFaultInvalidPrincipalFault"
        assert (await refused(front, "DeleteLocalPrincipal", "<principalName>Administrators</principalName>"))[1].endswith("cannot be deleted")

    with_front(scenario)


def test_members_of_both_domains() -> None:
    async def scenario(front: Front) -> None:
        await begin(front)
        await changed(front, "CreateLocalPersonUser", create("ray-dev"))
        await changed(front, "CreateLocalGroup", group("ray-users"))
        for who in (person("ray-dev"), person("carol", "corp.lab"), person("carol", "CORP")):
            told = await changed(front, "AddUserToLocalGroup", who + into("ray-users"))
            assert told == ("false" if "CORP" in who else "true")
        team = person("ray-team", "corp.lab", "groupId")
        assert await changed(front, "AddGroupToLocalGroup", team + into("ray-users")) == "true"
        assert await changed(front, "AddGroupToLocalGroup", team + into("ray-users")) == "false"
        asked = person("ray-users", role="groupId") + ALL
        assert names(await found(front, "FindPersonUsersInGroup", asked)) == ["carol@corp.lab", "ray-dev@vsphere.local"]
        assert names(await found(front, "FindUsersInGroup", asked)) == ["carol@corp.lab", "ray-dev@vsphere.local"]
        assert names(await found(front, "FindGroupsInGroup", asked)) == ["ray-team@corp.lab"]
        searched = asked.replace("<searchString>", "<searchString>ray")
        assert names(await found(front, "FindPersonUsersInGroup", searched)) == ["ray-dev@vsphere.local"]
        parents = names(await found(front, "FindParentGroups", person("alice", "corp.lab")))
        assert parents == ["ray-team@corp.lab", "ray-users@vsphere.local"]
        assert names(await found(front, "FindDirectParentGroups", person("alice", "corp.lab", "principalId"))) == ["ray-team@corp.lab"]
        leaving = person("ray-team", "corp.lab", "principalId") + into("ray-users")
        assert await changed(front, "RemoveFromLocalGroup", leaving) == "true"
        assert await changed(front, "RemoveFromLocalGroup", leaving) == "false"
        unknown = person("nobody", "corp.lab") + into("ray-users")
        assert (await refused(front, "AddUserToLocalGroup", unknown))[1] == "Principal 'nobody@corp.lab' does not exist"
        assert (await refused(front, "FindUsersInGroup", person("none", role="groupId") + ALL, DISCOVERY))[0] == "SsoFaultInvalidPrincipalFault"

    with_front(scenario)


def test_a_group_cannot_hold_itself() -> None:
    async def scenario(front: Front) -> None:
        await begin(front)
        for name in ("outer", "inner"):
            await changed(front, "CreateLocalGroup", group(name))
        assert await changed(front, "AddGroupToLocalGroup", person("inner", role="groupId") + into("outer")) == "true"
        for inside, outside in (("outer", "inner"), ("outer", "outer")):
            fault, _ = await refused(front, "AddGroupToLocalGroup", person(inside, role="groupId") + into(outside))
            assert fault == "SsoAdminFaultGroupCyclicDependencyFaultFault"

    with_front(scenario)


def test_who_is_in_a_group_of_administrators_is_one() -> None:
    async def scenario(front: Front) -> None:
        await begin(front)
        await changed(front, "CreateLocalGroup", group("ray-admins"))
        await changed(front, "AddGroupToLocalGroup", person("ray-admins", role="groupId") + into("Administrators"))
        await as_user(front, "alice@corp.lab", PASSWORD)
        assert (await refused(front, "CreateLocalGroup", group("other")))[0] == "SsoFaultNoPermissionFault"
        assert len(await found(front, "FindGroup", person("ray-admins", role="groupId"))) == 1
        await as_user(front, "administrator@vsphere.local", PASSWORD)
        await changed(front, "AddGroupToLocalGroup", person("ray-team", "corp.lab", "groupId") + into("ray-admins"))
        await as_user(front, "CORP.LAB\\alice", PASSWORD)
        await changed(front, "CreateLocalGroup", group("other"))

    with_front(scenario)


def test_the_company_s_directory_is_read_only() -> None:
    async def scenario(front: Front) -> None:
        await begin(front)
        (alice,) = await found(front, "FindPersonUser", person("alice", "corp"))
        assert names([alice]) == ["alice@corp.lab"] and alice.findtext("{*}alias/{*}domain") == "CORP"
        assert names(await found(front, "FindPersonUsers", criteria("a", "corp.lab"))) == ["alice@corp.lab", "carol@corp.lab"]
        assert len(await found(front, "FindPersonUsers", criteria("", "corp.lab", 2))) == 2
        assert names(await found(front, "FindGroups", criteria("", "corp.lab"))) == ["platform@corp.lab", "ray-team@corp.lab"]
        assert await found(front, "FindPersonUsers", criteria("alice")) == []
        assert await found(front, "FindPersonUser", person("alice", "else.where")) == []
        for operation, parameters in (
            ("DeleteLocalPrincipal", "<principalName>alice@corp.lab</principalName>"),
            ("DeleteLocalPrincipal", "<principalName>ray-team</principalName>"),
            ("ResetLocalPersonUserPassword", "<userName>alice</userName><newPassword>Ray-dev-1!</newPassword>"),
            ("UpdateLocalGroupDetails", group("ray-team")),
            ("DisableUserAccount", person("alice", "corp.lab")),
            ("AddUserToLocalGroup", person("alice", "corp.lab") + into("ray-team")),
        ):
            assert (await refused(front, operation, parameters))[0] == "SsoFaultInvalidPrincipalFault", operation
        status, text = await sso(front, DOMAINS, "GetDomains", "")
        assert status == 200 and "<name>corp.lab</name>" in text and "<systemDomainName>vsphere.local</systemDomainName>" in text
        assert [entry.text for entry in await found(front, "GetDefaultDomains", "", DOMAINS)] == ["vsphere.local"]

    with_front(scenario)


def test_several_at_once_or_none() -> None:
    async def scenario(front: Front) -> None:
        await begin(front)
        await changed(front, "CreateLocalGroup", group("ray-users"))
        both = person("alice", "corp.lab", "userIds") + person("bob", "corp.lab", "userIds")
        told = [entry.text for entry in await found(front, "AddUsersToLocalGroup", both + into("ray-users"), _management())]
        assert told == ["true", "true"]
        wrong = person("carol", "corp.lab", "userIds") + person("nobody", "corp.lab", "userIds")
        assert (await refused(front, "AddUsersToLocalGroup", wrong + into("ray-users")))[0] == "SsoFaultInvalidPrincipalFault"
        asked = person("ray-users", role="groupId") + ALL
        assert names(await found(front, "FindUsersInGroup", asked)) == ["alice@corp.lab", "bob@corp.lab"]
        leaving = both.replace("userIds", "principalsIds") + into("ray-users")
        await found(front, "RemovePrincipalsFromLocalGroup", leaving, _management())
        assert await found(front, "FindUsersInGroup", asked) == []

    with_front(scenario)


def _management() -> tuple[str, str]:
    return ("SsoAdminPrincipalManagementService", "principalManagementService")


def test_accounts_are_disabled_locked_and_opened_again() -> None:
    async def scenario(front: Front) -> None:
        await begin(front)
        await changed(front, "CreateLocalPersonUser", create("ray-dev"))
        assert await changed(front, "UnlockUserAccount", person("ray-dev")) == "false"
        for operation, expected in (("DisableUserAccount", "true"), ("DisableUserAccount", "false"), ("EnableUserAccount", "true")):
            assert await changed(front, operation, person("ray-dev")) == expected
        for _attempt in range(5):
            assert (await front.login("ray-dev@vsphere.local", "wrong"))[0] == 401
        assert (await front.login("ray-dev@vsphere.local", GOOD_PASSWORD))[0] == 401
        (user,) = await found(front, "FindPersonUser", person("ray-dev"))
        assert user.findtext("{*}locked") == "true"
        assert await changed(front, "UnlockUserAccount", person("ray-dev")) == "true"
        assert (await front.login("ray-dev@vsphere.local", GOOD_PASSWORD))[0] == 201

    with_front(scenario)


def test_parameters_come_in_the_order_of_the_description() -> None:
    async def scenario(front: Front) -> None:
        await begin(front)
        details = "<userDetails><lastName>b</lastName><firstName>a</firstName></userDetails>"
        for operation, parameters, word in (
            ("AddUserToLocalGroup", into("Users") + person("administrator"), "userId"),
            ("AddUserToLocalGroup", person("administrator"), "groupName"),
            ("CreateLocalGroup", into("ray-users"), "groupDetails"),
            ("CreateLocalGroup", group("ray-users") + "<limit>1</limit>", "limit"),
            ("CreateLocalPersonUser", f"<userName>x</userName>{details}<password>{GOOD_PASSWORD}</password>", "firstName"),
        ):
            fault, text = await refused(front, operation, parameters)
            assert fault == "InvalidRequestFault" and word in text, text
        asked = person("Users", role="groupId") + "<searchString></searchString><limit>all</limit>"
        assert (await refused(front, "FindUsersInGroup", asked, DISCOVERY))[1].startswith("'all' is not a number")
        assert (await refused(front, "FindGroup", person("Users", role="groupId")))[0] == "MethodNotFoundFault"
        nowhere = ("SsoAdminPrincipalDiscoveryService", "nowhere")
        assert (await refused(front, "FindGroup", person("Users", role="groupId"), nowhere))[0] == "ManagedObjectNotFoundFault"

    with_front(scenario)


def test_people_of_the_company_s_directory_enter_namespaces_by_their_groups() -> None:
    async def scenario(front: Front) -> None:
        sso_domains.seed(front.app["directory"], PASSWORD)
        entry = {"subject_type": "GROUP", "subject": "ray-team", "domain": "corp.lab", "role": "EDIT"}
        front.app["store"]["namespaces"]["deploy-ray"] = {"access_list": [entry]}
        for user, roles in (("alice@corp.lab", ["EDIT"]), ("carol@corp.lab", [])):
            asked = {"username": user, "password": PASSWORD}
            assert (await front.side("/authenticate", "POST", asked))[1]["user"] == user
            found = (await front.side(f"/roles?user={user}"))[1]
            assert [row["role"] for row in found["namespaces"]] == roles and not found["administrator"]

    with_front(scenario)
