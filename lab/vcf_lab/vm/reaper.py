# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What PID 1 owes its namespace: collect the dead that nobody else waits for."""

from __future__ import annotations

import os
import sys


def reap_around() -> None:
    """Fork: the caller goes on in the child; the parent only reaps, and ends with the child."""
    child = os.fork()
    if child == 0:
        return
    while True:
        try:
            pid, status = os.wait()
        except InterruptedError:
            continue
        if pid == child:
            os._exit(os.waitstatus_to_exitcode(status) & 255)


def wait_for(child: int) -> None:
    """Reap until `child` ends, then end with its exit code."""
    while True:
        pid, status = os.wait()
        if pid == child:
            sys.exit(os.waitstatus_to_exitcode(status) & 255)
