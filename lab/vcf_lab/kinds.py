# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Kubernetes kinds that the lab's parts call by their bare names."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Resource:
    """Where a kind lives in the API."""

    kind: str
    api_version: str
    plural: str
    namespaced: bool

    def path(self, namespace: str | None = None, name: str | None = None) -> str:
        """The URL path of the collection (of one namespace or of all) or of one object."""
        parts = ["/apis" if "/" in self.api_version else "/api", self.api_version]
        if self.namespaced and (namespace or name):
            parts += ["namespaces", namespace or "default"]
        parts.append(self.plural)
        if name:
            parts.append(name)
        return "/".join(parts)


_VMOPERATOR = "vmoperator.vmware.com/v1alpha2"
_RBAC = "rbac.authorization.k8s.io/v1"
_ADMISSION = "admissionregistration.k8s.io/v1"

KINDS: dict[str, Resource] = {
    resource.kind: resource
    for resource in (
        Resource("Namespace", "v1", "namespaces", False),
        Resource("ConfigMap", "v1", "configmaps", True),
        Resource("Secret", "v1", "secrets", True),
        Resource("Service", "v1", "services", True),
        Resource("ServiceAccount", "v1", "serviceaccounts", True),
        Resource("Pod", "v1", "pods", True),
        Resource("Event", "v1", "events", True),
        Resource("ResourceQuota", "v1", "resourcequotas", True),
        Resource("Deployment", "apps/v1", "deployments", True),
        Resource("StorageClass", "storage.k8s.io/v1", "storageclasses", False),
        Resource("Lease", "coordination.k8s.io/v1", "leases", True),
        Resource("Role", _RBAC, "roles", True),
        Resource("RoleBinding", _RBAC, "rolebindings", True),
        Resource("ClusterRole", _RBAC, "clusterroles", False),
        Resource("ClusterRoleBinding", _RBAC, "clusterrolebindings", False),
        Resource("CustomResourceDefinition", "apiextensions.k8s.io/v1", "customresourcedefinitions", False),
        Resource("MutatingWebhookConfiguration", _ADMISSION, "mutatingwebhookconfigurations", False),
        Resource("ValidatingWebhookConfiguration", _ADMISSION, "validatingwebhookconfigurations", False),
        Resource("VirtualMachine", _VMOPERATOR, "virtualmachines", True),
        Resource("VirtualMachineService", _VMOPERATOR, "virtualmachineservices", True),
        Resource("VirtualMachineClass", _VMOPERATOR, "virtualmachineclasses", True),
        Resource("VirtualMachineImage", _VMOPERATOR, "virtualmachineimages", True),
        Resource("ClusterVirtualMachineImage", _VMOPERATOR, "clustervirtualmachineimages", False),
        Resource("Issuer", "cert-manager.io/v1", "issuers", True),
        Resource("Certificate", "cert-manager.io/v1", "certificates", True),
        Resource("VMRayCluster", "vmray.broadcom.com/v1alpha1", "vmrayclusters", True),
    )
}
