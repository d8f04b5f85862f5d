# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The door to Ansible: the only place that builds an AnsibleModule, and the only one that ends it."""

from __future__ import annotations

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.common.parameters import remove_values

from ._errors import MissingLibrary, RayError
from ._ports import Json
from ._reconcile import Task
from ._signals import closing_first


class Controller:
    """What a module has beside a module's own means while it runs in the controller's process: a voice.

    ``voice`` takes a line for the user. It is None in a process of its own, which is mute until it ends.
    """

    voice: t.Callable[[str], None] | None = None


class Module(AnsibleModule):  # type: ignore[misc]  # ansible-core says nothing of its types
    """One that shows its options only when it is known what of them is secret: a kubeconfig, or a definition, tells it when it is read."""

    known = False

    def log(self, msg: str, log_args: Json | None = None) -> None:
        """The system's log gets no options."""
        super().log("Invoked" if log_args else msg)

    def fail_json(self, msg: str, **kwargs: t.Any) -> t.NoReturn:
        """Options that are refused at the door are not repeated by ``-vvv``."""
        super().fail_json(msg, **({} if self.known else {"invocation": {}}), **kwargs)
        raise AssertionError("an AnsibleModule that fails ends the module")


def run(spec: Json, connect: t.Callable[[Task], t.ContextManager[t.Any]], handler: t.Callable[[Task, t.Any], Json], **kwargs: t.Any) -> None:
    """Validate the options, open the client, call ``handler(task, client)``, and end the module with its result.

    Args:
        spec: Ansible argument spec.
        connect: gives a context manager for the client of a task.
        handler: returns the result, a dict with at least ``changed``.
        kwargs: for AnsibleModule (``required_if`` and the like).
    Raises:
        MissingLibrary: only in the controller's process, where another Python may still have it.
    """
    module = Module(argument_spec=spec, supports_check_mode=True, **kwargs)
    task = Task(module.params, check_mode=module.check_mode, diff_mode=module._diff, warn=module.warn,
                progress=_speaker(module), hide=module.no_log_values.update, show=module.no_log_values.difference_update)
    try:
        with closing_first(connect(task)) as client:
            module.known = True
            result = handler(task, client)
    except RayError as error:
        if Controller.voice and isinstance(error, MissingLibrary):
            raise
        module.fail_json(msg=str(error), error_code=error.code, hint=error.hint, **error.details)
    if not _verified(module.params):
        result["tls_verified"] = False
    module.exit_json(**result)


def _verified(params: Json) -> bool:
    """Whether TLS is verified for all endpoints of the options, and for those that have options of their own."""
    endpoints = (params, *(params.get(name) for name in ("supervisor", "supervisor_login", "vcenter", "ray")))
    return not any(name.endswith("validate_certs") and value is False for options in endpoints if isinstance(options, dict)
                   for name, value in options.items())


def _speaker(module: Module) -> t.Callable[[str], None]:
    """Lines for the user, without the values that the result must not show either."""
    voice = Controller.voice
    return (lambda text: voice(remove_values(text, module.no_log_values))) if voice else lambda text: None
