# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects of the API server without machines behind them: what the operator would have written is copied from a real cluster."""

from __future__ import annotations

import copy
import http.client
import json
import ssl
import time
from typing import Any

import yaml

from .world import NAMESPACE, VMRAY, Failed, World

PREFIX = "bench-many-"
WEBHOOKS = ("mutatingwebhookconfiguration/vmray-mutating-webhook-configuration", "validatingwebhookconfiguration/vmray-validating-webhook-configuration")


def without_operator(world: World) -> None:
    """End the operator of the lab, which would make machines for each object; its webhooks would refuse everything then."""
    where = world.kubectl("get", "deployments", "-A", "-o", "jsonpath={range .items[*]}{.metadata.namespace}/{.metadata.name} {end}", admin=True)
    namespace, name = next(d.split("/") for d in where.split() if d.endswith("/vmray-controller-manager"))
    world.kubectl("-n", namespace, "scale", f"deployment/{name}", "--replicas=0", admin=True)
    world.kubectl("delete", *WEBHOOKS, "--ignore-not-found", admin=True)
    for _ in range(100):
        if not world.kubectl("-n", namespace, "get", "pods", "-o", "name", admin=True).strip():
            return
        time.sleep(0.2)
    raise Failed("the operator's pod does not go")


def named(model: dict[str, Any], number: int) -> dict[str, Any]:
    """A copy of a cluster under another name, its machines' names changed with it."""
    old, new = model["metadata"]["name"], f"{PREFIX}{number:04}"
    made: dict[str, Any] = json.loads(json.dumps(model).replace(f'"{old}-', f'"{new}-'))
    made["metadata"] = {"name": new, "namespace": NAMESPACE, "labels": copy.deepcopy(model["metadata"].get("labels", {}))}
    return made


def make(world: World, count: int) -> list[dict[str, Any]]:
    """That many objects, each with the status of the real one; the answers of the API server."""
    model, made = world.cluster(), []
    connection = administrator(world)
    for number in range(count):
        wanted = named(model, number)
        found = sent(connection, "POST", VMRAY, wanted, good=(201,))
        made.append(sent(connection, "PUT", f"{VMRAY}/{wanted['metadata']['name']}/status", {**found, "status": wanted["status"]}, good=(200,)))
    connection.close()
    return made


def administrator(world: World) -> http.client.HTTPSConnection:
    """The cluster's own administrator, by client certificate."""
    config = yaml.safe_load((world.state / "kube/admin.kubeconfig").read_text())
    user = config["users"][0]["user"]
    context = ssl.create_default_context(cafile=world.ca)
    context.load_cert_chain(user["client-certificate"], user["client-key"])
    return http.client.HTTPSConnection(config["clusters"][0]["cluster"]["server"].split("//")[1], context=context, timeout=30)


def sent(connection: http.client.HTTPSConnection, method: str, path: str, body: dict[str, Any], good: tuple[int, ...]) -> dict[str, Any]:
    connection.request(method, path, json.dumps(body), {"Content-Type": "application/json"})
    answer = connection.getresponse()
    text = answer.read().decode()
    if answer.status not in good:
        raise Failed(f"{method} {path}: {answer.status} {text[:500]}")
    decoded: dict[str, Any] = json.loads(text)
    return decoded
