# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""namespace_info: one, all, and none; the requests of each."""

from __future__ import annotations

from ansible_collections.vcf.ray.plugins.modules import namespace_info
from ansible_collections.vcf.ray.tests.unit.plugins.conversation import MISSING, run

BASE = "/api/vcenter/namespaces/instances"
INFO = {
    "supervisor": "sv-id", "config_status": "RUNNING", "description": "d", "storage_specs": [{"policy": "p-1"}], "networks": ["net"],
    "vm_service_spec": {"vm_classes": ["small"], "content_libraries": ["lib-1"]}, "content_libraries": [{"content_library": "lib-1", "writable": True}],
    "access_list": [{"subject": "a", "domain": "d", "subject_type": "USER", "role": "EDIT", "inherited": True}], "resource_spec": {"pod_count": 3},
    "stats": {"cpu_used": 1, "memory_used": 2, "storage_used": 3}, "zones": [{"zone": "z", "marked_for_removal": False}],
    "messages": [{"severity": "WARNING", "details": {"default_message": "Look."}}],
}


def test_one_with_all_that_is_known() -> None:
    found = run(namespace_info, ("GET", f"{BASE}/v2/ns", None, INFO), name="ns")["namespaces"]
    assert found[0].pop("limits")["pods"] == 3
    assert found == [{
        "name": "ns", "supervisor": "sv-id", "description": "d", "config_status": "RUNNING", "storage_policies": [{"policy": "p-1", "limit_mib": -1}],
        "vm_classes": ["small"], "content_libraries": ["lib-1"], "writable_libraries": ["lib-1"], "networks": ["net"], "zones": ["z"],
        "access": [{"subject": "a", "domain": "d", "subject_type": "USER", "role": "EDIT", "inherited": True}], "messages": ["WARNING: Look."],
        "usage": {"cpu_mhz": 1, "memory_mib": 2, "storage_mib": 3},
    }]


def test_none_of_this_name() -> None:
    assert run(namespace_info, ("GET", f"{BASE}/v2/ns", None, MISSING), ("GET", f"{BASE}/ns", None, MISSING), name="ns")["namespaces"] == []


def test_all_of_an_old_vcenter() -> None:
    old = {"cluster": "domain-c9", "config_status": "RUNNING"}
    found = run(namespace_info, ("GET", f"{BASE}/v2", None, MISSING), ("GET", BASE, None, [{"namespace": "b"}, {"namespace": "a"}]),
                ("GET", f"{BASE}/v2/a", None, MISSING), ("GET", f"{BASE}/a", None, old),
                ("GET", f"{BASE}/v2/b", None, MISSING), ("GET", f"{BASE}/b", None, MISSING))
    assert [(row["name"], row["supervisor"]) for row in found["namespaces"]] == [("a", "domain-c9")]
