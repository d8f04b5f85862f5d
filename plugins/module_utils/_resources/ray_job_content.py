# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What makes a job the same job: its content as it is handed in, the id that follows from it, and where two differ.

Values of environment variables that by their names are secrets count for neither: a password that was renewed is the same job.
"""

from __future__ import annotations

import hashlib
import json
import re
import typing as t

from .._errors import RayError
from .._ports import Json

RESOURCES = ("entrypoint_num_cpus", "entrypoint_num_gpus", "entrypoint_memory", "entrypoint_resources", "entrypoint_label_selector")
# Ray does not tell what resources a job has asked for, so they are noted with it; and which job it runs again.
NOTED, RERUN_OF = "vcf.ray/resources", "vcf.ray/rerun_of"
NOTES = (NOTED, RERUN_OF)
SECRET_NAME = re.compile(r"pass|pwd|secret|token|key|cred|auth", re.IGNORECASE)
URL_LOGIN = re.compile(r"://[^/\s:@]*:([^/\s@]+)@")
# Shorter ones would garble every text that they are cut from.
SHORTEST_SECRET = 6
ID = re.compile(r"[^\s/?#%\\\"']{1,150}")
MEMORY = re.compile(r"(\d+(?:\.\d+)?)\s*([kKMGT]?)(i?)B?")


def checked_id(name: str) -> str:
    """An id that can stand in an address and in the name of a log file."""
    if not ID.fullmatch(name):
        raise RayError(f"{name!r} cannot be the id of a job.", code="INPUT", hint="Use letters, digits, dots, dashes and underscores, 150 at the most.")
    return name


def content(options: t.Mapping[str, t.Any], runtime_env: Json | None) -> Json:
    """What is handed in, without what was not asked for; numbers are made the strings that Ray wants.

    Raises:
        RayError: ``INPUT``, for what Ray would refuse.
    """
    runtime_env = dict(runtime_env or {})
    if runtime_env.get("env_vars"):
        runtime_env["env_vars"] = _strings("runtime_env.env_vars", runtime_env["env_vars"])
    asked = {"entrypoint": options["entrypoint"], "runtime_env": runtime_env or None,
             "metadata": _strings("metadata", options["metadata"]) if options["metadata"] else None,
             **{key: options[key] for key in RESOURCES}, "entrypoint_memory": _bytes(options["entrypoint_memory"]),
             "entrypoint_resources": _numbers("entrypoint_resources", options["entrypoint_resources"])}
    taken = sorted(set(asked["metadata"] or {}) & set(NOTES))
    if taken:
        raise RayError(f"metadata {', '.join(taken)} is kept for this module.", code="INPUT", hint="Choose another name.")
    for key in ("entrypoint_num_cpus", "entrypoint_num_gpus"):
        if asked[key] is not None and asked[key] < 0:
            raise RayError(f"{key} is {asked[key]}.", code="INPUT", hint="Ask for nothing, or for more than nothing.")
    return {key: value for key, value in asked.items() if value is not None and value != {}}


def derived_id(asked: Json) -> str:
    """An id that the same content always has."""
    known = {**asked, "runtime_env": without_secrets(asked.get("runtime_env"))}
    return "job-" + hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()[:20]


def body(asked: Json, submission_id: str, rerun_of: str | None) -> Json:
    """The request."""
    resources = {key: asked[key] for key in RESOURCES if key in asked}
    notes = {**({NOTED: json.dumps(resources, sort_keys=True)} if resources else {}), **({RERUN_OF: rerun_of} if rerun_of else {})}
    metadata = {**asked.get("metadata", {}), **notes}
    return {**asked, "submission_id": submission_id, **({"metadata": metadata} if metadata else {})}


def differences(job: Json, asked: Json) -> list[str]:
    """The fields in which a job is not what is asked for, in words; of the runtime environment only the names."""
    metadata = job.get("metadata") or {}
    there = {**_noted(metadata), "entrypoint": job.get("entrypoint"), "metadata": {k: v for k, v in metadata.items() if k not in NOTES}}
    found = [f"{key} is {there.get(key)!r}, asked for {value!r}" for key, value in asked.items()
             if key != "runtime_env" and there.get(key) != value]
    if "runtime_env" in asked:
        mine, theirs = without_secrets(asked["runtime_env"]), without_secrets(job.get("runtime_env"))
        for key in sorted({*mine, *theirs}):
            if mine.get(key) != theirs.get(key):
                found += [f"runtime_env.{key}{inner} is another" for inner in _inner(mine.get(key), theirs.get(key))]
    return found


def wants(asked: Json) -> Json:
    """The resources by Ray's names that the command needs, all on one node."""
    amounts = {"CPU": asked.get("entrypoint_num_cpus"), "GPU": asked.get("entrypoint_num_gpus"), "memory": asked.get("entrypoint_memory"),
               **asked.get("entrypoint_resources", {})}
    return {name: amount for name, amount in amounts.items() if amount}


def secrets(runtime_env: t.Any) -> list[str]:
    """The values in a runtime environment that nobody may see: variables with such names, and passwords in addresses."""
    variables = runtime_env.get("env_vars") if isinstance(runtime_env, dict) else None
    named = [str(value) for name, value in (variables.items() if isinstance(variables, dict) else ()) if SECRET_NAME.search(str(name))]
    return [value for value in [*named, *URL_LOGIN.findall(json.dumps(runtime_env, default=str))] if len(value) >= SHORTEST_SECRET]


def leaves(value: t.Any) -> list[str]:
    """All single values as text."""
    if isinstance(value, dict):
        return [leaf for inner in value.values() for leaf in leaves(inner)]
    if isinstance(value, (list, tuple)):
        return [leaf for inner in value for leaf in leaves(inner)]
    return [] if value is None or isinstance(value, bool) else [str(value)]


def without_secrets(runtime_env: t.Any) -> Json:
    """A copy whose secret variables have no value; what Ray adds to each by itself is gone."""
    known = {key: value for key, value in (runtime_env or {}).items() if key != "_ray_commit" and value not in (None, {}, [])}
    if isinstance(known.get("env_vars"), dict):
        known["env_vars"] = {name: "" if SECRET_NAME.search(name) else value for name, value in known["env_vars"].items()}
    return known


def _inner(mine: t.Any, theirs: t.Any) -> list[str]:
    """The parts of a map that differ; the whole for anything else."""
    if isinstance(mine, dict) and isinstance(theirs, dict):
        return [f".{key}" for key in sorted({*mine, *theirs}) if mine.get(key) != theirs.get(key)]
    return [""]


def _noted(metadata: Json) -> Json:
    try:
        noted = json.loads(metadata.get(NOTED) or "{}")
    except ValueError:
        return {}
    return noted if isinstance(noted, dict) else {}


def _strings(option: str, values: t.Any) -> Json:
    if not isinstance(values, dict):
        raise RayError(f"{option} is no map.", code="INPUT", hint="Give names with their values.")
    wrong = sorted(str(name) for name, value in values.items() if isinstance(value, bool) or not isinstance(value, (str, int, float)))
    if wrong:
        raise RayError(f"{option} {', '.join(wrong)} must be text.", code="INPUT", hint="Put the values in quotes.")
    return {str(name): str(value) for name, value in values.items()}


def _numbers(option: str, values: Json | None) -> Json | None:
    try:
        return {str(name): float(value) for name, value in values.items()} if values else None
    except (TypeError, ValueError):
        raise RayError(f"{option} has a value that is no number.", code="INPUT", hint="Give each resource with an amount.") from None


def _bytes(amount: str | None) -> int | None:
    """Bytes of ``4Gi``."""
    found = MEMORY.fullmatch(str(amount).strip()) if amount is not None else None
    if amount is not None and not found:
        raise RayError(f"entrypoint_memory {amount} is no amount.", code="INPUT", hint="Give bytes, or an amount such as 4Gi.")
    return int(float(found[1]) * (1024 if found[3] else 1000) ** " KMGT".index(found[2].upper() or " ")) if found else None
