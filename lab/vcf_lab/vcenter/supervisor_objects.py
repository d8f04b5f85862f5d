# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What enabling puts into the Kubernetes API, apart from the supervisor process's own work."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

import vcf_lab

RBAC = "rbac.authorization.k8s.io"
MANAGED = {"app.kubernetes.io/managed-by": "wcp"}
SELECTOR = "app.kubernetes.io/managed-by=wcp"
CRDS = Path(vcf_lab.__file__).parent / "crds"
READ = ["get", "list", "watch"]
WRITE = ["create", "update", "patch", "delete", "deletecollection"]


def custom_resource_definitions() -> list[dict[str, Any]]:
    """The manifests of VM Operator and cert-manager kinds."""
    documents: list[dict[str, Any]] = []
    for path in sorted(CRDS.glob("*.yaml")):
        documents += [document for document in yaml.safe_load_all(path.read_text()) if document]
    return documents


def _role(name: str, rules: list[dict[str, Any]], aggregate: list[str] | None = None) -> dict[str, Any]:
    labels = {f"{RBAC}/aggregate-to-{target}": "true" for target in aggregate or []}
    return {
        "apiVersion": f"{RBAC}/v1",
        "kind": "ClusterRole",
        "metadata": {"name": name, "labels": {**MANAGED, **labels}},
        "rules": rules,
    }


def _binding(name: str, role: str, group: str) -> dict[str, Any]:
    return {
        "apiVersion": f"{RBAC}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": name, "labels": MANAGED},
        "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": RBAC, "kind": "Group", "name": group}],
    }


def access() -> list[dict[str, Any]]:
    """Who may do what: VM Operator's kinds by role, catalogues for all, everything for administrators."""
    made = ["virtualmachines", "virtualmachineservices"]
    given = ["virtualmachineclasses", "virtualmachineimages"]
    group = "vmoperator.vmware.com"
    return [
        _role(
            "wcp:vmoperator:edit",
            [{"apiGroups": [group], "resources": made, "verbs": READ + WRITE}],
            ["edit"],
        ),
        _role(
            "wcp:vmoperator:view",
            [{"apiGroups": [group], "resources": made + given, "verbs": READ}],
            ["view", "edit"],
        ),
        _role(
            "wcp:catalogue",
            [
                {"apiGroups": ["storage.k8s.io"], "resources": ["storageclasses"], "verbs": READ},
                {"apiGroups": [group], "resources": ["clustervirtualmachineimages"], "verbs": READ},
            ],
        ),
        _binding("wcp:catalogue", "wcp:catalogue", "system:authenticated"),
        _binding("wcp:administrators", "cluster-admin", "sso:Administrators@vsphere.local"),
    ]


def config_map(record: dict[str, Any]) -> dict[str, Any]:
    """Tells the other parts of the lab that there is a Supervisor, and its addresses."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "supervisor", "namespace": "kube-system", "labels": MANAGED},
        "data": {
            "id": record["supervisor"],
            "name": record["name"],
            "vip": record["vip"],
            "first": record["vip"],
            "count": str(record["addresses"]),
            "cluster": record["cluster"],
        },
    }
