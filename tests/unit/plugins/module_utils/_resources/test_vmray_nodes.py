# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which machines a custom resource speaks of, at each stage of its life."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.vcf.ray.plugins.module_utils._resources.vmray_nodes import nodes

LABEL = {"vmray.kubernetes.io/head-nounce": "x1y2z"}
SPEC = {"head_node": {"node_type": "big"}, "common_node_config": {"vm_user": "ray", "vm_password_salt_hash": "$6$a$b"},
        "autoscaler_desired_workers": {"c-w-2": "small", "c-w-1": "small"}}


def raw(spec: dict | None = None, status: dict | None = None, **meta: t.Any) -> dict:
    return {"metadata": {"name": "c", "namespace": "ns", **meta}, **({"spec": spec} if spec else {}), **({"status": status} if status else {})}


def test_a_cluster_that_the_operator_has_not_seen_has_no_head_yet() -> None:
    assert nodes(raw({**SPEC, "autoscaler_desired_workers": {}})) == []
    assert nodes(raw()) == []


@pytest.mark.parametrize(("meta", "name"), [
    ({"labels": LABEL}, "c-h-x1y2z"),
    ({"finalizers": ["f"]}, "c-h"),
    ({"labels": LABEL, "finalizers": ["f"]}, "c-h-x1y2z"),
])
def test_the_head_is_named_by_the_operators_label(meta: dict, name: str) -> None:
    assert [n["name"] for n in nodes(raw({"head_node": {"node_type": "big"}}, **meta))] == [name]


def test_wanted_running_and_leaving_machines() -> None:
    status = {"head_node_status": {"vm_status": "initialized"}, "vm_service_status": {"ip": "192.0.2.20"},
              "current_workers": {"c-w-1": {"ip": "192.0.2.1", "vm_status": "running"}, "c-w-0": {"ip": "", "vm_status": "failure"}}}
    found = nodes(raw(SPEC, status, labels=LABEL))
    assert [(n["name"], n["role"], n["node_type"], n["state"], n["address"]) for n in found] == [
        ("c-h-x1y2z", "head", "big", "initialized", None),
        ("c-w-0", "worker", None, "failure", None),
        ("c-w-1", "worker", "small", "running", "192.0.2.1"),
        ("c-w-2", "worker", "small", "pending", None)]
    assert {(n["cluster"], n["namespace"], n["user"], n["dashboard_url"]) for n in found} == {("c", "ns", "ray", "http://192.0.2.20:8265")}
    assert "$6$" not in str(found)
