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
  - A job is known by its submission id, which follows from the content if it is not given. So the same task is the same job. One that
    runs is waited for and not handed in again, one that has succeeded is left as it is, one that has failed or was stopped is an error
    with the last lines of its log, or is run again with O(rerun).
  - Another job under the same id is refused, with the fields that differ. What was not asked for is not compared.
  - A job is handed in once at the most by a task. When the answer is lost, it is looked for.
  - A job has succeeded when its status says so, whatever becomes of its log on the way.
options:
  name:
    description: Name of the job. It serves as submission id when O(submission_id) is left out.
    type: str
  submission_id:
    description:
      - What the job is known by in the cluster.
      - If neither this nor O(name) is set, it is V(job-) and a digest of the command, the code, the runtime environment, the metadata
        and the resources. Values of environment variables that by their names are secrets do not count.
    type: str
  entrypoint:
    description: Shell command that runs on the cluster. Needed for O(state=present), and to find a job without O(submission_id) and O(name).
    type: str
  working_dir:
    description:
      - Folder or V(.zip) that the command runs in, or the URI of one that the nodes can fetch.
      - A folder is packed here and sent to the cluster, as Ray's own client does, unless the cluster has a package of the same content.
      - Ray takes 100 MiB at the most for a package; a larger one is an error before anything is sent.
      - C(.git), C(.venv), C(venv), C(__pycache__), what the C(.gitignore) and C(.rayignore) in it name, and O(excludes) are left out.
    type: path
  py_modules:
    description: Folders of Python packages, files V(.py) or V(.whl), or URIs of packages, that the job can import.
    type: list
    elements: path
  excludes:
    description: Patterns as in a C(.gitignore), of what is left out of O(working_dir) and O(py_modules).
    type: list
    elements: str
  gitignore:
    description: Whether C(.gitignore) files count. Those called C(.rayignore) always do.
    type: bool
    default: true
  runtime_env:
    description:
      - Ray's runtime environment (C(env_vars), C(pip), C(working_dir), and others). C(working_dir), C(py_modules) and C(excludes) in it
        are treated as the options of these names.
      - It is shown nowhere. Of another job under the same id only the names of the fields that differ are told.
      - Values of environment variables with C(pass), C(pwd), C(secret), C(token), C(key), C(cred) or C(auth) in their names, and
        passwords in addresses, are cut out of all texts, the log included, if they have six characters or more, as shorter ones would
        garble every text. They are not compared with those of the job that is there.
    type: dict
  metadata:
    description: Notes to keep with the job.
    type: dict
  entrypoint_num_cpus:
    description: CPUs to reserve for the command. With any of the resources the command runs on a node that has them, else on the head.
    type: float
  entrypoint_num_gpus:
    description: GPUs to reserve for the command.
    type: float
  entrypoint_memory:
    description: Memory to reserve for the command, in bytes or as V(4Gi).
    type: str
  entrypoint_resources:
    description: Custom resources to reserve for the command, with their amounts.
    type: dict
  entrypoint_label_selector:
    description: Labels that the node of the command must have. Ray 2.49 or later.
    type: dict
  state:
    description:
      - V(present) runs it, V(stopped) ends it if it runs, V(absent) ends it and makes Ray forget it and all its runs.
      - Ray forgets only what has ended. So with O(wait=false) a job that runs is only told to stop by V(absent).
    type: str
    choices: [present, stopped, absent]
    default: present
  rerun:
    description:
      - Which job that has ended is run again. V(never) makes one that has failed or was stopped an error, V(failed) runs it again,
        V(always) also one that has succeeded. One that runs is always waited for.
      - The next run has the id with V(-2), V(-3) and so on behind it. Ray advises against an id that was used before, even when it has
        forgotten the job, and would write into the same log. The newest run is the one that counts.
    type: str
    choices: [never, failed, always]
    default: never
  follow_logs:
    description:
      - Whether to tell the lines of the log as they come, while the task waits. They are seen when the task runs in the controller's
        process, as it does by default.
      - No line is lost or told twice, also when the connection breaks. To that end the log is read from its start each time, without
        keeping it, and the rarer the longer that takes, so that at most a tenth of the time goes into it.
    type: bool
    default: false
  stop_on_timeout:
    description:
      - Whether to end the job when O(wait_timeout) is over. Else it goes on, and the task run again waits for it.
      - Ray cannot end a job whose command has got no node yet; it does so as soon as there is one.
    type: bool
    default: false
  log_lines:
    description: How many of the last lines of the log to return.
    type: int
    default: 20
  log_path:
    description:
      - File to write the whole log to, also of a job that has failed, when its end was waited for. Only its owner may read it.
      - One that is there is left when the job has not run since.
    type: path
  fetch:
    description:
      - Files to bring here when the job has succeeded and its end was waited for.
      - Ray gives out only what lies in its log folder of a node, C(/tmp/ray/session_latest/logs), and only while the node lives. So the
        command must write its results there, or put a link there (C(ln -s "$PWD/out.csv" /tmp/ray/session_latest/logs/my-out.csv)), on
        the node that it runs on itself.
    type: list
    elements: dict
    suboptions:
      file:
        description: Name in the log folder. C({submission_id}) in it stands for the id of the run.
        type: str
        required: true
      dest:
        description: File to write here. Only its owner may read it. One that is there is left when the job has not run since.
        type: path
        required: true
  accept_open_dashboard:
    description:
      - Whether it is well that Ray answers without a token. Else that is warned of, where the address is not of this machine alone.
      - Nothing is said when a token or headers were sent, as then the answer proves nothing.
    type: bool
    default: false
notes:
  - Requests of a task for a job that has succeeded are 2, one for its status and one for the last lines of its log, and 1 with
    O(log_lines=0). In check mode it is 1.
  - A new job takes 1 to look for it, 1 to hand it in, 1 for its status every 2 seconds after some that come sooner at the start, and 1
    for the last lines. Each package takes 1, and 1 more to send it if it is not there. O(follow_logs) takes 1 more each second at the most, each file of
    O(log_path) and O(fetch) 1.
  - With O(rerun=always), and where the job has failed, 1 is the list of all jobs.
author:
  - Contributors to the vcf.ray project (@vcf-ray)
version_added: 1.0.0
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

- name: Train with the code of this folder, say what it says, and bring the model here
  vcf.ray.ray_job:
    dashboard_url: https://ray.example.com/team-a
    token_path: ~/.ray/team-a.token
    working_dir: "{{ playbook_dir }}/training"
    excludes: ["data/", "*.ckpt"]
    entrypoint: python train.py --out /tmp/ray/session_latest/logs/model.json
    runtime_env:
      pip: [scikit-learn==1.5.2]
      env_vars:
        WANDB_API_KEY: "{{ wandb_api_key }}"
    entrypoint_num_cpus: 2
    entrypoint_memory: 4Gi
    follow_logs: true
    rerun: failed
    wait_timeout: 7200
    stop_on_timeout: true
    log_path: "{{ playbook_dir }}/train.log"
    fetch:
      - file: model.json
        dest: "{{ playbook_dir }}/model.json"
"""

RETURN = r"""
ray_job:
  description: The job; null when there is none.
  returned: success, and when the job has failed
  type: dict
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
files:
  description: The files of O(log_path) and O(fetch); empty when the end of the job was not waited for.
  returned: when any were asked for
  type: list
  elements: dict
  contains:
    path:
      description: Where it lies here.
      type: str
    changed:
      description: Whether it was written.
      type: bool
"""

from ..module_utils import _wait
from ..module_utils._clients import ray as ray_client
from ..module_utils._clients import ray_package
from ..module_utils._errors import RayError, UnknownYet
from ..module_utils._module import run
from ..module_utils._reconcile import reconcile
from ..module_utils._resources import ray_job_content as job_content
from ..module_utils._resources.ray_job import RayJob
from ..module_utils._resources.ray_job_end import RayJobEnd
from ..module_utils._resources.ray_job_file import RayJobFile, checked
from ..module_utils._resources.ray_job_log import Follower, file_of

SPEC = {
    "name": {"type": "str"},
    "submission_id": {"type": "str"},
    "entrypoint": {"type": "str"},
    "working_dir": {"type": "path"},
    "py_modules": {"type": "list", "elements": "path"},
    "excludes": {"type": "list", "elements": "str"},
    "gitignore": {"type": "bool", "default": True},
    "runtime_env": {"type": "dict", "no_log": True},
    "metadata": {"type": "dict"},
    "entrypoint_num_cpus": {"type": "float"},
    "entrypoint_num_gpus": {"type": "float"},
    "entrypoint_memory": {"type": "str"},
    "entrypoint_resources": {"type": "dict"},
    "entrypoint_label_selector": {"type": "dict"},
    "state": {"type": "str", "choices": ["present", "stopped", "absent"], "default": "present"},
    "rerun": {"type": "str", "choices": ["never", "failed", "always"], "default": "never"},
    "follow_logs": {"type": "bool", "default": False},
    "stop_on_timeout": {"type": "bool", "default": False},
    "log_lines": {"type": "int", "default": 20},
    "log_path": {"type": "path"},
    "fetch": {"type": "list", "elements": "dict", "options": {
        "file": {"type": "str", "required": True},
        "dest": {"type": "path", "required": True},
    }},
    "accept_open_dashboard": {"type": "bool", "default": False},
}
OPEN = ("Ray at {url} answers without a token, so whoever reaches this address can run commands on the cluster. Let its nodes ask for one "
        "(RAY_AUTH_MODE=token, Ray 2.52 or later) with TLS in front, or accept it with accept_open_dashboard.")


def ensure(task, ray):
    """The job run to its end, or ended; and a word about a dashboard that is open to all."""
    runtime_env = _kept_to_itself(task)
    try:
        return _present(task, ray, runtime_env) if task.params["state"] == "present" else _ended(task, ray, runtime_env)
    finally:
        if ray.answered_a_stranger and not ray.is_loopback and not task.params["accept_open_dashboard"]:
            task.warn(OPEN.format(url=ray.url))


def _kept_to_itself(task):
    """The runtime environment, which is shown nowhere from now on; its harmless values may stand in other texts."""
    p = task.params
    runtime_env = p["runtime_env"] or {}
    hidden = [*job_content.secrets(runtime_env), *[value for value in (p["token"], *job_content.leaves(p["headers"])) if value]]
    task.show(value for value in job_content.leaves(runtime_env) if value not in hidden)
    task.hide(hidden)
    if p["runtime_env"] is not None:
        p["runtime_env"] = "(not shown)"
    return runtime_env


def _present(task, ray, runtime_env):
    p = task.params
    name = p["submission_id"] or p["name"]
    try:
        asked, packages = _content(p, runtime_env)
        name, fault = job_content.checked_id(name or job_content.derived_id(asked)), None
    except UnknownYet as error:
        asked, packages, name, fault = {"entrypoint": p["entrypoint"]}, [], name or "of code that is not there yet", error
    follower = Follower(ray, lambda line: task.progress(f"{job.name} | {line}")) if p["follow_logs"] else None
    job = RayJob(ray, name, rerun=p["rerun"], log_lines=p["log_lines"], packages=packages, follower=follower, fault=fault)
    files = _files(p, ray, job)
    try:
        result = reconcile(task, job, asked)
    except RayError as error:
        raise _explained(task, job, error, files[:1] if p["log_path"] else []) from error
    if not task.check_mode:
        result[job.noun] = job.describe()
    return {**result, **_brought(task, job, files, result)} if files else result


def _ended(task, ray, runtime_env):
    p = task.params
    name = p["submission_id"] or p["name"] or job_content.derived_id(_content(p, runtime_env)[0])
    job = RayJobEnd(ray, job_content.checked_id(name), removing=p["state"] == "absent")
    result = reconcile(task, job, None)
    if not task.check_mode:
        result[job.noun] = job.describe()
    return result


def _content(p, runtime_env):
    """What is handed in, and the local code that goes with it."""
    runtime_env = dict(runtime_env)
    for option in ("working_dir", "py_modules", "excludes"):
        if p[option] is not None and runtime_env.get(option) is not None:
            raise RayError(f"{option} is given twice, as an option and in runtime_env.", code="INPUT", hint="Give it once.")
    excludes = [*(p["excludes"] or []), *(runtime_env.pop("excludes", None) or [])]
    folder = p["working_dir"] or runtime_env.get("working_dir")
    packages = []
    if folder and not ray_package.is_uri(folder):
        packages.append(ray_package.working_dir(folder, excludes, p["gitignore"]))
        folder = packages[0].uri
    modules = []
    for module in p["py_modules"] or runtime_env.get("py_modules") or []:
        if not ray_package.is_uri(module):
            packages.append(ray_package.module(module, excludes, p["gitignore"]))
            modules.append(packages[-1].uri)
        else:
            modules.append(module)
    code = {**({"working_dir": folder} if folder else {}), **({"py_modules": modules} if modules else {})}
    return job_content.content(p, {**runtime_env, **code}), packages


def _files(p, ray, job):
    """What is to be brought here: the log first; each can be written, or nothing is handed in."""
    files = [RayJobFile(ray, lambda: file_of(job.name), p["log_path"], job=job)] if p["log_path"] else []
    for row in p["fetch"] or []:
        name = checked(row["file"])
        files.append(RayJobFile(ray, lambda name=name: name.replace("{submission_id}", job.name), row["dest"], job=job))
    for file in files:
        file.check()
    return files


def _brought(task, job, files, result):
    """The files of a job that has succeeded; nothing while it runs on without us."""
    if job.fresh and not task.params["wait"]:
        return {"files": []}
    results = [reconcile(task, file, {"path": file.name}) for file in files]
    diffs = [one["diff"] for one in [result, *results] if "diff" in one]
    return {"changed": any(one["changed"] for one in [result, *results]), "files": [{"path": file.name, "changed": one["changed"]}
            for file, one in zip(files, results, strict=True)], **({"diff": diffs} if diffs else {})}


def _explained(task, job, error, log):
    """The error with what becomes of the job on the cluster; its log is brought here all the same."""
    if error.code == "TIMEOUT" and task.params["stop_on_timeout"] and job.handed_in:
        error.message += f" It was told to stop, as stop_on_timeout asks: {job.stop()}"
        error.hint = "Raise wait_timeout; to run it again, set rerun: failed."
    elif error.code == "TIMEOUT":
        error.hint = "The job goes on. Run it again to go on waiting, or raise wait_timeout."
    elif error.code == "CONNECTION" and job.handed_in:
        error.message += f" Job {job.name} was handed in and may run on."
        error.hint = "Run it again when the dashboard can be reached: it is waited for, not handed in again."
    if job.job and job.job.get("driver_node_id"):
        for file in log:
            try:
                reconcile(task, file, {"path": file.name})
            except RayError as other:
                error.message += f" Its log could not be brought to {file.name}: {other.message}"
    return error


def main():
    run({**ray_client.ARGSPEC, **_wait.ARGSPEC, **SPEC}, ray_client.connect, ensure,
        required_if=[("state", "present", ["entrypoint"])], required_one_of=[("name", "submission_id", "entrypoint")])


if __name__ == "__main__":
    main()
