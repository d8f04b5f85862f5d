# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Counts nodes as a controller does: by the library jq, whose queries it finds in extensions/audit."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import typing as t

import yaml
from controller_config import BIN, ROOT

QUERIES: dict[str, dict[str, str]] = yaml.safe_load((ROOT / "extensions/audit/event_query.yml").read_text(encoding="utf-8"))
# Of this Python, so that another one beside it finds its own.
LIBRARY = ROOT / f"build/aap/{sys.implementation.cache_tag}"


def jq() -> t.Any:
    """The library, which is fetched when it is not there: no other test needs it."""
    if not (LIBRARY / "ready").exists():
        subprocess.run([BIN / "pip", "install", "--quiet", "--disable-pip-version-check", "--target", LIBRARY, "jq"], check=True)
        (LIBRARY / "ready").touch()
    if str(LIBRARY) not in sys.path:
        sys.path.insert(0, str(LIBRARY))
    return importlib.import_module("jq")


def nodes(action: str, result: dict) -> list[dict]:
    """What one event says; a query that fails would lose all events of its job."""
    return jq().compile(QUERIES[action]["query"]).input_value(result).all() if action in QUERIES else []


def distinct(found: list[dict]) -> set[str]:
    """A controller counts one node for each set of canonical facts."""
    return {json.dumps(node["canonical_facts"], sort_keys=True) for node in found}
