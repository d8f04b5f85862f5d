# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The operator's two admission webhooks, as functions of an object.

Field paths in the messages name some fields as they were called long ago, and the error says
RayCluster in ray.io: clients meet it like this, so the stand-in says it like this.
"""

from __future__ import annotations

import json
import re
from typing import Any

from vcf_lab.rayoperator.gotypes import UnmarshalError, remarshal

NAME = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_LABEL = r"[A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9\-]*[A-Za-z0-9]"
DNS_NAME = re.compile(rf"(({_LABEL})\.)*({_LABEL})")

_HOST = r"[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?"
_DOMAIN = rf"(?:{_HOST}(?:\.{_HOST})*|\[(?:[a-fA-F0-9:]+)\])(?::[0-9]+)?"
_PART = r"[a-z0-9]+(?:(?:[._]|__|[-]+)[a-z0-9]+)*"
_TAG = r"[\w][\w.-]{0,127}"
_DIGEST = r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}"
IMAGE = re.compile(rf"^((?:{_DOMAIN}/)?{_PART}(?:/{_PART})*)(?::({_TAG}))?(?:@({_DIGEST}))?$", re.ASCII)


def mutate(request: dict[str, Any]) -> dict[str, Any]:
    """Answer of the mutating webhook to an AdmissionRequest."""
    old = request["object"].get("spec")
    try:
        patch = _difference(old, remarshal(old), "/spec")
    except UnmarshalError as error:
        return {"allowed": False, "status": {"code": 400, "message": str(error)}}
    return {"allowed": True, "patch": patch} if patch else {"allowed": True}


def validate(request: dict[str, Any]) -> dict[str, Any]:
    """Answer of the validating webhook: all five checks, then one Invalid."""
    cluster = request["object"]
    try:
        spec = remarshal(cluster.get("spec"))
    except UnmarshalError as error:
        return {"allowed": False, "status": {"code": 400, "message": str(error)}}
    name = cluster["metadata"].get("name", "")
    causes = [cause for check in CHECKS if (cause := check(name, spec))]
    return {"allowed": False, "status": _invalid(name, causes)} if causes else {"allowed": True}


def _check_name(name: str, spec: dict[str, Any]) -> dict[str, Any] | None:
    if NAME.fullmatch(name):
        return None
    wanted = "must be lower case letters, digits and '-', start with a letter and end with a letter or digit"
    return _cause("metadata.name", name, f"{wanted}, regex: '^{NAME.pattern}$'")


def _check_node_types(name: str, spec: dict[str, Any]) -> dict[str, Any] | None:
    """Only the first problem is told; the head's type counts like any other."""
    common = spec["common_node_config"]
    types, limit = common["available_node_types"] or {}, common["max_workers"]
    for key, node in sorted(types.items()):
        field = f"spec.common_node_config.node_types.{key}"
        least, most = node["min_workers"], node["max_workers"]
        if least > most:
            return _cause(field, key, f"min_workers {least} cannot exceed max_workers {most}")
        if most > limit:
            return _cause(field, key, f"max_workers {most} of {key} cannot exceed max_workers {limit} of the cluster")
    head = spec["head_node"]["node_type"]
    if head not in types:
        return _cause("spec.head_node", "node_type", f"{head} is not a key of available_node_types")
    total = sum(node["min_workers"] for node in types.values())
    if total > limit:
        message = f"sum of min_workers of all node types {total} cannot exceed max_workers {limit} of the cluster"
        return _cause("spec.common_node_config", "min_workers", message)
    return None


def _check_count(name: str, spec: dict[str, Any]) -> dict[str, Any] | None:
    if spec["common_node_config"]["available_node_types"]:
        return None
    return _cause("spec.common_node_config", "node_types", "at least one node type is needed")


def _check_image(name: str, spec: dict[str, Any]) -> dict[str, Any] | None:
    image = spec["ray_docker_image"]
    if IMAGE.fullmatch(image):
        return None
    return _cause("spec.image", image, f"is not a container image, regex: '{IMAGE.pattern}'")


def _check_desired_workers(name: str, spec: dict[str, Any]) -> dict[str, Any] | None:
    for worker in sorted(spec.get("autoscaler_desired_workers") or {}):
        if not DNS_NAME.fullmatch(worker):
            message = f"{worker} must be DNS compliant, regex: '^{DNS_NAME.pattern}$'"
            return _cause("spec.autoscaler_desired_workers", "name", message)
    return None


CHECKS = (_check_name, _check_node_types, _check_count, _check_image, _check_desired_workers)


def _cause(field: str, value: str, detail: str) -> dict[str, Any]:
    message = f"Invalid value: {json.dumps(value, ensure_ascii=False)}: {detail}"
    return {"reason": "FieldValueInvalid", "message": message, "field": field}


def _invalid(name: str, causes: list[dict[str, Any]]) -> dict[str, Any]:
    told = [f"{cause['field']}: {cause['message']}" for cause in causes]
    text = told[0] if len(told) == 1 else f"[{', '.join(told)}]"
    return {
        "status": "Failure",
        "message": f'RayCluster.ray.io "{name}" is invalid: {text}',
        "reason": "Invalid",
        "details": {"name": name, "group": "ray.io", "kind": "RayCluster", "causes": causes},
        "code": 422,
    }


def _difference(old: Any, new: Any, path: str) -> list[dict[str, Any]]:
    """JSON patch from the request to the rewritten object."""
    if isinstance(old, dict) and isinstance(new, dict):
        operations = []
        for key in sorted(old.keys() | new.keys()):
            where = f"{path}/{key.replace('~', '~0').replace('/', '~1')}"
            if key not in new:
                operations.append({"op": "remove", "path": where})
            elif key not in old:
                operations.append({"op": "add", "path": where, "value": new[key]})
            else:
                operations += _difference(old[key], new[key], where)
        return operations
    return [] if old == new else [{"op": "replace", "path": path, "value": new}]
