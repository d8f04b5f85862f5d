# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Login and tokens, with a vCenter that knows one user and a Kubernetes that has three namespaces."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import jwt
import pytest
from aiohttp import BasicAuth, web
from aiohttp.test_utils import TestClient, TestServer

from vcf_lab.supervisor.login import Login
from vcf_lab.supervisor.tokens import Tokens, User, webhook

DEV = User("dev@vsphere.local", ("Users@vsphere.local",))


class FakeKube:
    """Three namespaces; the user may enter one, and was bound to another that vCenter did not make.

    Each has a guest cluster.
    """

    async def get(self, kind: str, name: str, namespace: str | None = None) -> dict | None:
        assert kind == "ConfigMap"
        return {"data": {"server": "10.0.0.20", "ca": "PEM"}} if name == "guest-cluster-apps" else None

    async def list(self, kind: str, labels: str | None = None) -> list[dict]:
        if kind == "Namespace":
            assert labels == "vSphereClusterID"
            return [{"metadata": {"name": name}} for name in ("ns2", "ns1")]
        subjects = [{"kind": "User", "name": "sso:dev@vsphere.local"}]
        return [
            {"metadata": {"name": "wcp:ns1:user:vsphere.local:dev", "namespace": "ns1"}, "subjects": subjects},
            {"metadata": {"name": "own", "namespace": "ns2"}, "subjects": subjects},
            {"metadata": {"name": "wcp:x", "namespace": "kube-system"}, "subjects": subjects},
        ]


async def authenticate(request: web.Request) -> web.Response:
    body = await request.json()
    if body["password"] != "right":
        return web.json_response({}, status=401)
    groups = ["Administrators"] if body["username"].startswith("admin") else ["Users"]
    return web.json_response({"user": body["username"], "groups": groups})


def with_login(tokens: Tokens, use: Callable[[TestClient], Awaitable[Any]], vcenter: str | None = None) -> Any:
    async def run() -> Any:
        door, front = web.Application(), web.Application()
        door.router.add_post("/authenticate", authenticate)
        async with TestServer(door) as server:
            login = Login(tokens, FakeKube(), vcenter or f"http://127.0.0.1:{server.port}")  # type: ignore[arg-type]
            login.host = "10.0.0.9"
            front.add_routes(login.routes())
            async with TestClient(TestServer(front)) as client:
                return await use(client)

    return asyncio.run(run())


def test_login_gives_a_token_of_the_user(tmp_path: Path) -> None:
    tokens = Tokens(tmp_path, clock=lambda: 1000.0)

    async def use(client: TestClient) -> dict:
        async with client.post("/wcp/login", auth=BasicAuth("dev@vsphere.local", "right")) as reply:
            assert reply.status == 200
            return await reply.json()

    answer = with_login(tokens, use)
    assert list(answer) == ["session_id"]
    assert tokens.read(answer["session_id"]) == DEV
    claims = jwt.decode(answer["session_id"], options={"verify_signature": False})
    assert claims["exp"] == 1000 + 10 * 3600


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"guest_cluster_name": "apps", "guest_cluster_namespace": "ns1"}, ("10.0.0.20", "UEVN")),
        ({"guest_cluster_name": "other", "guest_cluster_namespace": "ns1"}, None),
        ({"guest_cluster_name": "apps", "guest_cluster_namespace": "ns2"}, None),
        ({"guest_cluster_name": "apps"}, None),
        ({}, None),
    ],
)
def test_a_guest_cluster_is_told_to_who_may_enter_its_namespace(
    tmp_path: Path, body: dict, expected: tuple[str, str] | None
) -> None:
    async def use(client: TestClient) -> dict:
        async with client.post("/wcp/login", auth=BasicAuth("dev@vsphere.local", "right"), json=body) as reply:
            return await reply.json()

    answer = with_login(Tokens(tmp_path), use)
    assert answer.pop("session_id")
    assert answer == ({"guest_cluster_server": expected[0], "guest_cluster_ca": expected[1]} if expected else {})


@pytest.mark.parametrize("body", ["{", "[]", "null"])
def test_a_body_that_is_no_object_is_400(tmp_path: Path, body: str) -> None:
    async def use(client: TestClient) -> int:
        async with client.post("/wcp/login", auth=BasicAuth("dev@vsphere.local", "right"), data=body) as reply:
            return reply.status

    assert with_login(Tokens(tmp_path), use) == 400


@pytest.mark.parametrize("auth", [None, BasicAuth("dev@vsphere.local", "wrong")])
def test_wrong_or_missing_credentials_are_401(tmp_path: Path, auth: BasicAuth | None) -> None:
    async def use(client: TestClient) -> tuple[int, str]:
        async with client.post("/wcp/login", auth=auth) as reply:
            return reply.status, reply.headers["WWW-Authenticate"]

    assert with_login(Tokens(tmp_path), use) == (401, 'Basic realm="Supervisor"')


def test_a_vcenter_that_is_away_is_503_and_not_401(tmp_path: Path) -> None:
    async def use(client: TestClient) -> int:
        async with client.post("/wcp/login", auth=BasicAuth("dev@vsphere.local", "right")) as reply:
            return reply.status

    assert with_login(Tokens(tmp_path), use, vcenter="http://127.0.0.1:1") == 503


@pytest.mark.parametrize(("user", "expected"), [("dev", ["ns1"]), ("admin", ["ns1", "ns2"])])
def test_workloads_are_the_namespaces_that_the_user_may_enter(tmp_path: Path, user: str, expected: list[str]) -> None:
    async def use(client: TestClient) -> list[dict]:
        async with client.get("/wcp/workloads", auth=BasicAuth(f"{user}@vsphere.local", "right")) as reply:
            return await reply.json()

    found = with_login(Tokens(tmp_path), use)
    assert [entry["namespace"] for entry in found] == expected
    assert found[0]["master_host"] == "10.0.0.9"


def test_the_banner_needs_no_credentials(tmp_path: Path) -> None:
    async def use(client: TestClient) -> int:
        async with client.get("/wcp/loginbanner") as reply:
            return reply.status

    assert with_login(Tokens(tmp_path), use) == 200


def review(tokens: Tokens, token: str) -> dict:
    async def run() -> dict:
        async with TestClient(TestServer(webhook(tokens))) as client:
            body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": token}}
            async with client.post("/authenticate", json=body) as reply:
                return (await reply.json())["status"]

    return asyncio.run(run())


def test_the_webhook_names_the_user_as_rbac_knows_it(tmp_path: Path) -> None:
    tokens = Tokens(tmp_path)
    user = review(tokens, tokens.issue(DEV))["user"]
    assert user["username"] == "sso:dev@vsphere.local"
    assert user["groups"] == ["sso:Users@vsphere.local"]


def test_the_webhook_refuses_expired_and_foreign_tokens(tmp_path: Path) -> None:
    now = [1000.0]
    tokens = Tokens(tmp_path / "a", clock=lambda: now[0])
    token = tokens.issue(DEV)
    now[0] += tokens.lifetime
    assert review(tokens, token)["authenticated"] is False
    assert review(tokens, Tokens(tmp_path / "b").issue(DEV))["authenticated"] is False
    assert review(tokens, "nonsense")["authenticated"] is False


def test_tokens_outlive_a_restart(tmp_path: Path) -> None:
    token = Tokens(tmp_path).issue(DEV)
    assert Tokens(tmp_path).read(token) == DEV
    assert (tmp_path / "token.key").stat().st_mode & 0o777 == 0o600
