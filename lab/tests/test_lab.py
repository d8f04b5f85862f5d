# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab itself: it comes up, can be entered, is watched, and leaves nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from vcf_lab import instance, lifecycle, settings

pytestmark = pytest.mark.lab
CLI = [sys.executable, "-m", "vcf_lab.cli"]
# Found from any folder, also where the package is not installed.
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(Path(__file__).parent.parent), os.environ.get("PYTHONPATH")]))


def run(state: Path, *words: str, **options) -> subprocess.CompletedProcess[str]:
    command = [*CLI, words[0], "--state", str(state), *words[1:]]
    return subprocess.run(command, capture_output=True, text=True, timeout=180, **options)


@pytest.fixture(scope="module")
def state(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lab") / "state"
    done = run(folder, "up")
    yield folder
    run(folder, "down")
    assert done.returncode == 0, done.stderr
    assert not folder.exists()


def test_up_again_only_reports(state):
    before = instance.find(state)
    done = run(state, "up")
    assert done.returncode == 0, done.stderr
    assert "runs already" in done.stderr
    assert instance.find(state) == before


def test_up_with_other_options_is_refused(state):
    done = run(state, "up", "--speed", "natural")
    assert done.returncode == 1
    assert "runs already, with speed fast" in done.stderr


def test_doctor_finds_every_part_well_in_one_network(state):
    done = run(state, "doctor")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert all(line.startswith("ok") for line in lines)
    networks = {line.split()[4 if "(pinned)" not in line else 5] for line in lines}
    assert len(networks) == 1
    assert str(os.stat("/proc/self/ns/net").st_ino) not in networks


def test_exec_gives_exit_code_streams_folder_and_environment(state, tmp_path):
    script = "cat; pwd; echo $VMWARE_HOST $MINE; exit 7"
    done = run(state, "exec", "sh", "-c", script, input="in\n", cwd=tmp_path, env=os.environ | {"MINE": "kept"})
    assert done.returncode == 7
    assert done.stdout.splitlines() == ["in", str(tmp_path), "vcenter.lab kept"]


def test_exec_inside_exec(state):
    done = run(state, "exec", *CLI, "exec", "--state", str(state), "echo", "twice")
    assert done.stdout == "twice\n"


def test_exec_of_nothing_known(state):
    done = run(state, "exec", "no-such-program")
    assert done.returncode == 127
    assert "no-such-program" in done.stderr


def test_exec_passes_signals(state):
    script = "trap 'echo told; exit 9' TERM; echo ready; while :; do sleep 0.1; done"
    command = [*CLI, "exec", "--state", str(state), "sh", "-c", script]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        assert process.stdout.read() == "told\n"
        assert process.wait() == 9


def test_a_killed_exec_leaves_no_command(state):
    command = [*CLI, "exec", "--state", str(state), "sh", "-c", "echo $$; exec sleep 1000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        inner = process.stdout.readline().strip()
        process.kill()
    assert _soon(lambda: run(state, "exec", "kill", "-0", inner).returncode != 0)


def test_forward_reaches_a_server(state):
    command = [*CLI, "forward", "--state", str(state), f"{settings.VCSIM_IP}:{settings.VCSIM_PORT}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        url = process.stdout.readline().split()[0]
        done = subprocess.run(["curl", "-s", "--noproxy", "*", f"{url}/about"], capture_output=True, text=True)
        process.terminate()
    assert "methods" in done.stdout.lower()
    assert process.returncode in {130, 0}


def test_digest_stays_while_nothing_is_written(state):
    first = run(state, "digest").stdout
    assert len(first.strip()) == 64
    kubectl = ["kubectl", "--kubeconfig", str(state / "kube" / "admin.kubeconfig")]
    assert run(state, "exec", *kubectl, "get", "namespaces").returncode == 0
    assert run(state, "digest").stdout == first
    assert run(state, "exec", *kubectl, "create", "configmap", "written").returncode == 0
    assert run(state, "digest").stdout != first


def test_nothing_of_the_lab_is_for_other_users(state):
    assert state.stat().st_mode & 0o077 == 0
    assert (state / "lab.json").stat().st_mode & 0o077 == 0


def test_a_dead_part_is_named_and_the_rest_lives(tmp_path):
    state = tmp_path / "state"
    try:
        assert run(state, "up").returncode == 0
        assert run(state, "kill", "vcsim").returncode == 0
        assert _soon(lambda: lifecycle.status(state)["vcsim"]["state"] == "dead")
        doctor = run(state, "doctor")
        assert doctor.returncode == 1
        assert "vcsim" in doctor.stderr
        assert "ok    kube-apiserver" in doctor.stdout
        assert "not ready: vcsim" in run(state, "up").stderr
    finally:
        run(state, "down")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_up_that_is_interrupted_leaves_nothing(tmp_path, number):
    state = tmp_path / "state"
    with subprocess.Popen([*CLI, "up", "--state", str(state)], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr.readline()  # the first part is up
        running = instance.find(state)
        process.send_signal(number)
        assert process.wait() == 130
    assert running and not running.alive
    assert not state.exists()


def test_run_is_up_exec_down(tmp_path):
    state = tmp_path / "state"
    done = run(state, "run", "--", "sh", "-c", "getent hosts vcenter.lab; exit 5")
    assert done.returncode == 5, done.stderr
    assert settings.VCENTER_IP in done.stdout
    assert not state.exists()


def _soon(happened, seconds: float = 10.0) -> bool:
    """Asked until it holds; the deadline only bounds a failing test."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if happened():
            return True
        time.sleep(0.1)
    return False


def test_a_killed_lab_leaves_no_process(tmp_path):
    state = tmp_path / "state"
    assert run(state, "up").returncode == 0
    root = instance.find(state).pid
    inside = _descendants(root)
    assert len(inside) > 8
    os.kill(root, signal.SIGKILL)
    deadline = time.monotonic() + 30
    while any(_alive(pid) for pid in inside) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert [pid for pid in inside if _alive(pid)] == []
    assert run(state, "status").returncode == 3
    assert run(state, "down").returncode == 0
    assert not state.exists()


def test_two_labs_have_the_same_addresses_and_nothing_in_common(state, tmp_path):
    other = tmp_path / "state"
    assert run(other, "up").returncode == 0
    try:
        ask = ["exec", "curl", "--silent", "--fail", "--cacert", "{ca}", "https://vcenter.lab/certs/download.zip", "--output", "/dev/null"]
        for here, ca, good in ((state, state, True), (other, other, True), (state, other, False)):
            words = [word.replace("{ca}", str(ca / "pki" / "ca.crt")) for word in ask]
            assert (run(here, *words).returncode == 0) is good
        assert instance.find(state).pid != instance.find(other).pid
    finally:
        run(other, "down")
    assert run(state, "doctor").returncode == 0


def _alive(pid: int) -> bool:
    """A process that was ended and not yet waited for is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _descendants(pid: int) -> list[int]:
    found = [pid]
    for parent in found:
        for children in Path(f"/proc/{parent}/task").glob("*/children"):
            found += [int(child) for child in children.read_text().split()]
    return found
