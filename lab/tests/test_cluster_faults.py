# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of the Supervisor: what is taken away when a cluster is made, and given back."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from vcf_lab import fault
from vcf_lab.faults import routes
from vcf_lab.kube import KubeError
from vcf_lab.supervisor.faults import CLASS, CLUSTER, FINALIZER, IMAGE, SECRET, ClusterFaults, Mischief
from vcf_lab.supervisor.pod import Node, PodRunner

NS = "deploy-ray"
Key = tuple[str, str]


class Objects:
    """As much of an API server as the faults need."""

    def __init__(self) -> None:
        self.store: dict[Key, dict[str, Any]] = {}
        self.version = 0
        self.away = False  # the operator's webhook
        for kind, name in ((IMAGE, "vmi-1"), (IMAGE, "vmi-2"), (CLASS, "ray-small"), (SECRET, "reg"), (SECRET, "other")):
            status = {"conditions": [{"type": "Ready", "status": "True"}]} if kind == IMAGE else None
            self.put(kind, name, **({"status": status} if status else {}))

    def put(self, kind: str, name: str, **more: Any) -> None:
        self.version += 1
        metadata = {"name": name, "namespace": NS, "uid": f"uid-{self.version}", "resourceVersion": str(self.version)}
        self.store[kind, name] = {"kind": kind, "metadata": metadata, **more}

    def cluster(self, name: str, secret: str = "") -> None:
        self.put(CLUSTER, name, spec={"docker_config": {"auth_secret_name": secret}})
        self.store[CLUSTER, name]["metadata"]["finalizers"] = ["vmraycluster.vmray.broadcom.com"]

    def names(self, kind: str) -> list[str]:
        return sorted(name for each, name in self.store if each == kind)

    def finalizers(self, name: str) -> list[str]:
        return list(self.store[CLUSTER, name]["metadata"].get("finalizers") or [])

    async def get(self, kind: str, name: str, namespace: str) -> dict[str, Any] | None:
        return copy.deepcopy(self.store.get((kind, name)))

    async def list(self, kind: str, namespace: str | None = None) -> list[dict[str, Any]]:
        return [copy.deepcopy(obj) for (each, _), obj in self.store.items() if each == kind]

    async def watch(self, kind: str) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        while True:
            for obj in await self.list(kind):
                yield "MODIFIED", obj
            await asyncio.sleep(0.01)

    async def create(self, obj: dict[str, Any]) -> None:
        self.put(obj["kind"], obj["metadata"]["name"], **{key: value for key, value in obj.items() if key not in ("kind", "metadata")})

    async def patch(self, kind: str, name: str, body: dict[str, Any], namespace: str, subresource: str | None = None) -> None:
        if kind == CLUSTER and self.away:
            raise KubeError(500, "InternalError", "failed calling webhook")
        stored = self.store[kind, name]
        change = dict(body.get("metadata", {}))
        if change.pop("resourceVersion", stored["metadata"]["resourceVersion"]) != stored["metadata"]["resourceVersion"]:
            raise KubeError(409, "Conflict", "the object has been modified")
        stored["metadata"].update(change)
        stored.update({key: value for key, value in body.items() if key != "metadata"})

    async def delete(self, kind: str, name: str, namespace: str) -> None:
        self.store.pop((kind, name), None)


def while_it_runs(scenario: Callable[[Objects, ClusterFaults], Awaitable[None]]) -> None:
    async def main() -> None:
        kube, faults = Objects(), ClusterFaults()
        mischief = Mischief(kube, faults)  # type: ignore[arg-type]
        faults.changed = mischief.wake
        work = asyncio.create_task(mischief.run())
        try:
            await asyncio.wait_for(scenario(kube, faults), 10)
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)

    asyncio.run(main())


async def soon(holds: Callable[[], bool]) -> None:
    while not holds():
        await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("name", "options", "kind", "left", "whole"),
    [
        ("image-missing", {}, IMAGE, [], ["vmi-1", "vmi-2"]),
        ("image-missing", {"image": "vmi-1"}, IMAGE, ["vmi-2"], ["vmi-1", "vmi-2"]),
        ("class-missing", {}, CLASS, [], ["ray-small"]),
        ("secret-missing", {}, SECRET, ["other"], ["other", "reg"]),
        ("secret-missing", {"secret": "other"}, SECRET, ["reg"], ["other", "reg"]),
    ],
)
def test_taken_when_a_cluster_is_made_and_given_back(
    name: str, options: dict[str, str], kind: str, left: list[str], whole: list[str]
) -> None:
    async def scenario(kube: Objects, faults: ClusterFaults) -> None:
        kube.cluster("before", "reg")
        faults.add({"name": name, **options})
        await asyncio.sleep(0.1)
        assert kube.names(kind) == whole and faults.listing()[0]["struck"] == 0
        kube.cluster("a", "reg")
        await soon(lambda: kube.names(kind) == left)
        assert faults.listing()[0]["struck"] == 1
        faults.clear(name)
        await soon(lambda: kube.names(kind) == whole)
        if kind == IMAGE:
            assert kube.store[IMAGE, "vmi-1"]["status"]["conditions"][0]["status"] == "True"

    while_it_runs(scenario)


def test_what_is_put_back_is_taken_again_until_it_is_cleared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vcf_lab.supervisor.faults.AGAIN", 0.02)

    async def scenario(kube: Objects, faults: ClusterFaults) -> None:
        faults.add({"name": "class-missing"})
        await asyncio.sleep(0.05)
        kube.cluster("a")
        await soon(lambda: not kube.names(CLASS))
        kube.put(CLASS, "ray-small")
        await soon(lambda: not kube.names(CLASS))
        faults.clear()
        await soon(lambda: kube.names(CLASS) == ["ray-small"])

    while_it_runs(scenario)


def test_a_finalizer_stays_until_it_is_cleared_also_while_the_webhook_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vcf_lab.supervisor.faults.AGAIN", 0.02)

    async def scenario(kube: Objects, faults: ClusterFaults) -> None:
        kube.cluster("a"), kube.cluster("b")
        faults.add({"name": "stuck-finalizer", "cluster": "a"})
        await soon(lambda: FINALIZER in kube.finalizers("a"))
        assert FINALIZER not in kube.finalizers("b") and len(kube.finalizers("a")) == 2
        kube.away = True
        faults.clear()
        await asyncio.sleep(0.1)
        assert FINALIZER in kube.finalizers("a")
        kube.away = False
        await soon(lambda: FINALIZER not in kube.finalizers("a"))
        assert len(kube.finalizers("a")) == 1

    while_it_runs(scenario)


class Pods:
    """Notes which pods there are, and what the Deployment says."""

    def __init__(self) -> None:
        self.pods = 0
        self.status: dict[str, Any] = {}

    async def create(self, obj: dict[str, Any]) -> dict[str, Any]:
        self.pods += 1
        return {**obj, "metadata": {**obj["metadata"], "name": "pod", "uid": str(self.pods)}}

    async def patch(self, kind: str, name: str, body: dict[str, Any], namespace: str, subresource: str | None = None) -> dict[str, Any]:
        self.status = body["status"]
        return {}

    async def delete(self, kind: str, name: str, namespace: str) -> None:
        pass


def test_no_pod_comes_back_while_the_operator_is_gone(lab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    class Addresses:
        async def take(self) -> str:
            return "10.244.2.10"

        async def give_back(self, address: str) -> None:
            pass

    async def forever(runner: PodRunner, address: str) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(PodRunner, "_containers", forever)
    monkeypatch.setattr("vcf_lab.supervisor.pod.RETRY", 0.02)

    async def scenario() -> None:
        kube, faults = Pods(), ClusterFaults()
        endpoints: Any = type("Endpoints", (), {"drop": lambda self, pod: None})()
        node = Node(lab, kube, Addresses(), endpoints, None, faults)  # type: ignore[arg-type]
        template = {"metadata": {"labels": {}}, "spec": {"containers": []}}
        metadata = {"name": "vmray-controller-manager", "namespace": "svc", "uid": "d"}
        runner = PodRunner(node, {"metadata": metadata, "spec": {"template": template}})
        faults.changed = runner.wake
        work = asyncio.create_task(runner.run())
        await soon(lambda: kube.pods == 1)
        faults.add({"name": "operator-gone"})
        await asyncio.sleep(0.1)
        assert kube.pods == 1 and kube.status["readyReplicas"] == 0 and kube.status["unavailableReplicas"] == 1
        faults.clear("operator-gone")
        await soon(lambda: kube.pods == 2)
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)

    asyncio.run(asyncio.wait_for(scenario(), 10))


def test_the_side_door_arms_lists_and_clears() -> None:
    async def scenario() -> None:
        faults = ClusterFaults()
        app = web.Application()
        app.add_routes(routes(lambda request: faults))
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = "http://{}:{}/faults".format(*runner.addresses[0])
        async with aiohttp.ClientSession() as http:
            async with http.post(url, json={"name": "nope"}) as answer:
                assert answer.status == 400 and "There is no fault 'nope'" in (await answer.json())["error"]
            async with http.post(url, json={"name": "image-missing", "image": "vmi-1"}) as answer:
                assert answer.status == 201
            async with http.get(url) as answer:
                assert [fault["image"] for fault in await answer.json()] == ["vmi-1"]
            async with http.delete(f"{url}?name=image-missing") as answer:
                assert await answer.json() == {"cleared": 1}
        await runner.cleanup()

    asyncio.run(scenario())


def test_every_name_is_known_to_one_part_and_fits_its_list() -> None:
    names = [name for _, _, part in fault.PARTS for name in part.kinds]
    assert len(names) == len(set(names))
    assert fault.home("stuck-finalizer")[0] == "http://127.0.0.1:8092/faults"
    assert fault.home("stuck-worker")[0] == "http://127.0.0.1:8093/faults"
    assert fault.home("cut")[0] == "http://10.244.0.2:8090/faults"
    assert all(f"  {name} " in fault.names() for name in names)
