# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m vcf_lab.supervisor`: everything of a Supervisor that is not Kubernetes itself."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from collections.abc import Awaitable, Callable

from aiohttp import web

from .. import settings
from ..faults import routes
from ..kube import Kube
from ..settings import Lab
from . import tokens as tokens_module
from .certmanager import CertManager
from .faults import ClusterFaults, Mischief
from .kubelet import Kubelet
from .login import Login
from .services import Endpoints, Services
from .tokens import Tokens
from .vip import VirtualAddress

LOG = logging.getLogger("vcf_lab.supervisor")
PAUSE_AFTER_FAILURE = 1.0


async def kept(name: str, work: Callable[[], Awaitable[None]]) -> None:
    """Run a piece of the Supervisor for ever: its failure is told, and must not end the others."""
    while True:
        try:
            await work()
        except Exception:
            LOG.exception("%s failed, starts again", name)
        await asyncio.sleep(PAUSE_AFTER_FAILURE)


async def _serve_lab(tokens: Tokens, faults: ClusterFaults) -> web.AppRunner:
    """Plain HTTP for the lab itself: health, faults, and the life of tokens for tests of expiry."""

    async def health(_request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def change(request: web.Request) -> web.Response:
        tokens.lifetime = float((await request.json())["token_seconds"])
        return web.json_response({"token_seconds": tokens.lifetime})

    app = web.Application()
    app.add_routes([web.get("/health", health), web.put("/settings", change), *routes(lambda request: faults)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", settings.SUPERVISOR_LAB_PORT).start()
    return runner


async def run(lab: Lab) -> None:
    """Serve until cancelled."""
    tokens = Tokens(lab.state / "supervisor")
    tokens.lifetime = float(lab.token_seconds)
    kube = Kube.connect(lab.kubeconfig)
    endpoints = Endpoints()
    services, address = Services(kube, endpoints), VirtualAddress(lab, kube, Login(tokens, kube))
    faults = ClusterFaults()
    kubelet, certificates = Kubelet(lab, kube, endpoints, faults), CertManager(kube)
    mischief = Mischief(kube, faults)

    def look_again() -> None:
        mischief.wake()
        kubelet.wake()

    faults.changed = look_again
    runners = [await tokens_module.serve(lab, tokens), await _serve_lab(tokens, faults)]
    pieces = {
        "virtual address": address.run,
        "services": services.run,
        "kubelet": kubelet.run,
        "cert-manager": certificates.run,
        "faults": mischief.run,
    }
    try:
        await asyncio.gather(*(kept(name, work) for name, work in pieces.items()))
    finally:
        await address.down()
        await services.close()
        for runner in runners:
            await runner.cleanup()
        await kube.close()


async def main() -> None:
    """Run until SIGTERM."""
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    work = asyncio.ensure_future(run(settings.load()))
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, work.cancel)
    try:
        await work
    except asyncio.CancelledError:
        LOG.info("stopped")


if __name__ == "__main__":
    asyncio.run(main())
