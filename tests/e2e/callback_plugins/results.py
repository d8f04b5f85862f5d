# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the result of each task of our modules as a line of JSON, for comparing one run with another."""

from __future__ import annotations

import json
import os

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: results
type: aggregate
short_description: Results of tasks as lines of JSON
description: Writes into the file that the environment variable names.
"""


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "results"

    def _keep(self, result) -> None:
        if result._task.action.startswith("vcf.ray."):
            with open(os.environ["TEST_RESULTS"], "a", encoding="utf-8") as file:
                shown = json.loads(self._dump_results(result._result))
                file.write(json.dumps({"task": result._task.get_name(), "action": result._task.action, "result": shown}) + "\n")

    v2_runner_on_ok = _keep
    v2_runner_on_skipped = _keep

    def v2_runner_on_failed(self, result, ignore_errors=False) -> None:
        self._keep(result)
