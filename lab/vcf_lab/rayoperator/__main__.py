# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The operator's process, as the lab's kubelet starts it: `python -m vcf_lab.rayoperator`.

Environment: POD_IP, POD_NAMESPACE, KUBECONFIG (of the pod's service account), CERT_DIR (the
webhook's certificate) and LAB_SPEED.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from pathlib import Path

from vcf_lab.kube import Kube
from vcf_lab.rayoperator.reconcile import Controller
from vcf_lab.rayoperator.webhook import serve

LOG = logging.getLogger("vcf_lab.rayoperator")


async def main() -> None:
    """Serve the webhooks and reconcile until SIGTERM."""
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    kube = Kube.connect(Path(os.environ["KUBECONFIG"]))
    runners = await serve(os.environ["POD_IP"], Path(os.environ["CERT_DIR"]))
    fast = os.environ.get("LAB_SPEED", "natural") == "fast"
    LOG.info("started in %s, %s", os.environ.get("POD_NAMESPACE", "?"), "fast" if fast else "natural")
    work = asyncio.create_task(Controller(kube, fast=fast).run())
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, work.cancel)
    try:
        await work
    except asyncio.CancelledError:
        LOG.info("stopped")
    finally:
        for runner in runners:
            await runner.cleanup()
        await kube.close()


if __name__ == "__main__":
    asyncio.run(main())
