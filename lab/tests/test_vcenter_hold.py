# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fault `hold`: what is carried out, what waits, and what becomes of it."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest
from test_vcenter_faults import CLASSES, SMALL, arm, struck
from test_vcenter_sso import MANAGEMENT as USERS
from test_vcenter_sso import administrator, create, sso
from vcenter_front import Front, with_front

MEDIUM = {**SMALL, "id": "ray-medium"}


async def waits(task: asyncio.Task) -> bool:
    """Whether nobody answers."""
    return not (await asyncio.wait([task], timeout=0.2))[0]


async def striking(front: Front) -> None:
    """Wait until the write was carried out."""
    while (await struck(front))["hold"][0] == 0:
        await asyncio.sleep(0.01)


def test_hold_after_the_second_write_and_release() -> None:
    async def scenario(front: Front) -> None:
        await front.login()
        await arm(front, "hold", after=2)
        assert (await front.call("POST", CLASSES, SMALL))[0] == 204
        assert (await front.call("GET", CLASSES))[0] == 200
        write = asyncio.create_task(front.call("POST", CLASSES, MEDIUM))
        assert await waits(write)
        assert "ray-medium" in front.app["store"]["vm_classes"]
        read, login = asyncio.create_task(front.call("GET", CLASSES)), asyncio.create_task(front.login())
        assert await waits(read) and await waits(login)
        assert await struck(front) == {"hold": (1, True)}
        await front.side("/faults", "DELETE")
        assert [(await task)[0] for task in (write, read, login)] == [204, 200, 201]
        assert (await front.call("GET", CLASSES))[0] == 200

    with_front(scenario)


def test_what_a_killed_client_had_sent_while_held_is_not_carried_out() -> None:
    async def scenario(front: Front) -> None:
        await front.login()
        await arm(front, "hold")
        headers = {"vmware-api-session-id": front.token}
        async with aiohttp.ClientSession(headers=headers) as killed:
            first = asyncio.create_task(killed.post(front.url + CLASSES, json=SMALL))
            await striking(front)
            second = asyncio.create_task(killed.post(front.url + CLASSES, json=MEDIUM))
            assert await waits(second)
            for task in (first, second):
                task.cancel()
            await asyncio.gather(first, second, return_exceptions=True)
        await asyncio.sleep(0.1)
        await front.side("/faults?name=hold", "DELETE")
        assert (await front.call("GET", f"{CLASSES}/ray-small"))[0] == 200
        assert (await front.call("GET", f"{CLASSES}/ray-medium"))[0] == 404
        statuses = {entry["status"] for entry in (await front.side("/requests"))[1] if entry["method"] == "POST"}
        assert 499 in statuses

    with_front(scenario)


def test_hold_counts_writes_of_soap() -> None:
    async def scenario(front: Front) -> None:
        await administrator(front)
        await arm(front, "hold", after=1)
        await sso(front, ("SsoAdminPasswordPolicyService", "passwordPolicyService"), "GetLocalPasswordPolicy", "")
        assert await struck(front) == {"hold": (0, False)}
        write = asyncio.create_task(sso(front, USERS, "CreateLocalPersonUser", create("ray-dev")))
        await striking(front)
        assert front.app["directory"].find("ray-dev") is not None and await waits(write)
        await front.side("/faults", "DELETE")
        assert (await write)[0] == 200

    with_front(scenario)


@pytest.mark.parametrize("clients", [0, 1])
def test_shutdown_does_not_wait_for_what_is_held(clients: int) -> None:
    async def scenario(front: Front) -> None:
        await front.login()
        await arm(front, "hold")
        write = asyncio.create_task(front.call("POST", CLASSES, SMALL))
        await striking(front)
        read = asyncio.create_task(front.call("POST", CLASSES, MEDIUM))
        assert await waits(read)
        if not clients:
            write.cancel(), read.cancel()
        await asyncio.wait_for(front.app.shutdown(), 5)  # the server's first step when it is told to end
        await asyncio.gather(write, read, return_exceptions=True)
        assert "ray-medium" not in front.app["store"]["vm_classes"]

    with_front(scenario)
