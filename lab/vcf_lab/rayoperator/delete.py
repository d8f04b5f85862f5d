# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The end of a cluster: everything by name, in a fixed order, then the finalizer."""

from __future__ import annotations

import datetime
from typing import Any

from vcf_lab.kube import Kube, KubeError
from vcf_lab.rayoperator import CLUSTERS, FINALIZER, VIRTUAL_MACHINE_SERVICES, VIRTUAL_MACHINES, head_name, objects


class DeleteError(Exception):
    """A step was refused; the status has it as a further condition."""

    def __init__(self, condition: dict[str, Any]) -> None:
        super().__init__(condition["message"])
        self.condition = condition


def condition(kind: str, reason: str, message: str) -> dict[str, Any]:
    """A condition as the operator writes them: always False, dated now."""
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"type": kind, "status": "False", "reason": reason, "message": message, "lastTransitionTime": now}


async def delete_cluster(kube: Kube, cluster: dict[str, Any]) -> None:
    """Ask for the deletion of what the status knows of; nobody waits until it is gone."""
    metadata = cluster["metadata"]
    finalizers = metadata.get("finalizers") or []
    if FINALIZER not in finalizers:
        return
    head = head_name(cluster)
    workers = (cluster.get("status") or {}).get("current_workers") or {}
    steps = (
        ("FailureToDeleteAuxiliaryResources", objects.auxiliary_names(cluster)),
        ("FailureToDeleteHeadNode", [(VIRTUAL_MACHINE_SERVICES, head), (VIRTUAL_MACHINES, head)]),
        ("FailureToDeleteWorkerNode", [(VIRTUAL_MACHINES, worker) for worker in workers]),
    )
    for reason, named in steps:
        for kind, name in named:
            try:
                await kube.delete(kind, name, metadata["namespace"])
            except KubeError as error:
                raise DeleteError(condition("DeleteCluster", reason, error.message)) from error
    rest = [finalizer for finalizer in finalizers if finalizer != FINALIZER]
    await kube.patch(CLUSTERS, metadata["name"], {"metadata": {"finalizers": rest}}, metadata["namespace"])
