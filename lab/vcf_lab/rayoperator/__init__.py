# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stand-in for the RayOnVCF operator: same API, same objects, same states, same traps."""

from __future__ import annotations

from typing import Any

GROUP = "vmray.broadcom.com"
VERSION = "v1alpha1"
KIND = "VMRayCluster"
CLUSTERS = f"{GROUP}/{VERSION}/{KIND}"
VIRTUAL_MACHINES = "vmoperator.vmware.com/v1alpha2/VirtualMachine"
VIRTUAL_MACHINE_SERVICES = "vmoperator.vmware.com/v1alpha2/VirtualMachineService"
VIRTUAL_MACHINE_IMAGES = "vmoperator.vmware.com/v1alpha2/VirtualMachineImage"
VIRTUAL_MACHINE_CLASSES = "vmoperator.vmware.com/v1alpha2/VirtualMachineClass"
STORAGE_CLASSES = "storage.k8s.io/v1/StorageClass"
SECRETS = "v1/Secret"
SERVICE_ACCOUNTS = "v1/ServiceAccount"
ROLES = "rbac.authorization.k8s.io/v1/Role"
ROLE_BINDINGS = "rbac.authorization.k8s.io/v1/RoleBinding"

FINALIZER = "vmraycluster.vmray.broadcom.com"
NOUNCE_LABEL = "vmray.kubernetes.io/head-nounce"  # the field's own spelling
HEAD_LABEL = "vmray.kubernetes.io/ray-cluster-head"
CREATED_BY_LABEL = "vmray.io/created-by"


def head_name(cluster: dict[str, Any]) -> str:
    """Name of the head's VirtualMachine and VirtualMachineService.

    Without the label it is the bare `<cluster>-h`: that is how a client that strips the label
    makes an orphan of the head it had.
    """
    metadata = cluster["metadata"]
    nounce = metadata.get("labels", {}).get(NOUNCE_LABEL, "")
    return f"{metadata['name']}-h-{nounce}" if nounce else f"{metadata['name']}-h"
