# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The secret with which the nodes log in at the registry of the container image."""

from __future__ import annotations

import base64
import binascii

from .._errors import RayError
from .._ports import Json, Kube

# On a secret that was made here: the cluster with which it goes.
LABEL = "vcf.ray/cluster"
MISSING, OTHER, AS_ASKED = "missing", "other login", "as asked"


class DockerSecret:
    """One secret, as far as the user has set its login."""

    def __init__(self, kube: Kube, namespace: str, cluster: str, name: str, login: Json) -> None:
        self._kube, self._namespace, self._cluster, self.name = kube, namespace, cluster, name
        self._login = {key: login[key] for key in ("registry", "username", "password") if login.get(key)}

    def state(self) -> Json:
        """Its name, and whether it holds the login; never the login."""
        return {"name": self.name, "state": self._judged(self._kube.get("Secret", self.name, self._namespace))}

    def write(self) -> None:
        """Make it, or change the login in one that is there; whose it is stays as it was."""
        state = self.state()["state"]
        data = {key: base64.b64encode(value.encode()).decode() for key, value in self._login.items()}
        if state == OTHER:
            self._kube.merge("Secret", self.name, self._namespace, {"data": data})
        elif state == MISSING:
            meta = {"name": self.name, "namespace": self._namespace, "labels": {LABEL: self._cluster}}
            self._kube.create("Secret", {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "type": "Opaque", "data": data})

    def _judged(self, secret: Json | None) -> str:
        if secret is None:
            return MISSING
        data = secret.get("data") or {}
        return AS_ASKED if all(_decoded(data.get(key)) == value for key, value in self._login.items()) else OTHER


def made_for(kube: Kube, namespace: str, cluster: str) -> list[str]:
    """The secrets that were made here for this cluster, and that no other cluster names."""
    try:
        found = [secret["metadata"]["name"] for secret in kube.list("Secret", namespace, labels={LABEL: cluster})]
    except RayError as error:
        if error.code == "FORBIDDEN":
            return []
        raise
    if not found:
        return []
    others = [raw for raw in kube.list("VMRayCluster", namespace) if raw["metadata"]["name"] != cluster]
    used = {((raw.get("spec") or {}).get("docker_config") or {}).get("auth_secret_name") for raw in others}
    return sorted(set(found) - used)


def _decoded(data: str | None) -> str | None:
    try:
        return base64.b64decode(data or "", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
