# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands on a Supervisor, and would go with it."""

from __future__ import annotations

from .._errors import RayError, UnknownYet
from .._ports import Json, VCenter
from .service_install import Installs

NAMESPACES = "/api/vcenter/namespaces/instances"
# vCenter installs these itself and takes them away with the Supervisor; nobody else can.
CORE = ("kubernetes.vmware.com", "tkg.vsphere.vmware.com")


def refuse_in_use(client: VCenter, found: Json) -> None:
    """Raise with the list of namespaces and services: some releases would take them away without a question.

    Raises:
        UnknownYet: in check mode the steps before may be those that remove them.
    """
    supervisor = found["supervisor"]
    parts = [("namespaces", _namespaces(client, supervisor)), ("services", _services(client, supervisor))]
    left = [f"{noun} {', '.join(sorted(names))}" for noun, names in parts if names]
    if left:
        raise UnknownYet(f"Supervisor {found['name']} cannot be removed: on it are the {' and the '.join(left)}.", code="RESOURCE_IN_USE",
                         hint="Remove those first, with vcf.ray.namespace and vcf.ray.supervisor_service_install.")


def _namespaces(client: VCenter, supervisor: str) -> list[str]:
    rows = client.find(f"{NAMESPACES}/v2")
    if rows is None:
        rows = client.find(NAMESPACES)
    return [row["namespace"] for row in rows or [] if supervisor in (row.get("supervisor"), row.get("cluster"))]


def _services(client: VCenter, supervisor: str) -> list[str]:
    try:
        rows = Installs(client, supervisor).rows()
    except RayError as error:
        # One that never came up, or whose network is of a kind without services.
        if error.code not in ("NOT_ALLOWED_IN_CURRENT_STATE", "UNSUPPORTED"):
            raise
        return []
    return [row["supervisor_service"] for row in rows if row["supervisor_service"] not in CORE]
