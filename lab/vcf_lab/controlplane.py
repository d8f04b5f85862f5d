# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files and arguments of the real Kubernetes control plane."""

from __future__ import annotations

from pathlib import Path

import yaml

from . import pki, settings
from .settings import Lab, write_private

API_NAMES = [
    settings.APISERVER_IP,
    "127.0.0.1",
    "10.96.0.1",  # first of the ClusterIPs: the service `kubernetes`
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
]
# Without these five a deleted namespace never goes, `edit` and `view` stay
# empty, there is no default service account, and quotas do not bind.
CONTROLLERS = (
    "namespace-controller",
    "clusterrole-aggregation-controller",
    "serviceaccount-controller",
    "resourcequota-controller",
    "garbage-collector-controller",
)


def write_files(lab: Lab) -> None:
    """Certificates and configurations that the control plane reads at its start."""
    folder = lab.state / "kube"
    folder.mkdir(exist_ok=True)
    pki.issue(lab, "apiserver", API_NAMES)
    pki.issue(lab, "webhook", ["127.0.0.1"])
    pki.issue(lab, "controller-manager", ["127.0.0.1"])
    pki.signing_key(lab.state / "pki" / "service-account.key")
    cert, key = pki.issue_client(lab, "admin", "lab-admin", ["system:masters"])
    user = {"client-certificate": str(cert), "client-key": str(key)}
    _kubeconfig(lab, lab.kubeconfig, settings.APISERVER_URL, user)
    # Who a token belongs to is told by the supervisor part, not by the API server.
    _kubeconfig(lab, folder / "token-webhook.kubeconfig", settings.WEBHOOK_URL, {})


def _kubeconfig(lab: Lab, path: Path, server: str, user: dict[str, str]) -> None:
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "lab", "cluster": {"server": server, "certificate-authority": str(lab.ca_cert)}}],
        "users": [{"name": "lab", "user": user}],
        "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": "lab"}}],
        "current-context": "lab",
    }
    write_private(path, yaml.safe_dump(content, sort_keys=False))


def etcd(lab: Lab) -> list[str]:
    peer = "http://127.0.0.1:2380"
    return [
        str(lab.bin / "etcd"),
        f"--data-dir={lab.state / 'kube' / 'etcd'}",
        f"--listen-client-urls={settings.ETCD_URL}",
        f"--advertise-client-urls={settings.ETCD_URL}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=default={peer}",
        "--unsafe-no-fsync",  # a lab's data need not survive the machine
        "--log-level=warn",
    ]


def apiserver(lab: Lab) -> list[str]:
    pki_folder = lab.state / "pki"
    account_key = pki_folder / "service-account.key"
    return [
        str(lab.bin / "kube-apiserver"),
        f"--etcd-servers={settings.ETCD_URL}",
        f"--bind-address={settings.APISERVER_IP}",
        f"--advertise-address={settings.APISERVER_IP}",
        f"--secure-port={settings.APISERVER_PORT}",
        f"--tls-cert-file={pki_folder / 'apiserver.crt'}",
        f"--tls-private-key-file={pki_folder / 'apiserver.key'}",
        f"--client-ca-file={lab.ca_cert}",
        "--authorization-mode=RBAC",
        f"--authentication-token-webhook-config-file={lab.state / 'kube' / 'token-webhook.kubeconfig'}",
        "--authentication-token-webhook-version=v1",
        # The default of two minutes would let expired tokens live on.
        "--authentication-token-webhook-cache-ttl=1s",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={account_key}",
        f"--service-account-signing-key-file={account_key}",
        f"--service-cluster-ip-range={settings.SERVICE_CIDR}",
        "--allow-privileged=true",
        "--enable-priority-and-fairness=false",
        "--profiling=false",
        f"--cert-dir={lab.state / 'kube' / 'apiserver'}",
    ]


def controller_manager(lab: Lab) -> list[str]:
    pki_folder = lab.state / "pki"
    return [
        str(lab.bin / "kube-controller-manager"),
        f"--kubeconfig={lab.kubeconfig}",
        f"--controllers={','.join(CONTROLLERS)}",
        "--bind-address=127.0.0.1",
        f"--tls-cert-file={pki_folder / 'controller-manager.crt'}",
        f"--tls-private-key-file={pki_folder / 'controller-manager.key'}",
        f"--cert-dir={lab.state / 'kube' / 'controller-manager'}",
        "--leader-elect=false",
        "--kube-api-qps=200",
        "--kube-api-burst=400",
        "--profiling=false",
    ]
