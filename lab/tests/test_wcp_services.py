# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The catalogue of Supervisor Services, and installing them."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from wcp_specs import NM
from wcp_support import TEMPLATE, Front, MemoryKube, encoded, front, package, quick

from vcf_lab.vcenter import install_lifecycle

pytestmark = pytest.mark.filterwarnings("ignore::aiohttp.web.NotAppKeyWarning")
SERVICES = f"{NM}/supervisor-services"
RAY = "ray-on-vcf.broadcom.com"
NOT_NOW = (400, "NOT_ALLOWED_IN_CURRENT_STATE")

FAKE_YTT = """\
#!/usr/bin/env python3
# Replaces the one expression of the tests' template, as ytt would.
import pathlib, sys
namespace = next(word.split("=", 1)[1] for word in sys.argv if word.startswith("namespace="))
text = pathlib.Path("config/all.yaml").read_text()
if "fail" in text:
    sys.exit("ytt: Error: told to fail")
size = "small"
if "--data-values-file" in sys.argv:
    values = pathlib.Path(sys.argv[sys.argv.index("--data-values-file") + 1]).read_text()
    size = values.split("size:", 1)[1].strip()
text = text.replace("#@ data.values.namespace", namespace).replace('#@ getattr(data.values, "size", "small")', size)
print(text)
"""


def ytt(folder: Path) -> None:
    """The real ytt when there is one on the path, else a small one that knows the tests' template."""
    (folder / "bin").mkdir(exist_ok=True)
    real = shutil.which("ytt")
    if real:
        (folder / "bin" / "ytt").symlink_to(real)
        return
    (folder / "bin" / "ytt").write_text(FAKE_YTT)
    (folder / "bin" / "ytt").chmod(0o755)


async def register(vc: Front, content: str | None = None) -> None:
    spec = {"carvel_spec": {"version_spec": {"content": content or package()}}}
    assert await vc.call("POST", SERVICES, spec) == (201, None)


def test_check_content_derives_and_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)

    async def run() -> None:
        async with front(tmp_path) as vc:
            status, answer = await vc.call("POST", f"{SERVICES}?action=checkContent", {"spec": {"content": package()}})
            assert status == 200
            assert (answer["status"], answer["content_type"]) == ("VALID", "CARVEL_APPS_YAML")
            result = answer["carvel_apps_check_result"]
            assert (result["supervisor_service"], result["version"]) == (RAY, "0.1.0")
            assert vc.store["services"] == {}
            bare = {"content": package()}
            assert (await vc.refused("POST", f"{SERVICES}?action=checkContent", bare))[:2] == (400, "INVALID_ARGUMENT")

    asyncio.run(run())


@pytest.mark.parametrize(
    ("text", "gist"),
    [
        ("a: [", "not YAML"),
        ("", "empty"),
        ("just words", "not a Kubernetes object"),
        (
            yaml.safe_dump({"apiVersion": "data.packaging.carvel.dev/v1alpha1", "kind": "PackageMetadata"}),
            "exactly one Package",
        ),
    ],
)
def test_check_content_says_what_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, gist: str
) -> None:
    quick(monkeypatch)

    async def run() -> None:
        async with front(tmp_path) as vc:
            spec = {"spec": {"content": encoded(text)}}
            status, answer = await vc.call("POST", f"{SERVICES}?action=checkContent", spec)
            assert (status, answer["status"]) == (200, "INVALID")
            assert any(gist in entry["default_message"] for entry in answer["error_messages"])
            create = {"carvel_spec": {"version_spec": {"content": encoded(text)}}}
            assert (await vc.refused("POST", SERVICES, create))[:2] == (400, "INVALID_ARGUMENT")

    asyncio.run(run())


def test_a_package_whose_names_disagree_is_invalid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)

    async def run() -> None:
        async with front(tmp_path) as vc:
            spec = {"spec": {"content": package(version="1")}}
            _, answer = await vc.call("POST", f"{SERVICES}?action=checkContent", spec)
            assert answer["status"] == "INVALID"
            assert "semantic version" in answer["error_messages"][0]["default_message"]

    asyncio.run(run())


def test_the_wrong_wrapper_is_404(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)

    async def run() -> None:
        async with front(tmp_path) as vc:
            for wrong in ({}, {"spec": {"carvel_spec": {}}}, {"version_spec": {"content": package()}}):
                status, kind, text = await vc.refused("POST", SERVICES, wrong)
                assert (status, kind) == (404, "NOT_FOUND")
                assert text == "The Supervisor Service create specification cannot be empty"

    asyncio.run(run())


def test_the_life_of_a_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)

    async def run() -> None:
        async with front(tmp_path) as vc:
            await register(vc)
            again = {"carvel_spec": {"version_spec": {"content": package()}}}
            assert (await vc.refused("POST", SERVICES, again))[:2] == (400, "ALREADY_EXISTS")
            _, found = await vc.call("GET", SERVICES)
            assert found == [{"supervisor_service": RAY, "display_name": "ray-on-vcf", "state": "ACTIVATED"}]
            assert (await vc.call("PATCH", f"{SERVICES}/{RAY}", {"display_name": "Ray"}))[0] == 204
            assert (await vc.call("GET", f"{SERVICES}/{RAY}"))[1]["display_name"] == "Ray"
            assert (await vc.refused("PATCH", f"{SERVICES}/{RAY}?action=activate"))[:2] == NOT_NOW
            assert (await vc.refused("DELETE", f"{SERVICES}/{RAY}"))[:2] == NOT_NOW
            assert (await vc.call("PATCH", f"{SERVICES}/{RAY}?action=deactivate"))[0] == 204
            assert (await vc.refused("DELETE", f"{SERVICES}/{RAY}"))[:2] == NOT_NOW  # still has a version
            assert (await vc.call("DELETE", f"{SERVICES}/{RAY}/versions/0.1.0"))[0] == 204
            assert (await vc.call("DELETE", f"{SERVICES}/{RAY}"))[0] == 204
            assert (await vc.refused("GET", f"{SERVICES}/{RAY}"))[:2] == (404, "NOT_FOUND")

    asyncio.run(run())


def test_the_rules_of_versions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)

    async def run() -> None:
        async with front(tmp_path) as vc:
            await register(vc)
            versions = f"{SERVICES}/{RAY}/versions"
            one = {"carvel_spec": {"content": package()}}
            assert (await vc.refused("POST", versions, one))[:2] == (400, "ALREADY_EXISTS")
            other = {"carvel_spec": {"content": package("1.0.0", "other.example.com")}}
            assert (await vc.refused("POST", versions, other))[:2] == (400, "INVALID_ARGUMENT")
            assert (await vc.refused("PATCH", f"{versions}/0.1.0?action=deactivate"))[:2] == NOT_NOW  # the last one
            two = {"carvel_spec": {"content": package("0.2.0")}}
            assert await vc.call("POST", versions, two) == (201, None)
            _, stored = await vc.call("GET", f"{versions}/0.2.0")
            assert (stored["content"], stored["state"]) == (package("0.2.0"), "ACTIVATED")
            assert (await vc.refused("DELETE", f"{versions}/0.1.0"))[:2] == NOT_NOW  # active
            assert (await vc.call("PATCH", f"{versions}/0.1.0?action=deactivate"))[0] == 204
            assert (await vc.refused("PATCH", f"{versions}/0.1.0?action=deactivate"))[:2] == NOT_NOW
            await vc.call("PATCH", f"{SERVICES}/{RAY}?action=deactivate")
            assert (await vc.refused("POST", versions, {"carvel_spec": {"content": package("0.3.0")}}))[:2] == NOT_NOW
            await vc.call("PATCH", f"{SERVICES}/{RAY}?action=activate")
            _, found = await vc.call("GET", versions)
            assert {entry["state"] for entry in found} == {"ACTIVATED"}

    asyncio.run(run())


async def installed(vc: Front) -> str:
    """A Supervisor with the service; the path of the install."""
    identifier = await vc.supervisor()
    await register(vc)
    path = f"{NM}/supervisors/{identifier}/supervisor-services"
    assert await vc.call("POST", path, {"supervisor_service": RAY, "version": "0.1.0"}) == (201, None)
    return f"{path}/{RAY}"


def test_install_and_remove(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)
    ytt(tmp_path)

    async def run() -> None:
        async with front(tmp_path) as vc:
            path = await installed(vc)
            status, info = await vc.call("GET", path)
            assert (status, info["config_status"]) == (200, "CONFIGURING") and "current_version" not in info
            await vc.settled()
            _, info = await vc.call("GET", path)
            assert (info["config_status"], info["current_version"]) == ("CONFIGURED", "0.1.0")
            namespace = info["service_namespace"]
            assert namespace.startswith("svc-ray-on-vcf-")
            assert vc.kube.names("Deployment", namespace) == ["manager"]
            assert vc.kube.order.index("ServiceAccount") < vc.kube.order.index("Deployment")
            body = {"supervisor_service": RAY, "version": "0.1.0"}
            assert (await vc.refused("POST", path.removesuffix(f"/{RAY}"), body))[:2] == (400, "ALREADY_EXISTS")
            await vc.call("PATCH", f"{SERVICES}/{RAY}?action=deactivate")
            assert (await vc.refused("DELETE", f"{SERVICES}/{RAY}/versions/0.1.0"))[:2] == NOT_NOW  # installed
            assert (await vc.call("DELETE", path))[0] == 204
            assert (await vc.call("GET", path))[1]["config_status"] == "REMOVING"
            await vc.settled()
            assert (await vc.refused("GET", path))[:2] == (404, "NOT_FOUND")
            assert vc.kube.names("Namespace") == ["kube-system"]

    asyncio.run(run())


def test_the_view_by_cluster_has_its_own_codes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)
    ytt(tmp_path)

    async def run() -> None:
        async with front(tmp_path) as vc:
            await vc.supervisor()
            await register(vc)
            path = f"{NM}/clusters/domain-c9/supervisor-services"
            body: dict[str, Any] = {"supervisor_service": RAY, "version": "0.1.0", "service_config": {"size": "big"}}
            both = {**body, "yaml_service_config": encoded("size: big")}
            assert (await vc.refused("POST", path, both))[:2] == (400, "INVALID_ARGUMENT")
            assert await vc.call("POST", path, body) == (204, None)
            await vc.settled()
            _, found = await vc.call("GET", path)
            assert [entry["config_status"] for entry in found] == ["CONFIGURED"]
            namespace = (await vc.call("GET", f"{path}/{RAY}"))[1]["service_namespace"]
            assert vc.kube.objects[("ConfigMap", namespace, "settings")]["data"] == {"size": "big"}

    asyncio.run(run())


def test_upgrade_drops_what_the_new_version_lacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)
    ytt(tmp_path)
    without_settings = "---".join(TEMPLATE.split("---")[:-1])

    async def run() -> None:
        async with front(tmp_path) as vc:
            path = await installed(vc)
            await vc.settled()
            namespace = (await vc.call("GET", path))[1]["service_namespace"]
            assert vc.kube.names("ConfigMap", namespace) == ["settings"]
            body = {"version": "0.2.0"}
            assert (await vc.refused("PUT", path, body))[:2] == (404, "NOT_FOUND")
            new = {"carvel_spec": {"content": package("0.2.0", template=without_settings)}}
            await vc.call("POST", f"{SERVICES}/{RAY}/versions", new)
            assert (await vc.call("PUT", path, body))[0] == 204
            _, info = await vc.call("GET", path)
            assert (info["desired_version"], info["current_version"]) == ("0.2.0", "0.1.0")
            await vc.settled()
            _, info = await vc.call("GET", path)
            assert (info["config_status"], info["current_version"]) == ("CONFIGURED", "0.2.0")
            assert vc.kube.names("ConfigMap", namespace) == []

    asyncio.run(run())


async def _error_of(vc: Front, path: str) -> str:
    async with asyncio.timeout(5):
        while True:
            _, info = await vc.call("GET", path)
            if info["config_status"] == "ERROR":
                return info["messages"][0]["details"]["default_message"]
            await asyncio.sleep(0.01)


def test_what_stops_an_install_is_told_and_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)
    ytt(tmp_path)
    monkeypatch.setattr(install_lifecycle, "AVAILABLE_TIMEOUT", 0.01)

    async def run() -> None:
        kube = MemoryKube()
        kube.available = False
        async with front(tmp_path, kube=kube) as vc:
            path = await installed(vc)
            text = await _error_of(vc, path)
            assert "ReconcileFailed" in text and "manager is not available" in text
            kube.available = True
            await vc.settled()
            assert (await vc.call("GET", path))[1]["config_status"] == "CONFIGURED"

    asyncio.run(run())


def test_what_cannot_be_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)

    async def run() -> None:
        async with front(tmp_path) as vc:
            identifier = await vc.supervisor()
            path = f"{NM}/supervisors/{identifier}/supervisor-services"
            body = {"supervisor_service": RAY, "version": "0.1.0"}
            assert (await vc.refused("POST", path, body))[:2] == (404, "NOT_FOUND")
            await register(vc)
            assert (await vc.refused("POST", path, {**body, "version": "9.9.9"}))[:2] == (404, "NOT_FOUND")
            bad = {**body, "yaml_service_config": encoded("- a\n- list")}
            assert (await vc.refused("POST", path, bad))[:2] == (400, "INVALID_ARGUMENT")
            await vc.call("PATCH", f"{SERVICES}/{RAY}?action=deactivate")
            assert (await vc.refused("POST", path, body))[:2] == NOT_NOW
            assert (await vc.refused("GET", f"{path}/{RAY}"))[:2] == (404, "NOT_FOUND")

    asyncio.run(run())


def test_precheck_lasts_until_the_next_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)
    ytt(tmp_path)

    async def run() -> None:
        async with front(tmp_path) as vc:
            path = await installed(vc)
            await vc.settled()
            result = f"{path}/versions/0.1.0/precheck"
            assert (await vc.refused("GET", result))[:2] == (404, "NOT_FOUND")
            assert (await vc.call("POST", f"{path}?action=precheck", {"target_version": "0.1.0"}))[0] == 202
            assert (await vc.call("GET", result))[0] == 404  # not yet
            await vc.settled()
            _, found = await vc.call("GET", result)
            assert (found["status"], found["original_version"]) == ("COMPATIBLE", "0.1.0")
            await vc.call("PUT", path, {"version": "0.1.0"})
            assert (await vc.call("GET", result))[0] == 404

    asyncio.run(run())
