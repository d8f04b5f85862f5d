# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.vcf.ray.plugins.module_utils import _password

SAMPLE = "$6$test1234$9/BUZHNkvq.c1miDDMG5cHLmM4V7gbYdGuF0//3gSIh//DOyi7ypPCs6EAA9b8/tidHottL6UG0tG/RqTgAAi/"


def test_two_hashes_of_a_password_differ_and_both_match() -> None:
    one, two = _password.hashed("a password"), _password.hashed("a password")
    assert one != two
    assert all(_password.matches("a password", h) and _password.fault(h) is None for h in (one, two))
    assert not _password.matches("another", one)


@pytest.mark.parametrize("known", ["", "plain text", "$1$abc$def", "$6$salt$short", SAMPLE[:-1]])
def test_what_is_no_hash_matches_nothing_and_is_refused(known: str) -> None:
    assert not _password.matches("a password", known)
    assert _password.fault(known)


def test_the_published_hash_is_refused_by_name() -> None:
    assert "sample of the operator's guide" in (_password.fault(SAMPLE) or "")
