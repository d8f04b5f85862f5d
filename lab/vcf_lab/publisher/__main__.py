# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Serve the library's files over TLS, and the ways in which a publisher can be unfriendly.

`/dl-vm` answers everybody, `/private` only the user `vcsp` with the lab's password, `/slow` nobody
before a client has given up. The port beside the usual one shows a certificate of an authority that
nobody trusts, for clients that pin it.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from aiohttp import web

from vcf_lab import pki, serving, settings
from vcf_lab.settings import Lab

from .items import generate

LIBRARY, PRIVATE, SLOW = "/dl-vm", "/private", "/slow"
USER = "vcsp"  # of every library that vCenter publishes with a password
STRANGER_PORT = 8443
TOO_LONG = 60.0  # seconds; every client gives up earlier
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def make_app(folder: Path, password: str = "") -> web.Application:
    """The files below three paths; the first index also at /, for whoever asks whether we live."""
    expected = "Basic " + base64.b64encode(f"{USER}:{password}".encode()).decode()

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        given = request.headers.get("Authorization", "")
        if request.path.startswith(PRIVATE) and not hmac.compare_digest(given.encode(), expected.encode()):
            raise web.HTTPUnauthorized(headers={"WWW-Authenticate": 'Basic realm="packages"'})
        if request.path.startswith(SLOW):
            await asyncio.sleep(TOO_LONG)
        return await handler(request)

    async def index(_: web.Request) -> web.FileResponse:
        return web.FileResponse(folder / "lib.json")

    app = web.Application(middlewares=[guard])
    for path in (LIBRARY, PRIVATE, SLOW):
        app.router.add_static(path, folder)
    app.router.add_get("/lib.json", index)
    return app


def stranger(lab: Lab) -> Lab:
    """The same publisher under an authority of its own, which no part of the lab knows."""
    folder = lab.state / "publisher-stranger"
    if not (folder / "pki").exists():
        pki.make_ca(folder / "pki")
    return replace(lab, state=folder)


async def main() -> None:
    """Run until asked to end."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    lab = settings.load()
    folder = lab.state / "publisher"
    generate(lab, folder)
    runner = web.AppRunner(make_app(folder, lab.password), shutdown_timeout=1.0)  # nobody waits for /slow
    await runner.setup()
    names = [settings.PUBLISHER_HOST, settings.PUBLISHER_IP]
    for owner, port in ((lab, settings.PUBLISHER_PORT), (stranger(lab), STRANGER_PORT)):
        context = serving.tls(*pki.issue(owner, "publisher", names))
        await web.TCPSite(runner, settings.PUBLISHER_IP, port, ssl_context=context).start()
    await serving.until_ended()
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(main())
