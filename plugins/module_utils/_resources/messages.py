# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""vCenter's lists of messages as sentences, and how long a reported ERROR is borne."""

from __future__ import annotations

import time
import typing as t


def texts(messages: list[t.Any] | None) -> list[str]:
    """Each message as "SEVERITY: sentence"; every generation of the API nests them a little differently."""
    result = []
    for message in messages or []:
        details = message.get("details") or {}
        sentence = details if isinstance(details, str) else details.get("localized") or details.get("default_message")
        sentence = sentence or message.get("id") or ""
        if sentence:
            result.append(f"{message['severity']}: {sentence}" if message.get("severity") else sentence)
    return result


def joined(messages: list[str]) -> str:
    return " ".join(messages) or "vCenter gives no messages."


class Patience:
    """vCenter reports ERROR while it still tries again: only an ERROR that stands for long is believed."""

    def __init__(self, seconds: float, clock: t.Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._since: float | None = None

    def lost(self, bad: bool) -> bool:
        """Tell whether things have been bad, at every call, for longer than the time granted."""
        if not bad:
            self._since = None
            return False
        if self._since is None:
            self._since = self._clock()
        return self._clock() - self._since >= self._seconds
