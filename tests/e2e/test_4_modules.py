# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each state module through the same cycle: create, change and remove; each in check mode, for real, and again."""

from __future__ import annotations

import json

import pytest

# Module: its object, what is created, what is changed.
CYCLES = {
    "vm_class": ({"name": "cycle"}, {"cpus": 2, "memory_mib": 2048, "description": "first"}, {"cpus": 4}),
    "sso_user": ({"name": "cycle"}, {"user_password": "Cycle-1st!pw", "description": "first"}, {"description": "second", "email": "c@example.com"}),
    "content_library": ({"name": "cycle"},
                        {"subscription_url": "https://packages.lab/dl-vm/lib.json", "datastore": "LocalDS_0", "items": ["ray-node-ubuntu-24.04"]},
                        {"security_policy": "OVF default policy", "automatic_sync": False}),
    "namespace": ({"name": "cycle"},
                  {"supervisor": "ray-supervisor", "description": "first", "vm_classes": ["best-effort-small"],
                   "storage_policies": [{"policy": "vSAN Default Storage Policy"}]},
                  {"vm_classes": ["best-effort-small", "best-effort-medium"], "storage_policies": [{"policy": "vSAN Default Storage Policy", "limit_mib": 2048}]}),
    "namespace_access": ({"namespace": "deploy-ray", "subject": "ray-guest"}, {"role": "VIEW"}, {"role": "EDIT"}),
}
WANTED = [True, True, False] * 3


def steps(module: str) -> list[dict]:
    which, first, second = CYCLES[module]
    tasks = []
    for options in ({**first}, {**first, **second}, {"state": "absent"}):
        for check in (True, False, False):
            tasks.append({"name": f"Step {len(tasks)}", f"vcf.ray.{module}": {**which, **options}, "check_mode": check, "diff": True,
                          "register": f"step_{len(tasks)}"})
    return tasks


@pytest.mark.parametrize("module", CYCLES)
def test_check_mode_says_what_the_real_run_does_and_the_second_run_does_nothing(lab, tmp_path, module) -> None:
    tasks = steps(module)
    results = ", ".join(f"step_{number}" for number in range(len(tasks)))
    tasks.append({"name": "Keep the results", "ansible.builtin.copy": {
        "content": f"{{{{ [{results}] | to_json }}}}", "dest": str(tmp_path / "results.json"), "mode": "0600"}})
    if module == "namespace_access":
        user = {"name": "ray-guest", "user_password": "Guest-1st!pw"}
        tasks = [{"name": "Make the guest", "vcf.ray.sso_user": user}, *tasks,
                 {"name": "Remove the guest", "vcf.ray.sso_user": {"name": "ray-guest", "state": "absent"}}]
    playbook = tmp_path / "cycle.yml"
    playbook.write_text(json.dumps([{"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": tasks,
                                     "vars": {"ansible_python_interpreter": "{{ ansible_playbook_python }}"}}]))
    before = lab.digest()
    play = lab.play(str(playbook))
    assert play.rc == 0, play.text
    done = json.loads((tmp_path / "results.json").read_text())
    assert [step["changed"] for step in done] == WANTED
    for check, real in ((0, 1), (3, 4), (6, 7)):
        assert done[check]["diff"]["before"] == done[real]["diff"]["before"]
        asked = {k: v for k, v in (done[check]["diff"]["after"] or {}).items() if v not in (None, "", [])}
        assert asked.items() <= (done[real]["diff"]["after"] or {}).items() or module == "content_library"
    assert done[-1][module] is None
    assert "Cycle-1st!pw" not in play.text + json.dumps(done)
    assert lab.digest() == before
