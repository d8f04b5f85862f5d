# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The workload control plane: all its routes, and its background work."""

from __future__ import annotations

from functools import partial

from aiohttp import web

from vcf_lab.vcenter import (
    access,
    installs,
    namespace_quota,
    namespaces,
    nsx,
    prechecks,
    registries,
    services,
    supervisor_capabilities,
    supervisor_clusters,
    supervisor_enable,
    supervisor_lifecycle,
    supervisor_networks,
    supervisor_side,
    supervisors,
    vim_clusters,
    vmclasses,
    zones,
)
from vcf_lab.vcenter.vim import Vcsim
from vcf_lab.vcenter.wcp_jobs import Jobs, jobs

# Fixed paths come before those with a variable in the same place: aiohttp takes the first that fits.
# What only the lab and its tests may do, by the side door.
side_routes: list[web.AbstractRouteDef] = [*nsx.side_routes, *supervisor_side.side_routes]
routes: list[web.AbstractRouteDef] = [
    *zones.routes,
    *supervisors.routes,
    *supervisor_enable.routes,
    *supervisor_capabilities.routes,
    *supervisor_networks.routes,
    *supervisor_clusters.routes,
    *nsx.routes,
    *registries.routes,
    *services.routes,
    *installs.routes,
    *prechecks.routes,
    *namespaces.routes,
    *namespace_quota.routes,
    *access.routes,
    *vmclasses.routes,
]


async def start(app: web.Application) -> None:
    """Make the default classes and take up what an earlier front left undone."""
    app["wcp"] = Jobs()
    if isinstance(app["simulator"], Vcsim):
        await vim_clusters.add(app["lab"])
    await zones.seed(app)
    vmclasses.seed(app["store"])
    for identifier, record in app["store"]["supervisors"].items():
        key = f"supervisor {identifier}"
        if record["config_status"] == "REMOVING":
            jobs(app).add(key, partial(supervisor_lifecycle.take_down, app, identifier))
        elif record["config_status"] != "RUNNING":
            jobs(app).add(key, partial(supervisor_lifecycle.bring_up, app, identifier))
    registries.resume(app)  # before the installs, which are fetched from them
    installs.resume(app)
    namespaces.resume(app)


async def stop(app: web.Application) -> None:
    """End the background work; the store keeps what is left of it."""
    await jobs(app).stop()


def items_changed(app: web.Application, library: str | None = None) -> None:
    """A library's items came or went: the images of the namespaces that use it follow."""
    if "wcp" not in app:
        return  # not started yet; everything follows at the start
    namespaces.refresh(
        app,
        lambda record: library is None or library in {entry["content_library"] for entry in record["libraries"]},
    )
