# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The door to Ansible: the only place that builds an AnsibleModule, and the only one that ends it."""

from __future__ import annotations

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ._errors import RayError
from ._reconcile import Task


def run(spec: dict, connect: t.Callable[[Task], t.ContextManager], handler: t.Callable[[Task, t.Any], dict], **kwargs: t.Any) -> None:
    """Validate the options, open the client, call ``handler(task, client)``, and end the module with its result.

    Args:
        spec: Ansible argument spec.
        connect: gives a context manager for the client of a task.
        handler: returns the result, a dict with at least ``changed``.
        kwargs: for AnsibleModule (``required_if`` and the like).
    """
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True, **kwargs)
    task = Task(module.params, check_mode=module.check_mode, diff_mode=module._diff, warn=module.warn,
                hide=module.no_log_values.update)
    try:
        with connect(task) as client:
            result = handler(task, client)
    except RayError as error:
        module.fail_json(msg=str(error), error_code=error.code, hint=error.hint, **error.details)
    if module.params.get("validate_certs") is False:
        result["tls_verified"] = False
    module.exit_json(**result)
