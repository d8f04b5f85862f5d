# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The data against the modules that take it, and against what a controller refuses though the modules let it through."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
import typing as t

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from controller_config import AAP, COLLECTIONS, KINDS, ROOT, wrapped, wrapper

# What a controller keeps for itself; a credential type that sets one of these is refused.
RESERVED = re.compile(r"^(ANSIBLE_|VIRTUAL_ENV$|PATH$|PYTHONPATH$|JOB_ID$|INVENTORY_|TOWER_HOST$|AWX_HOST$|MAX_EVENT_RES$|CALLBACK_)")


class Recorded(Exception):
    """Carries the argument spec out of a module that has come as far as making itself."""


def module_spec(name: str) -> dict[str, t.Any]:
    """The argument spec of a module of awx.awx, which it builds when it begins."""
    spec = importlib.util.spec_from_file_location(f"awx_{name}", COLLECTIONS / f"awx/awx/plugins/modules/{name}.py")
    if str(COLLECTIONS.parent) not in sys.path:
        sys.path.insert(0, str(COLLECTIONS.parent))
    module = importlib.util.module_from_spec(spec)
    module.__package__ = "ansible_collections.awx.awx.plugins.modules"
    spec.loader.exec_module(module)

    def record(argument_spec: dict, **kwargs: t.Any) -> t.NoReturn:
        raise Recorded(argument_spec)

    module.ControllerAPIModule = record
    with pytest.raises(Recorded) as caught:
        module.main()
    return caught.value.args[0]


def documented_nodes() -> dict[str, t.Any]:
    """What the documentation of workflow_job_template says of a node; its argument spec takes any dict."""
    text = (COLLECTIONS / "awx/awx/plugins/modules/workflow_job_template.py").read_text(encoding="utf-8")
    documentation = yaml.safe_load(re.search(r"DOCUMENTATION = '''(.*?)'''", text, re.DOTALL).group(1))
    return strict(documentation["options"]["workflow_nodes"]["suboptions"])


def strict(options: dict[str, dict]) -> dict[str, dict]:
    """Documented options as an argument spec, without defaults, which a documentation may have of another type."""
    spec = {}
    for name, option in options.items():
        spec[name] = {key: option[key] for key in ("type", "elements", "choices", "required", "aliases") if key in option}
        if "suboptions" in option:
            spec[name]["options"] = strict(option["suboptions"])
    return spec


def faults(spec: dict, given: dict) -> list[str]:
    return ArgumentSpecValidator(spec).validate(given).error_messages


@pytest.mark.parametrize(("kind", "module"), KINDS.items())
def test_each_object_is_what_its_module_takes(config: dict, kind: str, module: str) -> None:
    spec = module_spec(module)
    assert faults(spec, {**config[kind][0], "no_such_option": 1}), "the spec would take anything"
    for item in config[kind]:
        assert not faults(spec, item), item["name"]


def test_the_nodes_of_the_workflow_are_as_documented(config: dict) -> None:
    spec = documented_nodes()
    for workflow in config["controller_workflows"]:
        for node in workflow["workflow_nodes"]:
            assert not faults(spec, node), node["identifier"]
    assert faults(spec, {"identifier": "a", "related": {"sucess_nodes": []}}), "the spec would take anything"


def test_objects_name_objects_that_are_there(config: dict) -> None:
    names = {kind: {item["name"] for item in items} for kind, items in config.items()}
    for template in config["controller_templates"]:
        assert template["project"] in names["controller_projects"]
        assert template["inventory"] in names["controller_inventories"]
        assert template["execution_environment"] in names["controller_execution_environments"]
        assert set(template["credentials"]) <= names["controller_credentials"]
    types = {item["name"]: item["credential_type"] for item in config["controller_credentials"]}
    assert set(types.values()) <= names["controller_credential_types"]
    for template in config["controller_templates"]:
        used = [types[name] for name in template["credentials"]]
        assert len(used) == len(set(used)), "a job template takes one credential of each type"
    for source in config["controller_inventory_sources"]:
        assert source["inventory"] in names["controller_inventories"]
        assert source["source_project"] in names["controller_projects"]
        assert source["credential"] in names["controller_credentials"]
        assert (ROOT / source["source_path"]).is_file()


def test_no_credential_has_a_value(config: dict) -> None:
    for credential in config["controller_credentials"]:
        assert "inputs" not in credential


def test_injectors_use_the_fields_of_their_type_and_no_name_of_the_controller(config: dict) -> None:
    for kind in config["controller_credential_types"]:
        fields = {field["id"] for field in kind["inputs"]["fields"]}
        assert len(fields) == len(kind["inputs"]["fields"])
        assert all(field["type"] in ("string", "boolean") for field in kind["inputs"]["fields"])
        assert set(kind["inputs"].get("required", [])) <= fields
        texts = [text for group in kind["injectors"].values() for text in group.values()]
        used = {name for text in texts for name in re.findall(r"(?:{{|if|and)\s*([a-z_]+)", text)} - {"tower"}
        assert used == fields, f"{kind['name']}: unknown {used - fields}, never used {fields - used}"
        files = {name.removeprefix("template.") for name in kind["injectors"].get("file", {})}
        assert {name for text in texts for name in re.findall(r"tower\.filename\.(\w+)", text)} == files
        for name in kind["injectors"].get("env", {}):
            assert re.fullmatch(r"[a-zA-Z_]+[a-zA-Z0-9_]*", name) and not RESERVED.search(name)
        # Older controllers take texts alone as extra_vars.
        assert all(isinstance(text, str) for text in texts)


def test_secrets_are_fields_that_are_kept_secret(config: dict) -> None:
    for kind in config["controller_credential_types"]:
        for field in kind["inputs"]["fields"]:
            assert field.get("secret", False) == (field["id"] in ("password", "token")), (kind["name"], field["id"])


def test_each_variable_that_a_credential_sets_is_read(config: dict) -> None:
    plugins = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "plugins").rglob("*.py"))
    plays = [path for folder in ("aap/playbooks", "playbooks", "roles") for path in (ROOT / folder).rglob("*.yml")]
    read = "\n".join(path.read_text(encoding="utf-8") for path in plays)
    for kind in config["controller_credential_types"]:
        for name in kind["injectors"].get("env", {}):
            assert f'"{name}"' in plugins or f"'{name}'" in read, name
        for name in kind["injectors"].get("extra_vars", {}):
            assert re.search(rf"\b{name}\b", read), name


def test_no_credential_type_can_switch_verification_off(config: dict) -> None:
    assert not re.search(r"validate_certs|verify_ssl|VALIDATE_CERTS|VERIFY_SSL", json.dumps(config))


def test_each_playbook_is_one_that_a_controller_lists_and_begins_one_of_the_collection(config: dict) -> None:
    for template in config["controller_templates"]:
        path = wrapper(template)
        assert path.parent == AAP / "playbooks"
        assert re.search(r"^\s*-?\s*(hosts|(ansible\.builtin\.)?import_playbook):", path.read_text(encoding="utf-8"), re.MULTILINE)
        name, _variables = wrapped(path)
        assert name == f"vcf.ray.{path.stem}"
        assert (ROOT / f"playbooks/{path.stem}.yml").is_file()
    assert {wrapper(template) for template in config["controller_templates"]} == set((AAP / "playbooks").glob("*.yml"))


def test_every_play_works_where_the_controller_runs_it() -> None:
    for path in [*(ROOT / "playbooks").glob("*.yml"), *(AAP / "playbooks").glob("*.yml")]:
        for about in yaml.safe_load(path.read_text(encoding="utf-8")):
            if "hosts" in about:
                assert about["connection"] == "local" and about["gather_facts"] is False, path
