# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each task did to the vCenter of the lab: its requests, and the state before and after, as lines of JSON.

A task tells by its variables what is to happen: ``observe`` names it (only such tasks are kept), ``arm`` is a list of
faults that strike during the task alone, ``whole`` takes the state of Kubernetes and of the inventory into account too.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import urllib.request

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: observer
type: aggregate
short_description: What each task did to a vCenter
description: Writes into the file that the environment variable OBSERVED names.
"""
SIDE_DOOR = "http://10.244.0.2:8090"


def ask(method: str, path: str, body: object = None) -> object:
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(SIDE_DOOR + path, data=data, method=method), timeout=30) as answer:
        text = answer.read()
    return json.loads(text) if text else None


def shown(result: dict) -> dict:
    return {k: v for k, v in json.loads(json.dumps(result, default=str)).items() if k != "invocation"}


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "observer"

    def v2_playbook_on_task_start(self, task, is_conditional) -> None:
        self._now = task.vars if "observe" in task.vars else None
        if self._now:
            self._before = self._state()
            for fault in self._now.get("arm", []):
                ask("POST", "/faults", fault)
            ask("DELETE", "/requests")

    def _keep(self, result, failed: bool = False) -> None:
        if not self._now:
            return
        requests = ask("GET", "/requests")
        struck = ask("GET", "/faults") if self._now.get("arm") else []
        if self._now.get("arm"):
            ask("DELETE", "/faults")
        record = {"observe": self._now["observe"], "failed": failed, "result": shown(result._result), "requests": requests,
                  "faults": struck, "before": self._before, "after": self._state()}
        with open(os.environ["OBSERVED"], "a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")

    def v2_runner_on_ok(self, result) -> None:
        self._keep(result)

    def v2_runner_on_failed(self, result, ignore_errors=False) -> None:
        self._keep(result, failed=True)

    def _state(self) -> str:
        """A digest of all that the vCenter holds, and on demand of the rest of the lab."""
        if self._now.get("whole"):
            done = subprocess.run([sys.executable, "-m", "vcf_lab.digest"], check=False, capture_output=True, text=True)
            if done.returncode:
                raise RuntimeError(done.stderr)
            return done.stdout.strip()
        return hashlib.sha256(json.dumps(ask("GET", "/state"), sort_keys=True).encode()).hexdigest()
