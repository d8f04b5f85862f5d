# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Packages whose contents are in a registry: a real one here, with the real programs of the Carvel suite."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from carvel_support import IMAGE, LOCK, MANAGER, NOWHERE, RAY, Site, at_site, bundle, carvel
from registry_support import Registry, there
from wcp_support import quick

from vcf_lab.vcenter import kapp

pytestmark = [
    pytest.mark.filterwarnings("ignore::aiohttp.web.NotAppKeyWarning"),
    pytest.mark.skipif(not there(), reason="no `lab up` has built the programs yet"),
]


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    server = Registry(tmp_path / "registry")
    server.start()
    yield server
    server.stop()


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)


def test_a_bundle_is_pulled_templated_and_deployed(tmp_path: Path, registry: Registry) -> None:
    async def story(site: Site) -> None:
        await site.trust(registry)
        await site.install(carvel(bundle(registry)))
        namespace = await site.configured()
        deployment = site.kube.objects[("Deployment", namespace, "manager")]
        # The image is not asked for: that it is not there a pod tells, as on a Supervisor.
        assert deployment["spec"]["template"]["spec"]["containers"][0]["image"] == NOWHERE
        assert deployment["metadata"]["labels"] == {kapp.LABEL: kapp.identity(RAY)}
        assert kapp.LABEL not in site.kube.objects[("Namespace", "", namespace)]["metadata"]["labels"]
        await site.remove()
        assert site.kube.names("Namespace") == ["kube-system"]

    at_site(tmp_path, story)


def test_the_lock_names_where_the_images_were_copied_to(tmp_path: Path, registry: Registry) -> None:
    async def story(site: Site) -> None:
        await site.trust(registry)
        image = registry.push("ray/bundle", {"bin/manager": "x"}, bundle=False)
        elsewhere = image.replace(registry.host, "registry.example.com")
        await site.install(carvel(bundle(registry, image=elsewhere)))
        namespace = await site.configured()
        container = site.kube.objects[("Deployment", namespace, "manager")]["spec"]["template"]["spec"]["containers"][0]
        assert container["image"] == image

    at_site(tmp_path, story)


OTHERS = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n"
FAILED = "Reason: ReconcileFailed. Message: "
SYNCING = f"{FAILED}vendir: Error: Syncing directory '0': Syncing directory '.' with imgpkgBundle contents: "


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"certificate_chain": OTHERS}, "x509: certificate signed by unknown authority"),
        ({"username": None, "password": None}, "UNAUTHORIZED: authentication required"),
        ({"password": "wrong"}, "UNAUTHORIZED: authentication required"),
    ],
)
def test_a_registry_that_is_registered_badly(
    tmp_path: Path, registry: Registry, change: dict[str, Any], text: str
) -> None:
    async def story(site: Site) -> None:
        path = await site.trust(registry, **change)
        await site.install(carvel(bundle(registry)))
        told = await site.error()
        assert told.startswith(f"{SYNCING}Fetching image: ") and text in told and "\n" not in told
        right = registry.spec()["image_registry"]
        assert (await site.vc.call("PATCH", path, {name: right[name] for name in change}))[0] == 204
        await site.configured()

    at_site(tmp_path, story)


def test_a_registry_without_authorities_is_not_verified(tmp_path: Path, registry: Registry) -> None:
    """As the API documents it; the login is asked for all the same."""

    async def story(site: Site) -> None:
        await site.trust(registry, certificate_chain=None)
        await site.install(carvel(bundle(registry)))
        await site.configured()

    at_site(tmp_path, story)


def test_nothing_of_this_machine_helps(tmp_path: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither its certificates nor its login; what is registered is all that counts."""
    reference = bundle(registry)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "registry"))
    monkeypatch.setenv("SSL_CERT_FILE", str(registry.ca))
    monkeypatch.setenv("IMGPKG_USERNAME", "ray-builder")

    async def story(site: Site) -> None:
        await site.install(carvel(reference))
        assert "certificate signed by unknown authority" in await site.error()
        path = await site.trust(registry)
        await site.configured()
        await site.vc.call("DELETE", path)
        await site.remove()
        await site.change("0.1.0")
        assert "certificate signed by unknown authority" in await site.error()

    at_site(tmp_path, story)


def test_what_is_not_there_yet(tmp_path: Path, registry: Registry) -> None:
    """The bundle, then the whole registry: each error ends when its cause does."""

    async def story(site: Site) -> None:
        await site.trust(registry)
        reference = bundle(registry, "ray/elsewhere").replace("ray/elsewhere", "ray/bundle")
        registry.stop()
        await site.install(carvel(reference))
        told = await site.error()
        assert told.startswith(SYNCING) and "connect: connection refused" in told
        registry.start()
        async with asyncio.timeout(30):
            while "MANIFEST_UNKNOWN: manifest unknown" not in (told := await site.error()):
                await asyncio.sleep(0.02)
        assert told.startswith(f"{SYNCING}Fetching image: GET https://{registry.host}/v2/ray/bundle/manifests/sha256:")
        assert bundle(registry) == reference
        await site.configured()

    at_site(tmp_path, story)


def test_a_host_that_nobody_knows(tmp_path: Path) -> None:
    async def story(site: Site) -> None:
        await site.install(carvel("registry.invalid/ray/bundle@sha256:" + "a" * 64))
        told = await site.error()
        assert told.startswith(SYNCING) and "dial tcp: lookup registry.invalid" in told
        await site.remove()

    at_site(tmp_path, story)


def test_a_lock_that_names_a_tag_is_refused(tmp_path: Path, registry: Registry) -> None:
    async def story(site: Site) -> None:
        await site.trust(registry)
        await site.install(carvel(bundle(registry, image="registry.example.com/ray/operator:1")))
        told = await site.error()
        assert told.startswith(SYNCING) and "Expected ref to be in digest form" in told

    at_site(tmp_path, story)


def test_templates_and_images_that_do_not_fit(tmp_path: Path, registry: Registry) -> None:
    """Each of these versions fails in its own words, and the next one takes its place."""

    async def story(site: Site) -> None:
        await site.trust(registry)
        missing = MANAGER.replace("data.values.namespace", "data.values.nothing")
        await site.install(carvel(bundle(registry, manifests=missing)))
        assert (await site.error()).startswith(f"{FAILED}ytt: Error: - struct has no .nothing field or method")

        files = {
            "config/schema.yaml": "#@data/values-schema\n---\nsize: small\n",
            ".imgpkg/images.yml": LOCK.format(image=NOWHERE),
        }
        schema = registry.push("ray/schema", files)
        await site.install(carvel(schema, [{"ytt": {"paths": ["config"]}}], "0.2.0"), version="0.2.0")
        async with asyncio.timeout(30):
            while "Given data value is not declared in schema" not in (told := await site.error()):
                await asyncio.sleep(0.02)
        assert "ytt: Error: " in told and "namespace" in told

        other = MANAGER.replace(IMAGE, f"{registry.host}/ray/unlisted:1")
        await site.install(carvel(bundle(registry, "ray/unlocked", manifests=other), version="0.3.0"), version="0.3.0")
        async with asyncio.timeout(30):
            while "kbld: Error: " not in (told := await site.error()):
                await asyncio.sleep(0.02)
        assert f"Resolving image '{registry.host}/ray/unlisted:1'" in told and "UNAUTHORIZED" in told

        await site.install(carvel(bundle(registry, "ray/good"), version="0.4.0"), version="0.4.0")
        await site.configured("0.4.0")

    at_site(tmp_path, story)


def test_sources_and_steps_in_other_arrangements(tmp_path: Path, registry: Registry) -> None:
    """Several sources have folders of their own; steps may come in any order and number."""
    deeper = {"deep/config/all.yaml": MANAGER, "deep/other.txt": "x"}

    async def story(site: Site) -> None:
        await site.trust(registry)
        image = registry.push("ray/files", deeper, bundle=False)
        locked = LOCK.format(image=NOWHERE)
        overlay = (
            '#@ load("@ytt:overlay", "overlay")\n#@overlay/match by=overlay.subset({"kind": "ConfigMap"}), expects=1\n'
        )
        overlay += "---\ndata:\n  size: large\n"
        fetch = [
            {"image": {"url": image, "subPath": "deep"}},
            {"inline": {"paths": {"images.yml": locked}}, "path": "lock"},
        ]
        steps = [
            {"ytt": {"paths": ["0/config"]}},
            {"kbld": {"paths": ["lock/images.yml", "-"]}},
            {"ytt": {"paths": ["-"], "inline": {"paths": {"overlay.yaml": overlay}}}},
        ]
        await site.install(carvel(fetch, steps))
        namespace = await site.configured()
        assert site.kube.objects[("ConfigMap", namespace, "settings")]["data"] == {"size": "large"}
        container = site.kube.objects[("Deployment", namespace, "manager")]["spec"]["template"]["spec"]["containers"][0]
        assert container["image"] == NOWHERE

    at_site(tmp_path, story)
