# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Supervisor Services as each release has them: kinds of content, the two ways to install, prechecks."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path
from typing import Any

import pytest
import yaml
from test_wcp_services import RAY, SERVICES, ytt
from wcp_specs import NM
from wcp_support import Front, encoded, front, package, quick

pytestmark = pytest.mark.filterwarnings("ignore::aiohttp.web.NotAppKeyWarning")
RELEASES = ("7.0.3", "8.0.1", "8.0.3", "9.0", "9.1")
INVALID = (400, "INVALID_ARGUMENT")
NO_OPERATION = (404, "OPERATION_NOT_FOUND")
SETTINGS = yaml.safe_dump({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"a": "b"}})
VERSION = {"version": "1.0.0", "display_name": "Plain", "content": encoded(SETTINGS)}
PLAIN = {"custom_spec": {"supervisor_service": "plain", "display_name": "Plain", "version_spec": VERSION}}


async def ready(vc: Front) -> tuple[str, str]:
    """A Supervisor, and the paths of its installs in the older and the newer view."""
    identifier = await vc.supervisor()
    return f"{NM}/clusters/domain-c9/supervisor-services", f"{NM}/supervisors/{identifier}/supervisor-services"


@pytest.mark.parametrize("version", RELEASES)
def test_carvel_came_with_8_0(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    quick(monkeypatch)
    create = {"carvel_spec": {"version_spec": {"content": package()}}}

    async def run() -> None:
        async with front(tmp_path, version=version) as vc:
            check = {"spec": {"content": package()}}
            status, told = await vc.call("POST", f"{SERVICES}?action=checkContent", check)
            assert (status, told["status"]) == (200, "VALID")
            if version == "7.0.3":
                assert told["content_type"] == "CUSTOM_YAML" and "carvel_apps_check_result" not in told
                status, kind, text = await vc.refused("POST", SERVICES, create)
                assert (status, kind) == INVALID and "unexpected field: carvel_spec" in text
                assert (await vc.call("POST", SERVICES, PLAIN))[0] == 201
                later = {"carvel_spec": {"content": package()}}
                assert (await vc.refused("POST", f"{SERVICES}/plain/versions", later))[:2] == INVALID
            else:
                assert told["carvel_apps_check_result"]["supervisor_service"] == RAY
                assert await vc.call("POST", SERVICES, create) == (201, None)
                _, info = await vc.call("GET", f"{SERVICES}/{RAY}")
                assert ("must_be_installed" in info) == (version >= "8.0.3")

    asyncio.run(run())


@pytest.mark.parametrize("version", RELEASES)
def test_each_release_installs_in_its_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    quick(monkeypatch)
    ytt(tmp_path)
    body = {"supervisor_service": "plain", "version": "1.0.0"}

    async def run() -> None:
        async with front(tmp_path, version=version) as vc:
            old, new = await ready(vc)
            assert (await vc.call("POST", SERVICES, PLAIN))[0] == 201
            if version < "9.0":
                for method, path in (("POST", new), ("GET", new), ("GET", f"{new}/plain"), ("DELETE", f"{new}/plain")):
                    assert (await vc.refused(method, path, body if method == "POST" else None))[:2] == NO_OPERATION
                assert await vc.call("POST", old, body) == (204, None)
            else:
                assert await vc.call("POST", new, body) == (201, None)
            await vc.settled()
            _, info = await vc.call("GET", f"{old}/plain")
            assert (info["config_status"], info["current_version"]) == ("CONFIGURED", "1.0.0")
            assert info["service_namespace"].startswith("svc-plain-")
            assert (info["service_namespace"] == "svc-plain-domain-c9") == (version < "9.0")
            assert all(("type" in entry) == (version == "9.1") for entry in info["messages"])
            assert (await vc.call("DELETE", f"{old}/plain"))[0] == 204
            await vc.settled()
            assert (await vc.refused("GET", f"{old}/plain"))[:2] == (404, "NOT_FOUND")

    asyncio.run(run())


def test_yaml_values_came_with_8_0(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)
    body: dict[str, Any] = {"supervisor_service": "plain", "version": "1.0.0"}

    async def run() -> None:
        async with front(tmp_path, version="7.0.3") as vc:
            old, _ = await ready(vc)
            await vc.call("POST", SERVICES, PLAIN)
            with_yaml = {**body, "yaml_service_config": encoded("a: b")}
            status, kind, text = await vc.refused("POST", old, with_yaml)
            assert (status, kind) == INVALID and "unexpected field: yaml_service_config" in text
            assert (await vc.refused("POST", old, {**body, "service_config": {"a": 1}}))[:2] == INVALID
            assert (await vc.call("POST", old, {**body, "service_config": {"a": "1"}}))[0] == 204

    asyncio.run(run())


def test_an_upgrade_without_values_loses_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)
    ytt(tmp_path)

    async def run() -> None:
        async with front(tmp_path) as vc:
            _, new = await ready(vc)
            await vc.call("POST", SERVICES, {"carvel_spec": {"version_spec": {"content": package()}}})
            await vc.call("POST", f"{SERVICES}/{RAY}/versions", {"carvel_spec": {"content": package("0.2.0")}})
            values = encoded("size: big")
            body = {"supervisor_service": RAY, "version": "0.1.0", "yaml_service_config": values}
            assert (await vc.call("POST", new, body))[0] == 201
            await vc.settled()
            _, info = await vc.call("GET", f"{new}/{RAY}")
            assert info["yaml_service_config"] == values
            again = {"version": "0.2.0", "yaml_service_config": values}
            assert (await vc.call("PUT", f"{new}/{RAY}", again))[0] == 204
            await vc.settled()
            settings = vc.kube.objects[("ConfigMap", info["service_namespace"], "settings")]
            assert settings["data"] == {"size": "big"}
            assert (await vc.call("PUT", f"{new}/{RAY}", {"version": "0.1.0"}))[0] == 204  # back, and without
            await vc.settled()
            _, info = await vc.call("GET", f"{new}/{RAY}")
            assert info["current_version"] == "0.1.0" and "yaml_service_config" not in info
            settings = vc.kube.objects[("ConfigMap", info["service_namespace"], "settings")]
            assert settings["data"] == {"size": "small"}

    asyncio.run(run())


def _wanting(constraint: str) -> str:
    documents = list(yaml.safe_load_all(base64.b64decode(package())))
    documents[1]["spec"]["kubernetesVersionSelection"] = {"constraints": constraint}
    return encoded(yaml.safe_dump_all(documents))


@pytest.mark.parametrize(("constraint", "status"), [(">=1.24.0 <2.0.0", "COMPATIBLE"), ("<1.30.0", "INCOMPATIBLE")])
@pytest.mark.parametrize("version", ["8.0.1", "8.0.3", "9.1"])
def test_a_precheck_tells_what_does_not_fit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, constraint: str, status: str
) -> None:
    quick(monkeypatch)
    ytt(tmp_path)

    async def run() -> None:
        async with front(tmp_path, version=version) as vc:
            old, new = await ready(vc)
            await vc.call("POST", SERVICES, {"carvel_spec": {"version_spec": {"content": _wanting(constraint)}}})
            ask = (f"{new}/{RAY}?action=precheck", {"target_version": "0.1.0"})
            result = f"{new}/{RAY}/versions/0.1.0/precheck"
            if version < "8.0.3":
                assert (await vc.refused("POST", *ask))[:2] == NO_OPERATION
                assert (await vc.refused("GET", result))[:2] == NO_OPERATION
                return
            assert (await vc.refused("POST", ask[0], {"target_version": "9.9.9"}))[:2] == (404, "NOT_FOUND")
            assert (await vc.call("POST", *ask))[0] == 202
            assert (await vc.refused("GET", result))[:2] == (404, "NOT_FOUND")  # not yet
            await vc.settled()
            _, found = await vc.call("GET", result)
            assert found["status"] == status and "original_version" not in found
            texts = [entry["details"]["default_message"] for entry in found["status_messages"]]
            assert (status == "COMPATIBLE") == (texts == [])
            assert all(("type" in entry) == (version == "9.1") for entry in found["status_messages"])
            await vc.call("POST", old, {"supervisor_service": RAY, "version": "0.1.0"})
            assert (await vc.call("GET", result))[0] == 404  # an install ends it

    asyncio.run(run())
