# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When each task began and how it ended, as JSON lines in the file $STOPWATCH_FILE."""

from __future__ import annotations

import json
import os
import time

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = r"""
name: stopwatch
type: aggregate
short_description: Times of tasks for the benchmarks
description: Writes the monotonic clock at the start of each task and at the end of the play.
requirements: []
"""


class CallbackModule(CallbackBase):
    """One line for each event; nothing is kept, so that a killed run leaves what it saw."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "stopwatch"

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._file = open(os.environ["STOPWATCH_FILE"], "w", buffering=1, encoding="utf-8")  # noqa: SIM115 - open as long as the run

    def v2_playbook_on_task_start(self, task, is_conditional):
        self._write("start", name=task.name, action=task.resolved_action or task.action)

    def v2_runner_on_ok(self, result):
        # Not its text: a large result would be converted for us alone, inside of what is timed.
        self._write("ok", changed=result.is_changed(), failed=False, skipped=False)

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self._write("failed", changed=False, failed=not ignore_errors, skipped=False)

    def v2_runner_on_skipped(self, result):
        self._write("skipped", changed=False, failed=False, skipped=True)

    def v2_playbook_on_stats(self, stats):
        self._write("end")

    def _write(self, event, **more):
        self._file.write(json.dumps({"event": event, "at": time.monotonic(), **more}) + "\n")
