# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""vm_class: every request it makes, state by state."""

from __future__ import annotations

import pytest

from ansible_collections.vcf.ray.plugins.module_utils._errors import RayError
from ansible_collections.vcf.ray.plugins.modules import vm_class
from ansible_collections.vcf.ray.tests.unit.plugins.conversation import MISSING, refusal, run

BASE = "/api/vcenter/namespace-management/virtual-machine-classes"
READ = ("GET", f"{BASE}/small", None)
INFO = {"id": "small", "cpu_count": 2, "memory_MB": 4096, "description": "", "config_status": "READY", "namespaces": ["b", "a"]}


def test_make() -> None:
    body = {"id": "small", "cpu_count": 2, "memory_MB": 4096}
    result = run(vm_class, (*READ, MISSING), ("POST", BASE, body, (204, None)), (*READ, INFO), name="small", cpus=2, memory_mib=4096)
    assert result["changed"] and result["vm_class"]["namespaces"] == ["a", "b"]
    assert result["diff"]["before"] == {}


def test_unchanged_also_when_memory_is_spelt_otherwise() -> None:
    info = {k.lower(): v for k, v in INFO.items()}
    assert not run(vm_class, (*READ, info), name="small", cpus=2, memory_mib=4096)["changed"]


def test_only_what_differs_is_sent() -> None:
    result = run(vm_class, (*READ, INFO), ("PATCH", f"{BASE}/small", {"cpu_count": 4}, (204, None)), (*READ, {**INFO, "cpu_count": 4}),
                 name="small", cpus=4, memory_mib=4096)
    assert result["changed"] and result["vm_class"]["cpus"] == 4


def test_check_mode_reads_only() -> None:
    result = run(vm_class, (*READ, INFO), name="small", cpus=4, check_mode=True)
    assert result["changed"] and result["diff"]["after"]["cpus"] == 4


def test_size_is_needed_to_make_one() -> None:
    with pytest.raises(RayError, match="cpus and memory_mib"):
        run(vm_class, (*READ, MISSING), name="small")


def test_remove() -> None:
    result = run(vm_class, (*READ, INFO), ("DELETE", f"{BASE}/small", None, (204, None)), (*READ, MISSING), name="small", state="absent")
    assert result["changed"] and result["vm_class"] is None


def test_a_class_in_use_says_who_uses_it() -> None:
    with pytest.raises(RayError) as caught:
        run(vm_class, (*READ, INFO), ("DELETE", f"{BASE}/small", None, refusal(400, "RESOURCE_IN_USE", "In use.")), name="small", state="absent")
    assert "namespaces a, b" in caught.value.hint


def test_absent_stays_absent() -> None:
    assert not run(vm_class, (*READ, MISSING), name="small", state="absent")["changed"]
