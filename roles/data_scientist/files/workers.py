# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A first Ray job: one task on each worker node; each says where it ran."""

import json
import os
import time

import ray

ray.init()


@ray.remote(num_cpus=0)
def where() -> dict:
    """Hold the slot for a moment, so that the next task goes to another worker."""
    time.sleep(1)
    return {"node_id": ray.get_runtime_context().get_node_id(), "address": ray.util.get_node_ip_address(), "netns": os.stat("/proc/self/ns/net").st_ino}


# Only workers that the cluster's autoscaler started have the resource "cpu", in lower case; the head has none.
workers = [n for n in ray.nodes() if n["Alive"] and n["Resources"].get("cpu")]
tasks = [where.options(resources={"cpu": 0.001, f"node:{n['NodeManagerAddress']}": 0.001}).remote() for n in workers]
answers = ray.get(tasks)
# At once, so that no line of Ray's own comes between.
print("\n".join([f"{len(answers)} workers:", *(json.dumps(answer, sort_keys=True) for answer in answers)]), flush=True)
