# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Heads that a cluster has left behind: whoever replaces its object makes the operator start another head, and forget the one before."""

from __future__ import annotations

import re

from .. import _wait
from .._errors import RayError
from .._ports import Json, Kube
from .vmray_nodes import NOUNCE

KINDS = ("VirtualMachine", "VirtualMachineService")
# The operator's own, on the machine of a head and in the selector of its service (RayOnVCF, vmop_provider.go).
HEAD = "vmray.kubernetes.io/ray-cluster-head"
REMOVAL = 600.0


def orphans(kube: Kube, namespace: str, name: str, raw: Json | None) -> list[str]:
    """Each as ``KIND NAME``; none as long as the operator has not named the head of a cluster that is there.

    Args:
        raw: the cluster; None when there is none, then every head of its name is an orphan.
    """
    own = None
    if raw is not None:
        nounce = (raw["metadata"].get("labels") or {}).get(NOUNCE)
        if not nounce:
            return []
        own = f"{name}-h-{nounce}"
    head = re.compile(rf"{re.escape(name)}-h(-[a-z0-9]{{5,8}})?")
    return [f"{kind} {found}" for kind in KINDS for found in names(kube, kind, namespace) if head.fullmatch(found) and found != own]


def check(kube: Kube, namespace: str, cluster: str, found: list[str]) -> None:
    """Before anything is removed: what has only its name from the cluster is refused."""
    for text in found:
        kind, name = text.split(" ")
        there = kube.get(kind, name, namespace) if kind in KINDS else None
        if there is not None and not _is_of(cluster, kind, there):
            raise RayError(f"{kind} {namespace}/{name} is named like one of cluster {cluster}, but does not bear the operator's marks: it is not removed.",
                           code="INPUT", hint="Somebody else may have made it. Remove it by hand if nobody needs it, or leave out remove_orphans.")


def remove(kube: Kube, namespace: str, found: list[str]) -> None:
    """Remove machines, services and secrets that were checked, and wait until they are gone."""
    for text in found:
        kind, name = text.split(" ")
        kube.delete(kind, name, namespace)
    if found:
        _wait.until(lambda: [text for text in found if text.split(" ")[1] in names(kube, text.split(" ")[0], namespace)], lambda left: not left,
                    what="orphans to be gone", timeout=REMOVAL, say=lambda left: f"still there: {', '.join(left)}", bear=60)


def _is_of(cluster: str, kind: str, there: Json) -> bool:
    """A head bears a label with its name, its service selects it; a worker has no label, but boots from the secret of the workers."""
    meta, spec = there["metadata"], there.get("spec") or {}
    mark = (spec.get("selector") if kind == "VirtualMachineService" else meta.get("labels")) or {}
    boot = ((spec.get("bootstrap") or {}).get("cloudInit") or {}).get("rawCloudConfig") or {}
    return mark.get(HEAD) == meta["name"] or boot.get("name") == f"{cluster}-wsecret"


def names(kube: Kube, kind: str, namespace: str) -> list[str]:
    """What is there of a kind; nothing where this user may not look."""
    try:
        return kube.names(kind, namespace)
    except RayError as error:
        if error.code == "FORBIDDEN":
            return []
        raise
