# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A new or changed VMRayCluster against what its namespace offers. What the user may not read is left to the API server and the operator."""

from __future__ import annotations

import base64
import re
import typing as t

from .._errors import RayError
from .._ports import Json, Kube
from . import vm_image, vmray_gpu, vmray_quota
from .vmray_spec import node_types

# What the shell of a first boot takes as it is, and the YAML around it too: the operator puts the login of the registry into a command
# line, unquoted. A colon at the end would make a key of the line.
SHELL_SAFE = re.compile(r"[A-Za-z0-9_@%+=,./!^](?:[A-Za-z0-9_@%+=:,./!^~#-]*[A-Za-z0-9_@%+=,./!^~#-])?")
LOGIN = ("username", "password", "registry")
# Secrets that are used again without a word, with an old token; and those that may be made beforehand on purpose.
STALE, OWN = ("hsecret", "wsecret", "tls"), ("ssh-key", "root-cert")
# Made for a cluster under its bare name, and so removed with it.
LIKE_NAMED = ("ServiceAccount", "Role", "RoleBinding")


def image_faults(find: t.Callable[[str], Json], wanted: str | None) -> list[str]:
    if not wanted:
        return []
    try:
        image = find(wanted)
    except RayError as error:
        if error.code in ("NOT_FOUND", "INPUT"):
            return [error.message.rstrip(".")]
        return _unless_forbidden(error)
    return [] if vm_image.is_ready(image) else [f"image {wanted} is not ready: {vm_image.why_not(image).rstrip('.')}"]


def machine_faults(kube: Kube, namespace: str, spec: Json, notes: list[str], *, new: bool) -> list[str]:
    """Classes, storage, GPUs and quotas, which belong together; warnings go to ``notes``.

    Args:
        new: whether its machines are still to be made, and so not in what is used of the quotas.
    """
    wanted = sorted({n["vm_class"] for n in node_types(spec).values() if n.get("vm_class")})
    listed = _read(lambda: kube.list("VirtualMachineClass", namespace))
    classes = {c["metadata"]["name"]: c for c in listed or []}
    faults = [] if listed is None else [
        f"VM class {c} is not assigned to namespace {namespace} (there are: {', '.join(sorted(classes)) or 'none'})" for c in wanted if c not in classes]
    storage = (spec.get("common_node_config") or {}).get("storage_class")
    there = _read(lambda: kube.names("StorageClass")) if storage else None
    quotas = _read(lambda: kube.list("ResourceQuota", namespace)) or []
    if there is not None and storage not in there:
        faults.append(f"storage class {storage} does not exist (there are: {', '.join(there) or 'none'})")
    else:
        faults += vmray_quota.storage_faults(quotas, storage, namespace)
    notes += vmray_gpu.gpu_warnings(spec, classes)
    if new:
        notes += vmray_quota.capacity_warnings(quotas, spec, classes)
        faults += vmray_quota.count_faults(quotas, spec)
    return faults + vmray_gpu.gpu_faults(spec, classes)


def network_faults(kube: Kube, spec: Json) -> list[str]:
    """A network of an API that this Supervisor does not have: which there are depends on its kind of network (NSX, VPC, VDS)."""
    network = (spec.get("common_node_config") or {}).get("network") or {}
    wanted = {}
    for interface in network.get("interfaces") or [] if isinstance(network, dict) else []:
        asked = interface.get("network") if isinstance(interface, dict) else None
        if isinstance(asked, dict) and asked.get("apiVersion"):
            wanted[asked["apiVersion"]] = f"interface {interface.get('name')} wants a {asked.get('kind') or 'network'} of {asked['apiVersion']}"
    served = _read(kube.apis) if wanted else None
    if served is None:
        return []
    return [f"{words}, which this Supervisor does not have; leave network out, and the nodes get the network of the namespace"
            for api, words in sorted(wanted.items()) if api not in served]


def secret_faults(kube: Kube, namespace: str, name: str) -> list[str]:
    """The secret with the login of the registry; its texts stay here."""
    try:
        secret = kube.get("Secret", name, namespace)
    except RayError as error:
        return _unless_forbidden(error)
    if secret is None:
        return [f"docker_secret {name} does not exist in namespace {namespace}"]
    data = secret.get("data") or {}
    missing = [k for k in ("username", "password") if not data.get(k)]
    texts: dict[str, str | None] = {k: _plain(data[k]) for k in LOGIN if data.get(k)}
    return ([f"docker_secret {name} lacks {' and '.join(missing)}"] if missing else []) + login_faults(f"docker_secret {name}", texts)


def _plain(data: str) -> str:
    try:
        return base64.b64decode(data).decode()
    except ValueError:
        return ""


def login_faults(holder: str, texts: dict[str, str | None]) -> list[str]:
    """A login that a shell would take apart, or that is not there at all; named by its keys, never by what they hold."""
    unsafe = [k for k in LOGIN if texts.get(k) and not SHELL_SAFE.fullmatch(texts[k] or "")]
    return [(f"{holder}: {' and '.join(unsafe)} may have only letters, digits and _@%+=:,./!^~#- (no ~, #, : or - at the start and no : at the end): the "
             "operator puts it into a command line without quotes")] if unsafe else []


def leftovers(kube: Kube, namespace: str, name: str, notes: list[str]) -> list[str]:
    """What an earlier cluster of the name has left, and accounts that this one would take over, and delete in the end."""
    faults, made = [], re.compile(rf"{re.escape(name)}-[hw]-[a-z0-9]{{5,8}}")
    secrets = set(_names(kube, "Secret", namespace))
    stale = sorted(secrets & {f"{name}-{part}" for part in STALE})
    machines = [f"{kind} {n}" for kind in ("VirtualMachine", "VirtualMachineService") for n in _names(kube, kind, namespace) if made.fullmatch(n)]
    left = ([f"Secret {', '.join(stale)}"] if stale else []) + machines
    if left:
        faults.append(f"left from an earlier cluster of this name: {', '.join(left)}; state: absent with remove_orphans: true removes it")
    alike = [kind for kind in LIKE_NAMED if name in _names(kube, kind, namespace)]
    if alike:
        faults.append(f"a {' and a '.join(alike)} {name} exists in namespace {namespace}; the cluster would take it over, and delete it in the end. "
                      "Choose another name")
    own = sorted(secrets & {f"{name}-{part}" for part in OWN})
    if own:
        notes.append(f"Secret {', '.join(own)} is there already: cluster {name} uses it as it is, and it is removed with the cluster.")
    return faults


def _names(kube: Kube, kind: str, namespace: str) -> list[str]:
    return _read(lambda: kube.names(kind, namespace)) or []


def _read(asked: t.Callable[[], t.Any]) -> t.Any:
    """The answer, or None where the user may not have it."""
    try:
        return asked()
    except RayError as error:
        if error.code != "FORBIDDEN":
            raise
        return None


def _unless_forbidden(error: RayError) -> list[str]:
    """No fault, where the user may not see whether there is one."""
    if error.code != "FORBIDDEN":
        raise error
    return []
