# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The operator's source: its Makefile makes manifests that ytt renders, and an image that starts with nothing around it."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
import yaml

from vcf_lab import build, namespaces
from vcf_lab.operator_package import PACKAGE, SOURCE

LAB = Path(__file__).parent.parent
PLAIN = {"PATH": "/usr/bin:/bin"}


@pytest.fixture(scope="module")
def tools() -> dict[str, str]:
    """The environment of a builder who has all that the Makefile asks for."""
    if not (build.cache() / "kustomize").exists():
        pytest.skip("no `lab up` has built kustomize and yq yet")
    return {"PATH": f"{build.cache()}:{PLAIN['PATH']}", "OPERATOR_PYTHON": sys.executable, "PYTHONPATH": str(LAB)}


def make(folder: Path, env: dict[str, str], *targets: str) -> subprocess.CompletedProcess[str]:
    shutil.copytree(SOURCE, folder, dirs_exist_ok=True)
    return subprocess.run(["make", "-C", str(folder), *targets], env=env, capture_output=True, text=True)


def rendered(env: dict[str, str], *paths: Path) -> dict[tuple[str, str], dict]:
    words = [word for path in paths for word in ("-f", str(path))]
    done = subprocess.run(
        ["ytt", *words, "-v", "namespace=chosen"], env=env, capture_output=True, text=True, check=True
    )
    return {(found["kind"], found["metadata"]["name"]): found for found in yaml.safe_load_all(done.stdout)}


def test_the_manifests_are_those_of_the_ready_package(tmp_path, tools):
    done = make(tmp_path / "copy", tools, "vsphere-yaml")
    assert done.returncode == 0, done.stderr
    _, package = yaml.safe_load_all(PACKAGE.read_text())
    inline = package["spec"]["template"]["spec"]["fetch"][0]["inline"]["paths"]
    for name, text in inline.items():
        (tmp_path / Path(name).name).write_text(text)
    made = rendered(tools, tmp_path / "copy" / "artifacts" / "ytt-vsphere.yaml")
    assert len(made) == 14
    assert made == rendered(tools, *(tmp_path / Path(name).name for name in inline))
    assert "vmware-system-rayclusterop" not in json.dumps(list(made.values()))


def test_what_is_missing_is_told_at_once_and_nothing_is_made(tmp_path):
    done = make(tmp_path / "copy", PLAIN, "vsphere-yaml")
    assert done.returncode == 2
    assert "vsphere-yaml needs kustomize, yq 4 by Mike Farah" in done.stderr
    done = make(tmp_path / "copy", PLAIN | {"OPERATOR_PYTHON": "/bin/false"}, "create-image-tar")
    assert "set OPERATOR_PYTHON; /bin/false cannot import" in done.stderr
    assert not (tmp_path / "copy" / "artifacts").exists()


@pytest.fixture(scope="module")
def archive(tmp_path_factory, tools) -> Path:
    folder = tmp_path_factory.mktemp("source") / "copy"
    done = make(folder, tools, "create-image-tar")
    assert done.returncode == 0, done.stderr
    return folder / "artifacts" / "vmray-cluster-controller.tar.gz"


def layers(archive: Path) -> tuple[dict, list[bytes]]:
    """Configuration and layers of the one image of an archive."""
    with tarfile.open(archive) as whole:

        def read(name: str) -> bytes:
            return whole.extractfile(name).read()

        (manifest,) = json.loads(read("manifest.json"))
        assert manifest["RepoTags"] == ["vmray-cluster-controller:latest"]
        config = read(manifest["Config"])
        assert manifest["Config"] == f"{hashlib.sha256(config).hexdigest()}.json"
        return json.loads(config), [read(name) for name in manifest["Layers"]]


def test_the_archive_is_as_docker_saves_one(archive):
    config, tars = layers(archive)
    assert config["rootfs"]["diff_ids"] == [f"sha256:{hashlib.sha256(tar).hexdigest()}" for tar in tars]
    assert config["config"]["Entrypoint"] == ["/entrypoint"]
    for tar in tars:
        with tarfile.open(fileobj=io.BytesIO(tar)) as layer:
            assert {(info.mtime, info.uid, info.gid) for info in layer} == {(0, 0, 0)}
            assert layer.getnames() == sorted(layer.getnames())


def test_the_same_source_gives_the_same_bytes_elsewhere(archive, tmp_path, tools):
    order = {"PYTHONHASHSEED": "1"}  # of sets, which is another one each time
    assert make(tmp_path / "another place", tools | order, "create-image-tar").returncode == 0
    again = tmp_path / "another place" / "artifacts" / archive.name
    assert gzip.decompress(again.read_bytes()) == gzip.decompress(archive.read_bytes())


def test_the_image_starts_with_nothing_around_it(archive, tmp_path):
    for tar in layers(archive)[1]:
        with tarfile.open(fileobj=io.BytesIO(tar)) as layer:
            layer.extractall(tmp_path, filter="fully_trusted")
    # As any user can: no root, no daemon, no environment.
    chroot = [shutil.which("chroot", path=namespaces.system_path()), str(tmp_path)]
    command = [namespaces.program("unshare"), "--user", "--map-root-user", "--mount", *chroot]
    # The files stay as they are, as under a root that is read-only.
    env = {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONVERBOSE": "1"}
    done = subprocess.run([*command, "/entrypoint", "--leader-elect"], env=env, capture_output=True, text=True)
    assert "KeyError: 'KUBECONFIG'" in done.stderr  # the operator runs, and misses what its pod gives it
    loaded = re.findall(r"code object from '?(/[^'\n]+)", done.stderr)
    assert len(loaded) > 200 and not [path for path in loaded if not path.endswith(".pyc")]
    told = "import ssl, sys, vcf_lab; print(ssl.OPENSSL_VERSION, sys.prefix, vcf_lab.__file__)"
    python = subprocess.run(
        [*command, "/opt/python/bin/python3", "-c", told],
        env={"PYTHONPATH": "/opt/operator"},
        capture_output=True,
        text=True,
    )
    assert python.stdout.split()[-2:] == ["/opt/python", "/opt/operator/vcf_lab/__init__.py"], python.stderr
    assert os.path.islink(tmp_path / "lib64")
