# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The YAML of a package: what it fetches, and the same text with its bundle at another place."""

from __future__ import annotations

import pytest
import yaml

from ansible_collections.vcf.ray.plugins.module_utils._errors import RayError
from ansible_collections.vcf.ray.plugins.module_utils._resources.package_file import packages, pointed, the_bundle

OLD, NEW = f"registry.example.com/ray/bundle@sha256:{'1' * 64}", f"mirror.example.com:5000/ray/bundle@sha256:{'1' * 64}"
HEAD = """\
#! A comment: with image: registry.example.com/none

apiVersion: data.packaging.carvel.dev/v1alpha1
kind: PackageMetadata
metadata: {name: ray-on-vcf.broadcom.com}
---
apiVersion: data.packaging.carvel.dev/v1alpha1
kind:   Package
spec:
  refName: 'ray-on-vcf.broadcom.com'
  version: "1.0.0"   # not a number
  description: Grüße, 😀
  template:
    spec:
      fetch:
"""


def with_fetch(text: str, head: str = HEAD) -> str:
    return head + "\n".join(f"      {line}" for line in text.splitlines()) + "\n      deploy: [{kapp: {}}]\n"


@pytest.mark.parametrize("fetch", [
    f"- imgpkgBundle: {{image: {OLD}}}",
    f"- imgpkgBundle: {{image: '{OLD}', other: 1}} # behind",
    f'- imgpkgBundle:\n    image: "{OLD}"',
    f"- imgpkgBundle:\n    # before\n    image:    {OLD}   # behind",
    f"- imgpkgBundle:\n    image:\n      {OLD}",
    f"- path: x\n  imgpkgBundle:\n    tagSelection: {{semver: {{constraints: '>0'}}}}\n    image: {OLD}",
    '- {"imgpkgBundle": {"image": "' + OLD + '"}}',
])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_all_else_stays_byte_for_byte(fetch: str, end: str) -> None:
    for start in ("", "\ufeff"):
        text = start + with_fetch(fetch).replace("\n", end)
        assert pointed(text, NEW, "package") == text.replace(OLD, NEW) != text
        assert pointed(text, OLD, "package") is text


@pytest.mark.parametrize("fetch", [f"- imgpkgBundle:\n    image: >-\n      {OLD}\n    other: 1", f"- imgpkgBundle:\n    image: |-\n      {OLD}"])
def test_the_reference_as_a_block_of_text(fetch: str) -> None:
    text = pointed(with_fetch(fetch), NEW, "package")
    assert the_bundle(text, "package")[1] == NEW and text.startswith(HEAD) and "deploy: [{kapp: {}}]" in text


@pytest.mark.parametrize("image", ["[fd00::1]:5000/ray/bundle:1", "host.example.com/a:1"])
@pytest.mark.parametrize("quote", ["", "'", '"'])
def test_references_that_need_quotes(image: str, quote: str) -> None:
    text = pointed(with_fetch(f"- imgpkgBundle:\n    image: {quote}{OLD}{quote}"), image, "package")
    assert the_bundle(text, "package")[1] == image


def test_an_anchor_that_others_use_moves_nothing_else() -> None:
    text = HEAD.replace("  version:", "  licenses: [*bundle]\n  version:").replace("  refName:", f"  note: &bundle {OLD}\n  refName:")
    spec = list(yaml.safe_load_all(pointed(text + "      - imgpkgBundle: {image: *bundle}\n", NEW, "package")))[1]["spec"]
    assert spec["note"] == OLD and spec["licenses"] == [OLD] and spec["template"]["spec"]["fetch"] == [{"imgpkgBundle": {"image": NEW}}]


def test_a_reference_by_a_merge_is_told() -> None:
    text = HEAD.replace("  refName:", f"  note: &bundle {{image: '{OLD}'}}\n  refName:") + "      - imgpkgBundle: {<<: *bundle}\n"
    assert the_bundle(text, "package x")[1] == OLD
    with pytest.raises(RayError, match="The package x has the reference of its bundle from somewhere else by a merge"):
        pointed(text, NEW, "package x")


def test_what_is_read_of_a_package() -> None:
    package, image = the_bundle(with_fetch(f"- imgpkgBundle: {{image: {OLD}}}"), "package")
    assert (package.name, package.version, package.bundles, image) == ("ray-on-vcf.broadcom.com", "1.0.0", [OLD], OLD)
    assert package.what == "The package ray-on-vcf.broadcom.com 1.0.0"


@pytest.mark.parametrize(("text", "words"), [
    (with_fetch("- inline: {paths: {a.yml: x}}"), "has no imgpkg bundle: it is fetched by inline, so there is nothing to copy"),
    (with_fetch("- git: {url: x}\n- http: {url: y}"), "it is fetched by git, http"),
    (with_fetch(f"- imgpkgBundle: {{image: {OLD}}}\n- inline: {{paths: {{}}}}"), "fetches 2 things, and only a package of one bundle"),
    (with_fetch(f"- imgpkgBundle: {{image: {OLD}}}") + "---\n" + with_fetch(f"- imgpkgBundle: {{image: {OLD}}}", HEAD.replace('"1.0.0"', '"2.0.0"')),
     "holds 2 packages, ray-on-vcf.broadcom.com 1.0.0, ray-on-vcf.broadcom.com 2.0.0; one at a time"),
])
def test_what_cannot_be_copied(text: str, words: str) -> None:
    with pytest.raises(RayError, match=words) as caught:
        the_bundle(text, "package x")
    assert caught.value.code == "INPUT" and caught.value.hint


BODY = f"- imgpkgBundle: {{image: {OLD}}}"


@pytest.mark.parametrize(("text", "words"), [
    ("", "The package x holds no Package of data.packaging.carvel.dev/"),
    ("a: 1\n", "holds no Package"),
    ("- kind: Package\n", "holds no Package"),
    (with_fetch(BODY).replace("data.packaging.carvel.dev", "packaging.example.com"), "holds no Package"),
    ("a: [b\n", "The package x is no YAML in line 2:"),
    ("\x00", "The package x is no YAML: special characters are not allowed"),
    (with_fetch(BODY).replace('"1.0.0"', "1.0"), "A Package in the package x has no spec.version that is a text"),
    (with_fetch(BODY).replace("refName", "name"), "has no spec.refName that is a text"),
    (with_fetch(""), "has nothing to fetch under spec.template.spec.fetch"),
    (with_fetch("  []"), "has nothing to fetch"),
    (with_fetch("- {}"), "has nothing to fetch"),
    (with_fetch("- text"), "has nothing to fetch"),
    (with_fetch("- imgpkgBundle: {}"), "fetches an imgpkgBundle without an image"),
    (with_fetch("- imgpkgBundle: x"), "fetches an imgpkgBundle without an image"),
    (with_fetch("- imgpkgBundle: {image: [x]}"), "fetches an imgpkgBundle without an image"),
    (with_fetch("- inline: x"), "fetches something inline that is no map with paths"),
    (with_fetch("- inline: {paths: [x]}"), "fetches something inline that is no map with paths"),
])
def test_what_is_no_package(text: str, words: str) -> None:
    with pytest.raises(RayError, match=words) as caught:
        packages(text, "package x")
    assert caught.value.code == "INPUT"
