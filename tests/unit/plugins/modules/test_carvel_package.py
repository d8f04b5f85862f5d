# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""carvel_package: every run of a program and every question to a registry, with programs that answer as the real ones were seen to."""

from __future__ import annotations

import json
import pathlib
import sys
import typing as t
from contextlib import nullcontext

import pytest
import yaml

from ansible_collections.vcf.ray.plugins.module_utils._clients.reference import Reference
from ansible_collections.vcf.ray.plugins.module_utils._errors import RayError
from ansible_collections.vcf.ray.plugins.modules import carvel_package
from ansible_collections.vcf.ray.tests.unit.plugins.conversation import task_for
from ansible_collections.vcf.ray.tests.unit.plugins.scripted import Scripted

PROGRAM = '''#!{python}
import hashlib, json, os, pathlib, stat, sys
here, name, args = pathlib.Path(__file__).parent, pathlib.Path(__file__).name, sys.argv[1:]
value = lambda option: args[args.index(option) + 1]
with open(here / "runs", "a") as log:
    log.write(json.dumps([name, args, {{k: v for k, v in os.environ.items() if k in ("DOCKER_CONFIG", "IMGPKG_USERNAME")}}]) + "\\n")
if name == "ytt" and "--output-files" in args:
    out = pathlib.Path(value("--output-files"))
    out.mkdir()
    for file in pathlib.Path("config").glob("*"):
        text = file.read_text()
        if "#@data/values-schema" not in text:
            namespace = value("--data-value").partition("=")[2]
            (out / file.name).write_text(text.replace("(@= data.values.namespace @)", namespace).replace("#@ data.values.namespace", namespace))
elif name == "ytt":
    names = [line.partition(":")[0] for file in pathlib.Path("config").glob("*") if "values-schema" in file.read_text()
             for line in file.read_text().splitlines() if line[0].isalpha()]
    print(json.dumps({{"components": {{"schemas": {{"dataValues": {{"type": "object", "properties": dict.fromkeys(names, {{"type": "string"}})}}}}}}}}))
elif "--imgpkg-lock-output" in args:
    import yaml
    config = yaml.safe_load(open("overrides.yml"))
    rows = [{{"image": row["newImage"], "annotations": {{"kbld.carvel.dev/id": row["image"]}}}} for row in config["overrides"]]
    open(value("--imgpkg-lock-output"), "w").write(yaml.safe_dump({{"apiVersion": "imgpkg.carvel.dev/v1alpha1", "kind": "ImagesLock", "images": rows}}))
elif name == "kbld":
    import yaml
    text = sys.stdin.read()
    for row in yaml.safe_load(open("images.yml"))["images"]:
        text = text.replace(row["annotations"]["kbld.carvel.dev/id"], row["image"])
    print(text)
elif "refused" in value("-b"):
    sys.exit("imgpkg: Error: Writing '" + value("-b") + "':\\n  " + os.environ["SAYS"])
else:
    folder = pathlib.Path(value("-f"))
    paths = [folder, *folder.rglob("*")]
    found = sorted((str(p.relative_to(folder)), stat.filemode(p.stat().st_mode), p.read_text() if p.is_file() else "") for p in paths)
    json.dump([list(row[:2]) for row in found], open(here / "pushed", "w"))
    digest = hashlib.sha256(json.dumps(found).encode()).hexdigest()
    repository = value("-b").rpartition(":")[0]
    open(value("--lock-output"), "w").write(f"kind: BundleLock\\nbundle: {{{{image: {{repository}}@sha256:{{digest}}, tag: x}}}}\\n")
'''
HOST, SECRET = "registry.example.com", "Secret-Reg1"
IMAGE = f"{HOST}/ray/operator@sha256:{'1' * 64}"
TAGGED, TAG = Reference.parse(f"{HOST}/ray/operator:1.0"), Reference.parse(f"{HOST}/ray/bundle:1.0.1")
MANIFESTS = """\
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: ray, namespace: vmware-system-rayclusterop}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: ray, namespace: vmware-system-rayclusterop}
spec: {template: {spec: {containers: [{name: manager, image: "vmray-cluster-controller:latest"}]}}}
"""
START: list = [("login_at", (HOST,), None), ("environment", (), nullcontext({"DOCKER_CONFIG": "/logins"}))]
FOUND = ("digest", (TAGGED,), "sha256:" + "1" * 64)


class Place:
    """A folder with programs, manifests and room for the package."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        for name in ("ytt", "kbld", "imgpkg"):
            (folder / name).write_text(PROGRAM.format(python=sys.executable))
            (folder / name).chmod(0o755)
        (folder / "manifests.yml").write_text(MANIFESTS)

    def run(self, *script: tuple, check_mode: bool = False, start: list | None = None, ca_path: str = "/ca.pem", **options: t.Any) -> dict:
        """What the module does while the registries answer as in the script, which is followed to its end."""
        (self.folder / "runs").write_text("")
        programs = {f"{name}_path": str(self.folder / name) for name in ("ytt", "kbld", "imgpkg")}
        given = {"manifests": str(self.folder / "manifests.yml"), "image": str(TAGGED), "bundle": TAG.name, "version": "1.0.1",
                 "path": str(self.folder / "package.yaml"), "registry_username": "builder", "registry_password": SECRET, **programs, **options}
        registries = Scripted([*(START if start is None else start), *script], ca_path=ca_path, validate_certs=True)
        try:
            return carvel_package.ensure(task_for(carvel_package, check_mode, **given), registries)
        finally:
            registries.done()

    @property
    def runs(self) -> list[str]:
        return [f"{name} {args[0]}" for name, args, _environment in self.told]

    @property
    def told(self) -> list:
        return [json.loads(line) for line in (self.folder / "runs").read_text().splitlines()]

    @property
    def text(self) -> str | None:
        file = self.folder / "package.yaml"
        return file.read_text() if file.exists() else None


@pytest.fixture(name="place")
def _place(tmp_path: pathlib.Path) -> Place:
    return Place(tmp_path)


LOOK = ["ytt -f", "ytt -f", "kbld -f", "kbld -f", "imgpkg push"]


def planned(place: Place, **options: t.Any) -> str:
    """The digest that check mode tells."""
    return place.run(FOUND, ("digest", (TAG,), None), check_mode=True, **options)["carvel_package"]["digest"]


def test_check_mode_tells_all_and_writes_nothing(place: Place) -> None:
    result = place.run(FOUND, ("digest", (TAG,), None), check_mode=True)
    told = result["carvel_package"]
    assert result["changed"] and place.runs == LOOK and place.text is None
    assert told["images"] == [{"id": "vmray-cluster-controller:latest", "image": IMAGE}]
    assert told["bundle"] == f"{HOST}/ray/bundle@{told['digest']}" and told["tag"] == f"{HOST}/ray/bundle:1.0.1"
    assert result["diff"]["before"] == {} and result["diff"]["after"]["content"] == told["content"].splitlines()


def test_the_real_run_does_what_check_mode_says(place: Place) -> None:
    check = place.run(FOUND, ("digest", (TAG,), None), check_mode=True)
    digest = check["carvel_package"]["digest"]
    real = place.run(FOUND, ("digest", (TAG,), None), ("digest", (TAG,), digest))
    assert real == check and place.text == real["carvel_package"]["content"]
    assert place.runs == [*LOOK, "imgpkg push"]
    package = list(yaml.safe_load_all(place.text))[1]
    assert package["spec"]["template"]["spec"]["fetch"] == [{"imgpkgBundle": {"image": f"{HOST}/ray/bundle@{digest}"}}]


def test_again_nothing_is_pushed_or_written(place: Place) -> None:
    digest = planned(place)
    place.run(FOUND, ("digest", (TAG,), None), ("digest", (TAG,), digest))
    before = (place.folder / "package.yaml").stat().st_mtime_ns
    result = place.run(FOUND, ("digest", (TAG,), digest))
    assert not result["changed"] and place.runs == LOOK and result["diff"]["before"] == result["diff"]["after"]
    assert (place.folder / "package.yaml").stat().st_mtime_ns == before


def test_a_run_that_was_cut_between_push_and_file_is_brought_to_its_end(place: Place) -> None:
    digest = planned(place)
    assert place.run(FOUND, ("digest", (TAG,), digest), ("digest", (TAG,), digest))["changed"]
    assert place.runs == LOOK and digest in (place.text or "")
    (place.folder / "package.yaml").write_text("edited")
    assert place.run(FOUND, ("digest", (TAG,), digest), ("digest", (TAG,), digest))["diff"]["before"]["content"] == ["edited"]


def test_what_is_in_the_bundle_and_how_the_tools_are_called(place: Place) -> None:
    digest = planned(place)
    place.run(FOUND, ("digest", (TAG,), None), ("digest", (TAG,), digest))
    assert json.loads((place.folder / "pushed").read_text()) == [
        [".", "drwxr-xr-x"], [".imgpkg", "drwxr-xr-x"], [".imgpkg/images.yml", "-rw-r--r--"], ["config", "drwxr-xr-x"],
        ["config/manifests.yml", "-rw-r--r--"], ["config/schema.yml", "-rw-r--r--"]]
    name, args, environment = place.told[-1]
    assert args[:3] == ["push", "-b", f"{HOST}/ray/bundle:1.0.1"] and args[-2:] == ["--registry-ca-cert-path", "/ca.pem"]
    assert environment == {"DOCKER_CONFIG": "/logins"}
    # No login of the user goes to the registry that only tells the digest, nor asks it a program that hands out logins.
    name, args, environment = place.told[4]
    assert name == "imgpkg" and args[2].startswith("127.0.0.1:") and environment["DOCKER_CONFIG"] != "/logins"
    assert SECRET not in json.dumps(place.told)


def test_other_content_of_a_version_is_refused_unless_it_may_be_replaced(place: Place) -> None:
    other = "sha256:" + "2" * 64
    for check_mode in (True, False):
        with pytest.raises(RayError, match=f"{HOST}/ray/bundle:1.0.1 is {other}, and this one sha256:") as caught:
            place.run(FOUND, ("digest", (TAG,), other), check_mode=check_mode)
        assert caught.value.code == "CONFLICT" and "overwrite" in caught.value.hint and place.text is None
    digest = planned(place)
    result = place.run(FOUND, ("digest", (TAG,), other), ("digest", (TAG,), digest), overwrite=True)
    assert result["changed"] and result["diff"]["before"]["digest"] == other and result["diff"]["before"]["images"] is None


def test_for_those_who_only_read(place: Place) -> None:
    result = place.run(FOUND, ("digest", (TAG,), None), check_mode=True, bundle_read_only="packages.example.com/x/bundle")["carvel_package"]
    assert result["bundle"].startswith("packages.example.com/x/bundle@sha256:") and result["bundle"] in result["content"]
    assert result["tag"] == f"{HOST}/ray/bundle:1.0.1"


@pytest.mark.parametrize(("options", "words"), [
    ({"version": "v1.0"}, "no semantic version"),
    ({"name": "ray"}, "cannot be that of a package"),
    ({"bundle": f"{HOST}/ray/bundle:1"}, "is more than a repository"),
    ({"image": "operator"}, "does not begin with the host of a registry"),
    ({"bundle_read_only": f"{HOST}/x@sha256:{'1' * 64}"}, "bundle_read_only .* is more than a repository"),
])
def test_wrong_options_are_told_before_anything_is_done(place: Place, options: dict, words: str) -> None:
    with pytest.raises(RayError, match=words) as caught:
        place.run(start=[], **options)
    assert caught.value.code == "INPUT" and place.runs == []


def test_all_programs_that_are_missing_are_named_at_once(place: Place) -> None:
    with pytest.raises(RayError, match="ytt and imgpkg cannot be run here") as caught:
        place.run(ytt_path="/no/ytt", imgpkg_path="/no/imgpkg")
    assert "https://carvel.dev/ytt/" in caught.value.hint and "https://carvel.dev/imgpkg/" in caught.value.hint
    with pytest.raises(RayError, match="kbld cannot be run here"):
        place.run(kbld_path="/no/kbld", manifests="/built/later", check_mode=True)


def test_an_image_that_is_not_there_yet(place: Place) -> None:
    gone = ("digest", (TAGGED,), None)
    result = place.run(gone, ("digest", (TAG,), "sha256:" + "3" * 64), check_mode=True)
    assert result["changed"] and result["unknown"] == [f"The registry {HOST} has no image {TAGGED}."] and place.runs == []
    assert result["carvel_package"] == {"name": "ray-on-vcf.broadcom.com", "version": "1.0.1", "tag": str(TAG), "path": str(place.folder / "package.yaml")}
    with pytest.raises(RayError, match=f"The registry {HOST} has no image"):
        place.run(gone, ("digest", (TAG,), None))


def test_an_image_by_digest_that_is_not_there_yet_makes_a_digest_all_the_same(place: Place) -> None:
    image = Reference.parse(IMAGE)
    gone = ("has", (image, image.digest), False)
    result = place.run(gone, ("digest", (TAG,), None), check_mode=True, image=IMAGE)
    assert result["unknown"] and result["carvel_package"]["digest"] == planned(place)
    with pytest.raises(RayError, match="has no image"):
        place.run(gone, ("digest", (TAG,), None), image=IMAGE)
    assert place.text is None


def test_manifests_and_folders_that_an_earlier_task_makes(place: Place) -> None:
    result = place.run(("digest", (TAG,), None), check_mode=True, manifests="/no/manifests")
    assert result["unknown"] == ["The manifests /no/manifests are not there."]
    result = place.run(FOUND, ("digest", (TAG,), None), check_mode=True, path=str(place.folder / "no/package.yaml"))
    assert "is not there" in result["unknown"][0] and result["carvel_package"]["digest"] == planned(place)


def test_the_login_of_another_registry_is_another_one(place: Place) -> None:
    image = Reference.parse("other.example.com/ray/operator:1.0")
    refused = RayError("Registry other.example.com wants a login.", code="AUTH", hint="Give registry_username.")
    with pytest.raises(RayError) as caught:
        place.run(("digest", (image,), refused), image=str(image))
    assert "Log in at other.example.com with docker or podman" in caught.value.hint


def test_a_file_of_authorities_named_from_the_users_folder(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place.folder)
    place.run(FOUND, ("digest", (TAG,), None), check_mode=True, ca_path="ca.pem")
    assert {args[args.index("--registry-ca-cert-path") + 1] for name, args, _environment in place.told if name == "kbld"} == {str(place.folder / "ca.pem")}


def test_no_program_asks_a_registry_that_refused_the_login(place: Place) -> None:
    with pytest.raises(RayError, match="refuses the login"):
        place.run(FOUND, ("digest", (TAG,), RayError(f"Registry {HOST} refuses the login of builder.", code="AUTH")))
    assert place.runs == []


@pytest.mark.parametrize(("manifests", "options", "words"), [
    (MANIFESTS * 2, {}, "more than once: ServiceAccount ray twice in manifests.yml"),
    (MANIFESTS, {"manifests_image": "other:latest"}, "no image other:latest. They name: vmray-cluster-controller:latest"),
    (MANIFESTS + "#@ None\n", {}, "vmware-system-rayclusterop is written into ServiceAccount ray at metadata.namespace"),
    (MANIFESTS.replace("name: ray, namespace: vmware", "name: ray, namespace: my", 1), {}, r"ServiceAccount ray at metadata.namespace \(my-system"),
    (MANIFESTS.replace("kind: Deployment", "kind: [x]"), {}, "is no Kubernetes object"),
    (MANIFESTS.replace("spec: {template", "x: {image: 'side:1'}\nspec: {template"), {}, "no digest for side:1"),
])
def test_what_renders_to_something_wrong_is_never_pushed(place: Place, manifests: str, options: dict, words: str) -> None:
    (place.folder / "manifests.yml").write_text(manifests)
    with pytest.raises(RayError, match=words):
        place.run(FOUND, ("digest", (TAG,), None), **options)
    assert "imgpkg push" not in place.runs and place.text is None


def test_a_schema_of_the_manifests_own(place: Place) -> None:
    own = "#@data/values-schema\n---\nnamespace: theirs\nlevel: info\n"
    (place.folder / "manifests.yml").unlink()
    (place.folder / "schema.yml").write_text(own)
    (place.folder / "all.yml").write_text(MANIFESTS)
    folder = {"manifests": str(place.folder)}
    result = place.run(FOUND, ("digest", (TAG,), None), check_mode=True, **folder)
    package = list(yaml.safe_load_all(result["carvel_package"]["content"]))[1]
    assert list(package["spec"]["valuesSchema"]["openAPIv3"]["properties"]) == ["namespace", "level"]
    (place.folder / "schema.yml").write_text(own.replace("namespace", "space"))
    with pytest.raises(RayError, match="there is no namespace in it"):
        place.run(FOUND, ("digest", (TAG,), None), **folder)
    assert place.runs == ["ytt -f"]


@pytest.mark.parametrize(("says", "code", "hint"), [
    ("DENIED: requested access to the resource is denied", "AUTH", "ask who runs the registry"),
    ("HEAD https://x/v2/: unexpected status code 401 Unauthorized (HEAD responses have no body)", "AUTH", "not tried again"),
    ("tls: failed to verify certificate: x509: certificate signed by unknown authority", "TLS", "registry_ca_path"),
    ("HEAD https://x/v2/: unexpected status code 503 Service Unavailable", "FAILED", "Run it again"),
], ids=["right", "login", "ca", "other"])
def test_a_push_that_fails_says_what_was_asked_and_what_to_do(place: Place, monkeypatch: pytest.MonkeyPatch, says: str, code: str, hint: str) -> None:
    monkeypatch.setenv("SAYS", says)
    refused = Reference.parse(f"{HOST}/refused/bundle:1.0.1")
    with pytest.raises(RayError, match=r"(?s)The push of the bundle to .*/refused/bundle:1.0.1 failed ") as caught:
        place.run(FOUND, ("digest", (refused,), None), bundle=refused.name)
    assert says in caught.value.message and hint in caught.value.hint and caught.value.code == code and place.text is None
