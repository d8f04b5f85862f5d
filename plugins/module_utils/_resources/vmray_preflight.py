# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that would make a VMRayCluster fail later, found before the first write, all at once."""

from __future__ import annotations

import re
import typing as t

from .. import _password
from .._ports import Json, Kube
from . import vmray_image, vmray_namespace
from .vmray_spec import HASH, least_workers, node_types

NAME = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
# Ray adds -w- and eight letters, and the result is a label value of at most 63.
NAME_LENGTH = 52
LINUX_USER = re.compile(r"[a-z_][-a-z0-9_]{0,31}")
TAKEN_PORTS = {22: "SSH", 8265: "the dashboard", 10001: "Ray clients"}
REQUIRED = (
    ("ray_docker_image",),
    ("api_server", "location"),
    ("head_node", "node_type"),
    ("common_node_config", "vm_image"),
    ("common_node_config", "storage_class"),
    ("common_node_config", "vm_user"),
    ("common_node_config", HASH),
)
# What the operator's webhooks call kind and fields in their refusals, and what these are.
MISNAMED = (("RayCluster.ray.io", "VMRayCluster"), ("spec.common_node_config.node_types", "spec.common_node_config.available_node_types"),
            ("spec.image", "spec.ray_docker_image (option ray_image)"))
OPTION = {"ray_docker_image": "ray_image", "location": "api_server", "node_type": "head.node_type", "vm_image": "image", HASH: "vm_password"}


def spec_faults(name: str, spec: Json) -> list[str]:
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


def _head(spec: Json) -> list[str]:
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


def _types(spec: Json) -> list[str]:
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


def _resources(name: str, resources: Json) -> list[str]:
    faults = [
        f"resources.{key} of node type {name} is {resources[key]!r} and must be a whole number from 0 to 255"
        for key in ("cpu", "gpu")
        if resources.get(key) is not None and not (_count(resources[key]) and resources[key] <= 255)
    ]
    if resources.get("memory") is not None and not _count(resources["memory"]):
        faults.append(f"resources.memory of node type {name} is {resources['memory']!r} and must be bytes, or an amount such as 4Gi")
    return faults


def _texts(spec: Json) -> list[str]:
    faults, config, server = [], spec.get("common_node_config") or {}, spec.get("api_server") or {}
    faults += vmray_image.image_faults(spec)
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


def warnings(spec: Json, extra: t.Iterable[str] = ()) -> list[str]:
    """What works now and will surprise later.

    Args:
        extra: the notes of ``existing_faults``.
    """
    head, config = spec.get("head_node") or {}, spec.get("common_node_config") or {}
    workers = {n: v for n, v in node_types(spec).items() if n != head.get("node_type")}
    found = vmray_image.image_warnings(spec)
    idle = [n for n, v in workers.items() if not v.get("min_workers") and v.get("max_workers") != 0]
    if idle:
        found.append(f"Node types with min_workers 0 ({', '.join(idle)}) are not scaled up by tasks that ask for CPUs while none of their workers lives.")
    unset = [n for n, v in workers.items() if not (v.get("resources") or {}).get("memory")]
    if unset:
        found.append(f"Without resources.memory the workers of {', '.join(unset)} offer no memory to tasks that ask for some.")
    if (node_types(spec).get(head.get("node_type") or "") or {}).get("resources"):
        found.append("The resources of the head's node type have no effect: its Ray counts what its machine has.")
    dead = [option for option, value in (("setup_commands", config.get("setup_commands")), ("head.setup_commands", head.get("setup_commands"))) if value]
    if dead:
        found.append(f"{' and '.join(dead)} are never run on a cluster that is made like this: use initialization_commands, which run on the machines, or "
                     "worker_setup_commands, which run in the containers of the workers.")
    return [*found, *extra]


def existing_faults(kube: Kube, namespace: str, name: str, spec: Json, find_image: t.Callable[[str], Json], *, new: bool,
                    notes: list[str] | None = None, docker_auth: Json | None = None) -> list[str]:
    """Faults against what the namespace offers; what the user may not read is left to the API server and the operator.

    Args:
        find_image: gives the image of an item name or id, or raises RayError.
        notes: gets the warnings that come up on the way, for ``warnings``.
        docker_auth: the login of the registry that the same task stores, when its secret need not be there yet.
    """
    notes = [] if notes is None else notes
    faults = vmray_namespace.image_faults(find_image, (spec.get("common_node_config") or {}).get("vm_image"))
    faults += vmray_namespace.machine_faults(kube, namespace, spec, notes, new=new) + vmray_namespace.network_faults(kube, spec)
    secret = (spec.get("docker_config") or {}).get("auth_secret_name")
    if docker_auth:
        faults += vmray_namespace.login_faults("docker_auth", docker_auth)
    elif secret:
        faults += vmray_namespace.secret_faults(kube, namespace, secret)
    return faults + (vmray_namespace.leftovers(kube, namespace, name, notes) if new else [])


def plain(text: str) -> str:
    """A refusal of the operator's webhooks with the names that the fields really have; they speak of another kind, and of fields of old."""
    for theirs, ours in MISNAMED:
        text = text.replace(theirs, ours)
    return text


def _at(spec: Json, path: t.Iterable[str]) -> t.Any:
    value: t.Any = spec
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _count(value: t.Any) -> t.TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
