# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module as a whole: what the operator's guide prints, and how its options reach Ray."""

from __future__ import annotations

import copy
import typing as t

import pytest
import yaml

from ansible_collections.vcf.ray.plugins.module_utils import _password
from ansible_collections.vcf.ray.plugins.module_utils._errors import RayError
from ansible_collections.vcf.ray.plugins.modules import vmray_cluster
from ansible_collections.vcf.ray.tests.unit.plugins.conversation import task_for
from ansible_collections.vcf.ray.tests.unit.plugins.preflight_script import LEFTOVERS, vm_class
from ansible_collections.vcf.ray.tests.unit.plugins.scripted import Scripted

# As the guide of RayOnVCF prints it, with names in the place of its "Provide any ...".
GUIDE = yaml.safe_load("""
apiVersion: vmray.broadcom.com/v1alpha1
kind: VMRayCluster
metadata:
  name: test-ray
  namespace: deploy-ray
spec:
  api_server:
    location: 192.0.2.10
  common_node_config:
    max_workers: 5
    network:
      interfaces:
      - name: eth0
        network:
          apiVersion: vmware.com/v1alpha1
          kind: VirtualNetwork
          name: ""
    available_node_types:
      ray.worker.default:
        max_workers: 5
        min_workers: 2
        resources:
          cpu: 1
        vm_class: best-effort-xlarge
      ray.head.default:
        vm_class: best-effort-xlarge
    storage_class: vsan-default-storage-policy
    vm_image: vmi-7289e7d90a3c53e73
    vm_password_salt_hash: $6$test1234$9/BUZHNkvq.c1miDDMG5cHLmM4V7gbYdGuF0//3gSIh//DOyi7ypPCs6EAA9b8/tidHottL6UG0tG/RqTgAAi/
    vm_user: ray
  head_node:
    port: 6245
    node_type: ray.head.default
  ray_docker_image: rayproject/ray:latest
""")
NAMES = {"name": "test-ray", "namespace": "deploy-ray"}
IMAGE = {"metadata": {"name": "vmi-7289e7d90a3c53e73"}, "status": {"name": "ubuntu", "conditions": [{"type": "Ready", "status": "True"}]}}
OFFER = [
    ("list", ("VirtualMachineImage", "deploy-ray"), [IMAGE]),
    ("list", ("VirtualMachineClass", "deploy-ray"), [vm_class("best-effort-xlarge")]),
    ("names", ("StorageClass",), ["vsan-default-storage-policy"]),
    ("list", ("ResourceQuota", "deploy-ray"), []),
    ("apis", (), {"vmware.com/v1alpha1"}),
    *[(method, (kind, "deploy-ray"), answer) for method, (kind, namespace), answer in LEFTOVERS],
]
ABSENT = ("get", ("VMRayCluster", "test-ray", "deploy-ray"), None)


def ran(script: list, check: bool = False, **options: t.Any) -> tuple[dict, list[str]]:
    """The result of the module, and its warnings."""
    kube, warned = Scripted(script, address="api:6443"), []
    task = task_for(vmray_cluster, check, **{**NAMES, "wait": False, **options})
    task.warn = warned.append
    try:
        return vmray_cluster.ensure(task, kube), warned
    finally:
        kube.done()


def test_the_sample_of_the_guide_fails_on_its_published_hash_and_on_nothing_else() -> None:
    with pytest.raises(RayError) as caught:
        ran([ABSENT, *OFFER], definition=GUIDE)
    assert len(caught.value.details["faults"]) == 1 and caught.value.code == "INPUT"
    assert str(caught.value) == (
        "VMRayCluster deploy-ray/test-ray cannot work like this: vm_password_salt_hash is the sample of the operator's guide: its password is public, and "
        "the nodes let this user log in over SSH and become root. Give a password of your own with vm_password. Nothing was written.")


def test_with_a_password_beside_it_the_sample_works() -> None:
    made, warned = ran([ABSENT, *OFFER, ("create", ..., {})], check=True, definition=GUIDE, vm_password="a password")
    spec = made["vmray_cluster"]["spec"]
    assert made["changed"] and made["orphans"] == [] and spec["head_node"] == {"port": 6245, "node_type": "ray.head.default"}
    assert spec["common_node_config"]["network"] == GUIDE["spec"]["common_node_config"]["network"] and spec["worker_node"] == {}
    assert any("has no fixed tag" in text for text in warned)


def test_the_hash_of_a_definition_is_kept_out_of_all_that_is_shown() -> None:
    own = copy.deepcopy(GUIDE)
    own["spec"]["common_node_config"]["vm_password_salt_hash"] = known = _password.hashed("a password")
    hidden: list = []
    task = task_for(vmray_cluster, True, **NAMES, wait=False, definition=own)
    task.hide = hidden.extend
    with pytest.raises(RayError):
        vmray_cluster.connect(task).__enter__()
    result = vmray_cluster.ensure(task, Scripted([ABSENT, *OFFER, ("create", ..., {})], address="api:6443"))
    assert hidden == [known] and known not in str(result)


def test_the_spelling_of_the_custom_resource_is_taken_for_the_network() -> None:
    theirs = GUIDE["spec"]["common_node_config"]["network"]
    plain = copy.deepcopy(GUIDE)
    del plain["spec"]["common_node_config"]["network"]
    made = ran([ABSENT, *OFFER, ("create", ..., {})], check=True, definition=plain, network=theirs, vm_password="a password")[0]
    assert made["vmray_cluster"]["spec"]["common_node_config"]["network"] == theirs


def test_the_options_of_ray_reach_its_client_and_a_stranger_gets_no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    built: list = []

    def cluster(kube: t.Any, params: dict, **ways: t.Any) -> None:
        built.append(ways)
        raise RayError("enough")

    monkeypatch.setattr(vmray_cluster, "VMRayCluster", cluster)
    monkeypatch.setattr(vmray_cluster.ray_client, "at", lambda url, **options: (url, options))
    with pytest.raises(RayError, match="enough"):
        ran([], ray={"url": "https://ray.example.com/c", "token": "t0ken", "headers": {"X-Site": "a"}, "ca_path": "/ca.pem", "proxy_host": "proxy"})
    way = {"ca_path": "/ca.pem", "validate_certs": True, "proxy": "http://proxy:3128", "inside": "ray", "timeout": (1, 5), "tries": 1}
    assert built[0]["ray_at"]("u") == ("u", {**way, "token": "t0ken", "headers": {"X-Site": "a"}})
    assert built[0]["stranger_at"]("u") == ("u", way)


@pytest.mark.parametrize(("options", "words"), [
    ({"url": "https://me:pw@h"}, "ray.url has a login in it"), ({"ca_path": "/nowhere"}, "/nowhere"), ({"proxy_host": "http://proxy"}, "proxy_host")])
def test_a_way_to_ray_that_cannot_work_is_refused_before_anything_is_read(options: dict, words: str) -> None:
    with pytest.raises(RayError, match=words):
        ran([], ray=options)


def test_half_a_login_at_a_registry_is_refused() -> None:
    with pytest.raises(AssertionError, match="missing required arguments: password found in docker_auth"):
        task_for(vmray_cluster, **NAMES, docker_auth={"username": "robot"})
