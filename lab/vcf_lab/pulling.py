# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Supervisor's container image registries, as whoever pulls inside the Supervisor finds them: Secrets of kube-system.

The vCenter part writes one Secret per registered registry; package contents and pods' images are pulled with what they say
and nothing else, so that a registry that was not registered fails here as it does on a Supervisor.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import ssl
from pathlib import Path
from typing import Any

from vcf_lab.kube import Kube
from vcf_lab.settings import write_private

NAMESPACE = "kube-system"
LABEL = "vcf-lab/container-image-registry"
SELECTOR = f"{LABEL}=true"
PREFIX = "container-image-registry-"
SERVER = "vcf-lab/server"  # annotation: host:port
LOGINS, CA = ".dockerconfigjson", "ca.crt"
HTTPS = 443
ANSWER_TIMEOUT = 5.0  # seconds


def secret(identifier: str, registry: dict[str, Any]) -> dict[str, Any]:
    """The Secret of one registry: its login, and the certificates that it is trusted by."""
    host, port = registry["hostname"], registry.get("port", HTTPS)
    server = host if port == HTTPS else f"{host}:{port}"
    auths = {}
    if registry.get("username"):
        login = f"{registry['username']}:{registry['password']}"
        auths[server] = {"auth": _encoded(login)}
    data = {LOGINS: _encoded(json.dumps({"auths": auths}))}
    if registry.get("certificate_chain"):
        data[CA] = _encoded(registry["certificate_chain"])
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": PREFIX + identifier,
            "namespace": NAMESPACE,
            "labels": {LABEL: "true"},
            "annotations": {SERVER: f"{host}:{port}"},
        },
        "type": "kubernetes.io/dockerconfigjson",
        "data": data,
    }


async def environment(kube: Kube, folder: Path) -> dict[str, str]:
    """Write logins and trusted certificates into the folder (0700); the whole environment for imgpkg, crane and kbld.

    It is the whole one and not an addition, because the tools read logins from many places: nothing of this machine's
    user (home, docker login, certificates of the system) is to help.
    """
    auths: dict[str, Any] = {}
    certificates = ""
    for found in await kube.list("Secret", NAMESPACE, SELECTOR):
        data = found.get("data") or {}
        auths |= json.loads(_decoded(data.get(LOGINS, "")) or "{}").get("auths") or {}
        chain = _decoded(data[CA]) if CA in data else await _shown(found["metadata"]["annotations"][SERVER])
        certificates += chain.rstrip() + "\n" if chain else ""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    # Go adds the system's folders of certificates to the file unless told otherwise.
    no_more = folder / "no-certificates"
    no_more.mkdir(exist_ok=True)
    write_private(folder / "config.json", json.dumps({"auths": auths}))
    write_private(folder / "ca.pem", certificates)
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "DOCKER_CONFIG": str(folder),
        "SSL_CERT_FILE": str(folder / "ca.pem"),
        "SSL_CERT_DIR": str(no_more),
        "IMGPKG_ENABLE_IAAS_AUTH": "false",
    }


async def _shown(server: str) -> str:
    """The certificate that the registry shows, of one that has no authorities: vCenter documents that it is not verified."""
    host, _, port = server.rpartition(":")
    try:
        return await asyncio.to_thread(ssl.get_server_certificate, (host, int(port)), timeout=ANSWER_TIMEOUT)
    except OSError:
        return ""  # whoever pulls finds out, and says so


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _decoded(text: str) -> str:
    return base64.b64decode(text).decode()
