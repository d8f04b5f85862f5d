# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""carvel_package_info: which questions are asked, where images are found, and what is refused."""

from __future__ import annotations

import pathlib
import typing as t

import pytest

from ansible_collections.vcf.ray.plugins.module_utils._clients import registry
from ansible_collections.vcf.ray.plugins.module_utils._errors import RayError
from ansible_collections.vcf.ray.plugins.modules import carvel_package_info
from ansible_collections.vcf.ray.tests.unit.plugins import shelf
from ansible_collections.vcf.ray.tests.unit.plugins.conversation import task_for

OPERATOR, SIDE = shelf.Image(b"operator"), shelf.Image(b"side")
ORIGINS = [f"origin.example.com/ray/operator@{OPERATOR.digest}", f"origin.example.com/ray/side@{SIDE.digest}"]
BUNDLE = shelf.Bundle(*ORIGINS)
INLINE = shelf.PACKAGE.replace("- imgpkgBundle:\n          image: {image}   # the bundle", "- inline: {{paths: {{a.yml: '{image}'}}}}")


def run(content: str, check_mode: bool = False, **options: t.Any) -> list[dict]:
    task = task_for(carvel_package_info, check_mode, content=content, registry_username="reader", registry_password="Secret-Reg1", **options)
    with registry.connect(task) as registries:
        result = carvel_package_info.read(task, registries)
    assert result.pop("changed") is False
    return result["carvel_packages"]


@pytest.fixture(name="mirror")
def fixture_mirror(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> t.Iterator[shelf.Shelf]:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "no-login"))
    with shelf.shelf("reader:Secret-Reg1") as server:
        server.content |= BUNDLE.on("ray/bundle", "1.0.0")
        yield server


def package(mirror: shelf.Shelf, **more: str) -> str:
    return shelf.PACKAGE.format(image=f"{mirror.address}/ray/bundle@{BUNDLE.digest}", **{"version": "1.0.0", **more})


LOCK = [f"GET manifests {BUNDLE.digest[:15]}", f"GET blobs {shelf.digest(BUNDLE.layer)[:15]}"]
HAS = [f"HEAD manifests {image.digest[:15]}" for image in (OPERATOR, SIDE)]


@pytest.mark.parametrize("check_mode", [True, False])
def test_images_beside_their_bundle(mirror: shelf.Shelf, check_mode: bool) -> None:
    mirror.content |= {**OPERATOR.on("ray/bundle"), **SIDE.on("ray/bundle")}
    name = f"{mirror.address}/ray/bundle"
    assert run(package(mirror), check_mode, allowed_registries=[mirror.address]) == [{
        "name": "ray-on-vcf.broadcom.com", "version": "1.0.0",
        "bundles": [{"image": f"{name}@{BUNDLE.digest}", "origin": f"{name}@{BUNDLE.digest}", "registry": mirror.address, "digest": BUNDLE.digest}],
        "images": [{"image": f"{name}@{image.digest}", "origin": origin, "registry": mirror.address, "digest": image.digest}
                   for image, origin in zip((OPERATOR, SIDE), ORIGINS)]}]
    assert mirror.questions() == [*LOCK, *HAS]


def test_one_that_is_not_beside_it_leaves_all_where_they_were(mirror: shelf.Shelf) -> None:
    mirror.content |= SIDE.on("ray/bundle")
    found = run(package(mirror))[0]
    assert [image["image"] for image in found["images"]] == ORIGINS and mirror.questions() == [*LOCK, HAS[0]]
    with pytest.raises(RayError) as caught:
        run(package(mirror), allowed_registries=[f"{mirror.address}/ray"])
    assert [entry["image"] for entry in caught.value.details["violations"]] == ORIGINS


def test_several_packages_and_a_bundle_by_tag(mirror: shelf.Shelf) -> None:
    other = shelf.PACKAGE.format(image=f"{mirror.address}/ray/bundle:1.0.0", version="2.0.0")
    text = f"{package(mirror)}---\n{other}---\n{INLINE.format(image='image: nginx', version='3.0.0')}"
    assert [(found["version"], len(found["bundles"]), len(found["images"])) for found in run(text)] == [("1.0.0", 1, 2), ("2.0.0", 1, 2), ("3.0.0", 0, 1)]
    with pytest.raises(RayError) as caught:
        run(text, allowed_registries=[mirror.address, "origin.example.com/ray"])
    assert [(entry["image"], entry["reason"].partition(",")[0]) for entry in caught.value.details["violations"]] == [
        (f"{mirror.address}/ray/bundle:1.0.0", "it is named by tag only"),
        ("nginx", f"its registry docker.io is not among {mirror.address}"), ("nginx", "it is named by tag only")]


def test_a_bundle_that_is_not_there(mirror: shelf.Shelf) -> None:
    mirror.content.clear()
    for allowed in ({}, {"allowed_registries": [mirror.address]}):
        with pytest.raises(RayError, match="The bundle .* is not in its registry") as caught:
            run(package(mirror), **allowed)
        assert caught.value.code == "NOT_FOUND" and "carvel_package_copy" in caught.value.hint


def test_a_refused_login(mirror: shelf.Shelf) -> None:
    mirror.login = "somebody:else"
    with pytest.raises(RayError) as caught:
        run(package(mirror))
    assert caught.value.code == "AUTH" and "registry_username" in caught.value.hint and "Secret-Reg1" not in str(caught.value)


def test_a_bundle_at_a_registry_that_is_not_allowed_need_not_be_there(mirror: shelf.Shelf) -> None:
    mirror.content.clear()
    with pytest.raises(RayError) as caught:
        run(f"{package(mirror)}---\n{INLINE.format(image='image: nginx', version='3.0.0')}", allowed_registries=["mirror.example.com"])
    reasons = [(entry["image"].partition("@")[0], entry["reason"]) for entry in caught.value.details["violations"]]
    name = f"{mirror.address}/ray/bundle"
    assert reasons[0] == (name, f"its registry {mirror.address} is not among mirror.example.com")
    assert reasons[1][0] == name and reasons[1][1].startswith("it could not be found out which images it has (The bundle ") and reasons[2][0] == "nginx"


def test_what_is_no_registry_is_told_before_anything_is_asked(mirror: shelf.Shelf) -> None:
    with pytest.raises(RayError, match="'ray' in allowed_registries is no registry"):
        run(package(mirror), allowed_registries=["ray"])
    assert mirror.questions() == []


def test_an_inline_package_needs_no_registry() -> None:
    image = f"registry.example.com/operator@{OPERATOR.digest}"
    text = INLINE.format(image=f"image: {image}", version="1.0.0")
    assert run(text, allowed_registries=["registry.example.com"])[0]["images"] == [
        {"image": image, "origin": image, "registry": "registry.example.com", "digest": OPERATOR.digest}]


def test_a_file_that_is_none(tmp_path: pathlib.Path) -> None:
    task = task_for(carvel_package_info, package=str(tmp_path / "none.yaml"))
    with registry.connect(task) as registries, pytest.raises(RayError, match="cannot be read: No such file"):
        carvel_package_info.read(task, registries)
    with pytest.raises(RayError, match="holds no Package"):
        run("a: 1")
