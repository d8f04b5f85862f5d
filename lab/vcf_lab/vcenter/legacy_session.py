# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The login as it was before /api. Clients that still use it, such as vmware.vmware_rest, go on to /api with its session.

Source: REST metadata of vmware-vcenter 9.1.1.0: POST and DELETE /rest/com/vmware/cis/session, 200 and {"value": id}.
"""

from __future__ import annotations

from typing import Any

from aiohttp import web

from .directory import full_name
from .errors import ApiError
from .sessions import HEADER, unauthenticated, user_of

PATH = "/rest/com/vmware/cis/session"

routes = web.RouteTableDef()


@routes.post(PATH)
async def login(request: web.Request) -> web.Response:
    """A session like any other."""
    try:
        return web.json_response({"value": request.app["sessions"].create(full_name(user_of(request)))})
    except ApiError as error:
        return in_older_form(error)


@routes.delete(PATH)
async def logout(request: web.Request) -> web.Response:
    """End the session of the request."""
    token = request.headers.get(HEADER, "")
    if request.app["sessions"].touch(token) is None:
        return in_older_form(unauthenticated())
    request.app["sessions"].end(token)
    return web.json_response({})


def in_older_form(error: ApiError) -> web.Response:
    """A refusal of /rest: the type in lower case, the messages inside `value`."""
    body: dict[str, Any] = error.body()
    kind = f"com.vmware.vapi.std.errors.{error.error_type.lower()}"
    return web.json_response({"type": kind, "value": {"messages": body["messages"]}}, status=error.status)
