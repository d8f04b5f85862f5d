#!/usr/bin/python
# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: ray_job
short_description: A job on a Ray cluster
description:
  - Hands in a job by Ray's REST API and waits for its end. No Ray library is needed.
  - A job is known by its submission id. One that runs is waited for and not handed in again, one that has succeeded is left as it is,
    one that has failed is an error with the last lines of its log.
  - A job has succeeded when its status says so.
options:
  name:
    description: Name of the job; it serves as submission id when O(submission_id) is left out.
    type: str
  submission_id:
    description: What the job is known by in the cluster. Choose another one for each run.
    type: str
  entrypoint:
    description: Shell command that runs on the cluster. Needed for O(state=present).
    type: str
  runtime_env:
    description:
      - Ray's runtime environment (C(env_vars), C(pip), C(working_dir) as a URL, and others). It is not shown in results.
    type: dict
  metadata:
    description: Notes to keep with the job; all values are strings.
    type: dict
  entrypoint_num_cpus:
    description: CPUs to reserve for the command.
    type: float
  entrypoint_num_gpus:
    description: GPUs to reserve for the command.
    type: float
  state:
    description:
      - V(present) runs it, V(stopped) ends it if it runs, V(absent) ends it and makes Ray forget it.
    type: str
    choices: [present, stopped, absent]
    default: present
  log_lines:
    description: How many of the last lines of the log to return.
    type: int
    default: 20
author:
  - Contributors to the vcf.ray project (@vcf-ray)
version_added: 0.1.0
extends_documentation_fragment:
  - vcf.ray.ray
  - vcf.ray.wait
  - vcf.ray.attributes
"""

EXAMPLES = r"""
- name: Run a job and wait for its end
  vcf.ray.ray_job:
    dashboard_url: "{{ ray.vmray_cluster.dashboard_url }}"
    submission_id: hello-1
    entrypoint: python -c "import ray; ray.init(); print(len(ray.nodes()))"
  register: job

- name: Show what it printed
  ansible.builtin.debug:
    var: job.ray_job.log_tail
"""

RETURN = r"""
ray_job:
  description: The job; null when there is none.
  returned: success
  type: dict
  contains:
    submission_id:
      description: What the job is known by.
      type: str
    status:
      description: V(PENDING), V(RUNNING), V(SUCCEEDED), V(FAILED) or V(STOPPED).
      type: str
    entrypoint:
      description: The command.
      type: str
    message:
      description: What Ray says of the status.
      type: str
    error_type:
      description: Kind of failure.
      type: str
    exit_code:
      description: Exit code of the command.
      type: int
    metadata:
      description: Notes that were handed in with the job.
      type: dict
    start_time:
      description: Start, in milliseconds since 1970.
      type: int
    end_time:
      description: End, in milliseconds since 1970.
      type: int
    log_tail:
      description: The last lines of the log.
      type: list
      elements: str
    dashboard_url:
      description: The dashboard that was asked.
      type: str
"""

from ..module_utils import _wait
from ..module_utils._clients import ray as ray_client
from ..module_utils._module import run
from ..module_utils._reconcile import reconcile
from ..module_utils._resources.ray_job import RayJob, secrets

SPEC = {
    "name": {"type": "str"},
    "submission_id": {"type": "str"},
    "entrypoint": {"type": "str"},
    "runtime_env": {"type": "dict"},
    "metadata": {"type": "dict"},
    "entrypoint_num_cpus": {"type": "float"},
    "entrypoint_num_gpus": {"type": "float"},
    "state": {"type": "str", "choices": ["present", "stopped", "absent"], "default": "present"},
    "log_lines": {"type": "int", "default": 20},
}
SENT = ("entrypoint", "runtime_env", "metadata", "entrypoint_num_cpus", "entrypoint_num_gpus")


def ensure(task, ray):
    """The job run to its end, or ended."""
    p = task.params
    task.hide(secrets(p["runtime_env"]))
    job = RayJob(ray, p["submission_id"] or p["name"], log_lines=p["log_lines"], stopping=p["state"] == "stopped", removing=p["state"] == "absent")
    result = reconcile(task, job, {key: p[key] for key in SENT} if p["state"] == "present" else None)
    if not task.check_mode:
        result[job.noun] = job.describe()
    return result


def main():
    run({**ray_client.ARGSPEC, **_wait.ARGSPEC, **SPEC}, ray_client.connect, ensure,
        required_if=[("state", "present", ["entrypoint"])], required_one_of=[("name", "submission_id")])


if __name__ == "__main__":
    main()
