# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The spec of a VMRayCluster out of the options, and what differs between two of them. Pure functions."""

from __future__ import annotations

import copy
import re
import typing as t

from .._diff import same
from .._errors import RayError
from .._ports import Json

PORT = 6379
IDLE_MINUTES = 5
HEAD_TYPE = "ray.head.default"
USER = "ray"
HASH = "vm_password_salt_hash"
UNITS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}
# Written by Ray's autoscaler on the head; a client that writes it fights with Ray.
NOT_OURS = ("autoscaler_desired_workers",)
# option: where its value stands in the spec
PLACES = {
    "api_server": ("api_server", "location"),
    "ray_image": ("ray_docker_image",),
    "enable_tls": ("enable_tls",),
    "worker_setup_commands": ("worker_node", "setup_commands"),
    **{key: ("common_node_config", key) for key in
       ("storage_class", "vm_user", "max_workers", "idle_timeout_minutes", "setup_commands", "initialization_commands")},
    "image": ("common_node_config", "vm_image"),
}
# $6$salt$..., as crypt(3) writes it.
HASH_BEGINS = re.compile(r"\$\d\w?\$[^$]+\$")
TYPE_KEYS = ("vm_class", "min_workers", "max_workers", "resources")
# The network is handed through to the VM service, which spells its fields in another way than the rest.
VM_SERVICE = {"host_name": "hostName", "search_domains": "searchDomains", "guest_device_name": "guestDeviceName", "api_version": "apiVersion"}


def quantity(value: t.Any) -> t.Any:
    """Bytes of "4Gi"; what is no quantity comes back as it is, for the preflight to name."""
    if isinstance(value, str):
        parts = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(k|[KMGT]i|[MGT])?B?\s*", value)
        if parts:
            return int(float(parts[1]) * UNITS[parts[2] or ""])
    return value


def docker_secret(params: Json) -> str | None:
    """The secret with the login at the registry of the container image."""
    return params.get("docker_secret") or (f"{params['name']}-docker-auth" if params.get("docker_auth") else None)


def pasted_hash(params: Json) -> str | None:
    """The password's hash of a definition: a secret that no option of its own holds."""
    spec = (params.get("definition") or {}).get("spec") or {}
    _check_shape(spec)
    return (spec.get("common_node_config") or {}).get(HASH)


def check_options(params: Json, head_type: str | None) -> None:
    """Refuse what would silently be laid one over the other, or taken for something else."""
    definition = params.get("definition") or {}
    kind = definition.get("kind")
    if kind not in (None, "VMRayCluster"):
        raise RayError(f"The definition is a {kind}, and this module makes a VMRayCluster.", code="INPUT", hint="Paste the VMRayCluster alone.")
    if HASH_BEGINS.match(params.get("vm_password") or ""):
        raise RayError("vm_password looks like the hash of a password, and would be taken for the password itself.", code="INPUT",
                       hint="Give the password; it is stored as a salted hash.")
    head = params.get("head") or {}
    boss = head.get("node_type") or ((definition.get("spec") or {}).get("head_node") or {}).get("node_type") or head_type or HEAD_TYPE
    workers = params.get("workers") or []
    names = [worker["node_type"] for worker in workers]
    for worker in workers:
        name, classes = worker["node_type"], {worker.get("vm_class"), head.get("vm_class")} - {None}
        if names.count(name) > 1:
            raise RayError(f"Two entries of workers are of node type {name}.", code="INPUT", hint="Give each a node_type of its own.")
        if name == boss and len(classes) > 1:
            raise RayError(f"The head and an entry of workers are both of node type {name}, with two VM classes.", code="INPUT",
                           hint="Give the workers another node_type.")


def render(params: Json, head_type: str | None) -> Json:
    """Only what the user has set: a pasted definition with the single options laid over it.

    Args:
        head_type: the node type of the head of a cluster that exists, for when the user does not name it.
    """
    spec = copy.deepcopy((params.get("definition") or {}).get("spec") or {})
    _check_shape(spec)
    check_options(params, head_type)
    for key in NOT_OURS:
        spec.pop(key, None)
    for option, path in PLACES.items():
        _put(spec, params.get(option), *path)
    _put(spec, docker_secret(params), "docker_config", "auth_secret_name")
    if params.get("network") is not None:
        _put(spec, _as_vm_service(params["network"]), "common_node_config", "network")
    head = params.get("head") or {}
    for key in ("node_type", "port", "setup_commands"):
        _put(spec, head.get(key), "head_node", key)
    named = (spec.get("head_node") or {}).get("node_type") or head_type or HEAD_TYPE
    for node_type in [{**head, "node_type": named}, *(params.get("workers") or [])]:
        for key in TYPE_KEYS:
            value = node_type.get(key)
            given = {k: v for k, v in value.items() if v is not None} if isinstance(value, dict) else value
            _put(spec, given, "common_node_config", "available_node_types", node_type["node_type"], key)
    _in_units(spec)
    return spec


def _check_shape(spec: t.Any) -> None:
    """A pasted definition may be anything; what is looked into has to be a dictionary."""
    holders = {"spec": spec}
    if isinstance(spec, dict):
        holders.update({f"spec.{key}": spec.get(key) for key in ("api_server", "head_node", "worker_node", "common_node_config", "docker_config")})
        if isinstance(spec.get("common_node_config"), dict):
            types = spec["common_node_config"].get("available_node_types")
            holders["spec.common_node_config.available_node_types"] = types
            holders.update({f"spec.common_node_config.available_node_types.{n}": v for n, v in (types if isinstance(types, dict) else {}).items()})
    for path, value in holders.items():
        if value is not None and not isinstance(value, dict):
            raise RayError(f"{path} of the definition must be a dictionary.", code="INPUT")


def _as_vm_service(value: t.Any) -> t.Any:
    """In the spelling of the VM service, without what was not set."""
    if isinstance(value, dict):
        return {VM_SERVICE.get(key, key): _as_vm_service(v) for key, v in value.items() if v is not None}
    return [_as_vm_service(v) for v in value] if isinstance(value, list) else value


def _in_units(spec: Json) -> None:
    """Bytes for amounts, and numbers for the texts that a template makes of them in a definition."""
    config = spec.get("common_node_config") or {}
    counted = [(spec.get("head_node"), ("port",)), (config, ("max_workers", "idle_timeout_minutes"))]
    for node_type in node_types(spec).values():
        if isinstance(node_type, dict):
            counted += [(node_type, ("min_workers", "max_workers")), (node_type.get("resources"), ("cpu", "gpu"))]
            if isinstance(node_type.get("resources"), dict) and "memory" in node_type["resources"]:
                node_type["resources"]["memory"] = quantity(node_type["resources"]["memory"])
    for holder, keys in counted:
        for key in keys:
            if isinstance(holder, dict) and isinstance(holder.get(key), str) and re.fullmatch(r"\s*\d+\s*", holder[key]):
                holder[key] = int(holder[key])


def complete(spec: Json, workers: t.Iterable[str], api_server: str) -> Json:
    """The spec of a new cluster: what the user left out gets a value that is known to work.

    The port must be there (its absence is refused), an absent idle timeout would mean none, and a type without living
    workers is never scaled from zero, so types of the option ``workers`` start with one.
    """
    spec = copy.deepcopy(spec)
    _default(spec, api_server, "api_server", "location")
    _default(spec, HEAD_TYPE, "head_node", "node_type")
    _default(spec, PORT, "head_node", "port")
    _default(spec, True, "enable_tls")
    spec.setdefault("worker_node", {})
    _default(spec, IDLE_MINUTES, "common_node_config", "idle_timeout_minutes")
    _default(spec, USER, "common_node_config", "vm_user")
    for name, node_type in node_types(spec).items():
        least = node_type.setdefault("min_workers", 1 if name in set(workers) and node_type.get("max_workers") != 0 else 0)
        node_type.setdefault("max_workers", least)
        node_type.setdefault("resources", {})
    types = [n for n in node_types(spec).values() if isinstance(n["min_workers"], int) and isinstance(n["max_workers"], int)]
    if types:
        _default(spec, max(sum(n["min_workers"] for n in types), *(n["max_workers"] for n in types)), "common_node_config", "max_workers")
    return spec


def node_types(spec: Json) -> dict[str, Json]:
    """The node types by name; {} where the spec has none."""
    types = (spec.get("common_node_config") or {}).get("available_node_types")
    return types if isinstance(types, dict) else {}


def least_workers(spec: Json) -> int:
    """How many workers the cluster keeps alive."""
    return sum(n.get("min_workers") or 0 for n in node_types(spec).values())


def changes(current: Json, wanted: Json) -> dict[tuple[str, ...], t.Any]:
    """Paths of ``wanted`` whose value differs from that in ``current``, with the new value; what is not wanted is not compared."""
    found: dict[tuple[str, ...], t.Any] = {}
    for key, value in wanted.items():
        now = current.get(key)
        if isinstance(value, dict) and (isinstance(now, dict) or now is None):
            found.update({(key, *path): new for path, new in changes(now or {}, value).items()})
        elif value is not None and not same(now, value) and not (now is None and value == ""):
            found[(key,)] = value
    return found


def takes_effect(path: tuple[str, ...], current: Json) -> bool:
    """Whether a living cluster heeds the field: the machines made next do, all else is frozen in the data of the first boot."""
    if path[0] != "common_node_config" or len(path) < 2:
        return False
    if path[1] == "available_node_types":
        return len(path) == 4 and path[3] == "vm_class" and path[2] in node_types(current)
    return path[1] in ("vm_image", "storage_class", "network")


def nested(paths: dict[tuple[str, ...], t.Any]) -> Json:
    """The changes as a merge-patch of the spec."""
    patch: Json = {}
    for path, value in paths.items():
        _put(patch, value, *path)
    return patch


def shown(spec: Json) -> Json:
    """The spec without the password's hash."""
    config = spec.get("common_node_config")
    return {**spec, "common_node_config": {k: v for k, v in config.items() if k != HASH}} if isinstance(config, dict) else dict(spec)


def _put(spec: Json, value: t.Any, *path: str) -> None:
    if value is None:
        return
    _parent(spec, path)[path[-1]] = value


def _default(spec: Json, value: t.Any, *path: str) -> None:
    parent = _parent(spec, path)
    if parent.get(path[-1]) is None:
        parent[path[-1]] = value


def _parent(spec: Json, path: tuple[str, ...]) -> Json:
    for depth, key in enumerate(path[:-1]):
        if spec.get(key) is None:
            spec[key] = {}
        spec = spec[key]
        if not isinstance(spec, dict):
            raise RayError(f"spec.{'.'.join(path[:depth + 1])} of the definition must be a dictionary.", code="INPUT")
    return spec
