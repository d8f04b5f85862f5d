# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Serve the front: TLS for clients, a plain port for the lab itself."""

from __future__ import annotations

import asyncio
import logging
import warnings

from aiohttp import web

from vcf_lab import pki, serving, settings

from .app import make_app, make_lab_app


async def main() -> None:
    """Run until asked to end."""
    lab = settings.load()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
    app = make_app(lab)
    certificate, key = pki.issue(lab, "vcenter", [settings.VCENTER_HOST, settings.VCENTER_IP])
    context = serving.tls(certificate, key)
    front, side = web.AppRunner(app, access_log=None), web.AppRunner(make_lab_app(app), access_log=None)
    await front.setup()
    await side.setup()
    await web.TCPSite(front, settings.VCENTER_IP, settings.VCENTER_PORT, ssl_context=context).start()
    await web.TCPSite(side, settings.VCENTER_IP, settings.VCENTER_LAB_PORT).start()
    await serving.until_ended()
    await side.cleanup()
    await front.cleanup()


if __name__ == "__main__":
    # Keys of the application are plain names that the parts of this package agree on.
    warnings.filterwarnings("ignore", category=web.NotAppKeyWarning)
    asyncio.run(main())
