# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The queries by which a controller counts nodes, on results in all shapes that they have; those of a lab are in the tests of the jobs."""

from __future__ import annotations

import pytest
from controller_config import ROOT
from counting import QUERIES, distinct, nodes

MODULES = {path.stem for path in (ROOT / "plugins/modules").glob("*.py")}
# Modules that manage no node, and why.
NONE = {
    "vCenter as a whole, which no result names": {
        "content_library", "content_library_info", "sso_group", "sso_user", "storage_policy_info", "supervisor_service", "supervisor_service_info",
        "vcenter_session", "vm_class", "vm_class_info"},
    "registries and files": {
        "carvel_package", "carvel_package_copy", "carvel_package_info", "container_image", "operator_artifacts", "repository_file"},
    "a look, a login or a permission, beside which a module that counts does the work": {
        "namespace_access", "supervisor_kubeconfig", "vm_image_info"},
}
SUPERVISOR = {"supervisor": "sv-1", "name": "ray-supervisor", "cluster": "domain-c9", "config_status": "RUNNING"}
CLUSTER = {"name": "test-ray", "namespace": "deploy-ray", "dashboard_url": "http://192.0.2.20:8265"}


def test_each_module_is_counted_or_there_is_a_reason() -> None:
    counted = {name.removeprefix("vcf.ray.") for name in QUERIES}
    assert all(name.count(".") == 2 for name in QUERIES), "a controller passes over other names"
    uncounted = [name for names in NONE.values() for name in names]
    assert sorted([*counted, *uncounted]) == sorted(MODULES)


@pytest.mark.parametrize("action", sorted(QUERIES))
@pytest.mark.parametrize("result", [
    {}, {"changed": False, "skipped": True}, {"results": [{"item": 1}], "changed": True}, {"censored": "the output has been hidden"},
    {"msg": "refused", "error_code": "AUTH", "failed": True}, {"supervisor": None}, {"supervisors": []}, {"vmray_cluster": None},
    {"vmray_cluster": {**CLUSTER, "dashboard_url": None}}, {"namespace": {"name": "deploy-ray", "supervisor": ""}}, {"ray_jobs": []},
    # What check mode foretells: the Supervisor by its name, not by its id.
    {"namespace": {"name": "deploy-ray", "supervisor": "ray-supervisor"}}, {"supervisor_service_install": {"supervisor": "ray-supervisor"}},
])
def test_nothing_comes_of_a_result_without_a_node(action: str, result: dict) -> None:
    assert nodes(action, result) == []


def test_a_supervisor_is_one_node_whoever_works_on_it() -> None:
    found = [
        *nodes("vcf.ray.supervisor", {"supervisor": SUPERVISOR}), *nodes("vcf.ray.supervisor_info", {"supervisors": [SUPERVISOR]}),
        *nodes("vcf.ray.namespace", {"namespace": {"name": "deploy-ray", "supervisor": "sv-1", "config_status": "RUNNING"}}),
        *nodes("vcf.ray.namespace_info", {"namespaces": [{"name": name, "supervisor": "sv-1", "config_status": "RUNNING"} for name in ("one", "two")]}),
        *nodes("vcf.ray.supervisor_service_install", {"supervisor_service_install": {"supervisor": "sv-1", "config_status": "CONFIGURED"}}),
        *nodes("vcf.ray.container_image_registry", {"container_image_registry": {"supervisor": "sv-1", "id": "r-1"}}),
    ]
    assert len(found) == 7 and len(distinct(found)) == 1
    assert {node["name"] for node in found} == {"ray-supervisor", "sv-1"}
    other = nodes("vcf.ray.supervisor", {"supervisor": {**SUPERVISOR, "supervisor": "sv-2"}})
    assert len(distinct(found + other)) == 2


def test_a_ray_cluster_is_one_node_for_devops_user_and_data_scientist() -> None:
    found = [
        *nodes("vcf.ray.vmray_cluster", {"vmray_cluster": CLUSTER}), *nodes("vcf.ray.vmray_cluster_info", {"vmray_clusters": [CLUSTER]}),
        *nodes("vcf.ray.ray_job", {"ray_job": {"submission_id": "a", "dashboard_url": "http://192.0.2.20:8265"}}),
        *nodes("vcf.ray.ray_job_info", {"ray_jobs": [{"submission_id": "a", "dashboard_url": "http://192.0.2.20:8265"}]}),
    ]
    assert len(found) == 4 and len(distinct(found)) == 1
    assert all(node["facts"]["device_type"] == "Ray cluster" for node in found)
