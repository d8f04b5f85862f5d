# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The node's image store: what is there, what is pulled, and what is said when it cannot be."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path

import pytest
from image_support import config, digest, entry, layer, layout, saved

from vcf_lab.settings import Lab
from vcf_lab.supervisor import imagefiles, images
from vcf_lab.supervisor.images import ImageError, Images
from vcf_lab.supervisor.reference import BadReference, Reference

LAYERS = [layer(entry("a", b"old"), entry("b")), layer(entry("a", b"new"))]
CONFIG = config(LAYERS, Entrypoint=["/a"], Env=["X=1"])
SHA = "sha256:" + "a" * 64
# Says in `calls` how it was called, and does what the test laid out for it.
CRANE = """#!/bin/sh
echo "$*" >>{folder}/calls
env >{folder}/environment
case $1 in
digest) cat {folder}/digest ;;
pull) for last; do :; done; cp -r {folder}/layout "$last" ;;
esac
if [ -e {folder}/fails ]; then cat {folder}/fails >&2; exit 1; fi
"""


class NoRegistries:
    """An API server on which nobody registered a registry."""

    async def list(self, *_about: str) -> list[dict]:
        return []


@pytest.fixture
def crane(lab: Lab) -> Path:
    """Folder of a crane of ours, which has one image to give."""
    lab.bin.mkdir()
    place = lab.state / "crane"
    place.mkdir()
    (lab.bin / "crane").write_text(CRANE.format(folder=place))
    (lab.bin / "crane").chmod(0o755)
    (place / "digest").write_text(layout(place / "layout", LAYERS, CONFIG) + "\n")
    return place


def get(lab: Lab, name: str, policy: str = "IfNotPresent", preloaded: dict | None = None) -> images.Image:
    return asyncio.run(Images(lab, NoRegistries(), preloaded or {}).get(name, policy))  # type: ignore[arg-type]


def calls(crane: Path) -> list[str]:
    return [line.split()[0] for line in (crane / "calls").read_text().splitlines()] if (crane / "calls").exists() else []


@pytest.mark.parametrize(
    ("name", "full"),
    [
        ("nginx", "docker.io/library/nginx:latest"),
        ("team/nginx:1.2", "docker.io/team/nginx:1.2"),
        ("localhost/x1", "localhost/x1:latest"),
        ("registry:5000/team/x_y:v1", "registry:5000/team/x_y:v1"),
        (f"registry.example.com/x@{SHA}", f"registry.example.com/x@{SHA}"),
        (f"registry.example.com/x:1@{SHA}", f"registry.example.com/x:1@{SHA}"),
    ],
)
def test_names_are_written_out(name: str, full: str) -> None:
    assert str(Reference.parse(name)) == full


@pytest.mark.parametrize("name", ["", "-v", "A/b", "x:", "x@sha256:12", "x y", "r.example.com/--help", "../x", "x\n"])
def test_what_is_no_name(lab: Lab, name: str) -> None:
    with pytest.raises(BadReference):
        Reference.parse(name)
    with pytest.raises(ImageError, match="couldn't parse image name: invalid reference format") as caught:
        get(lab, name)
    assert caught.value.reason == "InvalidImageName"


@pytest.mark.parametrize(
    ("container", "policy"),
    [
        ({"image": "x1"}, "Always"),
        ({"image": "x1:latest"}, "Always"),
        ({"image": "x1:2"}, "IfNotPresent"),
        ({"image": f"x1@{SHA}"}, "IfNotPresent"),
        ({"image": "x1", "imagePullPolicy": "Never"}, "Never"),
    ],
)
def test_the_default_policy(container: dict, policy: str) -> None:
    assert images.policy(container) == policy


def test_an_image_that_came_with_the_node_is_not_pulled(lab: Lab, crane: Path) -> None:
    archive = saved(lab.state / "image.tar.gz", LAYERS, CONFIG)
    preloaded = {"docker.io/library/x1:latest": archive, "docker.io/library/x2:latest": lab.state / "none"}
    for policy in ("IfNotPresent", "Never", "IfNotPresent"):
        image = get(lab, "x1:latest", policy, preloaded)
    assert image.image_id == digest(CONFIG)
    assert image.rootfs == lab.state / "images" / digest(CONFIG).replace(":", "-") / "rootfs"
    assert (image.rootfs / "a").read_text() == "new"
    assert image.config == {"Entrypoint": ["/a"], "Env": ["X=1"]}
    assert calls(crane) == []
    with pytest.raises(ImageError, match="is not present"):
        get(lab, "x2:latest", "Never", preloaded)
    get(lab, "x1:latest", "Always", preloaded)
    assert calls(crane) == ["digest", "pull"]


def test_a_pull_is_by_digest_and_done_once(lab: Lab, crane: Path) -> None:
    where = f"registry.example.com/ray/op@{(crane / 'digest').read_text().strip()}"
    first, second = get(lab, where), get(lab, where)
    assert first == second and first.image_id == where
    assert calls(crane) == ["pull"]
    assert where in (crane / "calls").read_text()
    assert not list((lab.state / "images").glob(".*"))


def test_a_tag_is_looked_up_and_then_pulled_by_digest(lab: Lab, crane: Path) -> None:
    image = get(lab, "registry.example.com/ray/op:1")
    assert image.image_id == f"registry.example.com/ray/op@{(crane / 'digest').read_text().strip()}"
    get(lab, "registry.example.com/ray/op:1")
    assert calls(crane) == ["digest", "pull"]
    get(lab, "registry.example.com/ray/op:1", "Always")  # the same image: asked for, not fetched again
    assert calls(crane) == ["digest", "pull", "digest", "manifest"]


def test_what_one_registry_gave_is_not_present_under_anothers_name(lab: Lab, crane: Path) -> None:
    sha = (crane / "digest").read_text().strip()
    get(lab, f"registry.example.com/ray/op@{sha}")
    (crane / "fails").write_text("Error: GET https://other.example.com/v2/: UNAUTHORIZED: authentication required\n")
    with pytest.raises(ImageError, match="UNAUTHORIZED"):
        get(lab, f"other.example.com/ray/op@{sha}")


def test_the_tool_finds_the_registered_logins_only(lab: Lab, crane: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", "/the/users/own")
    monkeypatch.setenv("VMWARE_PASSWORD", "secret")
    get(lab, "registry.example.com/ray/op:1")
    found = (crane / "environment").read_text()
    assert "/the/users/own" not in found and "secret" not in found
    assert f"DOCKER_CONFIG={lab.state}/images/.pull-" in found


@pytest.mark.parametrize(
    ("errors", "told"),
    [
        ("Error: GET https://r/v2/x/manifests/1: MANIFEST_UNKNOWN: manifest unknown; unknown tag=1", "GET https://r/v2"),
        ("2026/01/01 00:00:00 retrying dial tcp: no\nError: dial tcp 10.0.0.9:443: no route to host\n", "dial tcp 10.0.0.9:443"),
        ("boom\n", "boom"),
        ("", "no words"),
    ],
)
def test_a_failed_pull_is_told_in_the_tools_words(lab: Lab, crane: Path, errors: str, told: str) -> None:
    (crane / "fails").write_text(errors)
    with pytest.raises(ImageError) as caught:
        get(lab, f"registry.example.com/ray/op@{SHA}")
    assert caught.value.reason == "ErrImagePull"
    assert str(caught.value).startswith(f'failed to pull image "registry.example.com/ray/op@{SHA}": {told}')


def test_never_means_never(lab: Lab, crane: Path) -> None:
    with pytest.raises(ImageError) as caught:
        get(lab, "x1:2", "Never")
    assert (caught.value.reason, calls(crane)) == ("ErrImageNeverPull", [])
    assert str(caught.value) == 'Container image "x1:2" is not present with pull policy of Never'


def damage_a_blob(place: Path) -> str:
    manifest = json.loads((place / "blobs/sha256" / index(place)).read_text())
    wrong = manifest["layers"][0]["digest"].removeprefix("sha256:")
    (place / "blobs/sha256" / wrong).write_bytes(b"x")
    return f"the blob sha256:{wrong} has the digest sha256:"


def damage_a_diff_id(place: Path) -> str:
    shutil.rmtree(place)
    layout(place, LAYERS, config(LAYERS[::-1]))
    return "its content has the digest"


def leave_out_a_layer(place: Path) -> str:
    shutil.rmtree(place)
    layout(place, LAYERS[:1], CONFIG)
    return "the image has 1 layers and its config 2"


def lead_elsewhere(place: Path) -> str:
    (place / "index.json").write_text(json.dumps({"manifests": [{"digest": "sha256:../../../../etc/passwd"}]}))
    return "is no sha256 digest"


def be_no_image(place: Path) -> str:
    (place / "index.json").write_text("{}")
    return "its files lack 'manifests'"


def index(place: Path) -> str:
    return json.loads((place / "index.json").read_text())["manifests"][0]["digest"].removeprefix("sha256:")


@pytest.mark.parametrize("damage", [damage_a_blob, damage_a_diff_id, leave_out_a_layer, lead_elsewhere, be_no_image])
def test_a_damaged_image_is_refused_and_leaves_nothing(lab: Lab, crane: Path, damage) -> None:  # type: ignore[no-untyped-def]
    why = damage(crane / "layout")
    with pytest.raises(ImageError) as caught:
        get(lab, f"registry.example.com/ray/op@{SHA}")
    assert caught.value.reason == "ErrImagePull" and why in str(caught.value)
    assert list((lab.state / "images").iterdir()) == []


def test_an_archive_that_is_none_of_docker_save(tmp_path: Path) -> None:
    (tmp_path / "image.tar").write_bytes(layer(entry("hello")))
    with pytest.raises(imagefiles.BadImage, match="no file manifest.json"):
        imagefiles.unpack_archive(tmp_path / "image.tar", tmp_path / "store")


def test_halves_of_a_killed_node_are_removed(lab: Lab) -> None:
    (lab.state / "images" / ".unpack-x" / "rootfs").mkdir(parents=True)
    (lab.state / "images" / "whole").mkdir()
    images.forget_halves(lab)
    assert [path.name for path in (lab.state / "images").iterdir()] == ["whole"]
