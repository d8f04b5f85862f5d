# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reverse proxy: on 443 the Supervisor serves the Kubernetes API besides its login."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Mapping

import aiohttp
from aiohttp import web
from multidict import CIMultiDict

from .. import settings

LOG = logging.getLogger(__name__)
# These belong to one connection and are not passed on (RFC 9110, 7.6.1).
HOP_BY_HOP = {"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}


class Proxy:
    """Passes requests on, and answers back piece by piece, so that a watch is seen as it happens."""

    def __init__(self, tls: ssl.SSLContext | bool, upstream: str = settings.APISERVER_URL) -> None:
        self._upstream = upstream
        self._tls = tls
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close the connections to the API server."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """One request, with the client's own credentials."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=None),
                connector=aiohttp.TCPConnector(limit=0),
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        call = self._session.request(
            request.method,
            self._upstream + request.raw_path,
            headers=_end_to_end(request.headers, without="host"),
            data=request.content if request.body_exists else None,
            allow_redirects=False,
            ssl=self._tls,
        )
        try:
            upstream = await call
        except (aiohttp.ClientConnectionError, TimeoutError) as error:
            LOG.warning("%s %s: %s", request.method, request.path, error)
            raise web.HTTPServiceUnavailable(text="the API server does not answer") from error
        async with upstream:
            return await _answer(request, upstream)


async def _answer(request: web.Request, upstream: aiohttp.ClientResponse) -> web.StreamResponse:
    headers = _end_to_end(upstream.headers)
    reply = web.StreamResponse(status=upstream.status, reason=upstream.reason, headers=headers)
    await reply.prepare(request)
    try:
        async for piece in upstream.content.iter_any():
            await reply.write(piece)
    except aiohttp.ClientError as error:
        # The head is sent already: the client has to see a broken connection, not a short answer.
        LOG.info("%s %s broke off: %s", request.method, request.path, error)
        if request.transport is not None:
            request.transport.abort()
        return reply
    await reply.write_eof()
    return reply


def _end_to_end(headers: Mapping[str, str], without: str = "") -> CIMultiDict[str]:
    kept: CIMultiDict[str] = CIMultiDict()
    for name, value in headers.items():
        if name.lower() not in HOP_BY_HOP and name.lower() != without:
            kept.add(name, value)
    return kept
