# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a job has failed, or does not start, in words that a person reads from left to right."""

from __future__ import annotations

import re
import typing as t

from .._ports import Json

GIB = 1024**3
# What Ray puts behind its reason: the log is shown on its own.
LOG = ", last available logs"
LONGEST = 2000
# The lines of a failed set-up that say what was wrong; those of a traceback only say where.
TELLING = re.compile(r"^\s*(?:ERROR|error|fatal|[\w.]*(?:Error|Exception))\b[: ]")
HINTS = {
    "RUNTIME_ENV_SETUP_FAILURE": "The nodes could not set up runtime_env. They fetch packages of pip and URIs themselves: can they reach the index or "
                                 "store, and are the names right?",
    "JOB_SUPERVISOR_ACTOR_START_TIMEOUT": "No node had what the command asked for in time. Ask for less with entrypoint_num_cpus and the like, or "
                                          "add nodes.",
    "JOB_SUPERVISOR_ACTOR_UNSCHEDULABLE": "No node may run the command; look at the entrypoint resources and entrypoint_label_selector.",
    "JOB_SUPERVISOR_ACTOR_DIED": "The process that watches the command is gone: its node may have been lost, or have run out of memory.",
}


def reason(message: str | None, error_type: str | None = None) -> str:
    """Ray's message without the log behind it; of a set-up that failed only the sentence and the lines that tell why."""
    text = (message or "").split(LOG)[0].strip()
    if error_type == "RUNTIME_ENV_SETUP_FAILURE" or text.startswith("runtime_env setup failed"):
        first, *more = [line.strip() for line in text.splitlines() if line.strip()] or [""]
        telling = [line for line in more if TELLING.match(line)] or more[-1:]
        text = " ".join([first, *dict.fromkeys(line for line in telling[-3:] if line not in first)])
    return text[:LONGEST]


def waiting(wants: Json, there: Json) -> str:
    """What the command of a pending job asks for, against what the live nodes have."""
    nodes = there["nodes"]
    count = f"{len(nodes)} live node{'' if len(nodes) == 1 else 's'}"
    if not wants:
        return f"Of {count} the head runs its command: it may still be setting up the runtime environment."
    asked = _amounts(wants)
    fitting = [node for node in nodes if all(node.get(name, 0) >= amount for name, amount in wants.items())]
    if fitting:
        return f"Its command asks for {asked} on one node, and {len(fitting)} of {count} can have that: other work may hold it now."
    largest = {name: max((node.get(name, 0) for node in nodes), default=0) for name in wants}
    return f"Its command asks for {asked} on one node, and none of {count} has that; the most that one has is {_amounts(largest)}."


def _amounts(amounts: t.Mapping[str, float]) -> str:
    return ", ".join(f"{amount / GIB:.1f} GiB memory" if name == "memory" else f"{amount:g} {name}" for name, amount in amounts.items())
