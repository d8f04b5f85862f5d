# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A task returns and shows the same in the controller's process and as a module."""

from __future__ import annotations

import base64
import re
import typing as t
from pathlib import Path

import pytest
from conftest import CORES, WAYS
from fake_vcenter import PASSWORD, FakeVCenter
from running import AS_MODULE, IN_PROCESS, Core, Run, wait_for

SECRETS = [PASSWORD, base64.b64encode(f"admin:{PASSWORD}".encode()).decode(), "planted-api-key", "nobody sees this"]
# What may differ, and why. Nothing else does.
# A note of ansible-core before 2.21 to itself, that a module has printed JSON. No variable and no terminal shows it.
KNOWN_KEY = "_ansible_parsed"
# A module is unpacked into a folder of its own, and not all of its lines can be quoted: of a traceback the places are compared.
KNOWN_TRACEBACK = "exception"
PLACE = re.compile(r'plugins/\S+", line \d+, in \w+')
# ansible-core 2.19 and later say in the line [ERROR] by which kind of plugin a task has failed.
KNOWN_WORDS = {"Action failed:": "Module failed:"}
# At -vvv ansible-core shows the command that starts a module, and in it the task's environment, secrets included.
COMMAND_OF_A_MODULE = re.compile(r"^<.*> EXEC .*$", re.MULTILINE)


@pytest.fixture(params=CORES, ids=str, scope="module", name="both")
def fixture_both(request: pytest.FixtureRequest, certificate: Path, tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[tuple[Run, Run]]:
    """The cases both ways, at the same time, each with a server of its own."""
    folder = tmp_path_factory.mktemp("same")
    password = folder / "vault"
    password.write_text("vault-key\n")
    with FakeVCenter(certificate) as one, FakeVCenter(certificate) as two:
        runs = [Run(request.param, folder / way, server, "same.yml", "-vvv", "--vault-password-file", str(password), in_process=WAYS[way],
                    env={"ANSIBLE_PIPELINING": "true"}) for way, server in zip(WAYS, (one, two))]
        with runs[0], runs[1]:
            yield runs[0].end(300), runs[1].end(300)


def test_results(both: tuple[Run, Run]) -> None:
    here, module = (known(run.rows) for run in both)
    for one, two in zip(here, module):
        assert one == two
    assert len(here) == len(module) > 50
    assert both[0].rc == both[1].rc == 0


def test_each_went_its_way(both: tuple[Run, Run]) -> None:
    here, module = both
    assert here.text.count(IN_PROCESS) == len(AS_MODULE.findall(module.text)) > 45
    assert not AS_MODULE.findall(here.text) and IN_PROCESS not in module.text


def test_requests(both: tuple[Run, Run]) -> None:
    here, module = (run.server for run in both)
    assert here.requests == module.requests and here.logins == module.logins
    # Each task has one connection and closes its session.
    assert here.connections == module.connections == len(here.logins) + 1, "one more: the refused login"
    assert list(here.sessions.values()) == ["refused-logout"]


def test_secrets(both: tuple[Run, Run]) -> None:
    for run in both:
        shown = COMMAND_OF_A_MODULE.sub("", run.text) + str(run.rows)
        assert [secret for secret in SECRETS if secret in shown] == []
        # The search would find it: this is where the server has named it.
        assert "refuse-******** is no name that we like" in shown


def known(value: t.Any) -> t.Any:
    """A result without what may differ."""
    if isinstance(value, dict):
        return {key: PLACE.findall(item) if key == KNOWN_TRACEBACK else known(item) for key, item in value.items() if key != KNOWN_KEY}
    return [known(item) for item in value] if isinstance(value, list) else value


# Words of the result of a task, so that a case is what its name says.
EXPECTED = {
    "Read none": ["'namespaces': []"],
    "What was made": ["first True from the defaults of the module"],
    "Make again": ["'changed': False"],
    "Change, with diff": ["'changed': True", "a variable of the task, a variable of the play, ümläut", "{{ no template }}", "'diff': {'after'"],
    "Misspelt option": ["Unsupported parameters for (vcf.ray.namespace) module: nmae"],
    "Missing option": ["missing required arguments: name"],
    "Wrong type": ["unable to convert to int"],
    "Wrong choice": ["value of state must be one of: present, absent, got: gone"],
    "Wrong suboption": ["limit_mib", "found in", "unable to convert to int"],
    "Options that exclude each other": ["parameters are mutually exclusive: package|content"],
    "Option that another one requires": ["missing parameter(s) required by 'url': checksum"],
    "An option and its alias": ["'error_code': 'CONNECTION'"],
    "Values of other types": ["'name': '7'", "'description': '2026-01-02'"],
    "Refused login": ["'error_code': 'AUTH'"],
    "Nobody listens": ["'error_code': 'CONNECTION'"],
    "No such CA file": ["FOLDER/nowhere.pem"],
    "Refused by the server, with a secret in the text": ["refuse-******** is no name that we like"],
    "Not there": ["'error_code': 'INPUT'"],
    "Wait that ends": ["'error_code': 'TIMEOUT'"],
    "Secret": ["censored"],
    "Until it is there": ["'attempts': 2", "CONFIGURING"],
    "Until, at once": ["'attempts': 1"],
    "Failed when, changed when": ["'changed': True", "failed_when_result': True"],
    "Only when": ["Conditional result was False"],
    "In a vault": ["'namespaces'"],
    "Encrypted in place": ["'namespaces'"],
    "Omitted": ["slow-one"],
    "Environment of a task": ["'namespaces'"],
    "The task after it": ["password is not given"],
}


@pytest.mark.parametrize("task", EXPECTED)
def test_the_case_is_what_its_name_says(both: tuple[Run, Run], task: str) -> None:
    (result,) = both[0].results(task)
    assert [words for words in EXPECTED[task] if words not in str(result)] == [], result


def test_a_warning_belongs_to_its_item(both: tuple[Run, Run]) -> None:
    for run in both:
        assert [bool(item.get("warnings")) for item in run.items("Warning in a loop")] == [True, False, False]
        assert " ".join(run.err.split()).count("The session could not be closed") == 1


def test_the_environment_belongs_to_its_item(both: tuple[Run, Run]) -> None:
    assert ["namespaces" in item for item in both[0].items("Environment of one item")] == [True, False]


def test_the_words_on_the_terminal(core: Core, play: t.Callable[..., Run]) -> None:
    here, module = (play("terminal.yml", in_process=way, env={"ANSIBLE_PIPELINING": "true"}).text for way in (True, False))
    shown = here
    for ours, theirs in KNOWN_WORDS.items():
        shown = shown.replace(ours, theirs)
    assert shown == module
    assert "refuse-this is no name that we like" in here and "--- before" in here


def test_step_by_step(play: t.Callable[..., Run], tmp_path: Path) -> None:
    answers = tmp_path / "answers"
    answers.write_text("y\nn\nc\n")
    with open(answers, encoding="utf-8") as stdin:
        run = play("terminal.yml", "--step", stdin=stdin)
    assert run.results("Read") and not run.results("Make, in check mode, with diff") and run.results("Warning"), run.text


@pytest.mark.parametrize(("way", "strategy"), [("in_process", "linear"), ("in_process", "free"), ("module", "free")])
def test_hosts_at_the_same_time(play: t.Callable[..., Run], way: str, strategy: str) -> None:
    run = play("wait.yml", "-f", "5", "-e", f"strategy_name={strategy} seconds=1", hosts="a b c d e", in_process=WAYS[way])
    results = run.results("Wait")
    assert len(results) == 5 and all(result["error_code"] == "TIMEOUT" for result in results), run.text
    assert not run.server.sessions and len(run.server.logins) == 5
    first = {re.search(r"\[(.)\] slow-(.): CONFIGURING", line).groups() for line in run.progress}
    assert first == ({(host, host) for host in "abcde"} if way == "in_process" else set())


def test_the_time_of_a_task_runs_out(play: t.Callable[..., Run], way: str) -> None:
    run = play("wait.yml", "-e", "task_timeout=4", in_process=WAYS[way])
    assert run.failed("Wait") and "error_code" not in str(run.results("Wait")), run.text
    assert wait_for(lambda: not run.processes() and not run.server.sessions, 10), run.text
