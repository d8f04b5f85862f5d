# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which namespaces a kubeconfig speaks of: a login at a Supervisor writes a context for each that its user may enter."""

from __future__ import annotations

import json
import os
import typing as t

from .kubeconfig_file import KubeconfigFile, default_path


def namespaces(kubeconfig: t.Any, context: str | None) -> list[str]:
    """Those of all contexts that share user and cluster with the current one; of a context that is asked for by name, its own."""
    documents = _documents(kubeconfig)
    rows = [row for document in documents for row in document.get("contexts") or [] if isinstance(row, dict)]
    contexts = {row.get("name"): row.get("context") or {} for row in reversed(rows)}
    current = next((d["current-context"] for d in documents if d.get("current-context")), None)
    chosen = contexts.get(context or current) or {}
    if context and chosen.get("namespace"):
        return [chosen["namespace"]]
    who = (chosen.get("cluster"), chosen.get("user"))
    return sorted({c["namespace"] for c in contexts.values() if c.get("namespace") and (c.get("cluster"), c.get("user")) == who})


def _documents(kubeconfig: t.Any) -> list[dict]:
    """The files as kubectl and the ``kubernetes`` package merge them: of two entries of one name the first holds."""
    if isinstance(kubeconfig, dict):
        return [kubeconfig]
    named = kubeconfig or default_path()
    if named.lstrip().startswith("{"):
        return [json.loads(named)]
    return [KubeconfigFile(os.path.expanduser(path)).load() for path in named.split(os.pathsep) if path]
