# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests and connections of tasks, counted on the side of the client by audit/sitecustomize.py."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from .plays import play
from .world import ROOT, World


@dataclass(frozen=True)
class Request:
    """One request as it was sent."""

    method: str
    host: str
    path: str
    body: Any = None


@dataclass(frozen=True)
class Call:
    """One request to be made again by hand."""

    method: str
    url: str
    body: Any = None


@dataclass(frozen=True)
class Traffic:
    """What was done on the network, as the processes that did it saw it."""

    requests: tuple[Request, ...]
    connections: dict[str, int]  # how many to each address:port


def traffic(lines: Iterable[str]) -> Traffic:
    """Names are resolved by sockets that are connected and closed again: those to port 53 are not the task's."""
    requests: list[Request] = []
    to: Counter[str] = Counter()
    for event in map(json.loads, lines):
        if "request" in event:
            requests.append(Request(event["request"], event["host"], event["path"]))
        elif "body" in event and requests:
            requests[-1] = replace(requests[-1], body=event["body"])
        elif "connect" in event:
            to[event["connect"]] += 1
    return Traffic(tuple(requests), {where: n for where, n in sorted(to.items()) if not where.endswith(":53")})


def counted(world: World, name: str, tasks: Iterable[dict[str, Any]], env: dict[str, str] | None = None) -> Traffic:
    """Run these tasks alone and count."""
    log = world.work / f"{name}.audit"
    log.unlink(missing_ok=True)
    counter = {"PYTHONPATH": str(ROOT / "benchmarks/audit"), "BENCH_AUDIT": str(log)}
    play(world, f"count_{name}", [{"name": name, **task} for task in tasks], env={**counter, **(env or {})})
    return traffic(log.read_text().splitlines() if log.exists() else [])


def calls(seen: Traffic, servers: dict[str, str]) -> list[Call]:
    """The requests to be made by hand; `servers` is host -> base address."""
    return [Call(request.method, servers[request.host] + request.path, request.body) for request in seen.requests]
