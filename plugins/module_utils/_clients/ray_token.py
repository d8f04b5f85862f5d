# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The token of a Ray cluster: where it comes from, and the headers that carry it."""

from __future__ import annotations

import os
import typing as t

from .._errors import RayError
from .._ports import Json

ARGSPEC = {
    "token": {"type": "str", "no_log": True},
    "token_path": {"type": "path", "no_log": False},
    "headers": {"type": "dict", "no_log": True},
}
# As Ray's own programs read them, in this order.
TOKEN, TOKEN_PATH = "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"
# Ray looks for the first, then for the second: something on the way may want the first for itself, or take it away.
NAMES = ("Authorization", "X-Ray-Authorization")


def found(params: t.Mapping[str, t.Any]) -> str | None:
    """The token of the options, else that of the environment, or None. A file that is named and cannot be read is an error, as it is for Ray."""
    if params.get("token"):
        return str(params["token"]).strip()
    if params.get("token_path"):
        return _read(params["token_path"], "token_path")
    if os.environ.get(TOKEN):
        return os.environ[TOKEN].strip()
    return _read(os.environ[TOKEN_PATH], TOKEN_PATH) if os.environ.get(TOKEN_PATH) else None


def headers(token: str | None, own: t.Mapping[str, str]) -> Json:
    """What carries the token; a header of the user's own is left to him."""
    given = {name.lower() for name in own}
    return {name: f"Bearer {token}" for name in NAMES if token and name.lower() not in given}


def _read(path: str, source: str) -> str:
    try:
        with open(os.path.expanduser(path), encoding="utf-8") as file:
            token = file.read().strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise RayError(f"The token file {path} cannot be read: {reason}.", code="INPUT", hint=f"It was named by {source}.") from error
    if not token or len(token.split()) > 1:
        raise RayError(f"The token file {path} holds {'more than a token' if token else 'nothing'}.", code="INPUT", hint=f"It was named by {source}.")
    return token
