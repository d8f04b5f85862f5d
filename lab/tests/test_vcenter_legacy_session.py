# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The login below /rest, and that its session is good for /api."""

from __future__ import annotations

import aiohttp
from vcenter_front import PASSWORD, Front, with_front

from vcf_lab.settings import ADMINISTRATOR
from vcf_lab.vcenter.legacy_session import PATH


def test_its_session_is_good_for_the_newer_paths_until_it_is_deleted() -> None:
    async def scenario(front: Front) -> None:
        status, body = await front.call("POST", PATH, auth=aiohttp.BasicAuth(ADMINISTRATOR, PASSWORD))
        assert (status, list(body)) == (200, ["value"])
        front.token = body["value"]
        assert (await front.call("GET", "/api/vcenter/cluster"))[0] == 200
        assert (await front.call("DELETE", PATH))[0] == 200
        assert (await front.call("GET", "/api/vcenter/cluster"))[0] == 401

    with_front(scenario)


def test_a_refusal_has_the_older_form() -> None:
    async def scenario(front: Front) -> None:
        for method, auth in (("POST", aiohttp.BasicAuth(ADMINISTRATOR, "wrong")), ("DELETE", None)):
            status, body = await front.call(method, PATH, auth=auth)
            assert (status, body["type"]) == (401, "com.vmware.vapi.std.errors.unauthenticated")
            assert body["value"]["messages"][0]["default_message"]

    with_front(scenario)
