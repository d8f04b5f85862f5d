# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import typing as t

import pytest

from ansible_collections.vcf.ray.plugins.module_utils._errors import RayError
from ansible_collections.vcf.ray.plugins.module_utils._resources import vmray_spec

OPTIONS = {
    "image": "vmi-1",
    "storage_class": "fast",
    "ray_image": "rayproject/ray:2.60.0",
    "head": {"vm_class": "small", "node_type": None, "port": None},
    "workers": [{"node_type": "w", "vm_class": "big", "min_workers": 2, "max_workers": None, "resources": {"cpu": 1, "gpu": None, "memory": "4Gi"}}],
}


@pytest.mark.parametrize(
    ("given", "expected"),
    [("4Gi", 4 * 2**30), ("1.5G", 1_500_000_000), ("512Mi", 512 * 2**20), (" 7 ", 7), (5, 5), ("lots", "lots"),
     ("4ki", "4ki"), ("4k", 4000), ("4Ki", 4096), ("4GB", 4 * 10**9)],
)
def test_quantity(given: object, expected: object) -> None:
    assert vmray_spec.quantity(given) == expected


def test_render_holds_only_what_was_set() -> None:
    assert vmray_spec.render(OPTIONS, None) == {
        "ray_docker_image": "rayproject/ray:2.60.0",
        "common_node_config": {
            "vm_image": "vmi-1",
            "storage_class": "fast",
            "available_node_types": {
                "ray.head.default": {"vm_class": "small"},
                "w": {"vm_class": "big", "min_workers": 2, "resources": {"cpu": 1, "memory": 4 * 2**30}},
            },
        },
    }


def test_render_gives_the_vm_class_to_the_head_that_is_there() -> None:
    types = vmray_spec.render({"head": {"vm_class": "small"}}, "boss")["common_node_config"]["available_node_types"]
    assert types == {"boss": {"vm_class": "small"}}


def test_options_are_laid_over_a_definition_that_stays_untouched() -> None:
    pasted = {
        "spec": {
            "head_node": {"port": 6245},
            "autoscaler_desired_workers": {"x": "w"},
            "common_node_config": {"vm_user": "u", "available_node_types": {"w": {"resources": {"memory": "16Gi"}}}},
        }
    }
    spec = vmray_spec.render({"definition": pasted, "vm_user": "ray"}, None)
    assert spec["head_node"] == {"port": 6245} and spec["common_node_config"]["vm_user"] == "ray"
    assert spec["common_node_config"]["available_node_types"]["w"]["resources"]["memory"] == 16 * 2**30
    assert "autoscaler_desired_workers" not in spec
    assert pasted["spec"]["common_node_config"]["vm_user"] == "u"


def test_commands_stand_where_they_belong() -> None:
    given = {"head": {"setup_commands": ["a"]}, "setup_commands": ["b"], "worker_setup_commands": ["c"], "initialization_commands": ["d"]}
    assert vmray_spec.render(given, None) == {
        "head_node": {"setup_commands": ["a"]},
        "worker_node": {"setup_commands": ["c"]},
        "common_node_config": {"setup_commands": ["b"], "initialization_commands": ["d"]},
    }


def test_the_network_is_spelt_as_the_vm_service_does_in_both_ways_to_give_it() -> None:
    ours = {"host_name": "h", "nameservers": None, "search_domains": ["example.com"],
            "interfaces": [{"name": "eth0", "dhcp4": True, "mtu": None,
                            "network": {"api_version": "vmware.com/v1alpha1", "kind": "VirtualNetwork", "name": ""}}]}
    theirs = {"hostName": "h", "searchDomains": ["example.com"],
              "interfaces": [{"name": "eth0", "dhcp4": True, "network": {"apiVersion": "vmware.com/v1alpha1", "kind": "VirtualNetwork", "name": ""}}]}
    for given in (ours, theirs):
        assert vmray_spec.render({"network": given}, None) == {"common_node_config": {"network": theirs}}


def test_the_resources_of_the_head_go_to_its_node_type() -> None:
    types = vmray_spec.render({"head": {"resources": {"cpu": 0, "gpu": None, "memory": "1Gi"}}}, "boss")["common_node_config"]["available_node_types"]
    assert types == {"boss": {"resources": {"cpu": 0, "memory": 2**30}}}


def test_numbers_that_a_template_made_texts_of_are_numbers_again() -> None:
    pasted = {"spec": {"head_node": {"port": "6245"}, "common_node_config": {
        "max_workers": "5", "idle_timeout_minutes": "soon", "available_node_types": {"w": {"min_workers": " 2 ", "resources": {"cpu": "1"}}}}}}
    assert vmray_spec.render({"definition": pasted}, None) == {"head_node": {"port": 6245}, "common_node_config": {
        "max_workers": 5, "idle_timeout_minutes": "soon", "available_node_types": {"w": {"min_workers": 2, "resources": {"cpu": 1}}}}}


@pytest.mark.parametrize(("spec", "path"), [
    (["x"], "spec"),
    ({"head_node": "x"}, "spec.head_node"),
    ({"common_node_config": {"available_node_types": {"w": "small"}}}, "spec.common_node_config.available_node_types.w"),
])
def test_a_definition_of_another_shape_is_refused_by_path(spec: t.Any, path: str) -> None:
    with pytest.raises(RayError, match=f"^{path} of the definition must be a dictionary"):
        vmray_spec.render({"definition": {"spec": spec}}, None)


def test_the_secret_of_the_registry_has_a_name_of_its_own_when_none_is_given() -> None:
    login = {"registry": None, "username": "u", "password": "p"}
    assert vmray_spec.docker_secret({"name": "c", "docker_auth": login}) == "c-docker-auth"
    assert vmray_spec.docker_secret({"name": "c", "docker_auth": login, "docker_secret": "mine"}) == "mine"
    assert vmray_spec.docker_secret({"name": "c"}) is None


def test_complete_fills_what_must_not_be_left_out() -> None:
    spec = vmray_spec.complete(vmray_spec.render(OPTIONS, None), ["w"], "10.0.0.1:6443")
    assert spec["head_node"] == {"node_type": "ray.head.default", "port": 6379}
    assert (spec["worker_node"], spec["enable_tls"], spec["api_server"]) == ({}, True, {"location": "10.0.0.1:6443"})
    config = spec["common_node_config"]
    assert (config["idle_timeout_minutes"], config["max_workers"], config["vm_user"]) == (5, 2, "ray")
    assert config["available_node_types"]["w"]["max_workers"] == 2
    assert config["available_node_types"]["ray.head.default"] == {"vm_class": "small", "min_workers": 0, "max_workers": 0, "resources": {}}


def test_complete_does_not_overrule() -> None:
    given = {"head_node": {"port": 7000, "node_type": "h"}, "enable_tls": False, "common_node_config": {"idle_timeout_minutes": 0, "max_workers": 9}}
    spec = vmray_spec.complete(given, [], "x")
    assert (
        spec["head_node"]["port"],
        spec["enable_tls"],
        spec["common_node_config"]["idle_timeout_minutes"],
        spec["common_node_config"]["max_workers"],
    ) == (7000, False, 0, 9)


STORED = {
    "enable_tls": True,
    "docker_config": {"auth_secret_name": ""},
    "worker_node": {},
    "common_node_config": {
        "vm_image": "vmi-1",
        "max_workers": 2,
        "available_node_types": {"w": {"vm_class": "big", "min_workers": 2, "max_workers": 2, "resources": {}}},
    },
}


@pytest.mark.parametrize(
    ("wanted", "paths"),
    [
        ({}, []),
        ({"enable_tls": True, "common_node_config": {"available_node_types": {"w": {"resources": {}}}}}, []),
        ({"common_node_config": {"network": {}, "initialization_commands": []}}, []),
        ({"enable_tls": False}, [("enable_tls",)]),
        ({"common_node_config": {"vm_image": "vmi-2", "max_workers": 2}}, [("common_node_config", "vm_image")]),
        (
            {"common_node_config": {"available_node_types": {"new": {"min_workers": 1}}}},
            [("common_node_config", "available_node_types", "new", "min_workers")],
        ),
    ],
)
def test_changes_compare_only_what_is_wanted(wanted: dict, paths: list) -> None:
    assert list(vmray_spec.changes(STORED, wanted)) == paths


@pytest.mark.parametrize(
    ("path", "heeded"),
    [
        (("common_node_config", "vm_image"), True),
        (("common_node_config", "storage_class"), True),
        (("common_node_config", "network", "interfaces"), True),
        (("common_node_config", "available_node_types", "w", "vm_class"), True),
        (("common_node_config", "available_node_types", "new", "vm_class"), False),
        (("common_node_config", "available_node_types", "w", "min_workers"), False),
        (("common_node_config", "max_workers"), False),
        (("common_node_config", "idle_timeout_minutes"), False),
        (("ray_docker_image",), False),
        (("enable_tls",), False),
        (("head_node", "port"), False),
    ],
)
def test_what_a_living_cluster_heeds(path: tuple, heeded: bool) -> None:
    assert vmray_spec.takes_effect(path, STORED) is heeded


def test_shown_hides_the_hash() -> None:
    spec = {"common_node_config": {"vm_user": "ray", "vm_password_salt_hash": "$6$x"}}
    assert vmray_spec.shown(spec) == {"common_node_config": {"vm_user": "ray"}}
    assert spec["common_node_config"]["vm_password_salt_hash"] == "$6$x"


@pytest.mark.parametrize(("options", "words"), [
    ({"workers": [{"node_type": "w", "vm_class": "a"}, {"node_type": "w", "vm_class": "b"}]}, "Two entries of workers are of node type w"),
    ({"head": {"vm_class": "a"}, "workers": [{"node_type": "ray.head.default", "vm_class": "b"}]}, "both of node type ray.head.default, with two VM classes"),
    ({"definition": {"kind": "Pod", "spec": {}}}, "The definition is a Pod"),
    ({"vm_password": "$6$test1234$abc/def"}, "vm_password looks like the hash"),
])
def test_options_that_would_be_taken_for_something_else(options: dict, words: str) -> None:
    with pytest.raises(RayError, match=words) as caught:
        vmray_spec.render(options, None)
    assert "abc/def" not in str(caught.value)


def test_a_password_may_begin_with_a_dollar() -> None:
    assert vmray_spec.render({"vm_password": "$6$-ish"}, None) == {}
