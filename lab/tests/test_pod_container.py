# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a container is told to run, with which variables and which files."""

from __future__ import annotations

import asyncio
import base64

import pytest

from vcf_lab.settings import Lab
from vcf_lab.supervisor import container, podobjects
from vcf_lab.supervisor.podfiles import NotReadyToStart, PodFiles, expanded

IMAGE = {"Entrypoint": ["/run", "$(A)"], "Cmd": ["default"]}


class Objects:
    """An API server with a few objects, by kind and name."""

    def __init__(self, **objects: dict) -> None:
        self._objects = objects

    async def get(self, kind: str, name: str, _namespace: str) -> dict | None:
        return self._objects.get(f"{kind.rpartition('/')[2]}_{name}")

    async def request(self, *_call: str, body: dict) -> dict:
        assert body["kind"] == "TokenRequest"
        return {"status": {"token": "a-token"}}


def pod(volumes: list[dict] | None = None, **first: object) -> dict:
    return {
        "metadata": {"name": "p-1", "namespace": "ns"},
        "spec": {"containers": [{"name": "c", "image": "x1", **first}], "volumes": volumes or []},
        "status": {"podIP": "10.244.2.10"},
    }


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, ["/run", "$(A)", "default"]),
        ({"args": ["--x=$(A)"]}, ["/run", "$(A)", "--x=1"]),
        ({"command": ["/own", "$(A)"]}, ["/own", "1"]),
        ({"command": ["/own"], "args": ["default"]}, ["/own", "default"]),
    ],
)
def test_the_pods_words_come_before_the_images(given: dict, expected: list[str]) -> None:
    assert container.command(IMAGE, given, {"A": "1"}) == expected


def test_nothing_to_run() -> None:
    with pytest.raises(NotReadyToStart, match="no command specified") as caught:
        container.command({}, {}, {})
    assert caught.value.reason == "CreateContainerError"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$(A)-$(B)", "1-$(B)"),
        ("$$(A) costs 5$", "$(A) costs 5$"),
        ("$(A", "$(A"),
        ("$$$(A)", "$1"),
        ("$A", "$A"),
    ],
)
def test_variables_in_words(text: str, expected: str) -> None:
    assert expanded(text, {"A": "1"}) == expected


def test_variables_of_image_and_platform(lab: Lab) -> None:
    found = container.environment(lab, {"Env": ["PATH=/opt/bin", "EQUALS=a=b"]}, pod())
    assert found["PATH"] == "/opt/bin" and found["EQUALS"] == "a=b"
    assert found["POD_IP"] == "10.244.2.10" and found["HOSTNAME"] == "p-1"
    assert lab.password not in found.values()


def files(lab: Lab, objects: Objects, of: dict) -> PodFiles:
    return PodFiles(lab, objects, of, lab.state / "pod")  # type: ignore[arg-type]


def test_variables_of_the_pod(lab: Lab) -> None:
    env = [
        {"name": "A", "value": "1"},
        {"name": "B", "value": "$(A)2"},
        {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
        {"name": "S", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
        {"name": "M", "valueFrom": {"configMapKeyRef": {"name": "m", "key": "none", "optional": True}}},
    ]
    objects = Objects(Secret_s={"data": {"k": base64.b64encode(b"hidden").decode()}})
    assert asyncio.run(files(lab, objects, pod(env=env)).variables()) == {"A": "1", "B": "12", "IP": "10.244.2.10", "S": "hidden"}
    with pytest.raises(NotReadyToStart, match='secret "s" not found') as caught:
        asyncio.run(files(lab, Objects(), pod(env=env)).variables())
    assert caught.value.reason == "CreateContainerConfigError"


def test_volumes(lab: Lab) -> None:
    account = [
        {"serviceAccountToken": {"path": "token"}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": {"fieldPath": "metadata.namespace"}}]}},
    ]
    volumes = [
        {"name": "cert", "secret": {"secretName": "s", "items": [{"key": "k", "path": "sub/file"}]}},
        {"name": "none", "configMap": {"name": "m", "optional": True}},
        {"name": "work", "emptyDir": {}},
        {"name": "account", "projected": {"sources": account}},
    ]
    mounts = [{"name": volume["name"], "mountPath": f"/{volume['name']}"} for volume in volumes]
    objects = Objects(Secret_s={"data": {"k": base64.b64encode(b"hidden").decode()}})
    found = asyncio.run(files(lab, objects, pod(volumes, volumeMounts=mounts)).volumes())
    places = {target: place for place, target, _ in found}
    assert [writable for *_, writable in found] == [False, False, True, False]
    assert (places["/cert"] / "sub/file").read_bytes() == b"hidden"
    assert (places["/cert"] / "sub/file").stat().st_mode & 0o077 == 0
    assert list(places["/none"].iterdir()) == [] and list(places["/work"].iterdir()) == []
    assert (places["/account"] / "token").read_text() == "a-token"
    assert (places["/account"] / "ca.crt").read_bytes() == lab.ca_cert.read_bytes()
    assert (places["/account"] / "namespace").read_text() == "ns"


@pytest.mark.parametrize(
    ("volume", "why"),
    [
        ({"secret": {"secretName": "s"}}, 'MountVolume.SetUp failed for volume "v": secret "s" not found'),
        ({"configMap": {"name": "m"}}, 'MountVolume.SetUp failed for volume "v": configmap "m" not found'),
        ({"hostPath": {"path": "/etc"}}, 'MountVolume.SetUp failed for volume "v": this node has no volumes hostPath'),
    ],
)
def test_a_volume_that_is_not_there(lab: Lab, volume: dict, why: str) -> None:
    of = pod([{"name": "v", **volume}], volumeMounts=[{"name": "v", "mountPath": "/v"}])
    with pytest.raises(NotReadyToStart) as caught:
        asyncio.run(files(lab, Objects(), of).volumes())
    assert (str(caught.value), caught.value.reason) == (why, "ContainerCreating")


def test_the_history_of_a_container() -> None:
    once = podobjects.History(image_id="r/x@sha256:1").ended(7, "2026-01-01T00:00:00Z")
    twice = once.start_failed('exec: "/none"')
    status = podobjects.waiting(pod(), "CrashLoopBackOff", "back-off", twice)["containerStatuses"][0]
    assert once.last and (once.last["exitCode"], once.last["reason"], once.restarts) == (7, "Error", 1)
    assert (status["restartCount"], status["imageID"], status["started"]) == (2, "r/x@sha256:1", False)
    last = status["lastState"]["terminated"]
    assert (last["exitCode"], last["reason"], last["message"]) == (128, "StartError", 'exec: "/none"')


def test_the_status_of_a_container_that_runs() -> None:
    status = podobjects.running(pod(), "10.244.2.10", "2026-01-01T00:00:00Z", podobjects.History(), ready=False)
    first = status["containerStatuses"][0]
    assert (first["started"], first["ready"], first["lastState"]) == (True, False, {})
    assert status["podIP"] == "10.244.2.10"
