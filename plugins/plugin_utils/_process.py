# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A worker of Ansible that does not outlive its parent, whatever ends that: Ctrl-C, a signal, or a job's cancel.

A cancelled job of AAP is a SIGKILL of the process group (ansible-runner), which nobody can handle. So the worker leaves
the group, as ansible-core 2.19 and later let it do anyway, and asks the kernel for a SIGTERM when its parent has gone.
"""

from __future__ import annotations

import contextlib
import ctypes
import multiprocessing
import os
import signal
import sys
import typing as t

PR_SET_PDEATHSIG = 1


def end_with_parent() -> None:
    """From now on the end of the parent is a SIGTERM for this worker. Linux only; elsewhere a worker may outlive a SIGKILL."""
    parent = multiprocessing.parent_process()
    if parent is None or not sys.platform.startswith("linux"):
        return
    if os.getpgrp() != os.getpid():
        os.setsid()
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent.pid:
        os.kill(os.getpid(), signal.SIGTERM)


@contextlib.contextmanager
def ending_children() -> t.Iterator[None]:
    """What ends the task ends the module's process too, which is of this worker's group and no other's: a SIGTERM, or its ``timeout``."""
    if os.getpgrp() != os.getpid():
        yield
        return

    def end_the_others() -> None:
        # Here a second one is ignored, which follows at once when the parent sends the first and ends: it would come between.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.killpg(os.getpid(), signal.SIGTERM)

    def forward(number: int, frame: t.Any) -> None:
        end_the_others()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    before, ended = signal.signal(signal.SIGTERM, forward), False
    try:
        yield
        ended = True
    finally:
        if not ended:
            end_the_others()
        signal.signal(signal.SIGTERM, before)
