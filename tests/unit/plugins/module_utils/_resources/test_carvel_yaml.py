# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Versions and names of packages, and the YAML that says them."""

from __future__ import annotations

import pytest
import yaml

from ansible_collections.vcf.ray.plugins.module_utils._errors import RayError
from ansible_collections.vcf.ray.plugins.module_utils._resources.carvel_yaml import About, check, checksum, locked_images, package_text

ABOUT = About("ray-on-vcf.broadcom.com", "1.0.123", "ray-on-vcf", "ray-on-vcf service", None, [])
BUNDLE = "registry.example.com/ray/bundle@sha256:" + "a" * 64


@pytest.mark.parametrize("version", ["1.0.123", "0.0.0", "1.0.0-rc.1", "1.0.0-alpha", "1.0.0-0a.x-y", "10.20.30-1"])
def test_semantic_versions(version: str) -> None:
    check(ABOUT._replace(version=version))


@pytest.mark.parametrize(("version", "words"), [
    ("v1.0.0", "Write it without the v"), ("1.0", "three numbers"), ("1", "three numbers"), ("1.0.0.0", "three numbers"), ("01.0.0", "no semantic"),
    ("1.0.0-01", "no semantic"), ("1.0.0-", "no semantic"), ("1.0.0-a..b", "no semantic"), ("latest", "no semantic"), ("", "no semantic"),
    ("1.0.0\n", "no semantic"), ("1.0.0_1", "no semantic"), ("١.0.0", "no semantic"),
    ("1.0.0+5", r"may have no \+ in it. .*leave it out: 1.0.0"), ("1.0.0-" + "a" * 130, "136 characters"),
])
def test_other_versions(version: str, words: str) -> None:
    with pytest.raises(RayError) as caught:
        check(ABOUT._replace(version=version))
    assert caught.match(words) and caught.value.code == "INPUT"


@pytest.mark.parametrize("name", ["ray", "ray.com", "Ray.broadcom.com", "ray_on.broadcom.com", "a..b.c", "-a.b.c", "a.b.c\n", "a.b." + "c" * 260])
def test_names_that_kapp_controller_refuses(name: str) -> None:
    with pytest.raises(RayError, match="cannot be that of a package"):
        check(ABOUT._replace(name=name))


def test_the_package() -> None:
    schema = {"type": "object", "properties": {"namespace": {"type": "string", "default": "x"}}}
    text = package_text(ABOUT._replace(long_description="All of it.", licenses=["Apache 2.0"]), BUNDLE, schema)
    metadata, package = yaml.safe_load_all(text)
    assert metadata == {"apiVersion": "data.packaging.carvel.dev/v1alpha1", "kind": "PackageMetadata", "metadata": {"name": "ray-on-vcf.broadcom.com"},
                        "spec": {"displayName": "ray-on-vcf", "shortDescription": "ray-on-vcf service", "longDescription": "All of it."}}
    assert package["metadata"] == {"name": "ray-on-vcf.broadcom.com.1.0.123"}
    assert package["spec"] == {
        "refName": "ray-on-vcf.broadcom.com", "version": "1.0.123", "licenses": ["Apache 2.0"], "valuesSchema": {"openAPIv3": schema},
        "template": {"spec": {"fetch": [{"imgpkgBundle": {"image": BUNDLE}}], "deploy": [{"kapp": {}}],
                              "template": [{"ytt": {"paths": ["config"]}}, {"kbld": {"paths": ["-", ".imgpkg/images.yml"]}}]}},
    }


def test_the_same_text_for_the_same_facts_and_strings_for_every_parser() -> None:
    text = package_text(ABOUT._replace(display_name="n", short_description="yes"), BUNDLE, {})
    assert text == package_text(ABOUT._replace(display_name="n", short_description="yes"), BUNDLE, {})
    assert "displayName: 'n'" in text and "shortDescription: 'yes'" in text and "longDescription" not in text and "licenses" not in text
    assert checksum("x") == "sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"


def test_images_of_a_lock() -> None:
    lock = "images:\n- image: r/a@sha256:1\n  annotations: {kbld.carvel.dev/id: 'a:latest'}\n- image: r/b@sha256:2\n"
    assert locked_images(lock) == [{"id": "a:latest", "image": "r/a@sha256:1"}, {"id": "r/b@sha256:2", "image": "r/b@sha256:2"}]
    assert locked_images("kind: ImagesLock\n") == []
