# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Serve the library's files over TLS."""

from __future__ import annotations

import asyncio
import logging
import signal
import ssl
from pathlib import Path

from aiohttp import web

from vcf_lab import pki, settings

from .items import generate

LIBRARY = "/dl-vm"


def make_app(folder: Path) -> web.Application:
    """The files below /dl-vm; the first index also at /, for whoever asks whether we live."""
    app = web.Application()
    app.router.add_static(LIBRARY, folder)

    async def index(_: web.Request) -> web.FileResponse:
        return web.FileResponse(folder / "lib.json")

    app.router.add_get("/lib.json", index)
    return app


async def main() -> None:
    """Run until asked to end."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    lab = settings.load()
    folder = lab.state / "publisher"
    generate(lab, folder)
    certificate, key = pki.issue(lab, "publisher", [settings.PUBLISHER_HOST, settings.PUBLISHER_IP])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    runner = web.AppRunner(make_app(folder))
    await runner.setup()
    await web.TCPSite(runner, settings.PUBLISHER_IP, settings.PUBLISHER_PORT, ssl_context=context).start()
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    await ended.wait()
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(main())
