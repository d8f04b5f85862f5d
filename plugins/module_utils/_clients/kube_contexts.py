# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a kubeconfig says of the chosen context: its proxy, and which namespaces it speaks of, as a login at a Supervisor writes a context for each."""

from __future__ import annotations

import json
import os

from .._ports import Json
from .kubeconfig_file import KubeconfigFile, default_path


def namespaces(kubeconfig: str | Json | None, context: str | None) -> list[str]:
    """Those of all contexts that share user and cluster with the current one; of a context that is asked for by name, its own."""
    documents = _documents(kubeconfig)
    contexts = _named(documents, "context")
    chosen = _chosen(documents, context)
    if context and chosen.get("namespace"):
        return [chosen["namespace"]]
    who = (chosen.get("cluster"), chosen.get("user"))
    return sorted({c["namespace"] for c in contexts.values() if c.get("namespace") and (c.get("cluster"), c.get("user")) == who})


def proxy_url(kubeconfig: str | Json | None, context: str | None) -> str | None:
    """The ``proxy-url`` of the cluster that the chosen context leads to; not every release of the ``kubernetes`` package reads it."""
    documents = _documents(kubeconfig)
    cluster = _named(documents, "cluster").get(_chosen(documents, context).get("cluster")) or {}
    return cluster.get("proxy-url") or None


def _named(documents: list[Json], noun: str) -> dict[str | None, Json]:
    """All contexts, or clusters, by name."""
    rows = [row for document in documents for row in document.get(f"{noun}s") or [] if isinstance(row, dict)]
    return {row.get("name"): row.get(noun) or {} for row in reversed(rows)}


def _chosen(documents: list[Json], context: str | None) -> Json:
    current = next((d["current-context"] for d in documents if d.get("current-context")), None)
    return _named(documents, "context").get(context or current) or {}


def _documents(kubeconfig: str | Json | None) -> list[Json]:
    """The files as kubectl and the ``kubernetes`` package merge them: of two entries of one name the first holds."""
    if isinstance(kubeconfig, dict):
        return [kubeconfig]
    named = kubeconfig or default_path()
    if named.lstrip().startswith("{"):
        return [json.loads(named)]
    return [KubeconfigFile(os.path.expanduser(path)).load() for path in named.split(os.pathsep) if path]
