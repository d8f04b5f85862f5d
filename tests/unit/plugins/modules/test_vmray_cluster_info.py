# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""vmray_cluster_info: every request it makes, and what it makes of the answers."""

from __future__ import annotations

import base64
import json
import typing as t

import pytest

from ansible_collections.vcf.ray.plugins.module_utils._errors import RayError
from ansible_collections.vcf.ray.plugins.module_utils._reconcile import Task
from ansible_collections.vcf.ray.plugins.modules import vmray_cluster_info
from ansible_collections.vcf.ray.tests.unit.plugins.scripted import Scripted

NO = RayError("forbidden", code="FORBIDDEN")
MACHINES = [("names", ("VirtualMachine", "ns"), ["c-h-abcde", "c-h-old12", "d-h-abcde"]), ("names", ("VirtualMachineService", "ns"), ["c-h-abcde"])]


def raw(name: str = "c") -> dict:
    return {"metadata": {"name": name, "namespace": "ns", "labels": {"vmray.kubernetes.io/head-nounce": "abcde"}},
            "spec": {"enable_tls": False, "common_node_config": {"vm_password_salt_hash": "$6$a$b"}, "head_node": {"node_type": "big"}},
            "status": {"cluster_state": "healthy", "head_node_status": {"vm_status": "running", "ip": "10.0.0.1"}, "vm_service_status": {"ip": "10.0.0.9"}}}


def boot(end: int) -> dict:
    claims = base64.urlsafe_b64encode(json.dumps({"exp": end}).encode()).decode().rstrip("=")
    text = base64.b64encode(f"SVC_ACCOUNT_TOKEN=eyJh.{claims}.c2ln".encode())
    return {"data": {"user-data": base64.b64encode(text).decode()}}


def gather(*script: tuple, **params: t.Any) -> tuple[dict, list[str]]:
    warned: list[str] = []
    kube = Scripted(list(script))
    task = Task({"namespace": "ns", "name": None, "ask_ray": False, "ray": None, **params}, warn=warned.append)
    result = vmray_cluster_info.gather(task, kube)
    kube.done()
    return result, warned


def test_all_clusters_share_the_lists_of_machines() -> None:
    result, warned = gather(("list", ("VMRayCluster", "ns"), [raw(), raw("d")]), ("get", ("Secret", "c-hsecret", "ns"), boot(4102444800)), *MACHINES,
                            ("get", ("Secret", "d-hsecret", "ns"), NO))
    first, second = result["vmray_clusters"]
    assert (first["token_expires_at"], first["certificate_expires_at"]) == ("2100-01-01T00:00:00Z", None)
    assert (first["orphans"], second["orphans"]) == (["VirtualMachine c-h-old12"], [])
    assert first["machines"] == [{"name": "c-h-abcde", "role": "head", "node_type": "big", "state": "running", "address": "10.0.0.1"}]
    assert (second["token_expires_at"], first["ready_by"], first["nodes"], warned) == (None, "not_checked", [], [])
    assert "$6$" not in str(result)


def test_a_token_that_has_ended_is_warned_of() -> None:
    result, warned = gather(("get", ("VMRayCluster", "c", "ns"), raw()), ("get", ..., boot(1000000000)), *MACHINES, name="c")
    assert len(warned) == 1 and "The token of cluster c has expired at 2001-09-09T01:46:40Z" in warned[0]


def test_nothing_matches() -> None:
    assert gather(("get", ("VMRayCluster", "c", "ns"), None), name="c")[0] == {"changed": False, "vmray_clusters": []}


def test_ray_is_asked_by_the_way_that_the_options_name(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    head = {"node_id": "1", "node_ip": "10.0.0.1", "is_head": True}
    ray = Scripted([("live_nodes", (), [head]), ("close", (), None)])
    monkeypatch.setattr(vmray_cluster_info.ray_client, "at", lambda url, **options: asked.append((url, options)) or ray)
    options = {"url": "https://ray.example.com/c", "token": "t", "headers": None, "ca_path": "/ca", "validate_certs": True, "proxy_host": "proxy",
               "proxy_port": None}
    result, warned = gather(("get", ("VMRayCluster", "c", "ns"), raw()), ("get", ..., None), *MACHINES, name="c", ask_ray=True, ray=options)
    ray.done()
    way = {"token": "t", "headers": None, "ca_path": "/ca", "validate_certs": True, "proxy": "http://proxy:3128", "inside": "ray", "timeout": 5}
    # The first only shows that the options can work.
    assert asked == [("https://ray.example.com/c", way)] * 2
    assert (result["vmray_clusters"][0]["nodes"], result["vmray_clusters"][0]["ready_by"]) == ([head], "ray")


@pytest.mark.parametrize("name", [None, "c"])
def test_a_dashboard_that_refuses_loses_no_other_cluster(monkeypatch: pytest.MonkeyPatch, name: str | None) -> None:
    ray = Scripted([("live_nodes", (), RayError("Ray wants a token", code="AUTH")), ("close", (), None)])
    monkeypatch.setattr(vmray_cluster_info.ray_client, "at", lambda url, **options: ray)
    found = ("get", ("VMRayCluster", "c", "ns"), raw()) if name else ("list", ("VMRayCluster", "ns"), [raw()])
    if name:
        with pytest.raises(RayError, match="wants a token"):
            gather(found, ("get", ..., None), *MACHINES, name=name, ask_ray=True)
    else:
        result, warned = gather(found, ("get", ..., None), *MACHINES, ask_ray=True)
        assert (result["vmray_clusters"][0]["nodes"], warned) == ([], ["The nodes of cluster c are not known: Ray wants a token"])
    ray.done()


def test_one_address_is_not_that_of_all_clusters() -> None:
    with pytest.raises(RayError, match="no name says of which"):
        gather(ask_ray=True, ray={"url": "https://ray.example.com/c"})
