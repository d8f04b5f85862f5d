# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading a request the way vCenter does: structure first, then meaning, then the release."""

from __future__ import annotations

import base64
import binascii
import functools
import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from vcf_lab.vcenter.errors import ApiError, missing

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
# A field's shape: a type, a tuple of allowed words, [shape] for a list, or a structure
# {"field": shape}. A `*` after a field's name says that it is required; `@9.0` after a
# field's name or a word says that older releases do not know it.
Shape = Any


def invalid(text: str, *args: str, id: str = "vcenter.wcp.invalid_argument") -> ApiError:
    """INVALID_ARGUMENT that names what is wrong."""
    return ApiError("INVALID_ARGUMENT", text, id=id, args=list(args))


def wrong_state(text: str, *args: str, id: str = "vcenter.wcp.not_allowed_in_current_state") -> ApiError:
    """NOT_ALLOWED_IN_CURRENT_STATE that names the state."""
    return ApiError("NOT_ALLOWED_IN_CURRENT_STATE", text, id=id, args=list(args))


def message(text: str, id: str = "vcenter.wcp.message") -> dict[str, Any]:
    """A LocalizableMessage."""
    return {"id": id, "default_message": text, "args": []}


async def body(request: web.Request, shape: Shape, name: str) -> Any:
    """The JSON body, checked; keys that are null count as absent."""
    try:
        value = json.loads(await request.text() or "{}")
    except ValueError as error:
        raise ApiError("INVALID_REQUEST", f"The request body is not JSON: {error}", id="vapi.rest.body") from error
    value = _without_nulls(value)
    check(value, of_release(shape, request.app["lab"].version), name)
    return value


def of_release(shape: Shape, version: str) -> Shape:
    """A shape as one release has it: what came later is left out, the rest loses its mark."""
    if isinstance(shape, dict):
        return {name: of_release(entry, version) for mark, entry in shape.items() for name in _known(mark, version)}
    if isinstance(shape, list):
        return [of_release(entry, version) for entry in shape]
    if isinstance(shape, tuple):
        return tuple(word for mark in shape for word in _known(mark, version))
    return shape


def _known(mark: str, version: str) -> list[str]:
    """The name without its release, or nothing when it came later."""
    name, _, first = mark.partition("@")
    return [] if first and release(version) < release(first) else [name]


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(entry) for key, entry in value.items() if entry is not None}
    if isinstance(value, list):
        return [_without_nulls(entry) for entry in value]
    return value


def check(value: Any, shape: Shape, path: str) -> None:
    """INVALID_ARGUMENT at the first place where the value does not have its shape."""
    if isinstance(shape, dict):
        _check_structure(value, shape, path)
    elif isinstance(shape, list):
        if not isinstance(value, list):
            raise invalid(f"The field '{path}' has to be a list.", path, id="vapi.data.list.expected")
        for number, entry in enumerate(value):
            check(entry, shape[0], f"{path}[{number}]")
    elif isinstance(shape, tuple):
        if value not in shape:
            raise invalid(
                f"'{value}' is not a value of '{path}'; it is one of {', '.join(shape)}.",
                path,
                id="vapi.data.enum.value",
            )
    elif not isinstance(value, shape) or (shape is int and isinstance(value, bool)):
        raise invalid(f"The field '{path}' has to be of type {shape.__name__}.", path, id="vapi.data.invalid.type")


def _check_structure(value: Any, shape: dict[str, Shape], path: str) -> None:
    if not isinstance(value, dict):
        raise invalid(f"The field '{path}' has to be a structure.", path, id="vapi.data.structure.expected")
    fields = {name.rstrip("*"): entry for name, entry in shape.items()}
    for name in shape:
        if name.endswith("*") and name[:-1] not in value:
            field = name[:-1]
            raise invalid(
                f"Structure '{path}' is missing a field: {field}", path, field, id="vapi.data.structure.field.missing"
            )
    for name, entry in value.items():
        if name not in fields:
            raise invalid(
                f"Structure '{path}' has an unexpected field: {name}", path, name, id="vapi.data.structure.field.extra"
            )
        check(entry, fields[name], f"{path}.{name}")


def decoded(content: str, field: str) -> str:
    """The text behind a base64 field."""
    try:
        return base64.b64decode(content, validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise invalid(f"The field '{field}' is not base64 of UTF-8 text.", field) from error


def release(version: str) -> tuple[int, ...]:
    """`8.0.3` as numbers that compare."""
    return tuple(int(part) for part in version.split("."))


def has(request: web.Request, version: str) -> bool:
    """Whether this vCenter is of the release or newer."""
    return release(request.app["lab"].version) >= release(version)


def since(version: str) -> Callable[[Handler], Handler]:
    """An operation that releases before `version` do not have."""

    def decorate(handler: Handler) -> Handler:
        @functools.wraps(handler)
        async def guarded(request: web.Request) -> web.StreamResponse:
            if not has(request, version):
                raise unknown_operation(request)
            return await handler(request)

        return guarded

    return decorate


def unknown_operation(request: web.Request) -> ApiError:
    """What vCenter says to a path or an action that it does not have."""
    action = request.query.get("action")
    what = f"{request.method} {request.path}" + (f"?action={action}" if action else "")
    return ApiError("OPERATION_NOT_FOUND", f"There is no operation {what}.", id="vapi.rest.operation.not_found")


def found(section: dict[str, Any], what: str, name: str) -> dict[str, Any]:
    """The record, or NOT_FOUND."""
    if name not in section:
        raise missing(what, name)
    record: dict[str, Any] = section[name]
    return record


def flag(request: web.Request, name: str) -> bool | None:
    """A boolean of the query, None when it is not given."""
    text = request.query.get(name)
    if text is None:
        return None
    if text.lower() not in ("true", "false"):
        raise invalid(f"The parameter '{name}' is true or false, not '{text}'.", name)
    return text.lower() == "true"


def no_content() -> web.Response:
    """204, the answer of most writes."""
    return web.Response(status=204)
