# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""container_image: what is asked of the registry, what is called with which arguments, and what is said of an archive that will not do."""

from __future__ import annotations

import hashlib
import io
import json
import pathlib
import sys
import tarfile
import typing as t

import pytest

from ansible_collections.vcf.ray.plugins.module_utils._clients.reference import Reference
from ansible_collections.vcf.ray.plugins.module_utils._clients.registry import Registries
from ansible_collections.vcf.ray.plugins.module_utils._errors import RayError
from ansible_collections.vcf.ray.plugins.modules import container_image
from ansible_collections.vcf.ray.tests.unit.plugins.conversation import task_for
from ansible_collections.vcf.ray.tests.unit.plugins.scripted import Scripted

IMAGE = "registry.example.com/ray/operator:1"
REF = Reference.parse(IMAGE)
CONFIG = b'{"architecture": "amd64"}'
IMAGE_ID = f"sha256:{hashlib.sha256(CONFIG).hexdigest()}"
DIGEST, OTHER = "sha256:" + "d" * 64, "sha256:" + "e" * 64
THERE = {"schemaVersion": 2, "digest": DIGEST, "config": {"digest": IMAGE_ID}}
PASSWORD = "Not-in-argv-1"
# Notes how it was called and what it found, as one line of JSON.
NOTED = """#!{python}
import json, os, sys, tarfile
name = os.path.basename(sys.argv[0])
entry = {{"call": [name, *sys.argv[1:]], "env": {{k: v for k, v in os.environ.items() if k in ("DOCKER_CONFIG", "SSL_CERT_FILE", "REGISTRY_AUTH_FILE")}}}}
if os.path.exists(entry["env"]["DOCKER_CONFIG"]):
    entry["auths"] = json.load(open(entry["env"]["DOCKER_CONFIG"] + "/config.json"))["auths"]
tars = [a for a in sys.argv if a.endswith(".tar") and os.path.isfile(a)]
if tars:
    entry["rows"] = json.loads(tarfile.open(tars[0], "r:").extractfile("manifest.json").read())
    entry["members"] = sorted(tarfile.open(tars[0], "r:").getnames())
open({log!r}, "a").write(json.dumps(entry) + "\\n")
{then}
"""


class Tools:
    """Programs of the test's own on the PATH, and how they were called."""

    def __init__(self, folder: pathlib.Path) -> None:
        self._folder, self._log = folder, folder / "log"

    def make(self, name: str, then: str = "") -> None:
        file = self._folder / name
        file.write_text(NOTED.format(python=sys.executable, log=str(self._log), then=then))
        file.chmod(0o755)

    @property
    def entries(self) -> list[dict]:
        return [json.loads(line) for line in self._log.read_text().splitlines()] if self._log.exists() else []

    @property
    def calls(self) -> list[str]:
        return [" ".join(entry["call"]).replace(str(self._folder), "") for entry in self.entries]


@pytest.fixture(name="tools")
def fixture_tools(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Tools:
    """None of the system's programs is on the PATH, and there is no login."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "no-login"))
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    return Tools(tmp_path / "bin")


def archive_of(path: pathlib.Path, *images: tuple[list[str], bytes], packed: str = "", folder: str = "", **more: bytes) -> str:
    """An archive with images (names, configuration), the manifest at its end as docker has it."""
    rows = [{"Config": f"{folder}{hashlib.sha256(config).hexdigest()}{'' if folder else '.json'}", "RepoTags": names, "Layers": ["l/layer.tar"]}
            for names, config in images]
    members = {row["Config"]: config for row, (_names, config) in zip(rows, images)}
    with tarfile.open(path, f"w:{packed}") as archive:
        for name, content in {**members, "l/layer.tar": b"layer", **more, **({"manifest.json": json.dumps(rows).encode()} if rows else {})}.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return str(path)


@pytest.fixture(name="archive")
def fixture_archive(tmp_path: pathlib.Path) -> str:
    return archive_of(tmp_path / "operator.tar.gz", (["operator:latest"], CONFIG), packed="gz")


class Fake(Registries):
    """Registries whose answers follow a script; what the tools get is made by the real code."""

    def __init__(self, *answers: dict | None, **options: t.Any) -> None:
        super().__init__(options.pop("username", None), PASSWORD, **options)
        self._script = Scripted([("manifest", ..., answer) for answer in answers])
        self.done = self._script.done

    def manifest(self, ref: Reference) -> dict | None:
        return self._script.manifest(ref)

    def at(self, registry: str) -> t.Any:
        return Scripted([], plain=registry.startswith("localhost"))


def run(archive: str, *answers: dict | None, check_mode: bool = False, registries: dict | None = None, **options: t.Any) -> dict:
    fake = Fake(*answers, **(registries or {}))
    try:
        return container_image.ensure(task_for(container_image, check_mode, **{"archive": archive, "image": IMAGE, **options}), fake)
    finally:
        fake.done()


def test_what_is_there_is_found_out_without_a_tool(tools: Tools, archive: str) -> None:
    for check_mode in (True, False):
        result = run(archive, THERE, check_mode=check_mode)
        assert not result["changed"]
        assert result["container_image"] == {"image": IMAGE, "image_id": IMAGE_ID, "digest": DIGEST, "reference": f"{REF.name}@{DIGEST}", "tool": None}
    assert tools.calls == []


def test_an_image_in_a_list_beside_what_docker_attests_of_it(tools: Tools, archive: str) -> None:
    index = {"digest": DIGEST, "manifests": [{"digest": OTHER, "annotations": {"vnd.docker.reference.type": "attestation-manifest"}},
                                             {"digest": "sha256:arm"}, {"digest": "sha256:amd"}]}
    result = run(archive, index, {"config": {"digest": OTHER}}, {**THERE, "digest": "sha256:amd"})
    assert not result["changed"] and result["container_image"]["digest"] == DIGEST


def test_crane_gets_the_archive_unpacked_and_no_secret(tools: Tools, archive: str, tmp_path: pathlib.Path) -> None:
    tools.make("crane", f"print({DIGEST!r}) if sys.argv[1] == 'digest' else None")
    (tmp_path / "ca.pem").write_text("authority")
    login = {"username": "me", "ca_path": str(tmp_path / "ca.pem")}
    told = run(archive, None, check_mode=True, registries=login)
    made = run(archive, None, THERE, registries=login)
    assert told == made and made["changed"] and made["container_image"]["digest"] == DIGEST and made["container_image"]["tool"] == "crane"
    assert [entry["call"][1] for entry in tools.entries] == ["digest", "digest", "push"]
    push = tools.entries[-1]
    assert push["call"][3] == IMAGE and len(push["call"]) == 4 and push["rows"][0]["RepoTags"] == ["operator:latest"]
    assert PASSWORD not in json.dumps([entry["call"] for entry in tools.entries])
    assert list(push["auths"]) == [REF.registry] and set(push["env"]) == {"DOCKER_CONFIG", "REGISTRY_AUTH_FILE", "SSL_CERT_FILE"}
    assert sorted(p.name for p in tmp_path.iterdir()) == ["bin", "ca.pem", "operator.tar.gz"]


def test_a_plain_archive_goes_to_crane_as_it_is(tools: Tools, tmp_path: pathlib.Path) -> None:
    tools.make("crane", f"print({DIGEST!r})")
    archive = archive_of(tmp_path / "operator.tar", ([], CONFIG))
    run(archive, None, THERE, tool="crane", executable=str(tmp_path / "bin/crane"), registries={"validate_certs": False})
    assert tools.calls[-1] == f"crane push --insecure {archive} {IMAGE}" and tools.entries[-1]["env"] == {"DOCKER_CONFIG": str(tmp_path / "no-login")}


def test_docker_counts_only_with_its_daemon(tools: Tools, archive: str) -> None:
    tools.make("docker", "sys.exit('Cannot connect to the Docker daemon.')")
    with pytest.raises(RayError, match="neither docker nor podman nor crane can be used. docker is there, but its daemon does not answer"):
        run(archive, None)
    with pytest.raises(RayError, match="Cannot connect to the Docker daemon. Start the daemon, or use podman or crane"):
        run(archive, None, tool="docker")
    tools.make("podman")
    assert run(archive, None, check_mode=True)["container_image"]["tool"] == "podman"


def test_docker(tools: Tools, archive: str) -> None:
    tools.make("docker")
    told = run(archive, {**THERE, "digest": OTHER, "config": {"digest": OTHER}}, check_mode=True, overwrite=True)
    assert told["changed"] and told["container_image"] == {"image": IMAGE, "image_id": IMAGE_ID, "digest": None, "reference": None, "tool": "docker"}
    assert told["diff"]["before"]["digest"] == OTHER and told["diff"]["after"]["digest"] == "known after the push"
    assert tools.calls == ["docker version --format {{.Server.Version}}"]
    made = run(archive, None, THERE, registries={"username": "me"})
    assert made["container_image"]["reference"] == f"{REF.name}@{DIGEST}"
    assert tools.calls[2:] == [f"docker load --input {archive}", f"docker tag operator:latest {IMAGE}", f"docker push {IMAGE}"]
    assert list(tools.entries[-1]["auths"]) == [REF.registry]


@pytest.mark.parametrize("check_mode", [True, False])
def test_the_tag_of_another_image_is_not_moved_unasked(tools: Tools, archive: str, check_mode: bool) -> None:
    tools.make("crane")
    with pytest.raises(RayError, match=f"{IMAGE} is another image in the registry: {OTHER}, and that of .* is {IMAGE_ID}"):
        run(archive, {**THERE, "digest": OTHER, "config": {"digest": OTHER}}, check_mode=check_mode)
    assert tools.calls == []


def test_podman(tools: Tools, archive: str, tmp_path: pathlib.Path) -> None:
    tools.make("podman")
    (tmp_path / "ca.pem").write_text("authority")
    run(archive, None, THERE, tool="podman", registries={"username": "me", "ca_path": str(tmp_path / "ca.pem")})
    load, push = tools.entries
    assert load["call"][:3] == ["podman", "load", "--input"] and load["rows"][0]["RepoTags"] == ["operator:latest"]
    assert push["call"][2].startswith("--cert-dir=") and push["call"][3:] == [IMAGE_ID, f"docker://{IMAGE}"] and "REGISTRY_AUTH_FILE" in push["env"]
    run(archive, None, THERE)
    assert tools.calls[-1] == f"podman push {IMAGE_ID} docker://{IMAGE}"
    run(archive, None, THERE, image="localhost:5000/operator:1")
    assert tools.calls[-1] == f"podman push --tls-verify=false {IMAGE_ID} docker://localhost:5000/operator:1"


@pytest.mark.parametrize(("words", "code", "hint"), [
    ("PUT https://registry.example.com/v2/: UNAUTHORIZED: authentication required", "AUTH", "Check registry_username and registry_password"),
    ("DENIED: requested access to the resource is denied", "AUTH", "may push to the repository"),
    ("tls: failed to verify certificate: x509: certificate signed by unknown authority", "TLS", "/etc/docker/certs.d"),
    ("received unexpected HTTP status: 500", "FAILED", None),
])
def test_what_the_tool_says_and_what_to_do(tools: Tools, archive: str, words: str, code: str, hint: str | None) -> None:
    tools.make("docker", f"sys.exit({words!r}) if 'push' in sys.argv else None")
    with pytest.raises(RayError) as caught:
        run(archive, None)
    assert caught.value.code == code
    assert f"The push of the image to {IMAGE} failed (docker, exit code 1): {words}" in caught.value.message
    assert hint is None or hint in caught.value.hint
    assert sum("push" in call for call in tools.calls) == 1


def test_another_image_after_the_push(tools: Tools, archive: str) -> None:
    tools.make("podman")
    with pytest.raises(RayError, match=f"is the image {OTHER} after the push, not {IMAGE_ID}"):
        run(archive, None, {**THERE, "config": {"digest": OTHER}})


def test_an_archive_that_an_earlier_task_would_write(tools: Tools, tmp_path: pathlib.Path) -> None:
    result = run(str(tmp_path / "none.tar"), {**THERE, "config": {"digest": OTHER}}, check_mode=True)
    assert result["changed"] and "There is no image archive" in result["unknown"][0]
    assert result["container_image"]["digest"] is None and result["diff"]["before"]["digest"] == DIGEST
    with pytest.raises(RayError, match="Nothing that can push an image is here"):
        run(str(tmp_path / "none.tar"), None, check_mode=True)
    tools.make("crane")
    assert run(str(tmp_path / "none.tar"), None, check_mode=True)["container_image"] == {
        "image": IMAGE, "image_id": None, "digest": None, "reference": None, "tool": "crane"}
    with pytest.raises(RayError, match="There is no image archive") as caught:
        run(str(tmp_path / "none.tar"), None)
    assert caught.value.code == "INPUT"


def test_the_layout_of_newer_archives(tools: Tools, tmp_path: pathlib.Path) -> None:
    archive = archive_of(tmp_path / "a.tar", (["operator:latest"], CONFIG), folder="blobs/sha256/", **{"index.json": b"{}", "oci-layout": b"{}"})
    assert not run(archive, THERE)["changed"]


@pytest.mark.parametrize("name", [IMAGE, "localhost/ray/operator:7"])
def test_the_one_of_several_that_is_called_like_the_image(tools: Tools, tmp_path: pathlib.Path, name: str) -> None:
    archive = archive_of(tmp_path / "a.tar", (["sidecar:1"], b"{}"), ([name], CONFIG))
    assert not run(archive, THERE)["changed"]
    tools.make("crane", f"print({DIGEST!r})")
    run(archive, None, THERE)
    assert [row["RepoTags"] for row in tools.entries[-1]["rows"]] == [[name]] and "l/layer.tar" in tools.entries[-1]["members"]


@pytest.mark.parametrize("names", [("operator:1", "operator:2"), ("a:1", "b:1")])
def test_several_that_may_be_meant(tmp_path: pathlib.Path, names: tuple[str, str]) -> None:
    archive = archive_of(tmp_path / "a.tar", ([names[0]], b"{}"), ([names[1]], CONFIG))
    with pytest.raises(RayError, match=f"holds 2 images, and it is not plain which one {IMAGE} is: {names[0]}, {names[1]}"):
        run(archive)


def test_archives_that_will_not_do(tmp_path: pathlib.Path, archive: str) -> None:
    text, cut = tmp_path / "text", tmp_path / "cut.tar.gz"
    text.write_text("hello")
    cut.write_bytes(pathlib.Path(archive).read_bytes()[:-60])
    for path, words in ((text, "is no image archive, or not a whole one"), (cut, "is no image archive, or not a whole one"),
                        (tmp_path, "is a folder, not an image archive"),
                        (archive_of(tmp_path / "tar"), "is a tar file, but no image archive"),
                        (archive_of(tmp_path / "oci.tar", **{"index.json": b"{}"}), "is an OCI archive without the manifest.json"),
                        (archive_of(tmp_path / "gap.tar", **{"manifest.json": b'[{"Config": "gone.json"}]'}), "has no configuration 'gone.json'")):
        with pytest.raises(RayError, match=words) as caught:
            run(str(path))
        assert caught.value.code == "INPUT"


@pytest.mark.parametrize(("options", "words"), [
    ({"image": "registry.example.com/ray/operator"}, "has no tag"),
    ({"image": f"{IMAGE}@{DIGEST}"}, "has a digest, which comes of the push"),
    ({"image": "operator:1"}, "does not begin with the host of a registry"),
    ({"executable": "/opt/bin/crane"}, "Say with tool whether it is docker, podman or crane"),
    ({"tool": "crane", "executable": "/none/crane"}, "/none/crane is no file that can be run"),
])
def test_options_that_will_not_do(tools: Tools, archive: str, options: dict, words: str) -> None:
    with pytest.raises(RayError, match=words):
        run(archive, *([None] if "tool" in options else []), **options)


def test_no_room_to_unpack(tools: Tools, archive: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: tarfile.TarFile, *args: object) -> None:
        raise OSError(28, "No space left on device")

    tools.make("crane")
    monkeypatch.setattr(tarfile.TarFile, "addfile", full)
    with pytest.raises(RayError, match="cannot be unpacked to .*No space left on device. Is there room"):
        run(archive, None)
