# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import json

import pytest

from ansible_collections.vcf.ray.plugins.module_utils._jwt import expiry, renewal


def token(**claims: object) -> str:
    return f"e30.{base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip('=')}.sig"


@pytest.mark.parametrize(("text", "expected"), [
    (token(exp=5), 5), (token(), None), (token(exp="x"), None), (token(exp=[5]), None), (token(exp=1e999), None),
    ("opaque", None), ("a.b.c", None), ("", None), (token(exp=5.9), 5), ("e30.W10.s", None),
])
def test_expiry(text: str, expected: int | None) -> None:
    assert expiry(text) == expected


@pytest.mark.parametrize(("claims", "new", "expected"), [
    ({"exp": 1100, "iat": 1000}, True, 1080), ({"exp": 1100, "iat": 1000}, False, 1080),
    ({"exp": 37000, "iat": 1000}, False, 36940), ({"exp": 600, "iat": 500}, True, 1080), ({"exp": 600, "iat": 500}, False, 580),
    ({"exp": 1100}, True, 1080), ({"exp": 900}, True, None), ({"exp": 900}, False, 900), ({}, True, None),
])
def test_when_to_renew_a_token_at_1000(claims: dict, new: bool, expected: float | None) -> None:
    assert renewal(token(**claims), 1000, new=new) == expected
