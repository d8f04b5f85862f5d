# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose an object is, and what an upgrade does to what is there."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
import yaml
from carvel_support import OTHER, RAY, Site, at_site, carvel
from registry_support import there
from wcp_support import MemoryKube, front, quick

from vcf_lab.vcenter import carvel as render
from vcf_lab.vcenter import kapp

pytestmark = [
    pytest.mark.filterwarnings("ignore::aiohttp.web.NotAppKeyWarning"),
    pytest.mark.skipif(not there(), reason="no `lab up` has built the programs yet"),
]
STEPS: list[dict[str, Any]] = [{"ytt": {"ignoreUnknownComments": True}}]


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)


def role(name: str) -> dict[str, Any]:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": name},
        "rules": [],
    }


def crd(text: str) -> dict[str, Any]:
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "vmrayclusters.vmray.broadcom.com"},
        "spec": {"group": "vmray.broadcom.com", "description": text},
    }


def inline(*objects: dict[str, Any], version: str = "0.1.0", name: str = RAY) -> str:
    return carvel([{"inline": {"paths": {"all.yaml": yaml.safe_dump_all(objects)}}}], STEPS, version, name)


def test_what_another_service_has_is_left_alone(tmp_path: Path) -> None:
    async def story(site: Site) -> None:
        await site.install(inline(role("shared"), role("first")))
        await site.configured()
        await site.install(inline(role("second"), role("shared"), name=OTHER), OTHER)
        assert await site.error(OTHER) == (
            "Reason: ReconcileFailed. Message: kapp: Error: Ownership errors: - Resource 'clusterrole/shared "
            "(rbac.authorization.k8s.io/v1) cluster' is already associated with a different app 'svc-ray-on-vcf.broadcom.com.app' "
            f"namespace: vmware-system-supervisor-services (label 'kapp.k14s.io/app={kapp.identity(RAY)}')."
        )
        assert site.kube.names("ClusterRole").count("second") == 0  # nothing at all is written
        await site.remove(OTHER)  # and nothing of the other's goes with it
        assert {"shared", "first"} <= set(site.kube.names("ClusterRole"))
        await site.change("0.1.0", OTHER)
        await site.error(OTHER)
        await site.remove(RAY)
        await site.configured(service=OTHER)  # by itself, once the cause is gone
        assert {"shared", "second"} <= set(site.kube.names("ClusterRole"))

    at_site(tmp_path, story)


def test_a_label_of_nobody_that_is_known(tmp_path: Path) -> None:
    async def story(site: Site) -> None:
        obj = role("shared")
        obj["metadata"] |= {"labels": {kapp.LABEL: "1600000000000000000"}}
        await site.kube.apply(obj)
        await site.install(inline(role("shared")))
        assert (
            "is already associated with a different label 'kapp.k14s.io/app=1600000000000000000'" in await site.error()
        )

    at_site(tmp_path, story)


def test_what_is_nobodys_is_taken_over(tmp_path: Path) -> None:
    async def story(site: Site) -> None:
        await site.kube.apply(role("left over"))
        await site.install(inline(role("left over")))
        await site.configured()
        assert site.kube.objects[("ClusterRole", "", "left over")]["metadata"]["labels"] == {
            kapp.LABEL: kapp.identity(RAY)
        }
        await site.remove()
        assert "left over" not in site.kube.names("ClusterRole")

    at_site(tmp_path, story)


class Counting(MemoryKube):
    """Notes what is deleted; a definition takes its resources along."""

    def __init__(self) -> None:
        super().__init__()
        self.deleted: list[str] = []

    async def delete(self, kind: str, name: str, namespace: str | None = None) -> None:
        self.deleted.append(name)
        await super().delete(kind, name, namespace)


def test_an_upgrade_changes_in_place(tmp_path: Path) -> None:
    cluster = {
        "apiVersion": "vmray.broadcom.com/v1alpha1",
        "kind": "VMRayCluster",
        "metadata": {"name": "mine", "namespace": "ray"},
    }

    async def run() -> None:
        kube = Counting()
        async with front(tmp_path, kube=kube) as vc:
            site = Site(vc, await vc.supervisor())
            await site.install(inline(crd("old"), role("stays"), role("goes")))
            await site.configured()
            await kube.apply(cluster)
            await site.install(inline(crd("new"), role("stays"), role("comes"), version="0.2.0"), version="0.2.0")
            await site.configured("0.2.0")
            assert kube.deleted == ["goes"]
            found = kube.objects[("CustomResourceDefinition", "", "vmrayclusters.vmray.broadcom.com")]
            assert found["spec"]["description"] == "new" and kube.names("VMRayCluster", "ray") == ["mine"]
            assert {"stays", "comes"} <= set(kube.names("ClusterRole"))

    asyncio.run(run())


def test_a_removal_does_not_wait_for_what_another_has_made_meanwhile(tmp_path: Path) -> None:
    class Taken(MemoryKube):
        async def delete(self, kind: str, name: str, namespace: str | None = None) -> None:
            await super().delete(kind, name, namespace)
            if name == "shared":
                new = role("shared")
                new["metadata"] |= {"uid": "2", "labels": {kapp.LABEL: kapp.identity(OTHER)}}
                await self.apply(new)

    async def run() -> None:
        kube = Taken()
        async with front(tmp_path, kube=kube) as vc:
            site = Site(vc, await vc.supervisor())
            await site.install(inline(role("shared")))
            await site.configured()
            await site.remove()
            assert "shared" in kube.names("ClusterRole")

    asyncio.run(run())


def test_an_upgrade_that_fails_leaves_the_old_version_and_can_be_taken_back(tmp_path: Path) -> None:
    async def story(site: Site) -> None:
        await site.install(inline(role("first")))
        await site.configured()
        await site.install(carvel("127.0.0.1:9/no/bundle:1", version="0.2.0"), version="0.2.0")
        assert "connection refused" in await site.error()
        info = await site.info()
        assert (info["current_version"], info["desired_version"]) == ("0.1.0", "0.2.0")
        assert "first" in site.kube.names("ClusterRole")
        await site.change("0.1.0")
        await site.configured("0.1.0")
        await site.change("0.2.0")
        await site.error()
        await site.remove()
        assert "first" not in site.kube.names("ClusterRole")

    at_site(tmp_path, story)


def test_an_error_that_is_over_is_not_told_any_more(tmp_path: Path) -> None:
    """Even while the next thing is not well either."""
    labels = {"matchLabels": {"a": "b"}}
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "a", "image": "b"}]}}
    deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "manager"}}
    deployment["spec"] = {"replicas": 1, "selector": labels, "template": template}

    async def story(site: Site) -> None:
        site.kube.available = False
        site.kube.refuse["Deployment"] = "not yet"
        await site.install(inline(deployment))
        assert "not yet" in await site.error()
        site.kube.refuse.clear()
        async with asyncio.timeout(10):
            while "Deploying: Deployment" not in await site.error():
                await asyncio.sleep(0.02)
        site.kube.available = True
        await site.kube.apply(next(obj for key, obj in site.kube.objects.items() if key[0] == "Deployment"))
        await site.configured()

    at_site(tmp_path, story)


def test_pods_of_the_version_before_do_not_count(tmp_path: Path) -> None:
    """A Deployment that rolls is available when its status speaks of what is now wanted."""

    async def story(site: Site) -> None:
        deployment = {
            "kind": "Deployment",
            "metadata": {"name": "manager", "namespace": "svc"},
            "spec": {"replicas": 1},
        }
        stored = {**deployment, "status": {"availableReplicas": 1, "observedGeneration": 1}}
        site.kube.objects[("Deployment", "svc", "manager")] = stored
        app = site.vc.app
        assert await render.not_available(app, [deployment], {}) == ""
        assert "manager is not available" in await render.not_available(app, [deployment], {"svc/manager": 2})
        stored["status"]["observedGeneration"] = 2
        assert await render.not_available(app, [deployment], {"svc/manager": 2}) == ""

    at_site(tmp_path, story)


@pytest.mark.parametrize(
    ("fetch", "says"),
    [
        ([{"imgpkgBundle": {}}], "fetch[0].imgpkgBundle.image is missing"),
        ([{"imgpkgBundle": {"image": ["a"]}}], "fetch[0].imgpkgBundle.image is missing"),
        ([{"inline": {"paths": {}}}, {"image": {"url": ""}}], "fetch[1].image.url is missing"),
        ([{"imgpkgBundle": {"image": "a/b"}, "inline": {}}], "fetch[0] has to be one source"),
        (["a/b"], "fetch[0] has to be one source"),
        ([{"inline": {"paths": {"a.yaml": 1}}}], "fetch[0].inline.paths has to be texts"),
    ],
)
def test_sources_are_checked_when_a_service_is_registered(tmp_path: Path, fetch: list[Any], says: str) -> None:
    async def story(site: Site) -> None:
        body = {"spec": {"content": carvel(fetch)}}
        _, answer = await site.vc.call(
            "POST", "/api/vcenter/namespace-management/supervisor-services?action=checkContent", body
        )
        assert answer["status"] == "INVALID" and says in answer["error_messages"][0]["default_message"]

    at_site(tmp_path, story)


@pytest.mark.parametrize(
    ("fetch", "steps", "text", "says"),
    [
        ({"tagSelection": {"semver": {}}}, {"ytt": {}}, "", "imgpkgBundle: tagSelection is not done by this lab"),
        (None, {"ytt": {"valuesFrom": [{"path": "a"}]}}, "", "ytt: valuesFrom is not done by this lab"),
        (None, {"kbld": {"rawOptions": []}}, "", "kbld: rawOptions is not done by this lab"),
        (None, {"helmTemplate": {}}, "", "helmTemplate is not a template step of this lab"),
        (None, {"ytt": {}}, "kind: A\nmetadata: {name: a}\n", "has no apiVersion, kind or name"),
    ],
)
def test_what_the_lab_does_not_do_is_told(
    tmp_path: Path, fetch: dict[str, Any] | None, steps: dict[str, Any], text: str, says: str
) -> None:
    source = {"imgpkgBundle": {"image": "example/a:1", **fetch}} if fetch else {"inline": {"paths": {"a.yaml": text}}}

    async def story(site: Site) -> None:
        await site.install(carvel([source], [steps]))
        assert says in await site.error()

    at_site(tmp_path, story)


def test_files_that_cannot_be_written_are_told(tmp_path: Path) -> None:
    async def story(site: Site) -> None:
        await site.install(carvel([{"inline": {"paths": {"a": "", "a/b.yaml": ""}}}]))
        assert "Errno" in await site.error()

    at_site(tmp_path, story)


def test_a_source_that_the_lab_does_not_fetch(tmp_path: Path) -> None:
    async def story(site: Site) -> None:
        await site.install(carvel([{"git": {"url": "https://example.com/a.git"}}]))
        assert "git is not fetched by this lab" in await site.error()
        secret = {"imgpkgBundle": {"image": "example/a:1", "secretRef": {"name": "login"}}}
        await site.install(carvel([secret], version="0.2.0"), version="0.2.0")
        async with asyncio.timeout(10):
            while 'secrets "login" not found' not in await site.error():
                await asyncio.sleep(0.02)

    at_site(tmp_path, story)
