# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Archives of packages: what a whole one holds, and what is said of each that is not."""

from __future__ import annotations

import gzip
import json
import pathlib

import pytest

from ansible_collections.vcf.ray.plugins.module_utils._clients.package_archive import PackageArchive
from ansible_collections.vcf.ray.plugins.module_utils._errors import RayError, UnknownYet
from ansible_collections.vcf.ray.tests.unit.plugins import shelf

ROOT = {"dev.carvel.imgpkg.copy.root-bundle": ""}
OPERATOR, SIDE = shelf.Image(b"operator"), shelf.Image(b"side")
INNER = shelf.Bundle(f"registry.example.com/side@{SIDE.digest}")
BUNDLE = shelf.Bundle(f"registry.example.com/operator@{OPERATOR.digest}")
OUTER = shelf.Bundle(f"registry.example.com/inner@{INNER.digest}")
TEXT = "kind: Package\n"
ROWS = [OPERATOR.described("registry.example.com/operator"), BUNDLE.described("registry.example.com/bundle", Labels=ROOT)]
LAYERS = [OPERATOR.layer, BUNDLE.layer]
INDEX = b'{"schemaVersion": 2, "manifests": []}'


def test_a_whole_one(tmp_path: pathlib.Path) -> None:
    archive = PackageArchive(shelf.tar(tmp_path / "a.tar", ROWS, LAYERS))
    archive.add_package(TEXT)
    assert archive.read() == (f"registry.example.com/bundle@{BUNDLE.digest}", BUNDLE.digest,
                              [{"image": f"registry.example.com/operator@{OPERATOR.digest}", "digest": OPERATOR.digest, "id": "operator:latest"}], TEXT)


def test_bundles_in_a_bundle_and_images_of_several_machines(tmp_path: pathlib.Path) -> None:
    inside = SIDE.described("registry.example.com/side")["Image"]
    index = {"ImageIndex": {"Refs": [f"registry.example.com/side@{shelf.digest(INDEX)}"], "Raw": INDEX.decode(), "Digest": shelf.digest(INDEX),
                            "Images": [inside], "Indexes": []}}
    rows = [index, INNER.described("registry.example.com/inner"), OUTER.described("registry.example.com/outer", Labels=ROOT)]
    path = shelf.tar(tmp_path / "a.tar", rows, [SIDE.layer, INNER.layer, OUTER.layer], package__yaml=TEXT.encode())
    assert [image["digest"] for image in PackageArchive(path).read().images] == [SIDE.digest, INNER.digest]
    path = shelf.tar(tmp_path / "a.tar", rows[1:], [INNER.layer, OUTER.layer], package__yaml=TEXT.encode())
    with pytest.raises(RayError, match=f"does not hold the image registry.example.com/side@{SIDE.digest}, which its bundle names"):
        PackageArchive(path).read()


def test_layers_that_may_not_be_handed_on_are_not_missed(tmp_path: pathlib.Path) -> None:
    row = json.loads(json.dumps(ROWS[0]))
    row["Image"]["Layers"].append({"MediaType": "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", "Digest": "sha256:f", "Size": 7})
    PackageArchive(shelf.tar(tmp_path / "a.tar", [row, ROWS[1]], LAYERS, package__yaml=TEXT.encode())).read()


def changed(row: dict, **more: object) -> dict:
    return {"Image": {**row["Image"], **more}}


@pytest.mark.parametrize(("rows", "layers", "words"), [
    (None, LAYERS, "is no tar of imgpkg: it has no manifest.json"),
    ([{"Config": "x.json", "RepoTags": ["a:1"], "Layers": []}], LAYERS, "is no tar of imgpkg; that of docker save"),
    ({}, LAYERS, "holds no bundle"),
    ([ROWS[0], 7], LAYERS, "is no tar of imgpkg"),
    (ROWS[:1], LAYERS, "holds no bundle"),
    ([ROWS[0], changed(ROWS[1], Labels=None)], LAYERS, "holds no bundle"),
    ([ROWS[0], changed(ROWS[1], Layers=[])], LAYERS, "is no tar of imgpkg"),
    ([ROWS[0], changed(ROWS[1], Refs=[])], LAYERS, "is no tar of imgpkg"),
    (ROWS, LAYERS[1:], f"does not hold the layer {shelf.digest(OPERATOR.layer)} of registry.example.com/operator@"),
    ([changed(ROWS[0], Layers=[{**ROWS[0]["Image"]["Layers"][0], "Size": 99}]), ROWS[1]], LAYERS, "does not hold the layer"),
    (ROWS[1:], LAYERS, f"does not hold the image registry.example.com/operator@{OPERATOR.digest}"),
    ([ROWS[0], changed(ROWS[1], Manifest={**ROWS[1]["Image"]["Manifest"], "Raw": "{}"})], LAYERS, "a manifest that is not the one of the digest"),
    ([ROWS[0], changed(ROWS[1], Config={"Raw": '{"config": {"Labels": {"dev.carvel.imgpkg.bundle": "true"}}}'},
                       Layers=ROWS[0]["Image"]["Layers"])], LAYERS, r"The lock .imgpkg/images.yml of the bundle sha256:\w+ in .*a.tar cannot be read"),
])
def test_what_is_not_whole(tmp_path: pathlib.Path, rows: list, layers: list, words: str) -> None:
    path = shelf.tar(tmp_path / "a.tar", rows, layers, package__yaml=TEXT.encode())
    with pytest.raises(RayError, match=words) as caught:
        PackageArchive(path).read()
    assert caught.value.code == "INPUT" and caught.value.hint


def test_one_of_imgpkg_alone_and_one_with_another_encoding(tmp_path: pathlib.Path) -> None:
    with pytest.raises(RayError, match="holds a bundle, but not the YAML of its package as package.yaml"):
        PackageArchive(shelf.tar(tmp_path / "a.tar", ROWS, LAYERS)).read()
    with pytest.raises(RayError, match="a package.yaml that is no text"):
        PackageArchive(shelf.tar(tmp_path / "a.tar", ROWS, LAYERS, package__yaml=b"\xff\xfe")).read()


def test_every_beginning_of_one_is_told_from_the_whole(tmp_path: pathlib.Path) -> None:
    whole = pathlib.Path(shelf.tar(tmp_path / "a.tar", ROWS, LAYERS, package__yaml=TEXT.encode())).read_bytes()
    end = whole.index(TEXT.encode()) + 512
    cut = tmp_path / "cut.tar"
    for size in (0, 1, 511, 512, 700, *range(1024, end - 511, 512)):
        cut.write_bytes(whole[:size])
        with pytest.raises(RayError, match="cut.tar (is no tar|does not hold|holds)") as caught:
            PackageArchive(str(cut)).read()
        assert caught.value.code == "INPUT"


def test_files_that_are_none(tmp_path: pathlib.Path) -> None:
    (tmp_path / "text").write_text("hello")
    (tmp_path / "a.tar.gz").write_bytes(gzip.compress(pathlib.Path(shelf.tar(tmp_path / "a.tar", ROWS, LAYERS)).read_bytes()))
    for name, words in (("text", "is no tar, or only the beginning of one"), ("a.tar.gz", "is no tar"), (".", "cannot be read: Is a directory")):
        with pytest.raises(RayError, match=words):
            PackageArchive(str(tmp_path / name)).read()


def test_a_new_one_takes_its_place_only_when_it_is_whole(tmp_path: pathlib.Path) -> None:
    (tmp_path / "a.tar").write_text("before")
    archive = PackageArchive(str(tmp_path / "a.tar"))
    for error in (RayError("no"), KeyboardInterrupt()):
        with pytest.raises(type(error)), archive.replaced() as new:
            pathlib.Path(new.path).write_text("half")
            raise error
        assert [path.name for path in tmp_path.iterdir()] == ["a.tar"] and (tmp_path / "a.tar").read_text() == "before"
    with pytest.raises(RayError, match="a.tar cannot be written: No space left on device"), archive.replaced():
        raise OSError(28, "No space left on device")
    (tmp_path / "link.tar").symlink_to("a.tar")
    with PackageArchive(str(tmp_path / "link.tar")).replaced() as new:
        pathlib.Path(new.path).write_text("after")
    assert (tmp_path / "link.tar").is_symlink() and (tmp_path / "a.tar").read_text() == "after"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.tar", "link.tar"]


def test_a_folder_that_is_not_there_yet(tmp_path: pathlib.Path) -> None:
    with pytest.raises(UnknownYet, match="The folder .*/none for a.tar is not there"):
        PackageArchive(str(tmp_path / "none/a.tar")).check()
