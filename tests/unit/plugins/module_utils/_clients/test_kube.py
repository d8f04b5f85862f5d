# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the kube client sends, and what it makes of the answers, by a connection that follows a script."""

from __future__ import annotations

import json
import types
import typing as t

import pytest
import urllib3

from ansible_collections.vcf.ray.plugins.module_utils._clients.kube import Kube
from ansible_collections.vcf.ray.plugins.module_utils._errors import RayError, UnknownYet

BASE = "https://api:6443"
RAY = "/apis/vmray.broadcom.com/v1alpha1/namespaces/ns/vmrayclusters"


class Pool:
    """``(method, path and query, body) -> (status, answer)``, in order; one call more or less fails."""

    def __init__(self, *script: tuple) -> None:
        self.script, self.headers = list(script), []

    def request(self, method: str, url: str, *, body: bytes | None, headers: dict, **kwargs: t.Any) -> t.Any:
        wanted, status, answer = self.script.pop(0)
        assert (method, url.removeprefix(BASE), json.loads(body) if body else None) == wanted
        self.headers.append(headers)
        if isinstance(answer, Exception):
            raise answer
        return types.SimpleNamespace(status=status, data=(answer if isinstance(answer, str) else json.dumps(answer)).encode())

    def clear(self) -> None:
        assert not self.script


class Access:
    """Credentials that can be renewed as long as there is another pool."""

    host, trust, remedy, proxy = BASE, "ca.pem", "Log in again.", None

    def __init__(self, *pools: Pool) -> None:
        self.pools, self.confirmed = list(pools), 0

    @property
    def pool(self) -> Pool:
        return self.pools[0]

    @property
    def headers(self) -> dict:
        return {"Authorization": "Bearer t"}

    def keep_up(self) -> None:
        """This token does not end."""

    def renew(self) -> bool:
        return len(self.pools) > 1 and bool(self.pools.pop(0))

    def confirm(self) -> None:
        self.confirmed += 1

    def close(self) -> None:
        self.pool.clear()


def refusal(code: int, reason: str, message: str, **details: str) -> dict:
    return {"kind": "Status", "code": code, "reason": reason, "message": message, "details": details}


def kube(*script: tuple) -> tuple[Kube, Pool]:
    pool = Pool(*script)
    return Kube(Access(pool)), pool


def test_writes_are_strict_and_patches_are_merge_patches() -> None:
    body = {"metadata": {"name": "c", "namespace": "ns"}}
    client, pool = kube(
        (("POST", f"{RAY}?fieldValidation=Strict&dryRun=All", body), 201, {"a": 1}),
        (("PATCH", f"{RAY}/c?fieldValidation=Strict", {"spec": {}}), 200, {"b": 2}),
        (("DELETE", f"{RAY}/c", None), 404, refusal(404, "NotFound", "gone", name="c")),
    )
    assert client.create("VMRayCluster", body, dry_run=True) == {"a": 1}
    assert client.merge("VMRayCluster", "c", "ns", {"spec": {}}) == {"b": 2}
    client.delete("VMRayCluster", "c", "ns")
    client.close()
    assert [h["Content-Type"] for h in pool.headers[:2]] == ["application/json", "application/merge-patch+json"]
    assert pool.headers[0]["Authorization"] == "Bearer t"


def test_names_never_fetch_contents() -> None:
    client, pool = kube((("GET", "/api/v1/namespaces/ns/secrets", None), 200, {"items": [{"metadata": {"name": "b"}}, {"metadata": {"name": "a"}}]}))
    assert client.names("Secret", "ns") == ["a", "b"]
    assert "PartialObjectMetadataList" in pool.headers[0]["Accept"]


def test_a_missing_object_is_none_and_a_missing_kind_is_not() -> None:
    client, _pool = kube(
        (("GET", f"{RAY}/c", None), 404, refusal(404, "NotFound", "not found", name="c")),
        (("GET", f"{RAY}/c", None), 404, "404 page not found\n"),
        (("GET", RAY, None), 404, "404 page not found\n"),
    )
    assert client.get("VMRayCluster", "c", "ns") is None
    for call in (lambda: client.get("VMRayCluster", "c", "ns"), lambda: client.list("VMRayCluster", "ns")):
        with pytest.raises(UnknownYet, match="the Ray service is not installed"):
            call()


def test_pods_are_chosen_by_their_labels() -> None:
    client, pool = kube((("GET", "/api/v1/namespaces/ns/pods?labelSelector=app%3Dray%2Ctier%3Da", None), 200, {"items": [{"metadata": {"name": "p"}}]}))
    assert client.list("Pod", "ns", {"tier": "a", "app": "ray"}) == [{"metadata": {"name": "p"}}]
    client.close()
    assert pool.headers[0]["Accept"] == "application/json"


def test_the_apis_are_those_that_the_server_tells() -> None:
    client, _pool = kube((("GET", "/apis", None), 200, {"groups": [
        {"name": "a.io", "versions": [{"groupVersion": "a.io/v1"}, {"groupVersion": "a.io/v2"}]}, {"name": "b.io"}]}))
    assert client.apis() == {"a.io/v1", "a.io/v2"}
    client.close()


def test_everywhere_is_all_namespaces_by_name_only() -> None:
    row = {"metadata": {"name": "c", "namespace": "ns"}}
    client, pool = kube(
        (("GET", "/apis/vmray.broadcom.com/v1alpha1/vmrayclusters", None), 200, {"items": [row]}),
        (("GET", "/apis/x.io/v1/ys", None), 404, "404 page not found\n"),
    )
    assert client.everywhere("vmray.broadcom.com/v1alpha1/vmrayclusters") == [row]
    assert client.everywhere("x.io/v1/ys") == []
    client.close()
    assert "PartialObjectMetadataList" in pool.headers[0]["Accept"]


@pytest.mark.parametrize(
    ("status", "reason", "message", "code", "hint"),
    [
        (403, "Forbidden", 'x is forbidden: User "u" cannot get', "FORBIDDEN", "no role on the namespace"),
        (422, "Invalid", "RayCluster is invalid: y", "INVALID", None),
        (500, "InternalError", "failed calling webhook z", "INTERNAL", "is not serving"),
        (409, "AlreadyExists", "exists", "ALREADY_EXISTS", None),
    ],
)
def test_refusals_carry_the_servers_own_words(status: int, reason: str, message: str, code: str, hint: str | None) -> None:
    client, _pool = kube(
        (("POST", f"{RAY}?fieldValidation=Strict", {"metadata": {"name": "c", "namespace": "ns"}}), status, refusal(status, reason, message))
    )
    with pytest.raises(RayError) as caught:
        client.create("VMRayCluster", {"metadata": {"name": "c", "namespace": "ns"}})
    assert message in caught.value.message and "VMRayCluster ns/c" in caught.value.message and caught.value.code == code
    assert (hint or "") in (caught.value.hint or "") and bool(hint) == bool(caught.value.hint)


REFUSED = (("GET", f"{RAY}/c", None), 401, refusal(401, "Unauthorized", "Unauthorized"))


def test_after_a_401_the_request_is_sent_once_more_with_renewed_credentials() -> None:
    access = Access(Pool(REFUSED), Pool((("GET", f"{RAY}/c", None), 200, {"metadata": {}})))
    client = Kube(access)
    assert client.get("VMRayCluster", "c", "ns") == {"metadata": {}}
    assert access.confirmed == 1
    client.close()


@pytest.mark.parametrize("pools", [1, 2])
def test_credentials_that_are_refused_again_are_an_error(pools: int) -> None:
    access = Access(*[Pool(REFUSED) for each in range(pools)])
    with pytest.raises(RayError) as caught:
        Kube(access).get("VMRayCluster", "c", "ns")
    assert (caught.value.code, caught.value.hint, access.confirmed) == ("AUTH", "Log in again.", 0)
    access.close()


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (urllib3.exceptions.MaxRetryError(None, "/", urllib3.exceptions.SSLError("unknown CA")), "TLS"),
        (urllib3.exceptions.SSLError("[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1006)"), "TLS"),
        (urllib3.exceptions.SSLError("EOF occurred in violation of protocol (_ssl.c:1006)"), "CONNECTION"),
        (urllib3.exceptions.MaxRetryError(None, "/", urllib3.exceptions.NewConnectionError(None, "refused")), "CONNECTION"),
    ],
)
def test_trust_is_told_from_reach(error: Exception, code: str) -> None:
    client, _pool = kube((("GET", f"{RAY}/c", None), 0, error))
    with pytest.raises(RayError) as caught:
        client.get("VMRayCluster", "c", "ns")
    assert caught.value.code == code
