# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults that can strike any request: each strikes, and then it is over."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest
from test_vcenter_sso import MANAGEMENT as USERS
from test_vcenter_sso import administrator, create, sso, token
from vcenter_front import PASSWORD, Front, with_front

from vcf_lab.settings import ADMINISTRATOR
from vcf_lab.vcenter.faults import KINDS, Faults

CLASSES = "/api/vcenter/namespace-management/virtual-machine-classes"
SMALL = {"id": "ray-small", "cpu_count": 2, "memory_MB": 4096}


async def arm(front: Front, name: str, **options: Any) -> None:
    status, body = await front.side("/faults", "POST", {"name": name, **options})
    assert status == 201, body


async def struck(front: Front) -> dict[str, tuple[int, bool]]:
    """How often each fault struck, and whether it is over."""
    return {fault["name"]: (fault["struck"], fault["over"]) for fault in (await front.side("/faults"))[1]}


async def refused(front: Front, method: str, path: str, body: Any = None) -> tuple[int, str, str]:
    """Status, type and text of a call that fails."""
    status, answer = await front.call(method, path, body)
    return status, answer["error_type"], answer["messages"][0]["default_message"]


def test_unavailable() -> None:
    async def scenario(front: Front) -> None:
        await front.login()
        await arm(front, "unavailable", times=2, retry_after=7, path="machine-classes")
        headers = {"vmware-api-session-id": front.token}
        async with front.http.get(front.url + CLASSES, headers=headers) as answer:
            assert (answer.status, answer.headers["Retry-After"]) == (503, "7")
        assert (await front.call("GET", "/api/vcenter/cluster"))[0] == 200  # path= was given
        assert (await refused(front, "GET", CLASSES))[:2] == (503, "SERVICE_UNAVAILABLE")
        assert (await front.call("GET", CLASSES))[0] == 200
        assert await struck(front) == {"unavailable": (2, True)}
        await arm(front, "unavailable")
        async with front.http.get(front.url + CLASSES, headers=headers) as answer:
            assert answer.status == 503 and "Retry-After" not in answer.headers
        await arm(front, "unavailable")
        assert await token(front) == (503, "no healthy upstream")
        assert (await token(front))[0] == 200

    with_front(scenario)


def test_cut_carries_out_the_write() -> None:
    async def scenario(front: Front) -> None:
        await front.login()
        await arm(front, "cut")
        assert (await front.call("GET", CLASSES))[0] == 200  # a read is not a write
        with pytest.raises(aiohttp.ClientError):
            await front.call("POST", CLASSES, SMALL)
        assert (await front.call("GET", f"{CLASSES}/ray-small"))[0] == 200
        assert (await refused(front, "POST", CLASSES, SMALL))[1] == "ALREADY_EXISTS"
        assert await struck(front) == {"cut": (1, True)}
        entry = next(entry for entry in (await front.side("/requests"))[1] if entry.get("faults"))
        assert (entry["method"], entry["write"], entry["faults"], entry["status"]) == ("POST", True, ["cut"], 204)

    with_front(scenario)


def test_cut_of_a_new_user() -> None:
    async def scenario(front: Front) -> None:
        await administrator(front)
        await arm(front, "cut")
        with pytest.raises(aiohttp.ClientError):
            await sso(front, USERS, "CreateLocalPersonUser", create("ray-dev"))
        assert front.app["directory"].find("ray-dev") is not None
        status, text = await sso(front, USERS, "CreateLocalPersonUser", create("ray-dev"))
        assert status == 500 and "already exists" in text

    with_front(scenario)


def test_html() -> None:
    async def scenario(front: Front) -> None:
        await front.login()
        await arm(front, "html")
        async with front.http.get(front.url + CLASSES, headers={"vmware-api-session-id": front.token}) as answer:
            assert (answer.status, answer.content_type) == (200, "text/html")
        assert (await front.call("GET", CLASSES))[0] == 200
        await arm(front, "html")
        assert "<html>" in (await token(front))[1]

    with_front(scenario)


@pytest.mark.parametrize(
    ("name", "status", "kind", "text"),
    [
        ("session-limit", 503, "SERVICE_UNAVAILABLE", "User session count is limited to 550. Existing session count is 550 for user "),
        ("login-refused", 401, "UNAUTHENTICATED", "Authentication failed: Invalid credentials"),
        ("login-locked", 401, "UNAUTHENTICATED", "User account is locked. Please contact your administrator."),
    ],
)
def test_logins(name: str, status: int, kind: str, text: str) -> None:
    async def scenario(front: Front) -> None:
        await arm(front, name)
        code, answer = await front.login()
        assert (code, answer["error_type"]) == (status, kind)
        assert text in answer["messages"][0]["default_message"]
        if name == "session-limit":
            assert answer["messages"][0]["id"] == "com.vmware.vapi.endpoint.failedToLoginMaxUserSessionCountReached"
        assert (await front.login())[0] == 201
        assert await struck(front) == {name: (1, True)}
        await arm(front, name)
        async with front.http.post(front.url + "/rest/com/vmware/cis/session", auth=aiohttp.BasicAuth(ADMINISTRATOR, PASSWORD)) as answer:
            assert answer.status == status and text in (await answer.json())["value"]["messages"][0]["default_message"]

    with_front(scenario)


def test_logins_by_soap_and_of_the_supervisor() -> None:
    async def scenario(front: Front) -> None:
        for name, text in (("login-refused", "Invalid credentials"), ("login-locked", "User account is locked")):
            await arm(front, name, times=2)
            status, fault = await token(front)
            assert status == 500 and "FailedAuthentication" in fault and text in fault
            status, answer = await front.side("/authenticate", "POST", {"username": ADMINISTRATOR, "password": PASSWORD})
            assert status == 401 and answer["locked"] == (name == "login-locked") and text in answer["error"]
            assert (await token(front))[0] == 200

    with_front(scenario)


def test_session_expired() -> None:
    async def scenario(front: Front) -> None:
        await front.login()
        await arm(front, "session-expired", skip=1)
        assert (await front.call("GET", CLASSES))[0] == 200
        assert (await refused(front, "GET", CLASSES))[:2] == (401, "UNAUTHENTICATED")
        assert (await front.call("GET", CLASSES))[0] == 401  # it has really ended
        await front.login()
        assert (await front.call("GET", CLASSES))[0] == 200
        await administrator(front)
        await arm(front, "session-expired")
        status, text = await sso(front, USERS, "CreateLocalPersonUser", create("ray-dev"))
        assert status == 500 and "NotAuthenticated" in text

    with_front(scenario)


def test_conflict() -> None:
    async def scenario(front: Front) -> None:
        await front.login()
        await arm(front, "conflict")
        assert (await front.call("GET", CLASSES))[0] == 200
        assert (await refused(front, "POST", CLASSES, SMALL))[:2] == (409, "CONCURRENT_CHANGE")
        assert (await front.call("GET", f"{CLASSES}/ray-small"))[0] == 404
        assert (await front.call("POST", CLASSES, SMALL))[0] == 204

    with_front(scenario)


def test_changed_meanwhile() -> None:
    async def scenario(front: Front) -> None:
        await front.login()
        await arm(front, "changed-meanwhile", times=3)
        assert (await refused(front, "POST", CLASSES, SMALL))[:2] == (400, "ALREADY_EXISTS")
        assert (await front.call("PATCH", f"{CLASSES}/ray-small", {"cpu_count": 4}))[0] == 204
        _, seen = await front.call("GET", f"{CLASSES}/ray-small")
        assert (seen["cpu_count"], seen["description"]) == (4, "Changed by another client.")
        assert (await refused(front, "DELETE", f"{CLASSES}/ray-small"))[:2] == (404, "NOT_FOUND")
        assert (await front.call("POST", CLASSES, SMALL))[0] == 204

    with_front(scenario)


def test_another_client_makes_the_same_user() -> None:
    async def scenario(front: Front) -> None:
        await administrator(front)
        await arm(front, "changed-meanwhile")
        status, text = await sso(front, USERS, "CreateLocalPersonUser", create("ray-dev"))
        assert status == 500 and "already exists" in text
        assert front.app["directory"].find("ray-dev") is not None
        assert await struck(front) == {"changed-meanwhile": (1, True)}

    with_front(scenario)


def test_clear_by_name_or_all_and_what_cannot_be_armed() -> None:
    async def scenario(front: Front) -> None:
        await arm(front, "html", times=0)
        await arm(front, "conflict", times=0, method="post")
        assert (await front.side("/faults?name=html", "DELETE"))[1] == {"cleared": 1}
        assert await struck(front) == {"conflict": (0, False)}
        assert (await front.side("/faults", "DELETE"))[1] == {"cleared": 1}
        for wrong in ({"name": "nonsense"}, {"name": "html", "colour": "red"}, {"name": "html", "times": "often"},
                      {"name": "html", "path": "("}, {"name": "error-state", "object": "moon"}):  # fmt: skip
            status, answer = await front.side("/faults", "POST", wrong)
            assert status == 400 and answer["error"].endswith(".")

    with_front(scenario)


def test_every_fault_says_what_it_does() -> None:
    assert all(kind.text for kind in KINDS.values())
    options = {"error-state": {"object": "namespace"}, "try-later": {"text": "signature"}}
    for name in KINDS:
        assert Faults().add({"name": name, **options.get(name, {})}).struck == 0
