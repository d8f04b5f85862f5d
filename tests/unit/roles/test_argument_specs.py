# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lists of the roles take what the modules take: no option is missing, of another type, or left behind on the way."""

from __future__ import annotations

import pathlib

import pytest
import yaml

from ansible_collections.vcf.ray.plugins.module_utils import _wait
from ansible_collections.vcf.ray.plugins.module_utils._clients import ray
from ansible_collections.vcf.ray.plugins.modules import ray_job, vmray_cluster

ROLES = pathlib.Path(__file__).parents[3] / "roles"
WAIT = {"wait_timeout": _wait.ARGSPEC["wait_timeout"]}
# role: its list, the options of an entry, and those of the role's own; a place that the role has need not be named again.
LISTS = {
    "devops_user": ("devops_user_clusters", {**vmray_cluster.SPEC, **WAIT}, {}, {"namespace"}),
    "data_scientist": ("data_scientist_jobs", {**ray.ARGSPEC, **ray_job.SPEC, **WAIT}, {"cluster": {"type": "str"}}, {"dashboard_url"}),
}
# The task that hands an entry on, and what the role puts together there.
HANDED = {"devops_user": ("clusters.yml", "devops_user_this", {"name", "ray"}), "data_scientist": ("jobs.yml", "data_scientist_this", {"dashboard_url"})}


def read(role: str, path: str):
    return yaml.safe_load((ROLES / role / path).read_text(encoding="utf-8"))


def shape(options: dict, below: str) -> dict:
    """What must not differ between the two spellings of a spec; an alias is an option of the role, as roles know no aliases."""
    shapes = {}
    for name, option in options.items():
        this = {"type": option.get("type", "str"), "elements": option.get("elements"), "choices": list(option.get("choices") or []),
                "required": bool(option.get("required")), "no_log": bool(option.get("no_log"))}
        for alias in option.get("aliases") or []:
            shapes[alias] = this
        shapes[name] = {**this, "options": shape(option[below], below)} if option.get(below) else this
    return shapes


@pytest.mark.parametrize("role", LISTS)
@pytest.mark.parametrize("entry", ["main", "look"])
def test_an_entry_of_the_list_has_the_options_of_the_module(role: str, entry: str) -> None:
    variable, spec, own, given = LISTS[role]
    wanted = shape({**{k: v for k, v in spec.items() if k != "state"}, **own}, "options")
    for name in given:
        wanted[name]["required"] = False
    assert shape(read(role, "meta/argument_specs.yml")["argument_specs"][entry]["options"][variable]["options"], "options") == wanted


@pytest.mark.parametrize("role", HANDED)
def test_every_option_is_handed_on(role: str) -> None:
    path, this, own = HANDED[role]
    task = next(t for t in read(role, f"tasks/{path}") if "loop" in t)
    handed = next(value for key, value in task.items() if key.startswith("vcf.ray."))
    wanted = set(LISTS[role][1]) - {"state"}
    # The login at the API server comes from the defaults of the role's block.
    assert set(handed) - {"context", "wait"} == wanted
    assert {name for name in wanted if f"{this}.{name}" in handed[name]} == wanted - own


@pytest.mark.parametrize("role", ["vi_admin", "carvel_package", "devops_user", "data_scientist"])
def test_the_defaults_are_those_of_the_documentation(role: str) -> None:
    options = read(role, "meta/argument_specs.yml")["argument_specs"]["main"]["options"]
    documented = {name: option["default"] for name, option in options.items() if "default" in option}
    defaults = read(role, "defaults/main.yml")
    assert {name for name in defaults if name not in options} == set()
    assert {name: value for name, value in documented.items() if defaults.get(name) != value} == {}


@pytest.mark.parametrize("role", LISTS)
def test_the_items_of_loops_are_names(role: str) -> None:
    """They are shown at -v, and a cluster or a job holds secrets."""
    variable = LISTS[role][0]
    for path in (ROLES / role / "tasks").glob("*.yml"):
        assert f'loop: "{{{{ {variable}' not in path.read_text(encoding="utf-8"), path
