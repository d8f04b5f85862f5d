# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role vi_admin with exactly the privileges that docs/privileges.md names, and without each of them.

Each run lacks one privilege, which the next has: what a run gets done before it is refused, the next finds done. So each
privilege must be missed at the step that needs it, and they are taken in the order of these steps.
"""

from __future__ import annotations

import json
import pathlib
import re

import pytest
import world
from cases import ROOT, VERSIONS
from labs import Play

USER = "site-admin@vsphere.local"
# In the order in which the role needs them first; reading comes before writing, in the look before the first write.
PRESENT = ["System.Read", "Namespaces.Manage", "StorageProfile.View", "ContentLibrary.ProbeSubscription", "SupervisorServices.Manage",
           "SupervisorServices.Install", "Datastore.AllocateSpace", "ContentLibrary.CreateSubscribedLibrary", "VirtualMachineClasses.Manage",
           "Namespaces.Configure"]
ABSENT = ["Namespaces.Configure", "VirtualMachineClasses.Manage", "ContentLibrary.DeleteSubscribedLibrary", "SupervisorServices.Install",
          "SupervisorServices.Manage", "Namespaces.Manage"]


def documented(role: str) -> set[str]:
    """The privileges of a role, out of the page."""
    page = (ROOT / "docs/privileges.md").read_text(encoding="utf-8")
    row = re.search(rf"^\| `{role}` \|(.*)\|$", page, re.MULTILINE)
    assert row, f"docs/privileges.md has no row for {role}"
    return set(re.findall(r"`([A-Z]\w+\.\w+)`", row.group(1)))


@pytest.fixture(name="lab")
def fixture_lab(bench):
    return bench.at(VERSIONS[-1])


@pytest.fixture(name="run")
def fixture_run(lab, tmp_path):
    """Runs the role as USER, who is made for the test, with these privileges."""
    play = tmp_path / "role.yml"
    play.write_text(world.role(user="who"))
    users = [{"name": "ray-dev", "role": "EDIT"}]  # one who is there: making users is for administrators of the SSO domain
    module = {"hosts": "localhost", "connection": "local", "gather_facts": False}
    login = {"group/vcf.ray.vcenter": {"hostname": "{{ vcenter_hostname }}", "username": "{{ vcenter_username }}", "password": "{{ vcenter_password }}",
                                       "ca_path": "{{ vcenter_ca_path }}"}}

    def people(state: str) -> None:
        tasks = [{"name": name, "vcf.ray.sso_user": {"name": name, "user_password": "{{ vcenter_password }}", "state": state}, "module_defaults": login}
                 for name in (USER.partition("@")[0], "ray-dev")]
        (tmp_path / "people.yml").write_text(json.dumps([{**module, "tasks": tasks}]))
        done = Play(lab.playbook(str(tmp_path / "people.yml")))
        assert done.rc == 0, done.text

    def run(state: str, privileges: list[str], who: str = USER) -> Play:
        lab.ask("/privileges", "PUT", {USER: privileges})
        extra = {"vi_admin_users": users, "vi_admin_supervisor_login": {}, "who": who, "vi_admin_state": state, "vi_admin_confirm_absent": True,
                 "vi_admin_remove_supervisor": True}
        (tmp_path / "extra.json").write_text(json.dumps(extra))
        return Play(lab.playbook(str(play), "-e", f"@{tmp_path}/extra.json"))

    people("present")
    yield run
    lab.ask("/privileges", "PUT", {USER: []})
    people("absent")


def test_the_role_passes_with_its_documented_privileges_and_misses_each(lab, run) -> None:
    assert set(PRESENT) | set(ABSENT) == documented("vi_admin")
    start = lab.digest()
    for state, order in (("present", PRESENT), ("absent", ABSENT)):
        for missing in order:
            play = run(state, [name for name in (*PRESENT, *ABSENT) if name != missing])
            assert play.rc != 0, f"{state} without {missing} passed"
            assert missing in play.text, f"{state} without {missing}:\n{play.text}"
        play = run(state, order if state == "present" else [*order, "System.Read"])
        assert play.rc == 0, f"{state}:\n{play.text}"
    assert lab.digest() == start


@pytest.mark.parametrize("role", ["carvel_package", "devops_user", "data_scientist"])
def test_the_other_roles_need_no_privilege_of_vcenter(role) -> None:
    assert documented(role) == set()


def test_the_page_is_about_the_roles_there_are() -> None:
    roles = {path.name for path in pathlib.Path(ROOT / "roles").iterdir()}
    assert roles == {"vi_admin", "carvel_package", "devops_user", "data_scientist", "site_report"}
    assert documented("site_report") <= documented("vi_admin")
