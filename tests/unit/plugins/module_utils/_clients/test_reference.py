# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""References: their parts, and what is wrong with those that are wrong."""

from __future__ import annotations

import pytest

from ansible_collections.vcf.ray.plugins.module_utils._clients.reference import Reference
from ansible_collections.vcf.ray.plugins.module_utils._errors import RayError

DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(("text", "parts"), [
    ("registry.example.com/ray/op_er.a-tor:1.2.0", ("registry.example.com", "ray/op_er.a-tor", "1.2.0", None)),
    (f"localhost:5000/op@{DIGEST}", ("localhost:5000", "op", None, DIGEST)),
    (f"[::1]:5000/op:v1@{DIGEST}", ("[::1]:5000", "op", "v1", DIGEST)),
    ("registry.example.com/op", ("registry.example.com", "op", None, None)),
])
def test_parts(text: str, parts: tuple) -> None:
    reference = Reference.parse(text)
    assert tuple(reference) == parts and str(reference) == text
    assert reference.name == "/".join(parts[:2])


def test_the_same_repository_by_digest_and_by_tag() -> None:
    reference = Reference.parse("registry.example.com/op:1")
    assert str(reference.at(DIGEST)) == f"registry.example.com/op@{DIGEST}"
    assert str(reference.at(DIGEST).tagged("2")) == "registry.example.com/op:2"


@pytest.mark.parametrize(("text", "wrong"), [
    ("", "it is empty"),
    ("https://registry.example.com/op", "it begins with a scheme"),
    ("registry.example.com/op :1", "it has a blank in it"),
    ("registry.example.com/op:1\n", "it has a blank in it"),
    ("op:1", "it does not begin with the host of a registry"),
    ("ray/op:1", "it does not begin with the host of a registry"),
    ("-registry.example.com/op", "'-registry.example.com' is no host"),
    ("registry.example.com:port/op", "'registry.example.com:port' is no host"),
    ("registry.example.com/Ray/op:1", "a repository has no upper-case letters"),
    ("registry.example.com/ray/op+1", "'op\\+1' is no part of a repository's name"),
    ("registry.example.com/ray//op", "a part of the repository's name is empty"),
    ("registry.example.com/", "a part of the repository's name is empty"),
    ("registry.example.com/op:", "its tag is empty"),
    ("registry.example.com/op:1.0+build", "'1.0\\+build' is no tag"),
    ("registry.example.com/op@sha256:abc", "its digest is not sha256: and 64"),
])
def test_what_is_wrong(text: str, wrong: str) -> None:
    with pytest.raises(RayError, match=f"cannot be used: {wrong}") as caught:
        Reference.parse(text, "image")
    assert caught.value.code == "INPUT" and caught.value.message.startswith("The image ")
