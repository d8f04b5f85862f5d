# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Password hashes for the Linux user of the nodes."""

from __future__ import annotations

import re

from ._errors import MissingLibrary

try:
    from passlib.hash import sha512_crypt

    HAS_PASSLIB = True
except ImportError:
    HAS_PASSLIB = False

# The number that crypt(3) takes when a hash states none; the library's own default takes half a second of a core.
ROUNDS = 5000
HASH = re.compile(r"\$6\$(rounds=\d+\$)?[./0-9A-Za-z]{1,16}\$[./0-9A-Za-z]{86}")
# The hash that the operator's guide prints: everybody knows its password.
PUBLISHED = "$6$test1234$"


def hashed(password: str) -> str:
    """A SHA-512 crypt hash with a random salt."""
    made: str = _library().using(rounds=ROUNDS).hash(password)
    return made


def matches(password: str, known: str) -> bool:
    """Whether a hash that is there already belongs to the password; this is how a second run sees that nothing changed."""
    return bool(known) and bool(HASH.fullmatch(known)) and _library().verify(password, known)


def fault(known: str) -> str | None:
    """Why a ready-made hash must not be used, or None."""
    if known.startswith(PUBLISHED):
        return ("vm_password_salt_hash is the sample of the operator's guide: its password is public, and the nodes let this user log in over SSH "
                "and become root. Give a password of your own with vm_password")
    if not HASH.fullmatch(known):
        return ("vm_password_salt_hash is no SHA-512 crypt hash ($6$salt$...). Give the password itself with vm_password, "
                "or make one with mkpasswd -m sha-512")
    return None


def _library() -> type[sha512_crypt]:
    if not HAS_PASSLIB:
        raise MissingLibrary("passlib")
    return sha512_crypt
