# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which registry an image comes from, which of them are allowed, and what inline manifests name."""

from __future__ import annotations

import pytest

from ansible_collections.vcf.ray.plugins.module_utils._errors import RayError
from ansible_collections.vcf.ray.plugins.module_utils._resources.package_file import Package
from ansible_collections.vcf.ray.plugins.module_utils._resources.package_images import inline_images, is_in, located, prefixes, refuse, wrong_with

DIGEST = f"sha256:{'1' * 64}"


def package(*fetch: dict) -> Package:
    return Package("ray", "1.0.0", list(fetch), "The package ray 1.0.0")


def images(text: str) -> list[str]:
    return [image["image"] for image in inline_images(package({"inline": {"paths": {"a.yml": text}}}))]


@pytest.mark.parametrize(("image", "registry", "digest"), [
    (f"registry.example.com/ray/operator@{DIGEST}", "registry.example.com", DIGEST),
    (f"registry.example.com:5000/operator:7@{DIGEST}", "registry.example.com:5000", DIGEST),
    ("registry.example.com:443/operator:7", "registry.example.com", None),
    ("Registry.Example.com/operator", "registry.example.com", None),
    ("localhost/operator:7", "localhost", None),
    ("nginx", "docker.io", None),
    ("nginx:1.2", "docker.io", None),
    ("rayproject/ray:2.5", "docker.io", None),
    ("index.docker.io/library/nginx", "docker.io", None),
    ("registry.example.com/operator@sha256:short", "registry.example.com", None),
])
def test_where_an_image_is(image: str, registry: str, digest: str | None) -> None:
    assert located(image) == {"image": image, "origin": image, "registry": registry, "digest": digest}
    assert located(image, "x")["origin"] == "x"


@pytest.mark.parametrize(("allowed", "image"), [
    ("registry.example.com", "registry.example.com/ray/operator:7"),
    ("registry.example.com/", "registry.example.com/ray/operator"),
    ("https://Registry.Example.com", "registry.example.com/operator"),
    ("registry.example.com:443", "registry.example.com/operator"),
    ("registry.example.com", "registry.example.com:443/operator"),
    ("registry.example.com/ray", "registry.example.com/ray/operator"),
    ("registry.example.com/ray/operator", f"registry.example.com/ray/operator@{DIGEST}"),
    ("registry.example.com:5000/ray", "registry.example.com:5000/ray/operator:7"),
    ("docker.io", "nginx"),
    ("docker.io/library", "nginx:1"),
    ("registry-1.docker.io/rayproject", "rayproject/ray:2"),
])
def test_what_is_in_an_allowed_registry(allowed: str, image: str) -> None:
    assert is_in(located(image), prefixes(["other.example.com", allowed]))


@pytest.mark.parametrize(("allowed", "image"), [
    ("registry.example.com", "registry.example.com.evil.example/operator"),
    ("registry.example.com", "evil.example/registry.example.com/operator"),
    ("registry.example.com", "registry.example.com:5000/operator"),
    ("registry.example.com:5000", "registry.example.com/operator"),
    ("registry.example.com/ray", "registry.example.com/rays/operator"),
    ("registry.example.com/ray", "registry.example.com/rayx:7"),
    ("registry.example.com/ray/operator", "registry.example.com/ray"),
    ("docker.io/library", "rayproject/ray"),
    ("registry.example.com", "nginx"),
])
def test_what_is_not(allowed: str, image: str) -> None:
    assert not is_in(located(image), prefixes([allowed]))


@pytest.mark.parametrize("text", ["", "/", "registry", "library/nginx", "http://registry.example.com", "registry.example.com/a:1",
                                  "registry.example.com/a@x"])
def test_what_is_no_registry(text: str) -> None:
    with pytest.raises(RayError, match="in allowed_registries is no registry") as caught:
        prefixes([text])
    assert caught.value.code == "INPUT"


def test_all_is_told_at_once() -> None:
    allowed = prefixes(["mirror.example.com/ray", "other.example.com"])
    fetch = package({"imgpkgBundle": {"image": "registry.example.com/bundle:1"}}, {"git": {"url": "https://git.example.com/x"}},
                    {"helmChart": {"name": "chart"}}, {"http": {"url": "https://files.example.com/x"}}, {"http": "x"},
                    {"inline": {"pathsFrom": [{"secretRef": {"name": "x"}}]}},
                    {"inline": {"paths": {"t.yml": "image: #@ data.values.image\n"}}})
    wrong = wrong_with(fetch, [located("registry.example.com/bundle:1")],
                       [located(f"mirror.example.com/ray/a@{DIGEST}"), located("mirror.example.com/ray/b:1"),
                        located(f"registry.example.com/c@{DIGEST}")], allowed)
    with pytest.raises(RayError) as caught:
        refuse(wrong * 2, allowed)
    elsewhere = "its registry registry.example.com is not among mirror.example.com/ray, other.example.com"
    tag = "it is named by tag only, which can be moved to another image"
    assert [(entry["image"], entry["reason"]) for entry in caught.value.details["violations"]] == [
        ("registry.example.com/bundle:1", elsewhere), ("registry.example.com/bundle:1", tag), ("mirror.example.com/ray/b:1", tag),
        (f"registry.example.com/c@{DIGEST}", elsewhere), ("https://git.example.com/x", "it is fetched by git, not from a registry"),
        ("chart", "it is fetched by helmChart, not from a registry"), ("https://files.example.com/x", "it is fetched by http, not from a registry"),
        ("http", "it is fetched by http, not from a registry"),
        ("inline.pathsFrom", "it is read from a Secret or a ConfigMap on the Supervisor, which cannot be seen from here"),
        ("t.yml", "a template puts an image in, so that it cannot be told here")]
    assert all(f"{entry['image']}: {entry['reason']}" in caught.value.message for entry in caught.value.details["violations"])
    assert caught.value.code == "INPUT" and "vcf.ray.carvel_package_copy" in caught.value.hint
    refuse([], allowed)


def test_images_of_inline_manifests() -> None:
    assert images("spec:\n  containers:\n  - {image: a:1}\n  - image: 'b:1'\n---\nspec: {initContainers: [{image: a:1}]}\n") == ["a:1", "b:1"]
    # The schema of an image is none.
    assert images("openAPIV3Schema: {properties: {image: {type: string}}, image: ''}\n") == []
    # What is no YAML for anybody but ytt.
    assert images('- image: "a:1" #@ x\n  image: b:1 #! y\n  image: #@ z\nkey: value: again\n') == ["a:1", "b:1"]
    assert images("") == []
    image = {"image": {"url": f"registry.example.com/files@{DIGEST}"}}
    assert [entry["digest"] for entry in inline_images(package(image, {"image": {}}, {"inline": None}, {"inline": {"paths": {"a": 7}}}))] == [DIGEST]
