# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes what each task returned as a line of JSON: event, host, task, result."""

from __future__ import annotations

import json
import os

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: recorder
type: aggregate
short_description: Results of tasks as lines of JSON
description: Writes into the file that the environment variable TEST_RESULTS names.
"""


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "recorder"

    def _write(self, event, result):
        with open(os.environ["TEST_RESULTS"], "a", encoding="utf-8") as file:
            row = {"event": event, "host": result._host.get_name(), "task": result._task.get_name(), "result": result._result}
            file.write(json.dumps(row, default=str, sort_keys=True) + "\n")


def _recording(event):
    return lambda self, result, **kwargs: self._write(event, result)


for _event in ("runner_on_ok", "runner_on_failed", "runner_on_skipped", "runner_on_unreachable", "runner_item_on_ok", "runner_item_on_failed",
               "runner_item_on_skipped", "runner_retry"):
    setattr(CallbackModule, f"v2_{_event}", _recording(_event))
