# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The types of the operator's own code, as far as its decoder shows them to users.

The operator's mutating webhook has no defaults of its own. What it answers is the difference
between the request and the same object read into typed fields and written out again, so the types
*are* the behaviour: fields that are always written appear with their empty value, empty optional
fields vanish, and a value that does not fit ends the request with the decoder's own words.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any


class UnmarshalError(ValueError):
    """A value that does not fit its type, in the words of Go's JSON decoder."""


@dataclass(frozen=True)
class Scalar:
    """A string, a bool or an unsigned integer."""

    go: str  # name in messages
    empty: Any
    limit: int = 0  # highest number, for integers


@dataclass(frozen=True)
class Pointer:
    """An optional value that is written as null when absent."""

    target: Any


@dataclass(frozen=True)
class Array:
    item: Any


@dataclass(frozen=True)
class Map:
    value: Any


@dataclass(frozen=True)
class Raw:
    """Passed through: the schema of the CRD looks after it."""


@dataclass(frozen=True)
class Struct:
    name: str
    fields: dict[str, Any] = field(default_factory=dict)
    optional: frozenset[str] = frozenset()  # not written when empty


STRING = Scalar("string", "")
BOOL = Scalar("bool", False)
UINT = Scalar("uint", 0, 2**64 - 1)
UINT8 = Scalar("uint8", 0, 2**8 - 1)
COMMANDS = Array(STRING)

_RESOURCES = Struct(
    "NodeResource", {"cpu": UINT8, "memory": UINT, "gpu": UINT8}, frozenset({"cpu", "memory", "gpu"})
)
_NODE_TYPE = Struct(
    "NodeType", {"vm_class": STRING, "min_workers": UINT, "max_workers": UINT, "resources": _RESOURCES}
)
_COMMON = Struct(
    "CommonNodeConfig",
    {
        "vm_image": STRING,
        "storage_class": STRING,
        "vm_user": STRING,
        "vm_password_salt_hash": STRING,
        "network": Raw(),
        "available_node_types": Map(_NODE_TYPE),
        "max_workers": UINT,
        "idle_timeout_minutes": UINT,
        "setup_commands": COMMANDS,
        "initialization_commands": COMMANDS,
    },
    frozenset({"network", "idle_timeout_minutes", "setup_commands", "initialization_commands"}),
)
SPEC = Struct(
    "VMRayClusterSpec",
    {
        "ray_docker_image": STRING,
        "api_server": Struct("ApiServer", {"location": STRING, "ca_cert": STRING}, frozenset({"ca_cert"})),
        "head_node": Struct(
            "HeadNode",
            {"node_type": STRING, "port": Pointer(UINT), "setup_commands": COMMANDS},
            frozenset({"setup_commands"}),
        ),
        "worker_node": Struct("WorkerNode", {"setup_commands": COMMANDS}, frozenset({"setup_commands"})),
        "common_node_config": _COMMON,
        "autoscaler_desired_workers": Map(STRING),
        "enable_tls": BOOL,
        "docker_config": Struct("DockerConfig", {"auth_secret_name": STRING}),
    },
    frozenset({"autoscaler_desired_workers"}),
)


def remarshal(spec: Any) -> dict[str, Any]:
    """The spec as it looks after it went through the operator's types."""
    stored: dict[str, Any] = _through(SPEC, spec, "spec", "VMRayCluster")
    return stored


def _through(kind: Any, value: Any, path: str, owner: str) -> Any:
    if isinstance(kind, Raw):
        return value
    if isinstance(kind, Pointer):
        return None if value is None else _through(kind.target, value, path, owner)
    if value is None:  # null, or not there: the type's zero value
        return _zero(kind)
    if isinstance(kind, Scalar):
        return _scalar(kind, value, path, owner)
    if isinstance(kind, Array):
        _expect(value, list, "[]" + kind.item.go, path, owner)
        return [_through(kind.item, item, path, owner) for item in value]
    if isinstance(kind, Map):
        _expect(value, dict, "map[string]" + _go(kind.value), path, owner)
        return {key: _through(kind.value, item, path, owner) for key, item in value.items()}
    _expect(value, dict, _go(kind), path, owner)
    return _struct(kind, value, path)


def _struct(kind: Struct, value: dict[str, Any], path: str) -> dict[str, Any]:
    result = {}
    for name, member in kind.fields.items():
        passed = _through(member, value.get(name), f"{path}.{name}", kind.name)
        if passed in (None, "", 0, False, [], {}) and name in kind.optional:
            continue
        result[name] = passed
    return result


def _zero(kind: Any) -> Any:
    if isinstance(kind, Scalar):
        return kind.empty
    if isinstance(kind, Struct):
        return _struct(kind, {}, "")
    return None  # lists and maps that were never made


def _scalar(kind: Scalar, value: Any, path: str, owner: str) -> Any:
    if isinstance(value, type(kind.empty)) and not kind.limit:
        return value
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if kind.limit and number and not isinstance(value, float) and 0 <= value <= kind.limit:
        return value
    shown = f"number {_number(value)}" if number and kind.limit else _json_type(value)
    raise _unfit(shown, kind.go, path, owner)


def _expect(value: Any, wanted: type, go: str, path: str, owner: str) -> None:
    if not isinstance(value, wanted):
        raise _unfit(_json_type(value), go, path, owner)


def _unfit(shown: str, go: str, path: str, owner: str) -> UnmarshalError:
    return UnmarshalError(f"json: cannot unmarshal {shown} into Go struct field {owner}.{path} of type {go}")


def _go(kind: Any) -> str:
    return kind.go if isinstance(kind, Scalar) else f"v1alpha1.{kind.name}"


def _number(value: float) -> str:
    return str(int(value)) if isinstance(value, float) and math.isfinite(value) and value.is_integer() else str(value)


def _json_type(value: Any) -> str:
    for python, name in ((bool, "bool"), (str, "string"), (list, "array"), (dict, "object")):
        if isinstance(value, python):
            return name
    return "number"
