# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that would make a VMRayCluster fail later, found before the first write, all at once."""

from __future__ import annotations

import re
import typing as t

from .. import _password
from .._errors import RayError
from . import vm_image
from .vmray_spec import HASH, least_workers, node_types

NAME = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
# Ray adds -w- and eight letters, and the result is a label value of at most 63.
NAME_LENGTH = 52
LINUX_USER = re.compile(r"[a-z_][-a-z0-9_]{0,31}")
TAKEN_PORTS = {22: "SSH", 8265: "the dashboard", 10001: "Ray clients"}
_HOST = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_PART = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
REFERENCE = re.compile(
    rf"(?:(?:{_HOST}(?:\.{_HOST})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?/)?{_PART}(?:/{_PART})*"
    r"(?::(?P<tag>\w[\w.-]{0,127}))?(?P<digest>@[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,})?"
)
REQUIRED = (
    ("ray_docker_image",),
    ("api_server", "location"),
    ("head_node", "node_type"),
    ("common_node_config", "vm_image"),
    ("common_node_config", "storage_class"),
    ("common_node_config", "vm_user"),
    ("common_node_config", HASH),
)
OPTION = {"ray_docker_image": "ray_image", "location": "api_server", "node_type": "head.node_type", "vm_image": "image", HASH: "vm_password"}


def spec_faults(name: str, spec: dict) -> list[str]:
    """Faults that can be seen without asking anyone."""
    faults = []
    if not NAME.fullmatch(name):
        faults.append(f"name {name} must be lower-case letters, digits and dashes, start with a letter and not end with a dash")
    if len(name) > NAME_LENGTH:
        faults.append(f"name {name} has {len(name)} characters, and {NAME_LENGTH} are the most that leave room for the names of the workers")
    for path in REQUIRED:
        if not _at(spec, path):
            faults.append(f"spec.{'.'.join(path)} is missing (option {OPTION.get(path[-1], path[-1])})")
    return faults + _head(spec) + _types(spec) + _texts(spec)


def _head(spec: dict) -> list[str]:
    faults, head = [], spec.get("head_node") or {}
    if head.get("node_type") and head["node_type"] not in node_types(spec):
        known = ", ".join(sorted(node_types(spec))) or "none"
        faults.append(f"the head's node type {head['node_type']} is not among the node types ({known}); give head.vm_class, or name one of them")
    port = head.get("port")
    if not _count(port) or not 1 <= port <= 65535:
        faults.append(f"head.port is {port!r} and must be a number from 1 to 65535")
    elif port in TAKEN_PORTS:
        faults.append(f"head.port {port} is taken on the cluster's address by {TAKEN_PORTS[port]}")
    return faults


def _types(spec: dict) -> list[str]:
    types, config = node_types(spec), spec.get("common_node_config") or {}
    most = config.get("max_workers")
    faults = [] if types else ["there is no node type; give head.vm_class and workers"]
    for key in ("max_workers", "idle_timeout_minutes"):
        if not _count(config.get(key)):
            faults.append(f"{key} is {config.get(key)!r} and must be a whole number, not negative")
    for name, node_type in types.items():
        if not node_type.get("vm_class"):
            faults.append(f"node type {name} has no vm_class")
        low, high = node_type.get("min_workers"), node_type.get("max_workers")
        if not _count(low) or not _count(high):
            faults.append(f"min_workers and max_workers of node type {name} must be whole numbers, not negative")
            continue
        if low > high:
            faults.append(f"min_workers {low} of node type {name} is more than its max_workers {high}")
        if _count(most) and high > most:
            faults.append(f"max_workers {high} of node type {name} is more than max_workers {most} of the cluster")
        faults += _resources(name, node_type.get("resources") or {})
    if _count(most) and all(_count(n.get("min_workers")) for n in types.values()) and least_workers(spec) > most:
        faults.append(f"the min_workers of all node types add up to {least_workers(spec)}, which is more than max_workers {most} of the cluster")
    return faults


def _resources(name: str, resources: dict) -> list[str]:
    faults = [
        f"resources.{key} of node type {name} is {resources[key]!r} and must be a whole number from 0 to 255"
        for key in ("cpu", "gpu")
        if resources.get(key) is not None and not (_count(resources[key]) and resources[key] <= 255)
    ]
    if resources.get("memory") is not None and not _count(resources["memory"]):
        faults.append(f"resources.memory of node type {name} is {resources['memory']!r} and must be bytes, or an amount such as 4Gi")
    return faults


def _texts(spec: dict) -> list[str]:
    faults, config, server = [], spec.get("common_node_config") or {}, spec.get("api_server") or {}
    image = REFERENCE.fullmatch(spec.get("ray_docker_image") or "")
    if spec.get("ray_docker_image") and not image:
        faults.append(f"ray_image {spec['ray_docker_image']} is no reference of a container image")
    if re.search(r"[/\s]", server.get("location") or ""):
        faults.append(f"api_server {server['location']} must be host or host:port, without a scheme and a path")
    if server.get("ca_cert"):
        faults.append("api_server.ca_cert must stay empty: Ray takes it for the path of a file, and its autoscaler then cannot connect")
    user = config.get("vm_user")
    if user and (not LINUX_USER.fullmatch(user) or user == "root"):
        faults.append(f"vm_user {user} must be the name of a Linux user, and not root")
    known = config.get(HASH)
    if known and _password.fault(known):
        faults.append(str(_password.fault(known)))
    for command in config.get("initialization_commands") or []:
        if re.search(r"'|: | #|\n", str(command)):
            faults.append("an entry of initialization_commands holds a single quote, ': ', ' #' or a line break, which breaks the first boot of the nodes")
    return faults


def warnings(spec: dict) -> list[str]:
    """What works now and will surprise later."""
    found = []
    image = REFERENCE.fullmatch(spec.get("ray_docker_image") or "")
    if image and not image["digest"] and image["tag"] in (None, "latest"):
        found.append(f"ray_image {spec['ray_docker_image']} has no fixed tag: nodes that are made later may run another Ray. Name a tag.")
    head = (spec.get("head_node") or {}).get("node_type")
    idle = [n for n, v in node_types(spec).items() if n != head and not v.get("min_workers")]
    if idle:
        found.append(f"Node types with min_workers 0 ({', '.join(idle)}) are not scaled up by tasks that ask for CPUs while none of their workers lives.")
    return found


def existing_faults(kube: t.Any, namespace: str, name: str, spec: dict, find_image: t.Callable[[str], dict], *, new: bool) -> list[str]:
    """Faults against what the namespace offers; what the user may not read is left to the API server and the operator.

    Args:
        find_image: gives the image of an item name or id, or raises RayError.
    """
    config = spec.get("common_node_config") or {}
    faults = _image(find_image, config.get("vm_image")) + _classes(kube, namespace, spec) + _storage(kube, namespace, config.get("storage_class"))
    secret = (spec.get("docker_config") or {}).get("auth_secret_name")
    if secret:
        faults += _registry(kube, namespace, secret)
    return faults + (_leftovers(kube, namespace, name) if new else [])


def _image(find: t.Callable[[str], dict], wanted: str | None) -> list[str]:
    if not wanted:
        return []
    try:
        image = find(wanted)
    except RayError as error:
        return [error.message.rstrip(".")] if error.code in ("NOT_FOUND", "INPUT") else _unless_forbidden(error)
    return [] if vm_image.is_ready(image) else [f"image {wanted} is not ready: {vm_image.why_not(image)}"]


def _classes(kube: t.Any, namespace: str, spec: dict) -> list[str]:
    wanted = sorted({n["vm_class"] for n in node_types(spec).values() if n.get("vm_class")})
    try:
        there = kube.names("VirtualMachineClass", namespace)
    except RayError as error:
        return _unless_forbidden(error)
    return [f"VM class {c} is not assigned to namespace {namespace} (there are: {', '.join(there) or 'none'})" for c in wanted if c not in there]


def _storage(kube: t.Any, namespace: str, wanted: str | None) -> list[str]:
    if not wanted:
        return []
    try:
        there = kube.names("StorageClass")
    except RayError as error:
        return _unless_forbidden(error)
    return [] if wanted in there else [f"storage class {wanted} does not exist (there are: {', '.join(there) or 'none'})"]


def _registry(kube: t.Any, namespace: str, name: str) -> list[str]:
    try:
        secret = kube.get("Secret", name, namespace)
    except RayError as error:
        return _unless_forbidden(error)
    if secret is None:
        return [f"docker_secret {name} does not exist in namespace {namespace}"]
    missing = [k for k in ("username", "password") if not (secret.get("data") or {}).get(k)]
    return [f"docker_secret {name} lacks {' and '.join(missing)}"] if missing else []


def _leftovers(kube: t.Any, namespace: str, name: str) -> list[str]:
    """Secrets of an earlier cluster are used again without a word, with an old token; a like-named account would be deleted in the end."""
    faults = []
    try:
        stale = {f"{name}-hsecret", f"{name}-wsecret"} & set(kube.names("Secret", namespace))
        if stale:
            faults.append(f"left from an earlier cluster of this name: Secret {', '.join(sorted(stale))}; remove it first")
        if name in kube.names("ServiceAccount", namespace):
            faults.append(
                f"a ServiceAccount {name} exists in namespace {namespace}; the cluster would take it over, and delete it in the end. Choose another name"
            )
    except RayError as error:
        _unless_forbidden(error)
    return faults


def _unless_forbidden(error: RayError) -> list[str]:
    if error.code == "FORBIDDEN":
        return []
    raise error


def _at(spec: dict, path: t.Iterable[str]) -> t.Any:
    value: t.Any = spec
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _count(value: t.Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
