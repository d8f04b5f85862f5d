# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Supervisor's virtual address: up while vCenter has a Supervisor enabled, else not there."""

from __future__ import annotations

import asyncio
import base64
import logging
import socket
import ssl
from typing import Any

import yaml
from aiohttp import web

from .. import addresses, controlplane, pki, settings
from ..forwarder import forward
from ..kube import Kube, KubeError
from ..settings import Lab
from .login import Login
from .proxy import Proxy

LOG = logging.getLogger(__name__)
CONFIG_MAP = ("kube-system", "supervisor")
RELOAD_TIMEOUT = 90.0  # the API server looks at its certificate once a minute at the latest
TLS_PORT = 443
MAX_BODY = 64 * 1024**2
INFO = "vip-cluster-info"


class VirtualAddress:
    """Follows the ConfigMap that vCenter writes when it enables or removes a Supervisor."""

    def __init__(self, lab: Lab, kube: Kube, login: Login) -> None:
        self._lab = lab
        self._kube = kube
        self._login = login
        self._proxy = Proxy(ssl.create_default_context(cafile=str(lab.ca_cert)))
        self._address: str | None = None
        self._runner: web.AppRunner | None = None
        self._api: asyncio.Server | None = None

    async def run(self) -> None:
        """For ever: up when the ConfigMap comes, down when it goes."""
        namespace, name = CONFIG_MAP
        async for event, config in self._kube.watch("ConfigMap", namespace):
            if config["metadata"]["name"] != name:
                continue
            wanted = None if event == "DELETED" else config.get("data", {}).get("vip")
            if wanted != self._address:
                await self.down()
                if wanted:
                    await self._up_or_not(wanted)

    async def _up_or_not(self, address: str) -> None:
        """Nothing half open stays behind, so that the next try finds its place free."""
        try:
            await self.up(address)
        except BaseException:
            await self.down()
            raise

    async def up(self, address: str) -> None:
        """Listen only when all of it works, so that whoever gets an answer can go on at once."""
        hosts = [*controlplane.API_NAMES, address]
        pki.issue(self._lab, "apiserver", hosts)
        await self._reloaded(address)
        await addresses.add(address)
        self._address, self._login.host = address, address
        await self._publish(address)
        api = (settings.APISERVER_IP, settings.APISERVER_PORT)
        self._api = await forward((address, settings.APISERVER_PORT), lambda: api)
        # Without a limit open watches would hold up the removal for a minute.
        self._runner = web.AppRunner(self._app(), access_log=None, handler_cancellation=True, shutdown_timeout=0.5)
        await self._runner.setup()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*pki.issue(self._lab, "supervisor", [address]))
        await web.TCPSite(self._runner, address, TLS_PORT, ssl_context=context).start()
        LOG.info("the Supervisor answers at %s", address)

    async def down(self) -> None:
        """Take back what was published, then stop answering: vCenter takes silence for the end of a removal.

        The address goes too, so that clients see no route and not a refusal.
        """
        if self._address is not None:
            await self._unpublish()
        if self._api is not None:
            self._api.close()
            self._api = None
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
        await self._proxy.close()
        if self._address is not None:
            await addresses.remove(self._address)
            LOG.info("the Supervisor at %s is gone", self._address)
            self._address = None

    def _app(self) -> web.Application:
        app = web.Application(client_max_size=MAX_BODY)
        app.add_routes(self._login.routes())
        app.router.add_route("*", "/{path:.*}", self._proxy.handle)
        return app

    async def _reloaded(self, address: str) -> None:
        """Wait until the API server shows a certificate that is good for the new address."""
        context = ssl.create_default_context(cafile=str(self._lab.ca_cert))
        deadline = asyncio.get_running_loop().time() + RELOAD_TIMEOUT
        while True:
            try:
                await asyncio.to_thread(_handshake, context, address)
                return
            except (OSError, ssl.SSLError) as error:
                if asyncio.get_running_loop().time() > deadline:
                    raise TimeoutError(f"the API server has no certificate for {address}: {error}") from error
            await asyncio.sleep(0.2)

    async def _publish(self, address: str) -> None:
        """Where anyone can read, without login, which CA signs this Supervisor's API."""
        cluster = {
            "server": f"https://{address}:{settings.APISERVER_PORT}",
            "certificate-authority-data": _base64(self._lab.ca_cert.read_bytes()),
        }
        kubeconfig = {"apiVersion": "v1", "kind": "Config", "clusters": [{"name": "", "cluster": cluster}]}
        kubeconfig |= {"users": [], "contexts": [], "current-context": ""}
        for obj in _public(INFO, {"kubeconfig": yaml.safe_dump(kubeconfig, sort_keys=False)}):
            try:
                await self._kube.apply(obj)
            except KubeError as error:
                # kube-public is made a moment after the API server starts; logins work without this.
                LOG.warning("%s: %s", INFO, error)

    async def _unpublish(self) -> None:
        for obj in reversed(_public(INFO, {})):
            try:
                await self._kube.delete(obj["kind"], INFO, obj["metadata"]["namespace"])
            except KubeError as error:
                LOG.warning("%s: %s", INFO, error)


def _handshake(context: ssl.SSLContext, name: str) -> None:
    with socket.create_connection((settings.APISERVER_IP, settings.APISERVER_PORT), timeout=5) as plain:
        context.wrap_socket(plain, server_hostname=name).close()


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _public(name: str, data: dict[str, str]) -> list[dict[str, Any]]:
    """A ConfigMap in kube-public and the right of everybody to read this one."""
    rbac = "rbac.authorization.k8s.io"
    metadata = {"name": name, "namespace": "kube-public"}
    rule = {"apiGroups": [""], "resources": ["configmaps"], "resourceNames": [name], "verbs": ["get"]}
    everybody = [
        {"apiGroup": rbac, "kind": "Group", "name": group} for group in ("system:unauthenticated", "system:authenticated")
    ]
    return [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data},
        {"apiVersion": f"{rbac}/v1", "kind": "Role", "metadata": metadata, "rules": [rule]},
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "RoleBinding",
            "metadata": metadata,
            "roleRef": {"apiGroup": rbac, "kind": "Role", "name": name},
            "subjects": everybody,
        },
    ]
