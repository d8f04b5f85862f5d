# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of Carvel packages share: a package as it is wanted, and a Supervisor to install it on."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path
from typing import Any

import yaml
from registry_support import Registry
from wcp_specs import NM
from wcp_support import TEMPLATE, Front, encoded, front, package

from vcf_lab import build

SERVICES = f"{NM}/supervisor-services"
RAY, OTHER = "ray-on-vcf.broadcom.com", "other.example.com"
IMAGE = "vmray-cluster-controller:latest"
STEPS = [{"ytt": {"paths": ["config"]}}, {"kbld": {"paths": ["-", ".imgpkg/images.yml"]}}]
MANAGER = TEMPLATE.replace("example/manager:1", IMAGE)
LOCK = """\
apiVersion: imgpkg.carvel.dev/v1alpha1
kind: ImagesLock
images:
- image: {image}
  annotations: {{kbld.carvel.dev/id: "vmray-cluster-controller:latest"}}
"""
NOWHERE = "127.0.0.1:9/ray/operator@sha256:" + "a" * 64


def bundle(
    registry: Registry, repository: str = "ray/bundle", *, manifests: str = MANAGER, image: str = NOWHERE
) -> str:
    return registry.push(repository, {"config/all.yaml": manifests, ".imgpkg/images.yml": LOCK.format(image=image)})


def carvel(fetch: Any, steps: Any = None, version: str = "0.1.0", name: str = RAY) -> str:
    """A package that is fetched and templated like this; a text is the reference of a bundle."""
    documents = list(yaml.safe_load_all(base64.b64decode(package(version, name))))
    template = documents[1]["spec"]["template"]["spec"]
    template["fetch"] = [{"imgpkgBundle": {"image": fetch}}] if isinstance(fetch, str) else fetch
    template["template"] = steps or STEPS
    documents[1]["spec"]["valuesSchema"] = {"openAPIv3": {"properties": {"namespace": {"type": "string"}}}}
    return encoded(yaml.safe_dump_all(documents))


class Site:
    """One Supervisor and its installs."""

    def __init__(self, vc: Front, identifier: str) -> None:
        self.vc, self.kube = vc, vc.kube
        self.base = f"{NM}/supervisors/{identifier}"
        vc.app["lab"].bin = build.cache()

    async def trust(self, registry: Registry, **change: str | None) -> str:
        status, made = await self.vc.call("POST", f"{self.base}/container-image-registries", registry.spec(**change))
        assert status == 201, made
        return f"{self.base}/container-image-registries/{made['id']}"

    async def register(self, content: str, service: str = RAY) -> None:
        known = (await self.vc.call("GET", f"{SERVICES}/{service}"))[0] == 200
        path = f"{SERVICES}/{service}/versions" if known else SERVICES
        spec: dict[str, Any] = {"content": content}
        status, answer = await self.vc.call("POST", path, {"carvel_spec": spec if known else {"version_spec": spec}})
        assert status == 201, answer

    async def install(self, content: str, service: str = RAY, version: str = "0.1.0") -> None:
        """Register and install, or upgrade."""
        await self.register(content, service)
        await self.change(version, service)

    async def change(self, version: str, service: str = RAY) -> None:
        path = f"{self.base}/supervisor-services"
        if (await self.vc.call("GET", f"{path}/{service}"))[0] == 200:
            assert (await self.vc.call("PUT", f"{path}/{service}", {"version": version}))[0] == 204
        else:
            body = {"supervisor_service": service, "version": version}
            assert (await self.vc.call("POST", path, body))[0] == 201

    async def info(self, service: str = RAY) -> dict[str, Any]:
        return (await self.vc.call("GET", f"{self.base}/supervisor-services/{service}"))[1]

    async def error(self, service: str = RAY) -> str:
        async with asyncio.timeout(30):
            while (info := await self.info(service))["config_status"] != "ERROR":
                await asyncio.sleep(0.02)
        return info["messages"][0]["details"]["default_message"]

    async def configured(self, version: str = "0.1.0", service: str = RAY) -> str:
        """Its namespace, when it is."""
        async with asyncio.timeout(30):
            while (info := await self.info(service))["config_status"] != "CONFIGURED":
                await asyncio.sleep(0.02)
        assert info["current_version"] == version and info["messages"][0]["details"]["default_message"] == (
            "Reason: ReconcileSucceeded. Message: ."
        )
        return info["service_namespace"]

    async def remove(self, service: str = RAY) -> None:
        assert (await self.vc.call("DELETE", f"{self.base}/supervisor-services/{service}"))[0] == 204
        async with asyncio.timeout(30):
            while (await self.vc.call("GET", f"{self.base}/supervisor-services/{service}"))[0] == 200:
                await asyncio.sleep(0.02)


def at_site(folder: Path, story: Any) -> None:
    async def run() -> None:
        async with front(folder) as vc:
            await story(Site(vc, await vc.supervisor()))

    asyncio.run(run())
