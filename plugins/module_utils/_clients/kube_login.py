# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A look at the Kubernetes of a Supervisor by a task that works at vCenter: reading only, if its user gives a login."""

from __future__ import annotations

import contextlib
import types
import typing as t

from .._errors import UnknownYet
from .._ports import Task
from . import kube, kube_config
from . import supervisor as supervisor_client

LOGIN = {**supervisor_client.ARGSPEC, "hostname": {"type": "str"}}
ARGSPEC = {"supervisor_login": {"type": "dict", "options": LOGIN}}
Open = t.Callable[[t.Optional[str]], t.ContextManager[kube.Kube]]


def opener(task: Task) -> Open | None:
    """``open(hostname)`` for the option ``supervisor_login``, or None when it is not given.

    ``hostname`` is the address that vCenter tells, for when the user names none.
    """
    login = task.params.get("supervisor_login")
    if not login:
        return None

    @contextlib.contextmanager
    def opened(hostname: str | None) -> t.Iterator[kube.Kube]:
        host = login.get("hostname") or hostname
        if not host:
            raise UnknownYet("The Supervisor has no address yet to log in at.", hint="Wait until it is ready, or set supervisor_login.hostname.")
        params = dict.fromkeys(kube_config.ARGSPEC)
        with kube.connect(types.SimpleNamespace(params={**params, "supervisor": {**login, "hostname": host}}, hide=task.hide)) as client:
            yield client

    return opened
