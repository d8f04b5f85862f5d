# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""carvel_package_copy: every question to two registries with logins of their own, and each run of an imgpkg that does as the real one was seen to."""

from __future__ import annotations

import base64
import json
import os
import pathlib
import sys
import typing as t

import pytest
import yaml
from requests import certs

from ansible_collections.vcf.ray.plugins.module_utils._clients import package_copier
from ansible_collections.vcf.ray.plugins.module_utils._errors import RayError
from ansible_collections.vcf.ray.plugins.modules import carvel_package_copy
from ansible_collections.vcf.ray.tests.unit.plugins import shelf
from ansible_collections.vcf.ray.tests.unit.plugins.conversation import task_for

IMGPKG = """#!{python}
import base64, json, os, pathlib, shutil, sys, urllib.request
here, args = pathlib.Path(__file__).parent, sys.argv[1:]
value = lambda option: args[args.index(option) + 1]
auths = json.load(open(os.environ["DOCKER_CONFIG"] + "/config.json"))["auths"] if os.path.exists(os.environ["DOCKER_CONFIG"] + "/config.json") else {{}}
ca = open(os.environ["SSL_CERT_FILE"]).read() if "SSL_CERT_FILE" in os.environ else None
with open(here / "runs", "a") as log:
    lock = open(value("--lock")).read() if "--lock" in args else ""
    log.write(json.dumps({{"args": args, "environment": dict(os.environ), "auths": auths, "ca": ca, "lock": lock}}) + "\\n")
if (here / "words").exists():
    sys.exit((here / "words").read_text())
goods = json.load(open(here / "goods"))
if "--to-tar" in args:
    shutil.copy(goods["tar"], value("--to-tar"))
else:
    host, slash, repository = value("--to-repo").partition("/")
    for path, content in goods["push"].items():
        request = urllib.request.Request("http://" + host + path.replace("REPOSITORY", repository), base64.b64decode(content), method="PUT")
        request.add_header("Authorization", "Basic " + auths[host]["auth"])
        urllib.request.urlopen(request)
    open(value("--lock-output"), "w").write("bundle: {{image: " + value("--to-repo") + "@" + goods["digest"] + "}}")
"""
READER, BUILDER = "reader:Secret-Src1", "builder:Secret-Reg1"
OPERATOR = shelf.Image(b"operator")


class Sites:
    """The registry that the package was built into, another one, a folder with files, and imgpkg."""

    def __init__(self, folder: pathlib.Path, source: shelf.Shelf, mirror: shelf.Shelf) -> None:
        self.folder, self.source, self.mirror = folder, source, mirror
        self.origin, self.target = f"{source.address}/ray/bundle", f"{mirror.address}/inside/bundle"
        self.bundle = shelf.Bundle(f"{source.address}/ray/operator@{OPERATOR.digest}")
        self.source.content |= {**self.bundle.on("ray/bundle", "1.0.0"), **OPERATOR.on("ray/operator", "7")}
        self.package, self.archive, self.path = folder / "package.yaml", folder / "package.tar", folder / "out.yaml"
        self.package.write_text(self.text())
        (folder / "bin").mkdir()
        (folder / "bin/imgpkg").write_text(IMGPKG.format(python=sys.executable))
        (folder / "bin/imgpkg").chmod(0o755)
        self.rows = [OPERATOR.described(f"{source.address}/ray/operator"),
                     self.bundle.described(self.origin, Labels={"dev.carvel.imgpkg.copy.root-bundle": ""})]
        self.layers = [OPERATOR.layer, self.bundle.layer]
        self.goods(OPERATOR, self.bundle)

    def text(self, image: str | None = None, version: str = "1.0.0") -> str:
        return shelf.PACKAGE.format(image=image or f"{self.origin}@{self.bundle.digest}", version=version)

    def goods(self, *images: shelf.Image) -> None:
        """What imgpkg brings."""
        tags = {self.bundle: ["1.0.0"]}
        push = {path: base64.b64encode(content).decode() for image in images for path, content in image.on("REPOSITORY", *tags.get(image, ())).items()}
        (self.folder / "bin/goods").write_text(json.dumps({"tar": self.tar("goods.tar"), "push": push, "digest": self.bundle.digest}))

    def tar(self, name: str, **more: bytes) -> str:
        return shelf.tar(self.folder / name, self.rows, self.layers, **more)

    def archived(self) -> None:
        self.tar("package.tar", package__yaml=self.text().encode())

    def copied(self) -> None:
        self.mirror.content |= {**self.bundle.on("inside/bundle", "1.0.0"), **OPERATOR.on("inside/bundle")}

    def run(self, check_mode: bool = False, **options: t.Any) -> dict:
        (self.folder / "bin/runs").unlink(missing_ok=True)
        given = {"source_username": "reader", "source_password": "Secret-Src1", "registry_username": "builder", "registry_password": "Secret-Reg1"}
        task = task_for(carvel_package_copy, check_mode, **given, **{name: str(value) for name, value in options.items()})
        with package_copier.connect(task) as copier:
            return carvel_package_copy.ensure(task, copier)

    def across(self, check_mode: bool = False, **options: t.Any) -> dict:
        return self.run(check_mode, **{"package": self.package, "bundle": self.target, "path": self.path, **options})

    def to_archive(self, check_mode: bool = False, **options: t.Any) -> dict:
        return self.run(check_mode, **{"package": self.package, "archive": self.archive, **options})

    def from_archive(self, check_mode: bool = False, **options: t.Any) -> dict:
        return self.run(check_mode, **{"archive": self.archive, "bundle": self.target, "path": self.path, **options})

    @property
    def runs(self) -> list[dict]:
        file = self.folder / "bin/runs"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def questions(self) -> tuple[list[str], list[str]]:
        """Those to the source and those to the mirror since the last time, with names in place of digests."""
        names = {OPERATOR.digest[:15]: "OPERATOR", self.bundle.digest[:15]: "BUNDLE", shelf.digest(self.bundle.layer)[:15]: "LAYER"}

        def named(asked: list[str]) -> list[str]:
            return [" ".join(names.get(word, word) for word in line.split()) for line in asked]

        return named(self.source.questions()), named(self.mirror.questions())

    @property
    def files(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())


@pytest.fixture(name="sites")
def fixture_sites(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> t.Iterator[Sites]:
    with shelf.shelf(READER) as source, shelf.shelf(BUILDER) as mirror:
        sites = Sites(tmp_path, source, mirror)
        monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
        monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "no-login"))
        monkeypatch.setenv("TMPDIR", str(tmp_path / "bin"))
        monkeypatch.setattr("tempfile.tempdir", None)
        for name in ("SSL_CERT_FILE", "REGISTRY_AUTH_FILE"):
            monkeypatch.delenv(name, raising=False)
        yield sites
        # Whatever was asked, each login went to its own registry alone.
        assert source.logins <= {READER, None} and mirror.logins <= {BUILDER, None}


LOCK = ["GET manifests BUNDLE", "GET blobs LAYER"]
HERE = ["HEAD manifests BUNDLE", "HEAD manifests OPERATOR"]
NOTHING, ALL = ["HEAD manifests 1.0.0", "HEAD manifests BUNDLE"], ["HEAD manifests 1.0.0", "HEAD manifests OPERATOR"]


def named(sites: Sites) -> dict:
    """What is copied, as imgpkg is told by a lock."""
    return yaml.safe_load(sites.runs[0]["lock"])["bundle"]


def test_from_one_registry_to_the_other(sites: Sites) -> None:
    check = sites.across(check_mode=True)
    assert sites.questions() == (LOCK, NOTHING)
    assert check["changed"] and not sites.runs and not sites.path.exists() and not sites.mirror.content
    real = sites.across()
    assert real == check and sites.path.read_text() == real["carvel_package_copy"]["content"]
    assert sites.questions() == (LOCK, [*NOTHING, *HERE, *ALL])
    assert real["carvel_package_copy"] | {"checksum": "", "content": ""} == {
        "name": "ray-on-vcf.broadcom.com", "version": "1.0.0", "bundle": f"{sites.target}@{sites.bundle.digest}", "digest": sites.bundle.digest,
        "images": [{"image": f"{sites.target}@{OPERATOR.digest}", "origin": f"{sites.source.address}/ray/operator@{OPERATOR.digest}",
                    "digest": OPERATOR.digest}], "path": str(sites.path), "checksum": "", "content": ""}
    assert real["carvel_package_copy"]["checksum"] == shelf.digest(sites.path.read_bytes())


def test_only_the_bundle_of_the_yaml_is_another_one(sites: Sites) -> None:
    sites.copied()
    sites.across()
    assert sites.path.read_text() == sites.text(f"{sites.target}@{sites.bundle.digest}")
    assert not sites.runs and sites.path.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("check_mode", [True, False])
def test_again_the_source_is_asked_for_nothing(sites: Sites, check_mode: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    sites.copied()
    sites.across()
    sites.questions()
    before = sites.path.stat().st_mtime_ns
    # Nor is imgpkg needed, or the login at the source.
    monkeypatch.setenv("PATH", "/none")
    sites.source.shutdown()
    sites.source.server_close()
    result = sites.across(check_mode)
    assert not result["changed"] and result["diff"]["before"] == result["diff"]["after"]
    assert sites.questions() == ([], ["HEAD manifests 1.0.0", *LOCK, "HEAD manifests OPERATOR"])
    assert sites.path.stat().st_mtime_ns == before


def test_into_one_archive(sites: Sites) -> None:
    check = sites.to_archive(check_mode=True)
    assert sites.questions() == (LOCK, []) and check["changed"] and not sites.archive.exists()
    real = sites.to_archive()
    assert real == check and sites.questions() == (LOCK, [])
    assert real["carvel_package_copy"]["content"] == sites.text() and real["carvel_package_copy"]["archive"] == str(sites.archive)
    assert sites.archive.stat().st_mode & 0o777 == 0o644 and sites.files == ["bin", "goods.tar", "package.tar", "package.yaml"]
    assert sites.runs[0]["args"][:2] == ["copy", "--lock"] and list(sites.runs[0]["auths"]) == [sites.source.address]
    assert named(sites) == {"image": f"{sites.origin}@{sites.bundle.digest}", "tag": "1.0.0"}


@pytest.mark.parametrize("check_mode", [True, False])
def test_an_archive_that_holds_it_needs_no_registry(sites: Sites, check_mode: bool) -> None:
    sites.archived()
    result = sites.to_archive(check_mode)
    assert not result["changed"] and sites.questions() == ([], []) and not sites.runs
    assert result["carvel_package_copy"]["bundle"] == f"{sites.origin}@{sites.bundle.digest}"
    assert [image["digest"] for image in result["carvel_package_copy"]["images"]] == [OPERATOR.digest]


def test_an_archive_with_the_yaml_of_before_is_replaced(sites: Sites) -> None:
    sites.archived()
    sites.package.write_text(sites.text() + "# added\n")
    assert sites.to_archive(check_mode=True)["changed"]
    result = sites.to_archive()
    assert result["changed"] and result["diff"]["after"]["content"][-1] == "# added"
    assert not sites.to_archive(check_mode=True)["changed"]


def test_out_of_the_archive(sites: Sites) -> None:
    sites.archived()
    check = sites.from_archive(check_mode=True)
    assert sites.questions() == ([], NOTHING)
    real = sites.from_archive()
    assert real == check and sites.path.read_text() == sites.text(f"{sites.target}@{sites.bundle.digest}")
    assert sites.questions() == ([], [*NOTHING, *HERE, *ALL])
    run = sites.runs[0]
    assert run["args"][:5] == ["copy", "--tar", str(sites.archive), "--to-repo", sites.target] and list(run["auths"]) == [sites.mirror.address]
    again = sites.from_archive()
    assert not again["changed"] and sites.questions() == ([], ALL) and not sites.runs


def test_imgpkg_gets_logins_and_authorities_by_its_environment(sites: Sites) -> None:
    authority = pathlib.Path(certs.where()).read_text().split("-----END CERTIFICATE-----")[0] + "-----END CERTIFICATE-----\n"
    for name in ("inside", "outside"):
        (sites.folder / name).write_text(f"# {name}\n{authority}")
    # The registries of this test speak no TLS; what they are told is of no account.
    sites.across(source_ca_path=sites.folder / "outside", registry_ca_path=sites.folder / "inside")
    run = sites.runs[0]
    assert run["args"][:5] == ["copy", "--lock", "bundle.yml", "--to-repo", sites.target]
    assert run["args"][7:] == ["--registry-ca-cert-path", str(sites.folder / "outside"), "--registry-ca-cert-path", str(sites.folder / "inside")]
    logins = {host: base64.b64decode(entry["auth"]).decode() for host, entry in run["auths"].items()}
    assert logins == {sites.source.address: READER, sites.mirror.address: BUILDER}
    assert run["ca"] == f"# outside\n{authority}\n# inside\n{authority}"
    assert "Secret" not in json.dumps([run["args"], run["environment"]])
    assert sorted(path.name for path in (sites.folder / "bin").iterdir()) == ["goods", "imgpkg", "runs"], "no temporary folder is left"


@pytest.mark.parametrize(("options", "flags"), [
    ({"source_validate_certs": False}, [True, False]),
    ({"registry_validate_certs": False}, [False, True]),
    ({"source_validate_certs": False, "registry_validate_certs": False}, [True]),
])
def test_certificates_go_unverified_only_where_that_was_asked_for(sites: Sites, options: dict, flags: list[bool]) -> None:
    """imgpkg has one answer for both registries of a run, so it takes two runs."""
    assert sites.across(**options)["changed"]
    assert ["--registry-verify-certs=false" in run["args"] for run in sites.runs] == flags
    if len(flags) == 2:
        assert [list(run["auths"]) for run in sites.runs] == [[sites.source.address], [sites.mirror.address]]
    assert not list((sites.folder / "bin").glob("vcf-ray-*"))


def test_a_tag_that_was_moved(sites: Sites) -> None:
    """The bundle is there, and its version names another one: that is not set right unasked."""
    sites.copied()
    other = shelf.Image(b"another")
    sites.mirror.content |= other.on("inside/bundle", "1.0.0")
    with pytest.raises(RayError, match=f"{sites.target}:1.0.0 is in the registry already, as {other.digest}"):
        sites.across()
    assert sites.across(overwrite=True)["changed"] and named(sites)["tag"] == "1.0.0"
    assert not sites.across()["changed"]


def test_a_bundle_that_lost_its_tag_is_there_by_its_digest(sites: Sites) -> None:
    sites.copied()
    sites.across()
    del sites.mirror.content["/v2/inside/bundle/manifests/1.0.0"]
    assert not sites.across()["changed"]


def test_a_package_that_names_its_bundle_by_tag(sites: Sites) -> None:
    sites.package.write_text(sites.text(f"{sites.origin}:1.0.0"))
    sites.copied()
    result = sites.across()
    assert sites.questions()[0] == ["HEAD manifests 1.0.0"]
    assert f"image: {sites.target}@{sites.bundle.digest}   # the bundle" in result["carvel_package_copy"]["content"]


def test_a_package_that_is_at_its_new_place_already(sites: Sites) -> None:
    sites.copied()
    sites.package.write_text(sites.text(f"{sites.target}@{sites.bundle.digest}"))
    assert not sites.across(path=sites.package)["changed"] and sites.questions()[0] == []


def test_a_copy_that_was_cut_short_is_brought_to_its_end(sites: Sites) -> None:
    sites.mirror.content |= sites.bundle.on("inside/bundle")
    result = sites.across()
    assert result["changed"] and result["diff"]["before"]["images"] == [] and len(sites.runs) == 1
    sites.path.write_text("edited\n")
    result = sites.across()
    assert result["changed"] and result["diff"]["before"]["content"] == ["edited"] and not sites.runs


def test_what_is_not_there_after_the_copy(sites: Sites) -> None:
    sites.goods(sites.bundle)
    with pytest.raises(RayError, match=f"The copy of the package .* in {sites.target} lacks {OPERATOR.digest}") as caught:
        sites.across()
    assert caught.value.code == "FAILED" and not sites.path.exists()
    sites.rows = sites.rows[1:]
    sites.goods()
    with pytest.raises(RayError, match="does not hold the image .*/ray/operator@"):
        sites.to_archive()
    assert "package.tar" not in sites.files and not [name for name in sites.files if name.startswith(".")]


@pytest.mark.parametrize("check_mode", [True, False])
def test_another_bundle_of_this_version(sites: Sites, check_mode: bool) -> None:
    other = shelf.Image(b"another")
    sites.mirror.content |= other.on("inside/bundle", "1.0.0")
    with pytest.raises(RayError, match=f"{sites.target}:1.0.0 is in the registry already, as {other.digest}, and this version of the package") as caught:
        sites.across(check_mode)
    assert caught.value.code == "CONFLICT" and "overwrite: true" in caught.value.hint and not sites.runs and not sites.path.exists()
    result = sites.across(check_mode, overwrite=True)
    assert result["changed"] and result["diff"]["before"]["digest"] == other.digest and len(sites.runs) == (not check_mode)


def test_a_version_that_is_no_tag(sites: Sites) -> None:
    sites.package.write_text(sites.text(version="1.0.0+7"))
    sites.across(check_mode=True)
    assert "HEAD manifests 1.0.0_7" in sites.questions()[1]


def unknown(sites: Sites, words: str, run: t.Callable[..., dict], **options: t.Any) -> RayError:
    """In check mode it is for an earlier task to make it, else an error."""
    result = run(check_mode=True, **options)
    assert result["changed"] and len(result["unknown"]) == 1 and words in result["unknown"][0], result
    with pytest.raises(RayError) as caught:
        run(**options)
    assert caught.value.message == result["unknown"][0] and not sites.runs
    return caught.value


def test_what_an_earlier_task_would_make(sites: Sites) -> None:
    assert "path where the task runs" in unknown(sites, "The package /none/p.yaml is not there", sites.across, package="/none/p.yaml").hint
    unknown(sites, "package.tar is not there", sites.from_archive)
    unknown(sites, "The folder /none/here for out.yaml is not there", sites.across, path="/none/here/out.yaml")
    unknown(sites, "The folder /none/here for out.tar is not there", sites.to_archive, archive="/none/here/out.tar")
    sites.source.content.clear()
    for run in (sites.across, sites.to_archive):
        unknown(sites, f"The package ray-on-vcf.broadcom.com 1.0.0 is not in its registry: {sites.origin}@{sites.bundle.digest} is not there", run)
    sites.package.write_text(sites.text(f"{sites.origin}:1.0.0"))
    unknown(sites, f"{sites.origin}:1.0.0 is not there", sites.across)


def test_without_imgpkg_nothing_is_begun(sites: Sites, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/none")
    for run in (sites.across, sites.to_archive):
        for check_mode in (True, False):
            with pytest.raises(RayError, match="no imgpkg is on the PATH") as caught:
                run(check_mode)
            assert "https://carvel.dev/imgpkg/" in caught.value.hint
    assert sites.across(check_mode=True, imgpkg_path=sites.folder / "bin/imgpkg")["changed"]


def test_a_refused_login_names_its_own_options(sites: Sites) -> None:
    sites.source.login = "somebody:else"
    with pytest.raises(RayError) as caught:
        sites.across()
    assert caught.value.code == "AUTH" and sites.source.address in caught.value.message and "source_username" in caught.value.hint
    sites.source.login, sites.mirror.login, sites.mirror.forbids = READER, "somebody:else", True
    with pytest.raises(RayError) as caught:
        sites.across()
    assert caught.value.code == "AUTH" and sites.mirror.address in caught.value.message


def test_what_imgpkg_says(sites: Sites) -> None:
    (sites.folder / "bin/words").write_text("imgpkg: Error: x509: certificate signed by unknown authority")
    bundle = f"{sites.origin}@{sites.bundle.digest}"
    with pytest.raises(RayError, match=f"The copy of the bundle {bundle} to {sites.target} failed .*unknown authority") as caught:
        sites.across()
    assert "source_ca_path or registry_ca_path" in caught.value.hint and not sites.path.exists()
    with pytest.raises(RayError, match="unknown authority"):
        sites.to_archive()
    assert sites.files == ["bin", "goods.tar", "package.yaml"]


@pytest.mark.parametrize(("options", "words"), [
    ({"archive": "a.tar"}, "Two of package, archive and bundle"),
    ({"package": "p.yaml", "archive": "a.tar", "bundle": "registry.example.com/x", "path": "y"}, "Two of package, archive and bundle"),
    ({"package": "p.yaml", "bundle": "registry.example.com/x:1", "path": "y"}, "more than a repository"),
    ({"package": "p.yaml", "bundle": "x", "path": "y"}, "does not begin with the host of a registry"),
    ({"package": "/", "bundle": "registry.example.com/x", "path": "y"}, "/ is a folder"),
    ({"package": "p.yaml", "bundle": "registry.example.com/x", "path": "/"}, "/ is a folder"),
])
def test_options_that_will_not_do(sites: Sites, options: dict, words: str) -> None:
    with pytest.raises(RayError, match=words) as caught:
        sites.run(**options)
    assert caught.value.code == "INPUT"


def test_an_archive_that_is_something_else_is_not_written_over(sites: Sites) -> None:
    sites.archive.write_text("my notes")
    with pytest.raises(RayError, match="is no tar") as caught:
        sites.to_archive()
    assert "It is not written over" in caught.value.hint and sites.archive.read_text() == "my notes"


def test_an_archive_for_another_package_than_its_bundle(sites: Sites) -> None:
    sites.tar("package.tar", package__yaml=sites.text(f"{sites.origin}@sha256:{'1' * 64}").encode())
    with pytest.raises(RayError, match=f"holds the bundle {sites.bundle.digest}, but its package is for"):
        sites.from_archive()
