# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clusters beside the simulator's one: a Supervisor in zones needs three of them."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from pyVim.connect import Disconnect, SmartConnect
from pyVmomi import vim

from vcf_lab import settings
from vcf_lab.settings import Lab

DATACENTER = "DC0"
CLUSTERS = 3
HOSTS = 3


async def add(lab: Lab) -> None:
    """Make the datacenter have three clusters, by the API that an administrator would use; again is nothing."""
    await asyncio.to_thread(_add, lab)


def _add(lab: Lab) -> None:
    connection = SmartConnect(
        protocol="http",
        host=settings.VCSIM_IP,
        port=settings.VCSIM_PORT,
        user=settings.ADMINISTRATOR,
        pwd=lab.password,
    )
    try:
        datacenters = connection.RetrieveContent().rootFolder.childEntity
        folder = next(entry for entry in datacenters if entry.name == DATACENTER).hostFolder
        there = {entry.name: entry for entry in folder.childEntity}
        for number in range(1, CLUSTERS):
            name = f"{DATACENTER}_C{number}"
            _fill(there.get(name) or folder.CreateClusterEx(name, _like(there[f"{DATACENTER}_C0"])), name)
    finally:
        Disconnect(connection)


def _like(cluster: Any) -> Any:
    """The settings of another cluster, as REST shows them."""
    configuration = cluster.configuration
    return vim.cluster.ConfigSpecEx(
        dasConfig=vim.cluster.DasConfigInfo(enabled=configuration.dasConfig.enabled),
        drsConfig=vim.cluster.DrsConfigInfo(enabled=configuration.drsConfig.enabled),
    )


def _fill(cluster: Any, name: str) -> None:
    for number in range(len(cluster.host), HOSTS):
        spec = vim.host.ConnectSpec(hostName=f"{name}_H{number}", userName="root", password="", force=True)
        task = cluster.AddHost(spec, asConnected=True)
        # pyVmomi's own wait looks at a property of running tasks that the simulator does not have.
        while task.info.state not in ("success", "error"):
            time.sleep(0.05)
        if task.info.state == "error":
            raise RuntimeError(f"{name}_H{number}: {task.info.error.localizedMessage}")
