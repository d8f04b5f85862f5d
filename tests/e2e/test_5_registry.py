# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Packages that a Supervisor cannot fetch, render or apply: each is told in plain words, and heals when its cause goes."""

from __future__ import annotations

import json
import subprocess

import pytest
import yaml
from labs import BIN, Play

SERVICE = "small.example.com"
GOOD = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: small
  namespace: #@ data.values.namespace
"""
BUNDLES = {
    "good": GOOD,
    "colour": GOOD + "data:\n  colour: #@ data.values.colour\n",
    "foreign": "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata:\n  name: vmray-manager-role\n  annotations:\n    in: #@ data.values.namespace\n",
}
SCHEMA = '#@data/values-schema\n---\nnamespace: ""\n'
LOCK = "apiVersion: imgpkg.carvel.dev/v1alpha1\nkind: ImagesLock\nimages: []\n"


@pytest.fixture(scope="module", name="own")
def fixture_own(lab) -> dict:
    if lab.way == "module":
        pytest.skip("what a Supervisor says does not depend on how a task runs")
    return lab.variables()


@pytest.fixture(scope="module", name="bundles")
def fixture_bundles(lab, own, tmp_path_factory) -> dict[str, str]:
    """Pushed by the tool itself: the module would refuse most of them."""
    found = {"missing": f"registry.lab/ray/nothing@sha256:{'1' * 64}"}
    env = {**lab.env, "IMGPKG_USERNAME": own["carvel_package_username"], "IMGPKG_PASSWORD": own["carvel_package_password"]}
    for name, text in BUNDLES.items():
        folder = tmp_path_factory.mktemp(name)
        (folder / ".imgpkg").mkdir()
        (folder / ".imgpkg/images.yml").write_text(LOCK)
        (folder / "config").mkdir()
        (folder / "config/schema.yml").write_text(SCHEMA)
        (folder / "config/objects.yml").write_text(f'#@ load("@ytt:data", "data")\n---\n{text}')
        lock = folder.with_suffix(".lock")
        env["LAB_STATE"] = str(lab.state)
        done = subprocess.run([BIN / "lab", "exec", "imgpkg", "push", "-b", f"registry.lab/ray/{name}:1.0.0", "-f", str(folder), "--lock-output", str(lock),
                               "--registry-ca-cert-path", own["carvel_package_ca_path"]], env=env, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        found[name] = yaml.safe_load(lock.read_text())["bundle"]["image"]
    return found


def package(bundle: str) -> str:
    api = {"apiVersion": "data.packaging.carvel.dev/v1alpha1"}
    spec = {"fetch": [{"imgpkgBundle": {"image": bundle}}], "template": [{"ytt": {"paths": ["config"]}}, {"kbld": {"paths": ["-", ".imgpkg/images.yml"]}}],
            "deploy": [{"kapp": {}}]}
    return yaml.safe_dump_all([
        {**api, "kind": "PackageMetadata", "metadata": {"name": SERVICE}, "spec": {"displayName": "small", "shortDescription": "small"}},
        {**api, "kind": "Package", "metadata": {"name": f"{SERVICE}.1.0.0"}, "spec": {"refName": SERVICE, "version": "1.0.0", "template": {"spec": spec}}}])


def run(lab, tmp_path, tasks: list[dict], registry: dict | None = None) -> Play:
    """A play against the vCenter, after the registry was told with these options instead of its own."""
    own = lab.variables()
    login = {"hostname": own["vcenter_hostname"], "username": own["vcenter_username"], "password": own["vcenter_password"], "ca_path": own["vcenter_ca_path"]}
    known = {"vcf.ray.container_image_registry": {"supervisor": own["vi_admin_supervisor"]["name"], "update_password": "always",
                                                  **own["vi_admin_registries"][0], **(registry or {})}}
    file = tmp_path / "play.yml"
    file.write_text(json.dumps([{"hosts": "localhost", "connection": "local", "gather_facts": False,
                                 "module_defaults": {"group/vcf.ray.vcenter": login}, "tasks": [known, *tasks]}]))
    return Play(lab.playbook(str(file)))


def installing(lab, bundle: str) -> list[dict]:
    supervisor = lab.variables()["vi_admin_supervisor"]["name"]
    return [{"vcf.ray.supervisor_service": {"content": package(bundle)}},
            {"vcf.ray.supervisor_service_install": {"supervisor": supervisor, "service": SERVICE, "wait_timeout": 12}}]


@pytest.fixture(name="clean")
def fixture_clean(lab, own, tmp_path):
    """Afterwards nothing of the service is there, and the registry is known as before."""
    yield
    play = run(lab, tmp_path, [
        {"vcf.ray.supervisor_service_install": {"supervisor": own["vi_admin_supervisor"]["name"], "service": SERVICE, "state": "absent"}},
        {"vcf.ray.supervisor_service": {"service": SERVICE, "state": "absent"}}])
    assert play.rc == 0, play.text


@pytest.mark.usefixtures("clean")
@pytest.mark.parametrize(("bundle", "registry", "words"), [
    ("missing", {}, ("registry.lab/ray/nothing@sha256:1111", "it is not there", "carvel_package_copy")),
    ("good", {"registry_password": "wrong"}, ("registry.lab", "refuses the Supervisor's login", "container_image_registry")),
    ("good", {"certificate_authority": "OTHER"}, ("registry.lab", "the Supervisor does not trust it", "certificate_authority")),
    ("colour", {}, ("need the value colour", "yaml_service_config")),
    ("foreign", {}, ("clusterrole/vmray-manager-role", "belongs to", "ray-on-vcf")),
], ids=["missing", "login", "authority", "template", "foreign"])
def test_a_package_that_cannot_be_installed_is_explained(lab, tmp_path, bundles, bundle, registry, words) -> None:
    if "certificate_authority" in registry:
        other = tmp_path / "other.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=other", "-days", "1", "-out", other, "-keyout", tmp_path / "key"],
                       check=True, capture_output=True)
        registry = {"certificate_authority": other.read_text()}
    play = run(lab, tmp_path, installing(lab, bundles[bundle]), registry)
    assert play.rc != 0
    assert play.counts["failed"] == 1, play.text
    for word in words:
        assert word in play.text, play.text
    assert "Traceback" not in play.text
    if bundle == "good":
        healed = run(lab, tmp_path, installing(lab, bundles[bundle]))
        assert healed.rc == 0, healed.text
