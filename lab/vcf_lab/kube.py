# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small Kubernetes client for the lab's own parts.

The lab's parts are asyncio programs that read, write and watch a few kinds; the official client
is synchronous and costs more memory in each part than all of this.
"""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp

from .kinds import KINDS, Resource
from .kubeconfig import read_kubeconfig

LOG = logging.getLogger(__name__)
MERGE_PATCH = "application/merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"
FIELD_MANAGER = "lab"
DISCOVERY_TIMEOUT = 30.0  # how long apply waits for a CRD that was only just created
RETRIES_WHEN_BUSY = 20
WATCH_SECONDS = 300  # the server ends the watch after this; we go on from the last version
PAUSE = 0.5


class KubeError(Exception):
    """An answer of the API server that is not a success; status 0 means that there was none."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(f"{status} {reason}: {message}")
        self.status = status
        self.reason = reason
        self.message = message


class Kube:
    """One connection to one API server."""

    def __init__(self, server: str, tls: ssl.SSLContext | bool, token: str | None = None) -> None:
        self.server = server.rstrip("/")
        self._tls = tls
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._session: aiohttp.ClientSession | None = None
        self._discovered: dict[tuple[str, str], Resource] = {}

    @classmethod
    def connect(cls, kubeconfig: Path) -> Kube:
        """The server and user of the kubeconfig's current context; nothing is sent yet."""
        return cls(*read_kubeconfig(kubeconfig))

    async def close(self) -> None:
        """Close the connections; the object can be used again afterwards."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def __aenter__(self) -> Kube:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()

    async def get(self, kind: str, name: str, namespace: str | None = None) -> dict[str, Any] | None:
        """The object, or None when it, or its kind, does not exist."""
        try:
            resource = await self.resource(kind)
            return await self.request("GET", resource.path(namespace, name))
        except KubeError as error:
            if error.status == 404:
                return None
            raise

    async def create(self, obj: dict[str, Any]) -> dict[str, Any]:
        """Create the object; one that exists is KubeError 409."""
        resource = await self.resource(f"{obj['apiVersion']}/{obj['kind']}")
        return await self.request("POST", resource.path(_namespace(obj)), body=obj)

    async def apply(self, obj: dict[str, Any]) -> dict[str, Any]:
        """Create or change by server-side apply, taking over fields that others set."""
        resource = await self._resource_when_served(f"{obj['apiVersion']}/{obj['kind']}")
        path = resource.path(_namespace(obj), obj["metadata"]["name"])
        query = {"fieldManager": FIELD_MANAGER, "force": "true"}
        for _ in range(RETRIES_WHEN_BUSY):
            try:
                return await self.request("PATCH", path, body=obj, query=query, content_type=APPLY_PATCH)
            except KubeError as error:
                if error.status != 429:  # 429: the storage of a new CRD is being made
                    raise
            await asyncio.sleep(PAUSE)
        return await self.request("PATCH", path, body=obj, query=query, content_type=APPLY_PATCH)

    async def patch(
        self, kind: str, name: str, body: dict[str, Any], namespace: str | None = None, subresource: str | None = None
    ) -> dict[str, Any]:
        """Merge patch (RFC 7386): None removes a key, lists are replaced whole."""
        resource = await self.resource(kind)
        path = resource.path(namespace, name) + (f"/{subresource}" if subresource else "")
        return await self.request("PATCH", path, body=body, content_type=MERGE_PATCH)

    async def delete(self, kind: str, name: str, namespace: str | None = None) -> None:
        """Ask for the deletion, dependants in the background; a missing object is fine."""
        try:
            resource = await self.resource(kind)
            await self.request("DELETE", resource.path(namespace, name), query={"propagationPolicy": "Background"})
        except KubeError as error:
            if error.status != 404:
                raise

    async def watch(self, kind: str, namespace: str | None = None) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        """("ADDED" | "MODIFIED" | "DELETED", object), first for what exists, then for ever.

        Survives an API server that is away, a version that is too old (410) and a CRD that is not
        there yet or goes. After each new listing objects come again as MODIFIED, and those that
        vanished meanwhile as DELETED: a consumer has to be level-based, and misses nothing.
        """
        known: dict[tuple[str, str], dict[str, Any]] = {}
        while True:
            try:
                resource = await self.resource(kind)
                items, version = await self._list(resource, namespace)
            except KubeError as error:
                if error.status == 404:
                    self._discovered.pop(_split(kind), None)
                    for gone in list(known):
                        yield "DELETED", known.pop(gone)
                elif error.status != 0:
                    LOG.warning("watch of %s: %s", kind, error)
                await asyncio.sleep(PAUSE)
                continue
            for event in _differences(known, items):
                yield event
            async for event in self._events(resource, namespace, version):
                _remember(known, *event)
                yield event

    async def _events(
        self, resource: Resource, namespace: str | None, version: str
    ) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        """Events from a version on, over as many connections as it takes, until a new list is due."""
        while True:
            query = {"watch": "1", "resourceVersion": version, "allowWatchBookmarks": "true"}
            query["timeoutSeconds"] = str(WATCH_SECONDS)
            try:
                async for event in self._stream(resource.path(namespace), query):
                    if event["type"] == "ERROR":
                        return  # 410: the version is no longer kept
                    version = event["object"]["metadata"]["resourceVersion"]
                    if event["type"] != "BOOKMARK":
                        yield event["type"], event["object"]
            except KubeError as error:
                if error.status != 0:
                    return
            except (aiohttp.ClientError, asyncio.TimeoutError, ConnectionError):
                LOG.debug("watch of %s dropped, goes on", resource.plural)
            await asyncio.sleep(PAUSE / 5)

    async def _stream(self, path: str, query: dict[str, str]) -> AsyncIterator[dict[str, Any]]:
        timeout = aiohttp.ClientTimeout(total=None, sock_read=WATCH_SECONDS + 30)
        async with await self._send("GET", path, query=query, timeout=timeout) as reply:
            rest = b""
            async for chunk in reply.content.iter_any():
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    if line.strip():
                        yield json.loads(line)

    async def _list(
        self, resource: Resource, namespace: str | None, labels: str | None = None
    ) -> tuple[list[dict[str, Any]], str]:
        query = {"labelSelector": labels} if labels else None
        body = await self.request("GET", resource.path(namespace), query=query)
        kind = body["kind"].removesuffix("List")
        for item in body["items"]:  # items of a list carry neither
            item.setdefault("apiVersion", body["apiVersion"])
            item.setdefault("kind", kind)
        return body["items"], body["metadata"]["resourceVersion"]

    async def resource(self, kind: str) -> Resource:
        """Where a kind lives; KubeError 404 when the server does not have it (yet)."""
        if kind in KINDS:
            return KINDS[kind]
        api_version, name = _split(kind)
        for known in KINDS.values():
            if (known.api_version, known.kind) == (api_version, name):
                return known
        found = self._discovered.get((api_version, name))
        if found is None:
            prefix = "/apis/" if "/" in api_version else "/api/"
            for entry in (await self.request("GET", prefix + api_version))["resources"]:
                if entry["kind"] == name and "/" not in entry["name"]:
                    found = Resource(name, api_version, entry["name"], entry["namespaced"])
                    self._discovered[(api_version, name)] = found
                    break
        if found is None:
            raise KubeError(404, "NotFound", f"the server has no kind {kind}")
        return found

    async def _resource_when_served(self, kind: str) -> Resource:
        deadline = asyncio.get_running_loop().time() + DISCOVERY_TIMEOUT
        while True:
            try:
                return await self.resource(kind)
            except KubeError as error:
                if error.status != 404 or asyncio.get_running_loop().time() > deadline:
                    raise
            await asyncio.sleep(PAUSE)

    async def request(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        query: dict[str, str] | None = None,
        content_type: str = "application/json",
    ) -> dict[str, Any]:
        """One call with a JSON answer, for what the verbs above do not cover (subresources)."""
        timeout = aiohttp.ClientTimeout(total=60)
        try:
            async with await self._send(method, path, body, query, content_type, timeout) as reply:
                answer: dict[str, Any] = json.loads(await reply.read() or b"{}")
                return answer
        except (aiohttp.ClientError, asyncio.TimeoutError, ConnectionError) as error:
            raise KubeError(0, "Unreachable", f"{method} {path}: {error or type(error).__name__}") from error

    async def _send(
        self,
        method: str,
        path: str,
        body: Any = None,
        query: dict[str, str] | None = None,
        content_type: str = "application/json",
        timeout: aiohttp.ClientTimeout | None = None,
    ) -> aiohttp.ClientResponse:
        if self._session is None:
            self._session = aiohttp.ClientSession(headers=self._headers)
        data = None if body is None else json.dumps(body)
        headers = {"Content-Type": content_type} if data is not None else {}
        reply = await self._session.request(
            method, self.server + path, data=data, params=query, headers=headers, timeout=timeout, ssl=self._tls
        )
        if reply.status < 400:
            return reply
        async with reply:
            raise _error(reply.status, await reply.text())

    # The last one: from here on `list` means this method.
    async def list(self, kind: str, namespace: str | None = None, labels: str | None = None) -> list[dict[str, Any]]:
        """All objects of a kind, of one namespace or of all."""
        resource = await self.resource(kind)
        return (await self._list(resource, namespace, labels))[0]


def _error(status: int, text: str) -> KubeError:
    try:
        body = json.loads(text)
    except ValueError:
        body = {}
    if not isinstance(body, dict):
        body = {}
    return KubeError(status, body.get("reason") or "Unknown", body.get("message") or text.strip())


def _split(kind: str) -> tuple[str, str]:
    api_version, _, name = kind.rpartition("/")
    return api_version, name


def _namespace(obj: dict[str, Any]) -> str:
    return obj["metadata"].get("namespace") or "default"


def _key(obj: dict[str, Any]) -> tuple[str, str]:
    return obj["metadata"].get("namespace", ""), obj["metadata"]["name"]


def _differences(known: dict[tuple[str, str], dict[str, Any]], items: list[dict[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    """What changed between two listings, as events; `known` becomes the new listing."""
    found = {_key(item): item for item in items}
    events = [("DELETED", old) for key, old in known.items() if key not in found]
    events += [("MODIFIED" if key in known else "ADDED", item) for key, item in found.items()]
    known.clear()
    known.update(found)
    return events


def _remember(known: dict[tuple[str, str], dict[str, Any]], event: str, obj: dict[str, Any]) -> None:
    if event == "DELETED":
        known.pop(_key(obj), None)
    else:
        known[_key(obj)] = obj
