# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The login service: `/wcp/loginbanner`, `/wcp/login`, `/wcp/workloads`."""

from __future__ import annotations

import base64
import json
import logging
from typing import Any

import aiohttp
from aiohttp import web

from .. import settings
from ..kube import Kube
from .tokens import Tokens, User

LOG = logging.getLogger(__name__)
ADMINISTRATORS = f"Administrators@{settings.SSO_DOMAIN}"
NAMESPACE_LABEL = "vSphereClusterID"  # on namespaces that vCenter made, and on no other
GUEST_CLUSTER = "guest-cluster-"  # a ConfigMap of this name stands for one; its `server` and `ca` say where it is


class VCenterAway(Exception):
    """vCenter, which knows the passwords, does not answer."""


class Login:
    """Knows who may log in and where they may go."""

    def __init__(self, tokens: Tokens, kube: Kube, vcenter: str = settings.VCENTER_LAB_URL) -> None:
        self.host = ""  # the Supervisor's address, told to clients
        self._tokens = tokens
        self._kube = kube
        self._vcenter = vcenter

    def routes(self) -> list[web.RouteDef]:
        """The three paths that are not the API server's."""
        return [
            web.get("/wcp/loginbanner", self.banner),
            web.post("/wcp/login", self.login),
            web.get("/wcp/workloads", self.workloads),
        ]

    async def banner(self, _request: web.Request) -> web.Response:
        """An empty banner; that it answers says that this is a Supervisor."""
        return web.Response(text="")

    async def login(self, request: web.Request) -> web.Response:
        """A session token, and where the guest cluster is that the request names; one that is not found is left out."""
        user = await self._user(request)
        LOG.info("login of %s", user.name)
        return web.json_response({"session_id": self._tokens.issue(user), **await self._guest_cluster(request, user)})

    async def _guest_cluster(self, request: web.Request, user: User) -> dict[str, str]:
        try:
            asked = json.loads(await request.text() or "{}")
            name, namespace = asked.get("guest_cluster_name"), asked.get("guest_cluster_namespace")
        except (ValueError, AttributeError) as error:
            raise web.HTTPBadRequest(text="the body is no JSON object") from error
        if not name or namespace not in await self._namespaces(user):
            return {}
        found = await self._kube.get("ConfigMap", f"{GUEST_CLUSTER}{name}", namespace)
        if found is None:
            return {}
        authority = base64.b64encode(found["data"]["ca"].encode()).decode()
        return {"guest_cluster_server": found["data"]["server"], "guest_cluster_ca": authority}

    async def workloads(self, request: web.Request) -> web.Response:
        """The vSphere namespaces that the user may enter."""
        user = await self._user(request)
        found = [
            {
                "namespace": name,
                "master_host": self.host,
                "control_plane_api_server_port": str(settings.APISERVER_PORT),
                "control_plane_DNS_names": [],
            }
            for name in await self._namespaces(user)
        ]
        return web.json_response(found)

    async def _namespaces(self, user: User) -> list[str]:
        namespaces = await self._kube.list("Namespace", labels=NAMESPACE_LABEL)
        names = sorted(item["metadata"]["name"] for item in namespaces)
        if ADMINISTRATORS in user.groups:
            return names
        bound = {
            binding["metadata"]["namespace"]
            for binding in await self._kube.list("RoleBinding")
            if binding["metadata"]["name"].startswith("wcp:") and _names(binding, user)
        }
        return [name for name in names if name in bound]

    async def _user(self, request: web.Request) -> User:
        name, password = _basic(request)
        try:
            user = await self._authenticate(name, password)
        except VCenterAway as error:
            raise web.HTTPServiceUnavailable(text=f"vCenter does not answer: {error}") from error
        if user is None:
            raise _refused("invalid credentials")
        return user

    async def _authenticate(self, name: str, password: str) -> User | None:
        body = {"username": name, "password": password}
        timeout = aiohttp.ClientTimeout(total=20)
        try:
            async with aiohttp.ClientSession(timeout=timeout) as session, session.post(f"{self._vcenter}/authenticate", json=body) as reply:
                if reply.status == 401:
                    return None
                reply.raise_for_status()
                found = await reply.json()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise VCenterAway(str(error) or type(error).__name__) from error
        return User(found["user"], tuple(_qualified(group) for group in found.get("groups", [])))


def _qualified(group: str) -> str:
    return group if "@" in group else f"{group}@{settings.SSO_DOMAIN}"


def _names(binding: dict[str, Any], user: User) -> bool:
    """Whether the binding is for the user or for one of the user's groups."""
    mine = {("User", user.username), *(("Group", group) for group in user.kubernetes_groups)}
    return any((subject["kind"], subject["name"]) in mine for subject in binding.get("subjects") or [])


def _basic(request: web.Request) -> tuple[str, str]:
    try:
        credentials = aiohttp.BasicAuth.decode(request.headers.get("Authorization", ""), encoding="utf-8")
    except ValueError as error:
        raise _refused("Basic credentials are needed") from error
    return credentials.login, credentials.password


def _refused(reason: str) -> web.HTTPUnauthorized:
    return web.HTTPUnauthorized(text=reason, headers={"WWW-Authenticate": 'Basic realm="Supervisor"'})
