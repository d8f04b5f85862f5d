# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a token says of its own life. Nothing is verified: that is for the server that takes it."""

from __future__ import annotations

import base64
import binascii
import json

# A token is renewed this long before its end, or a fifth of its life when that is shorter.
MARGIN, SHARE = 60.0, 0.2


def expiry(token: str) -> int | None:
    """The end of a JWT, in seconds since 1970; None when it states none."""
    return _moment(token, "exp")


def renewal(token: str, now: float, *, new: bool) -> float | None:
    """When to get another one in place of this one, in seconds since 1970; None when the token does not tell.

    Args:
        new: it was issued just now. Then only its length counts, so that a clock which differs from the server's does no harm.
    """
    end, start = expiry(token), _moment(token, "iat")
    if end is None:
        return None
    length = end - (start if start is not None else now)
    if length <= 0:
        # Of an old one that is over; a new one that seems so is no reason to log in again and again.
        return None if new else float(end)
    return (now + length if new else end) - min(MARGIN, length * SHARE)


def _moment(token: str, claim: str) -> int | None:
    try:
        body = token.split(".")[1]
        value = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))).get(claim)
        return int(value) if value is not None else None
    except (IndexError, ValueError, AttributeError, TypeError, OverflowError, binascii.Error):
        return None
