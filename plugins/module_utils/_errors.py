# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one family of exceptions that every layer raises and only the door to Ansible catches."""

from __future__ import annotations

from ._ports import Json


class RayError(Exception):
    """What went wrong, in a sentence that names the object, with the vendor's own words and the next step.

    Attributes:
        code: the vendor's ``error_type`` (``NOT_FOUND``, ``ALREADY_EXISTS`` ...) or one of ours: ``CONNECTION``,
            ``TLS``, ``AUTH``, ``TIMEOUT``, ``INPUT``, ``FAILED``, ``ERROR``.
        hint: what the user can do next, or None.
        details: further facts for the result, JSON-able, never a secret.
    """

    def __init__(self, message: str, *, code: str = "ERROR", hint: str | None = None, details: Json | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.hint = hint
        self.details = details or {}

    def __str__(self) -> str:
        return f"{self.message} {self.hint}" if self.hint else self.message


class UnknownYet(RayError):
    """In check mode: an answer depends on an object that an earlier step of the same run would have made, or removed.

    ``reconcile`` turns it into ``changed: true`` with the reason under ``unknown``. Outside check mode it is an error.
    """

    def __init__(self, message: str, *, hint: str | None = None, code: str = "NOT_FOUND") -> None:
        super().__init__(message, code=code, hint=hint)


class MissingLibrary(RayError):
    """A Python library is not installed for this Python. Raised before anything is sent, so that another Python may try."""

    def __init__(self, name: str) -> None:
        super().__init__(f"The Python library {name} is missing.", code="INPUT", hint=f"Install it: pip install {name.lower()}.")
