# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rows of a kubeconfig: find them, take some out, put some in. What is not ours stays as it is."""

from __future__ import annotations

import typing as t

from .._ports import Json

TABLES = {"clusters": "cluster", "users": "user", "contexts": "context"}


def rows(document: Json, table: str) -> list[Json]:
    return [row for row in document.get(table) or [] if isinstance(row, dict) and row.get("name")]


def entry(document: Json, table: str, name: str | None) -> Json | None:
    """What the row of this name holds."""
    return next((row.get(TABLES[table]) or {} for row in rows(document, table) if row["name"] == name), None)


def contexts(document: Json) -> dict[str, Json]:
    return {row["name"]: row.get("context") or {} for row in rows(document, "contexts")}


def without(document: Json, user: str, cluster: str) -> Json:
    """The document without this user's entries; the cluster stays while another user's context needs it."""
    kept = [row for row in rows(document, "contexts") if (row.get("context") or {}).get("user") != user]
    used = {(row.get("context") or {}).get("cluster") for row in kept}
    gone = {row["name"] for row in rows(document, "contexts")} - {row["name"] for row in kept}
    current = document.get("current-context", "")
    return {**document, "contexts": kept, "users": [row for row in rows(document, "users") if row["name"] != user],
            "clusters": [row for row in rows(document, "clusters") if row["name"] != cluster or cluster in used],
            "current-context": "" if current in gone else current}


def merged(document: Json, ours: Json) -> Json:
    """Our entries in place of those of the same names; all others are kept."""
    result: dict[str, t.Any] = {**ours, **document, "current-context": ours["current-context"]}
    for table in TABLES:
        names = {row["name"] for row in ours[table]}
        result[table] = [row for row in rows(document, table) if row["name"] not in names] + ours[table]
    return result
