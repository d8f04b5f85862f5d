# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTPS server of the webhooks and plain HTTP server of the probes."""

from __future__ import annotations

import base64
import json
import logging
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from aiohttp import web

from vcf_lab.rayoperator import admission

LOG = logging.getLogger(__name__)
MUTATE = "/mutate-vmray-broadcom-com-v1alpha1-vmraycluster"
VALIDATE = "/validate-vmray-broadcom-com-v1alpha1-vmraycluster"
WEBHOOK_PORT = 9443
PROBE_PORT = 8081


async def serve(address: str, certificates: Path) -> list[web.AppRunner]:
    """Start both servers; the certificate is cert-manager's, mounted as a folder."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificates / "tls.crt", certificates / "tls.key")
    webhooks, probes = web.Application(), web.Application()
    webhooks.add_routes(
        [web.post(MUTATE, _review(admission.mutate)), web.post(VALIDATE, _review(admission.validate))]
    )
    probes.add_routes([web.get("/healthz", _healthy), web.get("/readyz", _healthy)])
    runners = []
    for app, port, tls in ((webhooks, WEBHOOK_PORT, context), (probes, PROBE_PORT, None)):
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, address, port, ssl_context=tls).start()
        runners.append(runner)
    return runners


async def _healthy(_request: web.Request) -> web.Response:
    return web.Response(text="ok")


def _review(decide: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answer(request: web.Request) -> web.Response:
        review = await request.json()
        wanted = review["request"]
        response = {"uid": wanted["uid"], **decide(wanted)}
        if "patch" in response:
            response["patch"] = base64.b64encode(json.dumps(response["patch"]).encode()).decode()
            response["patchType"] = "JSONPatch"
        if not response["allowed"]:
            LOG.info("refused %s/%s: %s", wanted.get("namespace"), wanted.get("name"), response["status"]["message"])
        return web.json_response({"apiVersion": review["apiVersion"], "kind": review["kind"], "response": response})

    return answer
