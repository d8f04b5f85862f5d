# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every question of a survey against the option of a role that its answer becomes.

Which option that is, nobody writes down a second time: the answer is a mark, ansible fills the variables of the playbook with
it, and the mark is looked for in what came out.
"""

from __future__ import annotations

import pathlib
import re
import typing as t

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from controller_config import ROOT, filled, spec_of, wrapped, wrapper

ROLES = {
    "vi_admin": ["vi_admin"], "devops_user": ["devops_user"], "data_scientist": ["data_scientist"], "carvel_package": ["carvel_package"],
    "renew": ["devops_user"], "teardown": ["vi_admin", "devops_user"], "report": ["site_report"],
}
# Options that the playbook of the collection fills by itself, and the credentials' part of the answers.
GIVEN = {"devops_user_username": "ray-dev@vsphere.local", "devops_user_password": "from-the-credential"}
# Where the answer may be empty though its option may not: something else fills it, or there is no such user or library then.
MAY_BE_EMPTY = {"ray_supervisor_address", "ray_user", ("teardown", "ray_library")}
PYTHON = {"text": str, "textarea": str, "password": str, "multiplechoice": str, "integer": int, "float": float}
# What a mark of the type looks like; the number is within the bounds of all questions.
MARKS = {"text": "answer-617", "textarea": "answer-617", "password": "answer-617", "integer": 617, "float": 617.5}
SPEC_TYPES = {"text": {"str", "path"}, "textarea": {"str"}, "password": {"str"}, "integer": {"int"}, "float": {"float"}}


def questions(template: dict) -> list[dict]:
    return template["survey_spec"]["spec"]


def leaves(value: t.Any, path: tuple = ()) -> dict[tuple, t.Any]:
    """Each plain value under the names that lead to it; all items of a list are one."""
    if isinstance(value, dict):
        return {key: leaf for name, item in value.items() for key, leaf in leaves(item, (*path, name)).items()}
    if isinstance(value, list):
        return {key: leaf for item in value for key, leaf in leaves(item, path).items()}
    return {path: value}


def option(path: tuple) -> dict:
    """The option of a role that such a path leads to."""
    role = next(role for role in ("vi_admin", "devops_user", "data_scientist", "carvel_package", "site_report") if path[0].startswith(f"{role}_"))
    found: dict = {"options": spec_of(role)}
    for name in path:
        found = found["options"][name]
    return found


class Answered:
    """What the playbook of a job template makes of answers."""

    def __init__(self, template: dict) -> None:
        self.path, self.template = wrapper(template), template
        self.variables = wrapped(self.path)[1]
        self.wanted = [name for role in ROLES[self.path.stem] for name in spec_of(role)]

    def of(self, answers: dict) -> dict[str, t.Any]:
        """The options of roles that come out; of other variables it is enough that the playbook reads them."""
        variables = {**self.variables, **answers}
        return filled(variables, [name for name in self.wanted if name in variables])

    def usual(self) -> dict[str, t.Any]:
        """An answer to each question: its default, else something of its type."""
        return {q["variable"]: q.get("default", {"integer": 7, "float": 1.5}.get(q["type"], "some-answer")) for q in questions(self.template)}


def every_template() -> list[str]:
    return sorted(ROLES)


@pytest.mark.parametrize("name", every_template())
def test_a_survey_is_what_a_controller_takes(templates: dict[str, dict], name: str) -> None:
    survey = templates[name]["survey_spec"]
    assert isinstance(survey["name"], str) and isinstance(survey["description"], str)
    assert templates[name]["survey_enabled"] is True
    variables = [q["variable"] for q in questions(templates[name])]
    assert len(set(variables)) == len(variables)
    for q in questions(templates[name]):
        assert q["question_name"] and isinstance(q["required"], bool), q
        assert q["type"] in PYTHON, q
        if q.get("default", "") != "":
            assert type(q["default"]) is PYTHON[q["type"]], q
        if q["type"] == "multiplechoice":
            assert all(isinstance(choice, str) for choice in q["choices"]) and q["default"] in q["choices"], q
        assert q["type"] != "password" or not q.get("default"), "a password in plain text"


@pytest.mark.parametrize("name", every_template())
def test_each_answer_becomes_an_option_of_its_type(templates: dict[str, dict], name: str) -> None:
    answered = Answered(templates[name])
    usual, asked = answered.usual(), questions(templates[name])
    cases = [usual | {q["variable"]: choice} for q in asked for choice in q.get("choices", [MARKS.get(q["type"])])]
    made = iter([leaves(answered.of(case)) for case in cases])
    for q in asked:
        found = [next(made) for _choice in q.get("choices", [None])]
        paths = moved(found) if "choices" in q else {path for path, value in found[0].items() if str(value) == str(MARKS[q["type"]])}
        if not paths:
            assert is_read_by_the_playbook(answered.path, q["variable"]), q["variable"]
        for path in paths:
            compare(name, q, option(path), [case.get(path) for case in found])


def moved(found: list[dict[tuple, t.Any]]) -> set[tuple]:
    """Where the choices of a question make a difference."""
    return {path for case in found for path in case if len({str(other.get(path)) for other in found}) > 1}


def is_read_by_the_playbook(path: pathlib.Path, variable: str) -> bool:
    """Such as teardown_confirm: no option of a role, but of the playbook; by name, or by what the wrapper makes of it."""
    names = [variable, *(name for name, value in wrapped(path)[1].items() if re.search(rf"\b{variable}\b", str(value)))]
    text = (ROOT / f"playbooks/{path.stem}.yml").read_text(encoding="utf-8")
    return any(re.search(rf"\b{name}\b", text) for name in names)


def compare(name: str, q: dict, spec: dict, values: list) -> None:
    """A question, the option, and what the answers became there."""
    kind = spec.get("elements", spec["type"]) if spec["type"] == "list" else spec["type"]
    if q["type"] == "multiplechoice":
        if kind == "bool":
            assert sorted(str(value).lower() for value in values) in (["no", "yes"], ["false", "true"]), (q, values)
        else:
            assert sorted(values) == sorted(str(choice) for choice in spec.get("choices", ["development", "production"])), (q, spec)
    else:
        assert kind in SPEC_TYPES[q["type"]], (q, spec)
    assert (q["type"] == "password") == bool(spec.get("no_log")), (q, spec)
    if spec.get("required"):
        assert q["required"] or {q["variable"], (name, q["variable"])} & MAY_BE_EMPTY, (q, spec)
    usual = q.get("default", "")
    if usual != "" and spec.get("default") not in (None, "", False) and kind != "bool":
        assert usual == spec["default"], (q, spec)


@pytest.mark.parametrize("name", ["vi_admin", "devops_user", "data_scientist", "carvel_package"])
def test_answers_are_what_the_role_takes(templates: dict[str, dict], name: str) -> None:
    """Each choice of each question, all optional ones left empty, and all of them left out."""
    answered = Answered(templates[name])
    usual, asked = answered.usual(), questions(templates[name])
    optional = [q["variable"] for q in asked if not q["required"]]
    cases = [usual | {q["variable"]: choice} for q in asked for choice in q.get("choices", [])]
    cases += [usual | dict.fromkeys(optional, ""), {key: value for key, value in usual.items() if key not in optional}]
    spec = spec_of(name)
    for case in cases:
        given = {key: value for key, value in {**GIVEN, **answered.of(case)}.items() if key in spec}
        assert not ArgumentSpecValidator(spec).validate(given).error_messages, case


@pytest.mark.parametrize("name", ["devops_user", "renew"])
def test_a_login_is_sent_where_its_credential_says(templates: dict[str, dict], monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Whoever may start a job must not be able to send the login that it has to a server of their own."""
    answered = Answered(templates[name])
    answers = answered.usual() | {"ray_supervisor_address": "192.0.2.66"}
    monkeypatch.setenv("VCF_RAY_SUPERVISOR_HOST", "192.0.2.10")
    assert answered.of(answers)["devops_user_supervisor"] == "192.0.2.10"
    monkeypatch.setenv("VCF_RAY_SUPERVISOR_HOST", "")
    assert answered.of(answers)["devops_user_supervisor"] == "192.0.2.66"


def test_a_token_is_sent_where_its_credential_says(templates: dict[str, dict]) -> None:
    answered = Answered(templates["data_scientist"])
    answers = answered.usual() | {"ray_dashboard": "http://192.0.2.66:8265"}
    for url, used in (("https://ray.example.com", "https://ray.example.com"), ("", "http://192.0.2.66:8265")):
        assert answered.of(answers | {"ray_proxy_url": url})["data_scientist_jobs"][0]["dashboard_url"] == used


def test_the_login_of_a_registry_is_not_sent_to_a_server_of_packages(templates: dict[str, dict]) -> None:
    answered = Answered(templates["carvel_package"])
    made = answered.of(answered.usual() | {"carvel_package_url": "https://files.example.com/carvel.yaml"})
    assert not {"carvel_package_url_username", "carvel_package_url_password"} & set(made)


@pytest.mark.parametrize(("name", "answer"), [
    ("vi_admin", {"ray_user_role": "KING"}),
    ("devops_user", {"ray_min_workers": "many"}),
    ("devops_user", {"devops_user_ready": "soon"}),
    ("data_scientist", {"ray_job_cpus": "most"}),
    ("data_scientist", {"ray_job_rerun": "perhaps"}),
])
def test_an_answer_that_is_no_answer_is_refused_by_the_role(templates: dict[str, dict], name: str, answer: dict) -> None:
    answered, spec = Answered(templates[name]), spec_of(name)
    usual = {**GIVEN, **answered.of(answered.usual())}
    given = {**GIVEN, **answered.of(answered.usual() | answer)}
    assert not ArgumentSpecValidator(spec).validate({key: value for key, value in usual.items() if key in spec}).error_messages
    assert len(ArgumentSpecValidator(spec).validate({key: value for key, value in given.items() if key in spec}).error_messages) == 1
