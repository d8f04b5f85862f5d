# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A dashboard that answers whoever reaches the load balancer: who reaches it can run code on the cluster, so somebody has to accept it."""

from __future__ import annotations

import contextlib
import typing as t

from .._errors import RayError
from .._ports import Json, Ray
from . import vmray_ready

REFUSE, WARN, ACCEPT = "refuse", "warn", "accept"


class OpenDashboard:
    """What is done about it, by the user's word.

    Args:
        has_token: whether this task would show Ray a token, or a header that may be one.
        stranger_at: gives a client of the dashboard at an address, without any token.
    """

    def __init__(self, policy: str, title: str, *, has_token: bool, stranger_at: t.Callable[[str], Ray]) -> None:
        self._policy, self._title, self._has_token, self._stranger_at = policy, title, has_token, stranger_at

    def before(self) -> None:
        """Without asking anyone: a cluster whose Ray wants no token is what is not accepted."""
        if self._policy == REFUSE and not self._has_token:
            raise RayError(f"open_dashboard: refuse, and no ray.token is given, so the dashboard of {self._title} would answer whoever reaches it.",
                           code="INPUT", hint="Use a Ray image that asks for a token and give it as ray.token, or accept an open dashboard with "
                                              "open_dashboard: accept.")

    def refuse(self, raw: Json) -> None:
        """A cluster whose load balancer has an address must not be open, where that is refused."""
        if self._policy == REFUSE and self._answers(raw):
            raise RayError(f"{self._words(raw)} open_dashboard: refuse does not allow it.", code="FAILED",
                           hint="Use a Ray image that asks for a token, or accept it with open_dashboard: accept.")

    def warning(self, raw: Json, answered: bool) -> str | None:
        """The words of a warning, or None.

        Args:
            answered: whether this task has just had an answer from the load balancer's address without a token.
        """
        if self._policy == WARN and (answered or self._answers(raw)):
            return f"{self._words(raw)} Accept it with open_dashboard: accept, or use a Ray image that asks for a token."
        return None

    def _words(self, raw: Json) -> str:
        return (f"The dashboard of {self._title} answers at {vmray_ready.dashboard_url(raw)} without a token: "
                "whoever reaches this address can run code on the cluster.")

    def _answers(self, raw: Json) -> bool:
        """Where the address cannot be reached from here, nothing can be said."""
        url = vmray_ready.dashboard_url(raw)
        if not url:
            return False
        with contextlib.closing(self._stranger_at(url)) as ray:
            try:
                return ray.open()
            except RayError:
                return False
