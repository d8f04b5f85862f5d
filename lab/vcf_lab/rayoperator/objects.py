# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the operator makes in the cluster's namespace, and the keys inside.

Nothing gets an owner reference: what is not deleted by name stays behind.
"""

from __future__ import annotations

import asyncio
import base64
import datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from vcf_lab.kube import Kube, KubeError
from vcf_lab.rayoperator import GROUP, HEAD_LABEL, ROLE_BINDINGS, ROLES, SECRETS, SERVICE_ACCOUNTS, cloudinit, head_name

CA_DAYS = 3650
TOKEN_SECONDS = 60 * 60 * 30 * 6  # 7.5 days; never renewed
SERVICE_PORTS = {"ray-dashboard-port": 8265, "ray-client-port": 10001, "ssh-port": 22}


async def create_unless_there(kube: Kube, obj: dict[str, Any]) -> None:
    """Create; an object of that name is adopted as it is."""
    try:
        await kube.create(obj)
    except KubeError as error:
        if error.reason != "AlreadyExists":
            raise


async def ensure_root_cert(kube: Kube, cluster: dict[str, Any]) -> None:
    """The cluster's CA; one that the user made before is kept."""
    name, namespace = _names(cluster)
    if await kube.get(SECRETS, f"{name}-root-cert", namespace) is None:
        cert, key = await asyncio.to_thread(_make_ca)
        await create_unless_there(kube, _secret(f"{name}-root-cert", namespace, {"ca.cert": cert, "ca.key": key}))


async def ensure_ssh_key(kube: Kube, cluster: dict[str, Any]) -> None:
    """The key that the head uses towards the workers; one that the user made before is kept."""
    name, namespace = _names(cluster)
    if await kube.get(SECRETS, f"{name}-ssh-key", namespace) is None:
        key = _pem(await asyncio.to_thread(rsa.generate_private_key, 65537, 2048))
        await create_unless_there(kube, _secret(f"{name}-ssh-key", namespace, {"ssh-pvt-key": key}))


async def ensure_service_account(kube: Kube, cluster: dict[str, Any]) -> None:
    """The identity of the head's autoscaler."""
    name, namespace = _names(cluster)
    metadata = {"name": name, "namespace": namespace}
    rbac = {"apiVersion": "rbac.authorization.k8s.io/v1", "metadata": metadata}
    rules = [
        {"apiGroups": [GROUP], "resources": ["vmrayclusters"], "verbs": ["get", "patch"]},
        {"apiGroups": ["vmoperator.vmware.com"], "resources": ["virtualmachineservices"], "verbs": ["get"]},
        {"apiGroups": [""], "resources": ["secrets"], "verbs": ["create"]},
    ]
    binding = {
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": namespace}],
    }
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}
    for obj in (account, {**rbac, "kind": "Role", "rules": rules}, {**rbac, "kind": "RoleBinding", **binding}):
        await create_unless_there(kube, obj)


async def ensure_user_data(kube: Kube, cluster: dict[str, Any], service_ip: str, *, head: bool) -> None:
    """The Secret with cloud-init user data; never rewritten once it is there."""
    name, namespace = _names(cluster)
    secret = f"{name}-hsecret" if head else f"{name}-wsecret"
    if await kube.get(SECRETS, secret, namespace) is not None:
        return
    token = await _token(kube, name, namespace) if head else ""
    root = await _read_secret(kube, f"{name}-root-cert", namespace)
    key = await _read_secret(kube, f"{name}-ssh-key", namespace)
    material = cloudinit.Material(
        ssh_key=key["ssh-pvt-key"],
        ca_cert=root["ca.cert"],
        ca_key=root["ca.key"],
        login=await _login(kube, cluster),
        token=token,
        service_ip=service_ip,
    )
    render = cloudinit.head_user_data if head else cloudinit.worker_user_data
    # Encoded once here and once more as Secret data: VM Operator takes it so.
    encoded = base64.b64encode(render(cluster, material).encode()).decode()
    await create_unless_there(kube, _secret(secret, namespace, {"user-data": encoded}))


def virtual_machine(cluster: dict[str, Any], name: str, vm_class: str, *, head: bool) -> dict[str, Any]:
    """A VM; only the head's carries a label, for the service's selector."""
    cluster_name, namespace = _names(cluster)
    common = cluster["spec"]["common_node_config"]
    secret = f"{cluster_name}-hsecret" if head else f"{cluster_name}-wsecret"
    metadata: dict[str, Any] = {"name": name, "namespace": namespace}
    if head:
        metadata["labels"] = {HEAD_LABEL: name}
    spec = {
        "imageName": common["vm_image"],
        "className": vm_class,
        "storageClass": common["storage_class"],
        "powerState": "PoweredOn",
        "bootstrap": {"cloudInit": {"rawCloudConfig": {"name": secret, "key": "user-data"}}},
    }
    if common.get("network"):
        spec["network"] = common["network"]
    return {
        "apiVersion": "vmoperator.vmware.com/v1alpha2",
        "kind": "VirtualMachine",
        "metadata": metadata,
        "spec": spec,
    }


def virtual_machine_service(cluster: dict[str, Any]) -> dict[str, Any]:
    """The load balancer in front of the head."""
    name, namespace = head_name(cluster), cluster["metadata"]["namespace"]
    ports = {"ray-port": cluster["spec"]["head_node"].get("port") or cloudinit.DEFAULT_PORT, **SERVICE_PORTS}
    return {
        "apiVersion": "vmoperator.vmware.com/v1alpha2",
        "kind": "VirtualMachineService",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "type": "LoadBalancer",
            "selector": {HEAD_LABEL: name},
            "ports": [
                {"name": key, "protocol": "TCP", "port": port, "targetPort": port} for key, port in ports.items()
            ],
        },
    }


def auxiliary_names(cluster: dict[str, Any]) -> list[tuple[str, str]]:
    """(kind, name) of what goes first when a cluster is deleted, in order."""
    name = cluster["metadata"]["name"]
    secrets = ("ssh-key", "wsecret", "root-cert", "tls", "hsecret")
    return [
        *((SECRETS, f"{name}-{suffix}") for suffix in secrets),
        *((kind, name) for kind in (ROLE_BINDINGS, ROLES, SERVICE_ACCOUNTS)),
    ]


def _names(cluster: dict[str, Any]) -> tuple[str, str]:
    return cluster["metadata"]["name"], cluster["metadata"]["namespace"]


async def _token(kube: Kube, name: str, namespace: str) -> str:
    request = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {"expirationSeconds": TOKEN_SECONDS},
    }
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token"
    token: str = (await kube.request("POST", path, body=request))["status"]["token"]
    return token


async def _login(kube: Kube, cluster: dict[str, Any]) -> cloudinit.Login | None:
    secret = (cluster["spec"].get("docker_config") or {}).get("auth_secret_name")
    if not secret:
        return None
    values = await _read_secret(kube, secret, cluster["metadata"]["namespace"])
    for key in ("username", "password"):
        if not values.get(key):
            raise ValueError(f"missing `{key}` key in secret {secret}")
    return cloudinit.Login(values["username"], values["password"], values.get("registry", ""))


async def _read_secret(kube: Kube, name: str, namespace: str) -> dict[str, str]:
    secret = await kube.get(SECRETS, name, namespace)
    if secret is None:
        raise ValueError(f'Secret "{name}" not found')
    return {key: base64.b64decode(value).decode() for key, value in (secret.get("data") or {}).items()}


def _secret(name: str, namespace: str, values: dict[str, str]) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": namespace},
        "type": "Opaque",
        "data": {key: base64.b64encode(value.encode()).decode() for key, value in values.items()},
    }


def _make_ca() -> tuple[str, str]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=4096)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ray-root-ca")])
    now = datetime.datetime.now(datetime.timezone.utc)
    usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
    cert = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(days=CA_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return cert.public_bytes(serialization.Encoding.PEM).decode(), _pem(key)


def _pem(key: rsa.RSAPrivateKey) -> str:
    """PKCS#1, as the operator writes keys."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    ).decode()
