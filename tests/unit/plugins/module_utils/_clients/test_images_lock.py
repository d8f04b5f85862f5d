# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lock in a bundle's layer."""

from __future__ import annotations

import pytest

from ansible_collections.vcf.ray.plugins.module_utils._clients.images_lock import locked
from ansible_collections.vcf.ray.plugins.module_utils._errors import RayError
from ansible_collections.vcf.ray.tests.unit.plugins import shelf

IMAGE = f"registry.example.com/operator@sha256:{'1' * 64}"
HEAD = "apiVersion: imgpkg.carvel.dev/v1alpha1\nkind: ImagesLock\n"


@pytest.mark.parametrize("name", [".imgpkg__images.yml", ".__.imgpkg__images.yml"])
def test_images_with_and_without_the_name_in_the_manifests(name: str) -> None:
    text = f"{HEAD}images:\n- image: {IMAGE}\n- image: {IMAGE}\n  annotations: {{kbld.carvel.dev/id: operator:latest}}\n"
    entry = {"image": IMAGE, "digest": f"sha256:{'1' * 64}"}
    assert locked(shelf.layer(**{"config__a.yml": "x", name: text}), "the bundle x") == [{**entry, "id": None}, {**entry, "id": "operator:latest"}]


@pytest.mark.parametrize("text", [HEAD, f"{HEAD}images: []\n", f"{HEAD}images:\n"])
def test_none_at_all(text: str) -> None:
    assert locked(shelf.layer(**{".imgpkg__images.yml": text}), "the bundle x") == []


@pytest.mark.parametrize("layer", [b"", b"no layer", b"\x1f\x8bcut", shelf.layer(other="x"), shelf.layer(**{".imgpkg__images.yml": "a: [b"}), *(
    shelf.layer(**{".imgpkg__images.yml": text}) for text in (
        "", "- x\n", "kind: Other\n", f"{HEAD}images: 7\n", f"{HEAD}images: [x]\n", f"{HEAD}images: [{{image: 'x:1'}}]\n",
        f"{HEAD}images: [{{image: 7}}]\n", f"{HEAD}images: [{{}}]\n", f"{HEAD}images: [{{image: '{IMAGE}', annotations: x}}]\n"))])
def test_what_is_no_lock(layer: bytes) -> None:
    with pytest.raises(RayError, match="The lock .imgpkg/images.yml of the bundle x cannot be read") as caught:
        locked(layer, "the bundle x")
    assert caught.value.code == "INPUT"
