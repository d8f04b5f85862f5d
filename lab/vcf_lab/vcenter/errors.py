# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The vendor's error body and the HTTP status that belongs to each error type."""

from __future__ import annotations

from typing import Any

STATUS = {
    "ALREADY_EXISTS": 400,
    "ALREADY_IN_DESIRED_STATE": 400,
    "FEATURE_IN_USE": 400,
    "INVALID_ARGUMENT": 400,
    "INVALID_ELEMENT_CONFIGURATION": 400,
    "INVALID_ELEMENT_TYPE": 400,
    "INVALID_REQUEST": 400,
    "NOT_ALLOWED_IN_CURRENT_STATE": 400,
    "RESOURCE_IN_USE": 400,
    "UNSUPPORTED": 400,
    "UNAUTHENTICATED": 401,
    "UNAUTHORIZED": 403,
    "NOT_FOUND": 404,
    "OPERATION_NOT_FOUND": 404,
    "CONCURRENT_CHANGE": 409,
    "ERROR": 500,
    "INTERNAL_SERVER_ERROR": 500,
    # The published description says 500 for these four, not the 400/504 of older runtimes.
    "RESOURCE_BUSY": 500,
    "RESOURCE_INACCESSIBLE": 500,
    "UNABLE_TO_ALLOCATE_RESOURCE": 500,
    "TIMED_OUT": 500,
    "SERVICE_UNAVAILABLE": 503,
}


class ApiError(Exception):
    """An error that the client sees in the vendor's form."""

    def __init__(
        self,
        error_type: str,
        text: str,
        *,
        id: str = "vcenter.error",  # the vendor's name of this field
        args: list[str] | None = None,
    ) -> None:
        super().__init__(text)
        self.error_type = error_type
        self.text = text
        self.id = id
        self.message_args = args or []

    @property
    def status(self) -> int:
        """HTTP status of this error type; an unknown type is the server's own fault."""
        return STATUS.get(self.error_type, 500)

    def body(self) -> dict[str, Any]:
        """The JSON body of the answer."""
        message = {"id": self.id, "default_message": self.text, "args": self.message_args}
        return {"error_type": self.error_type, "messages": [message]}


def missing(what: str, name: str) -> ApiError:
    """NOT_FOUND for an object named by its identifier."""
    text = f"{what} with identifier '{name}' does not exist."
    return ApiError("NOT_FOUND", text, id="com.vmware.vapi.std.errors.not_found", args=[name])


def required(body: dict[str, Any], *names: str) -> None:
    """INVALID_ARGUMENT when a field that the operation cannot do without is missing."""
    for name in names:
        if body.get(name) in (None, ""):
            text = f"The field '{name}' is required."
            raise ApiError("INVALID_ARGUMENT", text, id="com.vmware.vapi.std.errors.invalid_argument", args=[name])
