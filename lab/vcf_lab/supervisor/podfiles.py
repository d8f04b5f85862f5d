# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a pod's specification names and its container finds: volumes, variables, a kubeconfig."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import yaml

from .. import settings
from ..kube import Kube
from ..settings import Lab, write_private

ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
KUBECONFIG = "/var/run/lab/kubeconfig"
TOKEN_SECONDS = 365 * 24 * 3600  # nobody renews the token's file; a lab does not live as long
ROOT_CA = "kube-root-ca.crt"
Bind = tuple[Path, str, bool]  # file or folder here, its path in the container, whether it can be written there


class NotReadyToStart(Exception):
    """Something that the pod names is not there yet; `reason` is what its status calls that."""

    def __init__(self, text: str, reason: str = "ContainerCreating") -> None:
        super().__init__(text)
        self.reason = reason


class PodFiles:
    """Of one pod, below a folder of its own."""

    def __init__(self, lab: Lab, kube: Kube, pod: dict[str, Any], folder: Path) -> None:
        self._lab = lab
        self._kube = kube
        self._pod = pod
        self._folder = folder
        self._namespace = pod["metadata"]["namespace"]
        self._container = pod["spec"]["containers"][0]

    async def volumes(self) -> list[Bind]:
        """Write the volumes; the API server has added that of the service account to the pod's own."""
        sources = {volume["name"]: volume for volume in self._pod["spec"].get("volumes", [])}
        found = []
        for mount in self._container.get("volumeMounts", []):
            volume, place = sources[mount["name"]], self._folder / "volumes" / mount["name"]
            if not place.exists():
                await self._volume(volume, place)
            writable = "emptyDir" in volume and not mount.get("readOnly", False)
            found.append((place / mount["subPath"] if mount.get("subPath") else place, mount["mountPath"], writable))
        return found

    async def _volume(self, volume: dict[str, Any], place: Path) -> None:
        (kind,) = volume.keys() - {"name"}
        parts = volume["projected"].get("sources", []) if kind == "projected" else [{kind: volume[kind]}]
        files: dict[str, bytes] = {}
        try:
            for part in parts:
                for part_kind, source in part.items():
                    files |= await self._files(part_kind, source)
        except NotReadyToStart as missing:
            raise NotReadyToStart(f'MountVolume.SetUp failed for volume "{volume["name"]}": {missing}') from missing
        place.mkdir(parents=True)
        for path, content in files.items():
            (place / path).parent.mkdir(parents=True, exist_ok=True)
            (place / path).touch(0o600)
            (place / path).write_bytes(content)

    async def _files(self, kind: str, source: dict[str, Any]) -> dict[str, bytes]:
        """Files of one source of a volume."""
        if kind == "emptyDir":
            return {}
        if kind == "serviceAccountToken":
            return {source["path"]: await self._token()}
        if kind == "downwardAPI":
            return {item["path"]: self._field(item["fieldRef"]["fieldPath"]).encode() for item in source.get("items", [])}
        if kind not in ("secret", "configMap"):
            raise NotReadyToStart(f"this node has no volumes {kind}")
        try:
            values = await self._values(kind, source.get("secretName") or source["name"])
        except NotReadyToStart:
            if not source.get("optional"):
                raise
            return {}
        names = {item["key"]: item["path"] for item in source.get("items", [])} or {key: key for key in values}
        return {path: values.get(key, b"") for key, path in names.items()}

    async def _values(self, kind: str, name: str) -> dict[str, bytes]:
        """Keys of a Secret or a ConfigMap, `kind` as a volume calls it."""
        content = await self._kube.get("Secret" if kind == "secret" else "v1/ConfigMap", name, self._namespace)
        if content is None and (kind, name) == ("configMap", ROOT_CA):
            return {"ca.crt": self._lab.ca_cert.read_bytes()}  # no controller here gives it to every namespace
        if content is None:
            raise NotReadyToStart(f'{kind.lower()} "{name}" not found')
        data = content.get("data") or {}
        if kind == "secret":
            return {key: base64.b64decode(value) for key, value in data.items()}
        return {key: value.encode() for key, value in data.items()}

    async def _token(self) -> bytes:
        body = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"expirationSeconds": TOKEN_SECONDS},
        }
        account = self._pod["spec"].get("serviceAccountName") or "default"
        path = f"/api/v1/namespaces/{self._namespace}/serviceaccounts/{account}/token"
        token: str = (await self._kube.request("POST", path, body=body))["status"]["token"]
        return token.encode()

    def kubeconfig(self) -> Bind:
        """A kubeconfig of the pod's service account, for what does not look where the account's files are."""
        path = self._folder / "kubeconfig"
        cluster = {"server": settings.APISERVER_URL, "certificate-authority": f"{ACCOUNT}/ca.crt"}
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "lab", "cluster": cluster}],
            "users": [{"name": "pod", "user": {"tokenFile": f"{ACCOUNT}/token"}}],
            "contexts": [{"name": "pod", "context": {"cluster": "lab", "user": "pod", "namespace": self._namespace}}],
            "current-context": "pod",
        }
        write_private(path, yaml.safe_dump(content, sort_keys=False))
        return path, KUBECONFIG, False

    async def variables(self) -> dict[str, str]:
        """Variables of the container, in their order: a later one can name an earlier one."""
        found: dict[str, str] = {}
        for entry in self._container.get("env", []):
            source = entry.get("valueFrom")
            value = await self._variable(source) if source else expanded(entry.get("value", ""), found)
            if value is not None:
                found[entry["name"]] = value
        return found

    async def _variable(self, source: dict[str, Any]) -> str | None:
        if "fieldRef" in source:
            return self._field(source["fieldRef"]["fieldPath"])
        for key, kind in (("secretKeyRef", "secret"), ("configMapKeyRef", "configMap")):
            if key not in source:
                continue
            wanted = source[key]
            try:
                values = await self._values(kind, wanted["name"])
                if wanted["key"] not in values:
                    raise NotReadyToStart(f"couldn't find key {wanted['key']} in {kind} {wanted['name']}")
                return values[wanted["key"]].decode()
            except NotReadyToStart as missing:
                if wanted.get("optional"):
                    return None
                raise NotReadyToStart(str(missing), "CreateContainerConfigError") from missing
        raise NotReadyToStart(f"this node has no variables from {', '.join(source)}", "CreateContainerConfigError")

    def _field(self, path: str) -> str:
        found: object = self._pod
        for key in path.split("."):
            found = found.get(key, "") if isinstance(found, dict) else ""
        return str(found)


def expanded(text: str, variables: dict[str, str]) -> str:
    """`$(NAME)` becomes the value where there is one, and `$$` a dollar, as in any Kubernetes container."""
    pieces, rest = [], text
    while "$" in rest:
        before, _dollar, rest = rest.partition("$")
        name, closed, after = rest[1:].partition(")")
        known = rest.startswith("(") and closed and name in variables
        pieces += [before, variables[name] if known else "$"]
        if known:
            rest = after
        elif rest.startswith("$"):
            rest = rest[1:]
    return "".join([*pieces, rest])
