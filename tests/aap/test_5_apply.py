# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""aap/apply.yml by the real modules of awx.awx, against as much of a controller as they need."""

from __future__ import annotations

import typing as t

import pytest
from controller_config import AAP, play
from fake_controller import Controller
from labs import Play


@pytest.fixture(scope="module")
def controller() -> t.Iterator[Controller]:
    with Controller() as server:
        yield server
        server.shutdown()


def apply(controller: Controller, *args: str) -> Play:
    return Play(play(AAP / "apply.yml", *args, CONTROLLER_HOST=controller.address, CONTROLLER_OAUTH_TOKEN="none"))


def test_all_is_made(controller: Controller, config: dict[str, list[dict]]) -> None:
    done = apply(controller)
    assert done.rc == 0, done.text
    assert "WARNING" not in done.text, done.text
    for kind, variable in (("credential_types", "controller_credential_types"), ("credentials", "controller_credentials"),
                           ("job_templates", "controller_templates"), ("inventory_sources", "controller_inventory_sources")):
        assert sorted(controller.named(kind)) == sorted(item["name"] for item in config[variable])


def test_braces_arrive_as_they_are(controller: Controller) -> None:
    """They are for the controller, and ansible must not fill them in on the way."""
    injectors = controller.named("credential_types")["Ray on VCF vCenter"]["injectors"]
    assert injectors["env"]["VMWARE_PASSWORD"] == "{{ password }}"


def test_the_branches_of_the_workflow(controller: Controller) -> None:
    nodes = {item["id"]: name for name, item in controller.named("workflow_job_template_nodes").items()}
    links = {(nodes[number], part): sorted(nodes[one] for one in linked) for (_kind, number, part), linked in controller.links.items()
             if part.endswith("_nodes")}
    assert links == {
        ("vi-admin", "success_nodes"): ["approve-namespace"], ("vi-admin", "failure_nodes"): ["mend-vi-admin"],
        ("mend-vi-admin", "success_nodes"): ["vi-admin-again"], ("vi-admin-again", "success_nodes"): ["approve-namespace"],
        ("approve-namespace", "success_nodes"): ["devops-user"],
        ("devops-user", "success_nodes"): ["data-scientist"], ("devops-user", "failure_nodes"): ["mend-devops-user"],
        ("mend-devops-user", "success_nodes"): ["devops-user-again"], ("devops-user-again", "success_nodes"): ["data-scientist"],
        ("data-scientist", "failure_nodes"): ["mend-data-scientist"], ("mend-data-scientist", "success_nodes"): ["data-scientist-again"],
    }
    assert len(controller.objects["workflow_approval_templates"]) == 4


def test_the_workflow_asks_for_nothing_that_a_job_hands_on(controller: Controller) -> None:
    """What is answered there would be stronger than what is handed on."""
    (survey,) = [survey for (kind, _number), survey in controller.surveys.items() if kind == "workflow_job_templates"]
    asked = {q["variable"] for q in survey["spec"]}
    assert len(asked) == len(survey["spec"])
    assert not asked & {"vi_admin_service_content", "vi_admin_service_version", "devops_user_supervisor", "devops_user_namespace",
                        "data_scientist_dashboard_url", "data_scientist_dashboard_urls", "ray_supervisor_address", "ray_dashboard"}


def test_a_second_run_sends_nothing_but_the_approvals(controller: Controller) -> None:
    """Those the module sends whenever it runs; it does not look them up."""
    before = len(controller.writes)
    done = apply(controller)
    assert done.rc == 0, done.text
    assert all("/workflow_approval_templates/" in write or "/create_approval_template/" in write for write in controller.writes[before:]), \
        controller.writes[before:]


def test_a_key_that_no_module_knows_is_refused(controller: Controller) -> None:
    before = len(controller.writes)
    done = apply(controller, "-e", '{"controller_execution_environments": [{"name": "one", "imagge": "none"}]}')
    assert done.rc != 0 and "imagge" in done.text
    assert len(controller.writes) == before
