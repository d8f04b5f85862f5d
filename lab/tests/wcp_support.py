# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of the workload control plane share: a front with a small inventory and a Kubernetes that remembers."""

from __future__ import annotations

import asyncio
import base64
import copy
import types
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from wcp_specs import ENABLE_PATH, NM, PMEM, POLICY, enable_spec_of, enable_spec_v1

from vcf_lab.kube import KubeError
from vcf_lab.vcenter import supervisor_lifecycle, wcp, wcp_jobs
from vcf_lab.vcenter.errors import ApiError
from vcf_lab.vcenter.store import Store


class Inventory:
    """Five clusters, two of one name; three networks, two policies."""

    async def clusters(self) -> list[dict[str, Any]]:
        names = {"domain-c9": "C0", "domain-c10": "C1", "domain-c11": "C2", "domain-c12": "twin", "domain-c13": "twin"}
        return [{"cluster": cluster, "name": name} for cluster, name in names.items()]

    async def networks(self) -> list[dict[str, Any]]:
        return [
            {"network": "dvportgroup-11", "name": "DC0_DVPG0", "type": "DISTRIBUTED_PORTGROUP"},
            {"network": "dvportgroup-12", "name": "DC0_DVPG1", "type": "DISTRIBUTED_PORTGROUP"},
            {"network": "network-7", "name": "VM Network", "type": "STANDARD_PORTGROUP"},
        ]

    async def policies(self) -> list[dict[str, Any]]:
        return [
            {"policy": POLICY, "name": "vSAN Default Storage Policy", "description": ""},
            {"policy": PMEM, "name": "Host-local PMem Default Storage Policy", "description": ""},
        ]


class MemoryKube:
    """Objects in a dictionary; a namespace that goes takes its contents along, Deployments come up at once."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str, str], dict[str, Any]] = {}
        self.order: list[str] = []  # kinds in the order of their first apply
        self.refuse: dict[str, str] = {}  # kind -> message of a KubeError
        self.available = True
        self.objects[("Namespace", "", "kube-system")] = {"kind": "Namespace", "metadata": {"name": "kube-system"}}

    async def get(self, kind: str, name: str, namespace: str | None = None) -> dict[str, Any] | None:
        return self.objects.get((kind.rsplit("/", 1)[-1], namespace or "", name))

    async def list(self, kind: str, namespace: str | None = None, labels: str | None = None) -> list[dict[str, Any]]:
        key, _, value = (labels or "").partition("=")
        return [
            obj
            for (a_kind, a_namespace, _), obj in self.objects.items()
            if a_kind == kind
            and (namespace is None or a_namespace == namespace)
            and (not labels or obj["metadata"].get("labels", {}).get(key) == value)
        ]

    async def apply(self, obj: dict[str, Any]) -> dict[str, Any]:
        if obj["kind"] in self.refuse:
            raise KubeError(403, "Forbidden", self.refuse[obj["kind"]])
        stored = copy.deepcopy(obj)
        if obj["kind"] == "Deployment":
            stored["status"] = {"availableReplicas": obj["spec"].get("replicas", 1) if self.available else 0}
        metadata = obj["metadata"]
        self.objects[(obj["kind"], metadata.get("namespace", ""), metadata["name"])] = stored
        if obj["kind"] not in self.order:
            self.order.append(obj["kind"])
        return stored

    async def patch(
        self, kind: str, name: str, body: dict[str, Any], namespace: str | None = None, subresource: str | None = None
    ) -> dict[str, Any]:
        stored = self.objects[(kind, namespace or "", name)]
        stored.update(body)
        return stored

    async def delete(self, kind: str, name: str, namespace: str | None = None) -> None:
        kind = kind.rsplit("/", 1)[-1]
        self.objects.pop((kind, namespace or "", name), None)
        if kind == "Namespace":
            for key in [key for key in self.objects if key[1] == name]:
                del self.objects[key]

    def names(self, kind: str, namespace: str = "") -> list[str]:
        return sorted(key[2] for key in self.objects if key[0] == kind and key[1] == namespace)


class Front:
    """The routes behind a client, with what the tests look into."""

    def __init__(self, app: web.Application, client: TestClient, kube: MemoryKube) -> None:
        self.app, self.client, self.kube, self.store = app, client, kube, app["store"]

    async def call(self, method: str, path: str, json: Any = None) -> tuple[int, Any]:
        async with self.client.request(method, path, json=json) as reply:
            text = await reply.text()
            return reply.status, (await reply.json() if text else None)

    async def refused(self, method: str, path: str, json: Any = None) -> tuple[int, str, str]:
        """(status, error_type, text) of a call that fails."""
        status, body = await self.call(method, path, json)
        return status, body["error_type"], body["messages"][0]["default_message"]

    async def settled(self) -> None:
        await asyncio.wait_for(wcp_jobs.jobs(self.app).settled(), 10)

    async def supervisor(self) -> str:
        """An enabled Supervisor, in the way of the release."""
        version = self.app["lab"].version
        if version < "8":
            path = f"{NM}/clusters/domain-c9?action=enable"
            assert await self.call("POST", path, enable_spec_v1()) == (204, None)
            identifier = next(iter(self.store["supervisors"]))
        else:
            status, identifier = await self.call("POST", ENABLE_PATH, enable_spec_of(version))
            assert status == 200, identifier
        await self.settled()
        return str(identifier)


@web.middleware
async def _errors(request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> Any:
    try:
        return await handler(request)
    except ApiError as error:
        return web.json_response(error.body(), status=error.status)


@web.middleware
async def _user(request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> Any:
    request["user"] = request.headers.get("as", "administrator@vsphere.local")
    return await handler(request)


def make_app(folder: Path, kube: Any, version: str = "9.1") -> web.Application:
    """The routes of the workload control plane without the rest of the front."""
    app = web.Application(middlewares=[_errors, _user])
    app["lab"] = types.SimpleNamespace(version=version, speed="fast", state=folder, bin=folder / "bin")
    app["store"] = Store(folder / "vcenter" / "state.json")
    app["store"]["users"].update(
        {
            "administrator@vsphere.local": {"groups": ["Administrators@vsphere.local"]},
            "ray-dev@vsphere.local": {"groups": []},
        }
    )
    app["store"]["groups"]["Administrators@vsphere.local"] = {}
    app["store"]["libraries"]["lib-1"] = {"id": "lib-1", "type": "SUBSCRIBED"}
    app["store"]["items"]["item-1"] = {"id": "item-1", "name": "ray-node", "library_id": "lib-1", "type": "ovf"}
    app["inventory"], app["simulator"], app["kube"] = Inventory(), None, kube
    app.add_routes(wcp.routes)
    app.on_startup.append(wcp.start)
    app.on_cleanup.append(wcp.stop)
    return app


@asynccontextmanager
async def front(folder: Path, *, kube: Any = None, version: str = "9.1") -> AsyncIterator[Front]:
    """A served front; a second one on the same folder is a restarted one."""
    kube = kube or MemoryKube()
    app = make_app(folder, kube, version)
    async with TestClient(TestServer(app)) as client:
        yield Front(app, client, kube)


def quick(monkeypatch: pytest.MonkeyPatch, *, answers: bool = True) -> None:
    """No waiting, and an address of the Supervisor that answers while the ConfigMap is there."""
    # Steps take long enough to be seen under way on a busy machine.
    times = {kind: 0.001 if kind in ("poll", "retry") else 0.05 for kind in wcp_jobs.PACE}
    monkeypatch.setattr(wcp_jobs, "PACE", {kind: (time, time) for kind, time in times.items()})

    async def banner(app: web.Application, vip: str) -> bool:
        return answers and await app["kube"].get("ConfigMap", "supervisor", "kube-system") is not None

    monkeypatch.setattr(supervisor_lifecycle, "login_banner", banner)


TEMPLATE = """\
#@ load("@ytt:data", "data")
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: manager
  namespace: #@ data.values.namespace
spec: {replicas: 1, selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, \
spec: {containers: [{name: manager, image: example/manager:1}]}}}
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: manager
  namespace: #@ data.values.namespace
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data:
  size: #@ getattr(data.values, "size", "small")
"""


def package(version: str = "0.1.0", name: str = "ray-on-vcf.broadcom.com", template: str = TEMPLATE) -> str:
    """A Carvel package in the form that the catalogue takes, base64."""
    metadata = {
        "apiVersion": "data.packaging.carvel.dev/v1alpha1",
        "kind": "PackageMetadata",
        "metadata": {"name": name},
        "spec": {"displayName": "ray-on-vcf", "shortDescription": "ray-on-vcf service"},
    }
    pack = {
        "apiVersion": "data.packaging.carvel.dev/v1alpha1",
        "kind": "Package",
        "metadata": {"name": f"{name}.{version}"},
        "spec": {
            "refName": name,
            "version": version,
            "template": {
                "spec": {
                    "fetch": [{"inline": {"paths": {"config/all.yaml": template}}}],
                    "template": [{"ytt": {"paths": ["config"]}}],
                    "deploy": [{"kapp": {}}],
                }
            },
        },
    }
    return encoded(yaml.safe_dump_all([metadata, pack]))


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
