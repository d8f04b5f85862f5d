# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The values for the package of a service: compared by what they say, shown as a digest only, as they may hold secrets."""

from __future__ import annotations

import base64
import hashlib
import json
import typing as t

from .._errors import RayError
from .._ports import Json

try:
    import yaml

    HAS_YAML = True
except ImportError:
    HAS_YAML = False


# What is asked for by values that are none, where there are some now.
NOTHING = "none"


def encoded_config(config: Json | str | None) -> str | None:
    """What vCenter is sent: a text as it is, a dict as JSON, which is YAML. None means that the user says nothing of it.

    Raises:
        RayError: ``INPUT`` when a text is not YAML of a map; its words are not repeated.
    """
    if config is None:
        return None
    text = config if isinstance(config, str) else json.dumps(config, sort_keys=True, separators=(",", ":"))
    if not isinstance(config, (str, dict)):
        raise RayError("yaml_service_config has to be a map, or the text of one.", code="INPUT", hint="Give the values of the package by their names.")
    if isinstance(config, str):
        _refuse_other_than_map(text)
    return base64.b64encode(text.encode()).decode()


def digest(encoded: str | None) -> str | None:
    """One for all ways to write the same values; None for none."""
    if not encoded:
        return None
    text = base64.b64decode(encoded).decode(errors="replace")
    try:
        values = _parsed(text)
    except ValueError:
        values = text.strip()
    if values in (None, {}):
        return None
    return "sha256:" + hashlib.sha256(json.dumps(values, sort_keys=True, separators=(",", ":"), default=str).encode()).hexdigest()


def _refuse_other_than_map(text: str) -> None:
    if not HAS_YAML:
        return
    try:
        values = _parsed(text)
    except ValueError as error:
        raise RayError(f"yaml_service_config is no YAML{error}.", code="INPUT", hint="Correct it there, or give the values as a map.") from None
    if values is not None and not isinstance(values, dict):
        raise RayError("yaml_service_config is YAML, but no map.", code="INPUT", hint="Give the values of the package by their names.")


def _parsed(text: str) -> t.Any:
    """The values; a ValueError tells the place, and never what stands there."""
    if not HAS_YAML:
        # JSON at least is what a dict is sent as.
        return json.loads(text)
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise ValueError(f": line {mark.line + 1}, column {mark.column + 1}" if mark else "") from None
