# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What vCenter remembers: one dictionary, written to disk whenever it changes."""

from __future__ import annotations

import copy
import json
import os
import uuid
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

SECTIONS = (
    "users",
    "groups",
    "libraries",
    "items",
    "supervisors",
    "services",
    "installs",
    "namespaces",
    "vm_classes",
    "trusted",
)

# Fields that move although nobody changed anything, and fields nobody may read.
VOLATILE = frozenset({"last_accessed_time", "last_sync_time", "last_transition_time", "progress", "stats", "updated_at"})
SECRET = frozenset({"password", "user_password", "secret", "token"})


def now() -> str:
    """The time as vCenter writes it."""
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def new_id() -> str:
    """A fresh identifier."""
    return str(uuid.uuid4())


class Store:
    """The state of the vCenter, one JSON file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.data: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
        for section in SECTIONS:
            self.data.setdefault(section, {})

    def __getitem__(self, section: str) -> dict[str, Any]:
        records: dict[str, Any] = self.data[section]
        return records

    def changed(self) -> None:
        """Write the state; a reader or a crash never sees half a file."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        half = self.path.with_suffix(".half")
        descriptor = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as stream:
            json.dump(self.data, stream, indent=1)
        os.replace(half, self.path)

    def public(self) -> dict[str, Any]:
        """The state without secrets and without what changes by itself."""
        clean: dict[str, Any] = _clean(copy.deepcopy(self.data))
        return clean


def _clean(value: Any) -> Any:
    """Drop volatile fields, mask secret ones."""
    if isinstance(value, list):
        return [_clean(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    clean: dict[str, Any] = {}
    for key, entry in value.items():
        if key in VOLATILE:
            continue
        clean[key] = "***" if key in SECRET and isinstance(entry, str) else _clean(entry)
    return clean
