# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules in the controller's own process: imports paid once per playbook, and a voice while a task waits.

A module runs here as it is, AnsibleModule included, so that its messages and results are the same by construction.
Where a task is bound elsewhere, ansible-core's own ``normal`` action runs the module as it runs any other.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import os
import ssl
import sys
import typing as t
from functools import partial

from ansible import constants as C  # noqa: N812 - as everywhere in Ansible
from ansible.module_utils import basic
from ansible.module_utils.common import warnings
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action.normal import ActionModule as NormalAction
from ansible.utils.display import Display

from ..module_utils._errors import MissingLibrary
from ..module_utils._module import Controller
from . import _process

PROFILE = "legacy"
# Made here, so that their modules are imported once in the parent and not in each of its workers.
try:
    from ansible.module_utils.common.json import Direction, get_module_decoder, get_module_encoder

    ENCODER, DECODER = get_module_encoder(PROFILE, Direction.CONTROLLER_TO_MODULE), get_module_decoder(PROFILE, Direction.MODULE_TO_CONTROLLER)
except ImportError:
    # ansible-core before 2.19 has one encoder and no profiles.
    from ansible.parsing.ajson import AnsibleJSONEncoder

    ENCODER, DECODER = partial(AnsibleJSONEncoder, vault_to_text=True), None
# OpenSSL sets itself up at the first context, for the workers too.
ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
# Callbacks whose output a program reads: a line of ours would break it.
MACHINES = ("json", "jsonl", "yaml")
# Results with one of these keys are secret as a whole: later tasks get them, nobody sees them. The modules that have such.
SECRET_KEYS = ("session_id", "kubeconfig")
SECRET_NOUNS = ("vcenter_session", "supervisor_kubeconfig")
display = Display()


class ActionModule(NormalAction):
    """Runs the module of the same name, here or as usual; ``-vv`` says which way and why."""

    def run(self, tmp: t.Any = None, task_vars: dict | None = None) -> dict:
        host = (task_vars or {}).get("inventory_hostname")
        reason = self._elsewhere(task_vars or {})
        if self._is_local():
            _process.end_with_parent()
        if not reason:
            try:
                result = self._here(task_vars or {}, self._task.args)
                display.vv(f"{self._task.action} ran in the controller's process", host=host)
                return _sealed(result)
            except MissingLibrary as error:
                reason = error.message
        display.vv(f"{self._task.action} runs as a module: {reason}", host=host)
        # The result of an asynchronous task is another task's, and would be shown there.
        self._supports_async = self._noun not in SECRET_NOUNS
        with _process.ending_children():
            return _sealed(super().run(tmp, task_vars))

    @property
    def _noun(self) -> str:
        return self._task.resolved_action.rsplit(".", 1)[-1]

    def _elsewhere(self, task_vars: dict) -> str | None:
        """Why the task is bound to another process than this one, or None."""
        if not self._switch("in_process", task_vars):
            return "vcf_ray_in_process is false"
        if self._task.async_val:
            return "async is set"
        if self._becomes():
            return "become is set"
        if self._connection.transport != "local":
            return f"the connection is {self._connection.transport}"
        wanted = self._interpreter(task_vars)
        if wanted and not wanted.startswith("auto") and _python(wanted) != _python(sys.executable):
            return f"ansible_python_interpreter is {wanted}, the controller's is {sys.executable}"
        return None

    def _becomes(self) -> bool:
        return bool(self._task.become or self._play_context.become)

    def _is_local(self) -> bool:
        """Whether nothing of the task may ask at the terminal, as ssh and sudo do."""
        return self._connection.transport == "local" and not self._becomes()

    def _interpreter(self, task_vars: dict) -> str:
        """The Python that the user has asked for where the task is to run."""
        if self._task.delegate_to:
            task_vars = task_vars.get("ansible_delegated_vars", {}).get(self._task.delegate_to, {})
        name = "ansible_python_interpreter"
        if "".join(str(task_vars.get(name)).split()) == "{{ansible_playbook_python}}":
            # What most inventories say; to look it up would take as long as a request.
            return sys.executable
        chosen = {name: self._templar.template(task_vars[name])} if name in task_vars else {}
        return str(C.config.get_config_value("INTERPRETER_PYTHON", variables=chosen))

    def _switch(self, name: str, task_vars: dict) -> bool:
        """A variable ``vcf_ray_NAME``, else the environment variable of the same name, else true."""
        value = self._templar.template(task_vars.get(f"vcf_ray_{name}"))
        return boolean(os.environ.get(f"VCF_RAY_{name.upper()}", "true") if value is None else value, strict=False)

    def _here(self, task_vars: dict, options: dict) -> dict:
        """Run the module on these options in this process."""
        args = dict(options)
        self._update_module_args(self._task.action, args, task_vars)
        environment: dict = {}
        self._compute_environment_string(environment)
        main = importlib.import_module(f"..modules.{self._noun}", __package__).main
        with _surroundings(environment), _voice(self._speaker(task_vars)):
            return _decoded(_call(main, _encoded(args)))

    def _speaker(self, task_vars: dict) -> t.Callable[[str], None]:
        quiet = self._task.no_log or not self._switch("progress", task_vars) or C.DEFAULT_STDOUT_CALLBACK.rsplit(".", 1)[-1] in MACHINES
        if quiet:
            return lambda text: None
        host = task_vars.get("inventory_hostname")
        return lambda text: display.display(f"waiting: [{host}] {text}", color=C.COLOR_SKIP, stderr=True)


def _python(path: str) -> tuple[str, str]:
    """What a Python is, by whatever name it is called: a virtual environment is its folder, as the file is a link to another."""
    return os.path.realpath(os.path.dirname(path)), os.path.realpath(path)


def _call(main: t.Callable[[], None], arguments: bytes) -> str:
    """Run a module's ``main`` on its arguments, and return what it prints."""
    # What is left of the item before in a loop: its worker is the same process.
    for kept in (warnings._global_warnings, warnings._global_deprecations):
        kept.clear()
    basic._ANSIBLE_ARGS, basic._ANSIBLE_PROFILE = arguments, PROFILE
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        try:
            main()
        except SystemExit:
            pass
    return printed.getvalue()


def _encoded(args: dict) -> bytes:
    """The arguments as a module gets them: plain values, vaulted ones opened."""
    return json.dumps({"ANSIBLE_MODULE_ARGS": args}, cls=ENCODER).encode()


def _decoded(printed: str) -> dict:
    return json.loads(printed, cls=DECODER)


def _sealed(result: dict) -> dict:
    if any(result.get(key) for key in SECRET_KEYS):
        result["_ansible_no_log"] = True
    return result


@contextlib.contextmanager
def _surroundings(environment: dict) -> t.Iterator[None]:
    """The task's ``environment``, and afterwards what was there before it."""
    if not environment:
        yield
        return
    before = dict(os.environ)
    os.environ.update({key: str(value) for key, value in environment.items()})
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextlib.contextmanager
def _voice(speak: t.Callable[[str], None]) -> t.Iterator[None]:
    Controller.voice = speak
    try:
        yield
    finally:
        Controller.voice = None
