# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which pod a Service leads to, and the forwarder between them."""

from __future__ import annotations

import asyncio

import pytest

from vcf_lab.forwarder import forward
from vcf_lab.supervisor.services import Endpoints


def pod(name: str, ready: str = "True", namespace: str = "ns") -> dict:
    ports = [{"name": "hook", "containerPort": 9443}]
    return {
        "metadata": {"name": name, "namespace": namespace, "labels": {"app": "x", "more": "y"}},
        "spec": {"containers": [{"ports": ports}]},
        "status": {"podIP": "10.244.2.10", "conditions": [{"type": "Ready", "status": ready}]},
    }


@pytest.mark.parametrize(
    ("found", "selector", "port", "expected"),
    [
        (pod("a"), {"app": "x"}, 443, ("10.244.2.10", 443)),
        (pod("a"), {"app": "x"}, "hook", ("10.244.2.10", 9443)),
        (pod("a"), {"app": "x"}, "other", None),
        (pod("a"), {"app": "z"}, 443, None),
        (pod("a", ready="False"), {"app": "x"}, 443, None),
        (pod("a", namespace="elsewhere"), {"app": "x"}, 443, None),
    ],
)
def test_a_service_leads_to_ready_pods_of_its_namespace(
    found: dict, selector: dict[str, str], port: int | str, expected: object
) -> None:
    endpoints = Endpoints()
    endpoints.put(found)
    assert endpoints.pick("ns", selector, port) == expected
    endpoints.drop(found)
    assert endpoints.pick("ns", selector, port) is None


def test_the_forwarder_carries_both_ways_and_ends_when_there_is_no_target() -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write((await reader.read()).upper())  # answers after the other side's end
        writer.close()

    async def ask(port: int) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"hello")
        writer.write_eof()
        try:
            return await asyncio.wait_for(reader.read(), 5)
        finally:
            writer.close()

    async def run() -> None:
        far = await asyncio.start_server(echo, "127.0.0.1", 0)
        target = [("127.0.0.1", far.sockets[0].getsockname()[1])]
        near = await forward(("127.0.0.1", 0), lambda: target[0] if target else None)
        port = near.sockets[0].getsockname()[1]
        assert await ask(port) == b"HELLO"
        target.clear()
        with pytest.raises(ConnectionError):
            await ask(port)
        near.close()
        far.close()

    asyncio.run(run())
