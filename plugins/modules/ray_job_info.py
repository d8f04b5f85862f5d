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
  - Lists the jobs that were handed in, with the end of the log when one of them is asked for.
options:
  submission_id:
    description: One job; all when left out.
    type: str
  log_lines:
    description: How many of the last lines of the log to return, for one job only.
    type: int
    default: 20
author:
  - Contributors to the vcf.ray project (@vcf-ray)
version_added: 0.1.0
extends_documentation_fragment:
  - vcf.ray.ray
  - vcf.ray.attributes.info
"""

EXAMPLES = r"""
- name: See the jobs of a cluster
  vcf.ray.ray_job_info:
    dashboard_url: http://192.0.2.20:8265
  register: all
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

from ..module_utils._clients import ray as ray_client
from ..module_utils._module import run
from ..module_utils._resources import ray_job

SPEC = {
    "submission_id": {"type": "str"},
    "log_lines": {"type": "int", "default": 20},
}


def gather(task, ray):
    """All jobs, or the one of that id. Drivers that nobody handed in have no id and are left out."""
    wanted = task.params["submission_id"]
    if wanted:
        found = ray_job.RayJob(ray, wanted, log_lines=task.params["log_lines"]).describe()
        return {"changed": False, "ray_jobs": [found] if found else []}
    jobs = [ray_job.view(job, ray.url) for job in ray.jobs() if job.get("submission_id")]
    return {"changed": False, "ray_jobs": sorted(jobs, key=lambda job: job["start_time"] or 0)}


def main():
    run({**ray_client.ARGSPEC, **SPEC}, ray_client.connect, gather)


if __name__ == "__main__":
    main()
