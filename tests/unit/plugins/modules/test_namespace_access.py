# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""namespace_access: the entry is read from the namespace, and changed by itself."""

from __future__ import annotations

import pytest

from ansible_collections.vcf.ray.plugins.module_utils._errors import RayError
from ansible_collections.vcf.ray.plugins.modules import namespace_access
from ansible_collections.vcf.ray.tests.unit.plugins.conversation import MISSING, run

BASE = "/api/vcenter/namespaces/instances"
V2, V1 = ("GET", f"{BASE}/v2/ns", None), ("GET", f"{BASE}/ns", None)
PATH = f"{BASE}/ns/access/vsphere.local/ray-dev?type=USER"
ASKED = {"namespace": "ns", "subject": "ray-dev", "role": "EDIT"}


def info(*roles: str) -> dict:
    return {"access_list": [{"subject": "Ray-Dev", "domain": "VSPHERE.LOCAL", "subject_type": "USER", "role": role} for role in roles]}


def test_give() -> None:
    result = run(namespace_access, (*V2, info()), ("POST", PATH, {"role": "EDIT"}, (204, None)), (*V2, info("EDIT")), **ASKED)
    assert result["namespace_access"] == {**ASKED, "domain": "vsphere.local", "subject_type": "USER"} and result["changed"]


def test_unchanged_whatever_the_case_of_names() -> None:
    assert not run(namespace_access, (*V2, info("EDIT")), **ASKED)["changed"]


def test_change() -> None:
    assert run(namespace_access, (*V2, info("VIEW")), ("PUT", PATH, {"role": "EDIT"}, (204, None)), (*V2, info("EDIT")), **ASKED)["changed"]


def test_take() -> None:
    assert run(namespace_access, (*V2, info("VIEW")), ("DELETE", PATH, None, (204, None)), (*V2, info()), **ASKED, state="absent")["changed"]


def test_without_the_namespace_there_is_nothing_to_take() -> None:
    assert not run(namespace_access, (*V2, MISSING), (*V1, MISSING), **ASKED, state="absent")["changed"]


def test_without_the_namespace_check_mode_says_so() -> None:
    script = [(*V2, MISSING), (*V1, MISSING), ("GET", f"{BASE}/v2", None, [{"namespace": "other"}])]
    result = run(namespace_access, *script, check_mode=True, **ASKED)
    assert result["changed"] and "There is: other" in result["unknown"][0]
    with pytest.raises(RayError, match="No namespace is called 'ns'"):
        run(namespace_access, *script, **ASKED)
