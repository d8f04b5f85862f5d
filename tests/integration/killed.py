# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""site.yml that is killed right after a write, and run again.

``python tests/integration/killed.py [FIRST [LAST]]`` is the full sweep, with Ray: for each write of an undisturbed run, from nothing, site.yml
is killed after it, run again to its end, compared with the undisturbed run, and taken back. It takes about a minute for each.
"""

from __future__ import annotations

import difflib
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
import typing as t

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
from labs import BIN, RANDOM, ROOT, Lab, Play

# What differs between two runs of the same site besides: passwords' salts, and what is dealt out in turn.
DEALT = [(re.compile(pattern), word) for pattern, word in (
    (r"\$6\$[^\" ]+", "HASH"),
    (r"\b10\.(244|96)\.[0-9]+\.[0-9]+\b", "ADDRESS"),
)]
# Objects and fields whose content is dealt out anew each time.
ANEW = re.compile(r'"(uid|resourceVersion|generation|creationTimestamp|clusterIP|caBundle|token|password_hash|salt|password|key|port|nodePort|ca\.crt|hash|'
                  r'tls\.crt|tls\.key|data|last_modified_time|version|renewTime|renewalTime|notAfter|notBefore|namespace-hash)": ("[^"]*"|[0-9]+)')

# Writes that leave something; each run asks for a precheck of its own.
LASTING = r"^(?!.*action=precheck)"


def normal(state: object) -> str:
    """The state of a lab without what differs from one undisturbed run to the next; the set of its lines, so that order does not count."""
    text = json.dumps(state, indent=1, sort_keys=True)
    for pattern, word in (*RANDOM, *DEALT):
        text = pattern.sub(word, text)
    return "\n".join(sorted(ANEW.sub(r'"\1": ANEW', text).replace(",\n", "\n").splitlines()))


def vcenter(lab: Lab) -> str:
    """The state of vCenter; a result of a precheck that nobody has used is none of it."""
    state = lab.ask("/state")
    for supervisor in state["supervisors"].values():
        supervisor.pop("prechecks", None)
    return normal(state)


def differing(one: str, other: str) -> str:
    """The lines in which two states differ; empty when they do not."""
    return "\n".join(difflib.unified_diff(one.splitlines(), other.splitlines(), "undisturbed", "killed", lineterm="", n=0))


def lasting(lab: Lab) -> list[str]:
    """The writes so far that leave something."""
    return [write for write in lab.writes() if re.search(LASTING, write)]


def site(lab: Lab, *args: str) -> subprocess.Popen:
    """site.yml, begun."""
    return subprocess.Popen([BIN / "lab", "exec", BIN / "ansible-playbook", "vcf.ray.site", "-e", f"@{lab.state}/vars.yml", *args], env=lab.env, cwd=ROOT,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)


def killed_after(lab: Lab, write: int, *args: str) -> str | None:
    """Run site.yml and kill it at once after its Nth write to vCenter; None if it has killed nothing, since there were fewer.

    Returns what the write was.
    """
    lab.ask("/requests", "DELETE")
    lab.ask("/faults", "POST", {"name": "hold", "after": write, "path": LASTING})
    process = site(lab, *args)
    try:
        while process.poll() is None:
            if lab.ask("/faults")[0]["struck"]:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                break
            time.sleep(0.1)
        else:
            output = process.stdout.read()
            assert process.returncode == 0, output
            return None
    finally:
        lab.ask("/faults", "DELETE")
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    # The log has a request that was held once it is let go.
    return lasting(lab)[-1]


def killed_when(lab: Lab, written: t.Callable[[], bool], *args: str) -> None:
    """Run site.yml and kill it as soon as something is seen to be written elsewhere than in vCenter."""
    process = site(lab, *args)
    try:
        while not written():
            assert process.poll() is None, process.stdout.read()
            time.sleep(0.05)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def clusters(lab: Lab) -> list[dict]:
    """The Ray clusters, as the API server has them; none where it does not know the kind yet."""
    done = lab.exec("kubectl", "--kubeconfig", str(lab.state / "kube/admin.kubeconfig"), "get", "vmrayclusters", "-A", "-o", "json")
    return json.loads(done.stdout)["items"] if done.returncode == 0 else []


def jobs(lab: Lab) -> list[dict]:
    """The jobs of the first cluster, as its Ray has them."""
    address = next((c.get("status", {}).get("vm_service_status", {}).get("ip") for c in clusters(lab)), None)
    done = lab.exec("curl", "-sf", "--max-time", "2", f"http://{address}:8265/api/jobs/") if address else None
    return json.loads(done.stdout) if done and done.returncode == 0 else []


def teardown(lab: Lab) -> None:
    done = lab.playbook("vcf.ray.teardown", "-e", "teardown_confirm=true", "-e", "vi_admin_remove_supervisor=true")
    assert done.returncode == 0, done.stdout + done.stderr


def sweep(first: int, last: int) -> int:
    with tempfile.TemporaryDirectory() as folder:
        lab = Lab(pathlib.Path(folder) / "lab")
        lab.up()
        try:
            return _sweep(lab, first, last)
        finally:
            lab.down()


def _sweep(lab: Lab, first: int, last: int) -> int:
    start, wrong = lab.whole(), 0
    lab.ask("/requests", "DELETE")
    whole = Play(lab.playbook("vcf.ray.site"))
    assert whole.rc == 0, whole.text
    right, writes = vcenter(lab), len(lasting(lab))
    print(f"site.yml writes to vCenter {writes} times", flush=True)
    for number in range(first, min(last, writes) + 1):
        teardown(lab)
        assert lab.whole() == start, "the teardown has left something"
        what = killed_after(lab, number)
        again = Play(lab.playbook("vcf.ray.site"))
        same = again.rc == 0 and vcenter(lab) == right
        wrong += not same
        print(f"{number:3} {'same' if same else 'DIFFERENT'}  killed after {what}", flush=True)
        if again.rc:
            print(again.text[-3000:])
    return int(wrong > 0)


if __name__ == "__main__":
    bounds = [int(word) for word in sys.argv[1:3]]
    sys.exit(sweep(*(bounds + [1, 10_000][len(bounds):])))
