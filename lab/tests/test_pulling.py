# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a registry that is registered at vCenter to the login that whoever pulls in the Supervisor uses."""

from __future__ import annotations

import asyncio
import base64
import json
import stat
from pathlib import Path
from typing import Any

import pytest
from wcp_specs import NM
from wcp_support import MemoryKube, front, quick

from vcf_lab import pulling
from vcf_lab.kube import KubeError

pytestmark = pytest.mark.filterwarnings("ignore::aiohttp.web.NotAppKeyWarning")
PEM = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----"
LOGIN = {"username": "ray", "password": "planted"}


def _spec(name: str, **registry: Any) -> dict[str, Any]:
    return {"name": name, "image_registry": registry}


def test_registries_become_secrets_and_go_with_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)

    async def run() -> None:
        async with front(tmp_path) as vc:
            path = f"{NM}/supervisors/{await vc.supervisor()}/container-image-registries"
            _, own = await vc.call(
                "POST", path, _spec("own", hostname="one.example.com", **LOGIN, certificate_chain=PEM)
            )
            _, other = await vc.call("POST", path, _spec("other", hostname="127.0.0.1", port=9))
            environment = await pulling.environment(vc.kube, tmp_path / "pull")
            logins = json.loads((tmp_path / "pull" / "config.json").read_text())["auths"]
            assert {server: base64.b64decode(entry["auth"]) for server, entry in logins.items()} == {
                "one.example.com": b"ray:planted"
            }
            assert (tmp_path / "pull" / "ca.pem").read_text() == PEM + "\n"
            assert environment["DOCKER_CONFIG"] == environment["HOME"] == str(tmp_path / "pull")
            assert stat.S_IMODE((tmp_path / "pull").stat().st_mode) == 0o700
            assert stat.S_IMODE((tmp_path / "pull" / "config.json").stat().st_mode) == 0o600
            assert list(Path(environment["SSL_CERT_DIR"]).iterdir()) == []

            await vc.call("PATCH", f"{path}/{other['id']}", {"username": "you", "password": "changed"})
            await vc.call("DELETE", f"{path}/{own['id']}")
            await pulling.environment(vc.kube, tmp_path / "pull")
            assert list(json.loads((tmp_path / "pull" / "config.json").read_text())["auths"]) == ["127.0.0.1:9"]
            assert (tmp_path / "pull" / "ca.pem").read_text() == ""
            assert vc.kube.names("Secret", "kube-system") == [f"container-image-registry-{other['id']}"]

    asyncio.run(run())


@pytest.mark.parametrize("restarted", [False, True])
def test_they_go_with_their_supervisor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, restarted: bool) -> None:
    quick(monkeypatch)
    own = _spec("own", hostname="one.example.com", **LOGIN)

    async def run() -> None:
        kube = MemoryKube()
        async with front(tmp_path, kube=kube) as vc:
            path = f"{NM}/supervisors/{await vc.supervisor()}"
            await vc.call("POST", f"{path}/container-image-registries", own)
            assert len(kube.names("Secret", "kube-system")) == 1
            assert (await vc.call("DELETE", path))[0] == 204
            if not restarted:  # told of one more, which is not brought any more
                await vc.call("POST", f"{path}/container-image-registries", _spec("late", hostname="two.example.com"))
                await vc.settled()
        async with front(tmp_path, kube=kube) as vc:
            await vc.settled()
            assert kube.names("Secret", "kube-system") == [] and not vc.store["supervisors"]

    asyncio.run(run())


def test_a_registry_waits_for_the_api_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)

    class Away(MemoryKube):
        away = False

        async def list(
            self, kind: str, namespace: str | None = None, labels: str | None = None
        ) -> list[dict[str, Any]]:
            if self.away and kind == "Secret":
                raise KubeError(0, "Unreachable", "connection refused")
            return await super().list(kind, namespace, labels)

    async def run() -> None:
        kube = Away()
        async with front(tmp_path, kube=kube) as vc:
            path = f"{NM}/supervisors/{await vc.supervisor()}/container-image-registries"
            kube.away = True
            status, made = await vc.call("POST", path, _spec("own", hostname="one.example.com", **LOGIN))
            assert status == 201 and vc.kube.names("Secret", "kube-system") == []
        kube.away = False
        async with front(tmp_path, kube=kube) as vc:  # restarted in between: it still comes
            await vc.settled()
            assert vc.kube.names("Secret", "kube-system") == [f"container-image-registry-{made['id']}"]

    asyncio.run(run())
