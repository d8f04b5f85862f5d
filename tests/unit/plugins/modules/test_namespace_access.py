# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""namespace_access: the entry is read from the namespace, and changed by itself."""

from __future__ import annotations

import pytest

from ansible_collections.vcf.ray.plugins.module_utils._errors import RayError
from ansible_collections.vcf.ray.plugins.modules import namespace_access
from ansible_collections.vcf.ray.tests.unit.plugins.conversation import MISSING, refusal, run

BASE = "/api/vcenter/namespaces/instances"
V2, V1 = ("GET", f"{BASE}/v2/ns", None), ("GET", f"{BASE}/ns", None)
PATH = f"{BASE}/ns/access/vsphere.local/ray-dev?type=USER"
ASKED = {"namespace": "ns", "subject": "ray-dev", "role": "EDIT"}


def info(*roles: str) -> dict:
    return {"access_list": [{"subject": "Ray-Dev", "domain": "VSPHERE.LOCAL", "subject_type": "USER", "role": role} for role in roles]}


def test_give() -> None:
    result = run(namespace_access, (*V2, info()), ("POST", PATH, {"role": "EDIT"}, (204, None)), (*V2, info("EDIT")), **ASKED)
    assert result["namespace_access"] == {**ASKED, "domain": "vsphere.local", "subject_type": "USER", "inherited": False} and result["changed"]


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


def test_check_mode_tells_what_the_real_run_does() -> None:
    give = ("POST", PATH, {"role": "EDIT"}, (204, None))
    said = run(namespace_access, (*V2, info()), check_mode=True, **ASKED)
    assert said["diff"] == run(namespace_access, (*V2, info()), give, (*V2, info("EDIT")), **ASKED)["diff"]


def inherited(role: str) -> dict:
    return {"access_list": [{**info(role)["access_list"][0], "inherited": True}]}


def test_a_role_through_a_group_is_a_role() -> None:
    result = run(namespace_access, (*V2, inherited("EDIT")), **ASKED)
    assert not result["changed"] and result["namespace_access"]["inherited"]


def test_another_role_than_that_of_the_group_is_given_directly() -> None:
    both = {"access_list": [*inherited("VIEW")["access_list"], *info("EDIT")["access_list"]]}
    result = run(namespace_access, (*V2, inherited("VIEW")), ("POST", PATH, {"role": "EDIT"}, (204, None)), (*V2, both), **ASKED)
    assert result["changed"] and not result["namespace_access"]["inherited"] and result["namespace_access"]["role"] == "EDIT"


@pytest.mark.parametrize("check_mode", [True, False])
def test_a_role_through_a_group_cannot_be_taken_here(check_mode: bool) -> None:
    with pytest.raises(RayError, match="ray-dev@vsphere.local has the role VIEW on namespace ns through a group, so it cannot be taken here"):
        run(namespace_access, (*V2, inherited("VIEW")), check_mode=check_mode, **ASKED, state="absent")


def test_what_is_left_through_a_group_does_not_hold_up_the_removal() -> None:
    both = {"access_list": [*inherited("VIEW")["access_list"], *info("EDIT")["access_list"]]}
    assert run(namespace_access, (*V2, both), ("DELETE", PATH, None, (204, None)), (*V2, inherited("VIEW")), **ASKED, state="absent")["changed"]


def test_an_unknown_principal_is_explained() -> None:
    refused = refusal(400, "UNSUPPORTED", "The user ray-dev@vsphere.local does not exist.")
    with pytest.raises(RayError, match="does not exist.*Check that there is a user ray-dev in the domain vsphere.local.*vcf.ray.sso_user") as caught:
        run(namespace_access, (*V2, info()), ("POST", PATH, {"role": "EDIT"}, refused), **ASKED)
    assert "OWNER" not in str(caught.value)


def test_an_owner_of_another_domain_is_explained() -> None:
    path = PATH.replace("vsphere.local/ray-dev?type=USER", "corp.lab/team?type=GROUP")
    with pytest.raises(RayError, match="group team in the domain corp.lab.*OWNER can be given in vCenter's own SSO domain only"):
        run(namespace_access, (*V2, info()), ("POST", path, {"role": "OWNER"}, refusal(400, "UNSUPPORTED", "No.")),
            namespace="ns", subject="team", domain="corp.lab", subject_type="GROUP", role="OWNER")


def test_a_subject_has_no_domain_in_it() -> None:
    with pytest.raises(RayError, match="holds a domain"):
        run(namespace_access, namespace="ns", subject="ray-dev@vsphere.local", role="EDIT")


def test_in_a_namespace_that_goes_there_is_nothing_to_give_or_take() -> None:
    going = {**info("EDIT"), "config_status": "REMOVING"}
    with pytest.raises(RayError, match="Namespace ns is being removed.*vcf.ray.namespace, which waits"):
        run(namespace_access, (*V2, going), **{**ASKED, "role": "VIEW"})
    assert run(namespace_access, (*V2, going), check_mode=True, **ASKED)["unknown"]
    assert not run(namespace_access, (*V2, going), **ASKED, state="absent")["changed"]


@pytest.mark.parametrize("state", ["present", "absent"])
def test_an_entry_that_another_client_has_taken_meanwhile_is_settled(state: str) -> None:
    refused = refusal(400, "UNSUPPORTED", "The user has no role.")
    method, body = ("PUT", {"role": "EDIT"}) if state == "present" else ("DELETE", None)
    end = [("POST", PATH, {"role": "EDIT"}, (204, None)), (*V2, info("EDIT"))] if state == "present" else [(*V2, info())]
    script = [(*V2, info("VIEW")), (method, PATH, body, refused), (*V2, info()), (*V2, info()), *end]
    assert run(namespace_access, *script, **ASKED, state=state)["changed"]
