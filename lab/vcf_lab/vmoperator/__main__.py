# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The VM Operator part of a lab."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys

from aiohttp import web

from vcf_lab import settings
from vcf_lab.faults import routes
from vcf_lab.kube import Kube

from . import network
from .faults import VmFaults
from .machines import Machines
from .services import Services

LOG = logging.getLogger("vcf_lab.vmoperator")


async def main() -> None:
    lab = settings.load()
    for link in await network.links():  # an earlier run that was killed
        await network.remove_link(link)
    kube = Kube.connect(lab.kubeconfig)
    faults = VmFaults()
    machines = Machines(kube, lab, faults)
    services = Services(kube, machines, faults, lab.speed)

    def look_again() -> None:
        machines.wake()
        services.wake()

    faults.changed = look_again
    lab_port = await _serve_lab(machines, services, faults)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    work = [asyncio.create_task(task) for task in (services.watch_pool(), machines.watch(), services.watch())]
    waiting = asyncio.create_task(stop.wait())
    done, _ = await asyncio.wait([*work, waiting], return_when=asyncio.FIRST_COMPLETED)
    for task in (*work, waiting):
        task.cancel()
    await asyncio.gather(*work, waiting, return_exceptions=True)
    await machines.close()
    await services.close()
    await lab_port.cleanup()
    await kube.close()
    for task in done - {waiting}:
        task.result()  # a watch never ends by itself: show why this one did


async def _serve_lab(machines: Machines, services: Services, faults: VmFaults) -> web.AppRunner:
    """Plain HTTP for the lab itself: health, and faults."""

    async def health(request: web.Request) -> web.Response:
        return web.json_response({"status": "ok", "machines": machines.running, "services": services.running})

    app = web.Application()
    app.add_routes([web.get("/health", health), *routes(lambda request: faults)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", settings.VMOPERATOR_LAB_PORT).start()
    return runner


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(asctime)s %(message)s")
    asyncio.run(main())
