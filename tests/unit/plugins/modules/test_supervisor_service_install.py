# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""supervisor_service_install: the path that vCenter knows, refusals that mean "not yet", and when it is done."""

from __future__ import annotations

import base64

import pytest

from ansible_collections.vcf.ray.plugins.module_utils._errors import RayError
from ansible_collections.vcf.ray.plugins.module_utils._resources import supervisor_service_install as resource
from ansible_collections.vcf.ray.plugins.modules import supervisor_service_install
from ansible_collections.vcf.ray.tests.unit.plugins.conversation import MISSING, refusal, run

BASE = "/api/vcenter/namespace-management"
SUPERVISORS = ("GET", f"{BASE}/supervisors/summaries", None)
ONE = {"items": [{"supervisor": "sv-id", "info": {"name": "sv"}}]}
V2 = f"{BASE}/supervisors/sv-id/supervisor-services"
LIST, GET = ("GET", V2, None), ("GET", f"{V2}/ray", None)
ROWS = {"supervisor_services": [{"supervisor_service": "ray"}]}
NONE = {"supervisor_services": []}
CATALOGUE = ("GET", f"{BASE}/supervisor-services/ray", None)
VERSIONS = ("GET", f"{BASE}/supervisor-services/ray/versions", None,
            [{"version": v, "state": s} for v, s in (("0.9.0", "ACTIVATED"), ("0.10.0", "ACTIVATED"), ("1.0.0", "DEACTIVATED"))])
KNOWN = [(*CATALOGUE, {"state": "ACTIVATED"}), VERSIONS]
ASKED = {"supervisor": "sv", "service": "ray"}
START = [(*SUPERVISORS, ONE), (*LIST, NONE), *KNOWN]
POST = ("POST", V2, {"supervisor_service": "ray", "version": "0.10.0"})


def info(current: str = "0.10.0", desired: str = "0.10.0", status: str = "CONFIGURED", **more: object) -> dict:
    return {"current_version": current, "desired_version": desired, "config_status": status, "service_namespace": "svc-ray-1", "messages": [], **more}


THERE = [(*LIST, ROWS), (*GET, info())]


@pytest.fixture(autouse=True)
def no_sleep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    # The default of until() was bound before.
    monkeypatch.setitem(resource.ride_out.__globals__["_wait"].until.__kwdefaults__, "sleep", lambda seconds: None)


def test_install_takes_the_newest_version() -> None:
    result = run(supervisor_service_install, *START, (*LIST, NONE), (*POST, (201, None)), *THERE, **ASKED)
    assert result["changed"] and result["supervisor_service_install"]["service_namespace"] == "svc-ray-1"
    assert result["supervisor_service_install"]["pod"] == "not_checked"


@pytest.mark.parametrize(("status", "text"), [
    (404, "The service account is not ready. Please try again later"),
    (500, "Failed to run compatibility check"),
    (500, "signature verification result not found"),
    (500, "The namespace (svc-ray-1) is in terminating status"),
])
def test_not_yet_is_ridden_out(status: int, text: str) -> None:
    result = run(supervisor_service_install, *START, (*LIST, NONE), (*POST, refusal(status, "ERROR", text)), (*LIST, NONE), (*POST, (201, None)),
                 *THERE, **ASKED, wait_timeout=60)
    assert result["changed"]


def test_a_refusal_that_was_carried_out_is_not_repeated() -> None:
    refused = refusal(500, "ERROR", "Failed to run compatibility check")
    assert run(supervisor_service_install, *START, (*LIST, NONE), (*POST, refused), *THERE, *THERE, **ASKED)["changed"]


def test_any_other_refusal_fails_at_once() -> None:
    with pytest.raises(RayError, match="No such thing"):
        run(supervisor_service_install, *START, (*LIST, NONE), (*POST, refusal(400, "INVALID_ARGUMENT", "No such thing.")), **ASKED)


def test_unchanged() -> None:
    assert not run(supervisor_service_install, (*SUPERVISORS, ONE), *THERE, **ASKED)["changed"]


def test_done_is_the_version_asked_for_with_its_namespace() -> None:
    busy = [(*LIST, ROWS), (*GET, info("0.9.0", "0.10.0"))]
    done = run(supervisor_service_install, (*SUPERVISORS, ONE), *busy, *busy, *THERE, **ASKED, wait_timeout=60)
    assert done["supervisor_service_install"]["current_version"] == "0.10.0"


def test_a_change_of_version_keeps_the_configuration() -> None:
    kept = base64.b64encode(b"a: 1").decode()
    old = info("0.9.0", "0.9.0", yaml_service_config=kept)
    result = run(supervisor_service_install, (*SUPERVISORS, ONE), (*LIST, ROWS), (*GET, old), *KNOWN, (*GET, old),
                 ("PUT", f"{V2}/ray", {"version": "0.10.0", "yaml_service_config": kept}, (204, None)), *THERE, **ASKED, version="0.10.0")
    assert result["changed"] and "a: 1" not in str(result)


def test_a_configuration_is_compared_by_its_values() -> None:
    theirs = base64.b64encode(b'{"b": 2, "a": 1}').decode()
    there = [(*LIST, ROWS), (*GET, info(yaml_service_config=theirs))]
    assert not run(supervisor_service_install, (*SUPERVISORS, ONE), *there, **ASKED, yaml_service_config={"a": 1, "b": 2})["changed"]


def test_the_older_path_is_that_of_the_cluster() -> None:
    v1 = f"{BASE}/clusters/domain-c9/supervisor-services"
    topology = ("GET", f"{BASE}/supervisors/sv-id/topology", None, [{"clusters": ["domain-c9"]}])
    result = run(supervisor_service_install, (*SUPERVISORS, ONE), (*LIST, MISSING), topology, ("GET", v1, None, []), *KNOWN, ("GET", v1, None, []),
                 ("POST", v1, POST[2], (204, None)), ("GET", v1, None, ROWS["supervisor_services"]), ("GET", f"{v1}/ray", None, info()), **ASKED)
    assert result["changed"]


def test_check_mode_says_what_is_missing() -> None:
    script = [(*SUPERVISORS, {"items": []})] * 3
    assert "No Supervisor" in run(supervisor_service_install, *script, check_mode=True, **ASKED)["unknown"][0]
    script = [(*SUPERVISORS, ONE), (*LIST, NONE), (*CATALOGUE, MISSING), ("GET", f"{BASE}/supervisor-services", None, [])]
    assert "No Supervisor service" in run(supervisor_service_install, *script, check_mode=True, **ASKED)["unknown"][0]


def test_a_deactivated_version_is_refused() -> None:
    with pytest.raises(RayError, match="1.0.0 of ray is DEACTIVATED"):
        run(supervisor_service_install, *START, **ASKED, version="1.0.0")


def test_remove() -> None:
    result = run(supervisor_service_install, (*SUPERVISORS, ONE), *THERE, ("DELETE", f"{V2}/ray", None, (204, None)), (*LIST, NONE), **ASKED, state="absent")
    assert result["changed"]
    assert not run(supervisor_service_install, (*SUPERVISORS, {"items": []}), **ASKED, state="absent")["changed"]


def test_versions_are_ordered_by_their_numbers() -> None:
    assert sorted(["0.10.0", "0.9.0", "0.10.0-rc1"], key=resource.version_key) == ["0.9.0", "0.10.0-rc1", "0.10.0"]
