#!/usr/bin/python
# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: ray_job_info
short_description: Jobs of a Ray cluster
description:
  - Lists the jobs that were handed in, or one of them with the end of its log.
  - What is told agrees with C(ray job list), but for the runtime environment, which may hold secrets and is left out.
options:
  submission_id:
    description: One job; all when left out.
    type: str
  status:
    description: Only jobs in one of these states.
    type: list
    elements: str
    choices: [PENDING, RUNNING, SUCCEEDED, FAILED, STOPPED]
  drivers:
    description: Whether to list programs too that joined the cluster without being handed in. They have no submission id and no log.
    type: bool
    default: false
  log_lines:
    description: How many of the last lines of the log to return. If it is not set, 20 for one job and none for all, as each takes a request.
    type: int
notes:
  - It makes 1 request, and 1 for each log.
author:
  - Contributors to the vcf.ray project (@vcf-ray)
version_added: 1.0.0
extends_documentation_fragment:
  - vcf.ray.ray
  - vcf.ray.attributes.info
"""

EXAMPLES = r"""
- name: See the jobs of a cluster that have failed, with the end of their logs
  vcf.ray.ray_job_info:
    dashboard_url: http://192.0.2.20:8265
    status: [FAILED]
    log_lines: 5
  register: failed
"""

RETURN = r"""
ray_jobs:
  description: The jobs, the oldest first; empty when nothing matches.
  returned: always
  type: list
  elements: dict
  contains:
    submission_id:
      description: What the job is known by.
      type: str
      sample: hello-1
    status:
      description: V(PENDING), V(RUNNING), V(SUCCEEDED), V(FAILED) or V(STOPPED).
      type: str
      sample: SUCCEEDED
    entrypoint:
      description: The command.
      type: str
      sample: python train.py
    message:
      description:
        - What Ray says of the status, without the lines of the log that it puts behind, and of a runtime environment that failed only
          what tells why.
      type: str
      sample: Job finished successfully.
    error_type:
      description: Kind of failure.
      type: str
      sample: JOB_ENTRYPOINT_COMMAND_ERROR
    exit_code:
      description: Exit code of the command.
      type: int
      sample: 0
    metadata:
      description: Notes of the job. C(vcf.ray/resources) are the resources that it has asked for, C(vcf.ray/rerun_of) the job that it runs again.
      type: dict
      sample: {}
    start_time:
      description: Start, in milliseconds since 1970.
      type: int
      sample: 1795476587658
    end_time:
      description: End, in milliseconds since 1970.
      type: int
      sample: 1795476594701
    type:
      description: V(SUBMISSION), or V(DRIVER) for a program that was not handed in.
      type: str
      sample: SUBMISSION
    job_id:
      description: What Ray's core knows its newest driver by; null before there is one.
      type: str
      sample: "02000000"
    driver_node_id:
      description: The node that its command runs on.
      type: str
      sample: 850f99f5e4eb6c558b45f30505dc1a82365709fe9f382efabe9dd20b
    log_tail:
      description: The last lines of the log, without colours.
      type: list
      elements: str
      sample: ["3 nodes"]
    dashboard_url:
      description: The dashboard that was asked.
      type: str
      sample: http://192.0.2.20:8265
"""

from ..module_utils._clients import ray as ray_client
from ..module_utils._module import run
from ..module_utils._resources.ray_job import view
from ..module_utils._resources.ray_job_log import tail

SPEC = {
    "submission_id": {"type": "str"},
    "status": {"type": "list", "elements": "str", "choices": ["PENDING", "RUNNING", "SUCCEEDED", "FAILED", "STOPPED"]},
    "drivers": {"type": "bool", "default": False},
    "log_lines": {"type": "int"},
}
LINES = 20


def gather(task, ray):
    """All jobs, or the one of that id."""
    p = task.params
    one = p["submission_id"]
    found = [ray.job(one)] if one else ray.jobs()
    lines = p["log_lines"] if p["log_lines"] is not None else LINES if one else 0
    jobs = [job for job in found if job and (one or job.get("submission_id") or p["drivers"]) and job["status"] in (p["status"] or [job["status"]])]
    shown = [view(job, ray.url, tail(ray, job, lines) if job.get("submission_id") else None) for job in jobs]
    return {"changed": False, "ray_jobs": sorted(shown, key=lambda job: job["start_time"] or 0)}


def main():
    run({**ray_client.ARGSPEC, **SPEC}, ray_client.connect, gather)


if __name__ == "__main__":
    main()
