# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""REST sessions, error bodies and the side door."""

from __future__ import annotations

import base64

from vcenter_front import PASSWORD, Front, with_front

from vcf_lab.settings import ADMINISTRATOR
from vcf_lab.vcenter.sessions import PER_USER


def test_session_lives_until_it_is_deleted() -> None:
    async def scenario(front: Front) -> None:
        assert (await front.login())[0] == 201
        status, session = await front.call("GET", "/api/session")
        assert (status, session["user"].lower()) == (200, ADMINISTRATOR)
        assert (await front.call("DELETE", "/api/session"))[0] == 204
        status, error = await front.call("GET", "/api/session")
        assert (status, error["error_type"]) == (401, "UNAUTHENTICATED")

    with_front(scenario)


def test_a_wrong_password_is_refused_and_five_lock_the_account() -> None:
    async def scenario(front: Front) -> None:
        for _ in range(5):
            status, error = await front.login(password="wrong")
            assert (status, error["error_type"]) == (401, "UNAUTHENTICATED")
        status, error = await front.login()
        assert status == 401
        assert "locked" in error["messages"][0]["default_message"]

    with_front(scenario)


def test_a_user_has_so_many_sessions_and_no_more() -> None:
    async def scenario(front: Front) -> None:
        tokens = [front.app["sessions"].create("administrator@vsphere.local") for _ in range(PER_USER - 1)]
        front.app["directory"].add("plain", PASSWORD, {}, ["Users@vsphere.local"])
        front.app["sessions"].create("Administrator@vsphere.local")
        status, error = await front.login()
        assert (status, error["error_type"]) == (503, "SERVICE_UNAVAILABLE")
        assert "User session count is limited to 550" in error["messages"][0]["default_message"]
        assert (await front.login("plain@vsphere.local"))[0] == 201
        front.app["sessions"].end(tokens[0])
        assert (await front.login())[0] == 201

    with_front(scenario)


def test_an_idle_session_ends() -> None:
    async def scenario(front: Front) -> None:
        await front.login()
        assert (await front.call("GET", "/api/session"))[0] == 401

    with_front(scenario, idle_limit=-1.0)


def test_the_side_door_can_end_all_sessions_and_counts_them() -> None:
    async def scenario(front: Front) -> None:
        await front.login()
        assert len((await front.side("/sessions"))[1]["rest"]) == 1
        assert (await front.side("/sessions", "DELETE"))[1] == {"ended": 1}
        assert (await front.call("GET", "/api/vcenter/cluster"))[0] == 401

    with_front(scenario)


def test_lists_are_filtered() -> None:
    async def scenario(front: Front) -> None:
        await front.login()
        assert len((await front.call("GET", "/api/vcenter/cluster"))[1]) == 2
        _, found = await front.call("GET", "/api/vcenter/cluster?names=C1&names=other")
        assert found == [{"cluster": "domain-c2", "name": "C1", "ha_enabled": False, "drs_enabled": True}]
        _, found = await front.call("GET", "/api/vcenter/network?types=DISTRIBUTED_PORTGROUP")
        assert [entry["name"] for entry in found] == ["PG0"]
        assert (await front.call("GET", "/api/vcenter/datastore/none"))[0] == 404
        path = "/api/vcenter/storage/policies/p-1?action=check-compatibility"
        _, found = await front.call("POST", path, {"datastores": ["datastore-1"]})
        assert found == {"compatible_datastores": [{"datastore": "datastore-1"}]}

    with_front(scenario)


def test_an_unknown_operation_and_a_broken_body_have_the_vendors_form() -> None:
    async def scenario(front: Front) -> None:
        await front.login()
        status, error = await front.call("GET", "/api/nonsense")
        assert (status, error["error_type"]) == (404, "OPERATION_NOT_FOUND")
        status, error = await front.call("POST", "/api/content/library?action=find", {"name": 5})
        assert (status, error["error_type"]) == (400, "INVALID_ARGUMENT")

    with_front(scenario)


def test_a_user_without_roles_may_not_administer() -> None:
    async def scenario(front: Front) -> None:
        front.app["directory"].add("plain", PASSWORD, {}, ["Users@vsphere.local"])
        assert (await front.login("plain@vsphere.local"))[0] == 201
        status, error = await front.call("GET", "/api/vcenter/cluster")
        assert (status, error["error_type"]) == (403, "UNAUTHORIZED")
        assert (await front.call("GET", "/api/session"))[0] == 200

    with_front(scenario)


def test_authenticate_for_the_supervisor() -> None:
    async def scenario(front: Front) -> None:
        asked = {"username": ADMINISTRATOR, "password": PASSWORD}
        status, user = await front.side("/authenticate", "POST", asked)
        assert status == 200
        assert user["user"].lower() == ADMINISTRATOR
        assert "Administrators@vsphere.local" in user["groups"]
        assert (await front.side("/authenticate", "POST", {**asked, "password": "x"}))[0] == 401

    with_front(scenario)


def test_state_is_stable_and_holds_no_secret() -> None:
    async def scenario(front: Front) -> None:
        before = (await front.side("/state"))[1]
        await front.login()
        await front.call("GET", "/api/vcenter/cluster")
        after = (await front.side("/state"))[1]
        assert before == after
        assert PASSWORD not in str(after) and base64.b64encode(PASSWORD.encode()).decode() not in str(after)
        assert "pbkdf2" not in str(after)
        log = (await front.side("/requests"))[1]
        mine = [entry for entry in log if entry["path"] == "/api/vcenter/cluster"]
        assert [(entry["method"], entry["status"]) for entry in mine] == [("GET", 200)]
        # One client, one connection: the log tells connections apart.
        assert {entry["connection"] for entry in log} == {mine[0]["connection"]}

    with_front(scenario)
