# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs: found or named with their source, heard when they fail, ended with their children."""

from __future__ import annotations

import os
import pathlib
import signal
import subprocess
import threading
import time

import pytest

from ansible_collections.vcf.ray.plugins.module_utils._clients import programs
from ansible_collections.vcf.ray.plugins.module_utils._errors import RayError


@pytest.fixture(name="write")
def fixture_write(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch):
    """Writes a shell script that is first on the PATH."""
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    def write(name: str, text: str) -> programs.Program:
        file = tmp_path / name
        file.write_text(f"#!/bin/sh\n{text}\n")
        file.chmod(0o755)
        return programs.program(name)

    return write


def alive(group: int) -> list[str]:
    """The processes of a group that are no mere remains, which only their parent can take away."""
    rows = subprocess.run(["ps", "-eo", "pgid,stat,args"], stdout=subprocess.PIPE, check=True, text=True).stdout.splitlines()[1:]
    return [row for row in rows if row.split()[0] == str(group) and not row.split()[1].startswith("Z")]


def test_output_input_environment_and_folder(write, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GONE", "x")
    program = write("ytt", 'cat; echo "$1|$ADDED|${GONE-none}|$PWD"; echo noise >&2')
    assert program.run(["a b"], env={"ADDED": "1", "GONE": None}, cwd=str(tmp_path), input="in\n") == f"in\na b|1|none|{tmp_path}\n"
    assert program.run([]).startswith("|")


def test_a_failure_is_told_in_the_programs_last_words(write) -> None:
    program = write("kbld", 'seq 30; for line in $(seq 20); do echo "line $line" >&2; done; echo "Error: no such image." >&2; exit 3')
    with pytest.raises(RayError) as caught:
        program.run([], what="The lock of the images")
    assert caught.value.code == "FAILED" and caught.value.details["rc"] == 3
    assert caught.value.message.startswith("The lock of the images failed (kbld, exit code 3): line 10\n")
    assert caught.value.message.endswith("Error: no such image.")


def test_words_on_standard_output_are_better_than_none(write) -> None:
    with pytest.raises(RayError, match="make all failed .make, exit code 2.: only here"):
        write("make", "echo only here; exit 2").run(["all"])
    with pytest.raises(RayError, match="it said nothing"):
        write("make", "exit 2").run(["all"])


def test_missing_programs_are_named_all_at_once_with_their_source(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "text").write_text("no program")
    with pytest.raises(RayError) as caught:
        programs.all_of({"ytt": None, "kbld": str(tmp_path / "text")})
    assert caught.value.message == f"ytt and kbld cannot be run here: no ytt is on the PATH; {tmp_path}/text is no file that can be run."
    assert "https://carvel.dev/ytt/" in caught.value.hint and caught.value.details["missing"] == ["ytt", "kbld"]
    assert programs.found("ytt") is None


def test_a_file_for_another_machine(tmp_path: pathlib.Path) -> None:
    file = tmp_path / "ytt"
    file.write_bytes(b"\x7fELF of another machine")
    file.chmod(0o755)
    with pytest.raises(RayError, match="cannot be run: Exec format error. Is it ytt for this machine"):
        programs.program("ytt", str(file)).run([])


def test_it_is_ended_with_its_children_when_it_takes_too_long(write, tmp_path: pathlib.Path) -> None:
    program = write("make", f"trap '' TERM; (trap '' TERM; echo $$ > {tmp_path}/pid; sleep 60) & wait")
    with pytest.raises(RayError, match="took more than 1 s, and was ended") as caught:
        program.run([], timeout=1)
    assert caught.value.code == "TIMEOUT"
    assert not alive(int((tmp_path / "pid").read_text()))


def test_a_child_that_holds_the_output_is_ended_too(write) -> None:
    start = time.monotonic()
    with pytest.raises(RayError, match="took more than 1 s"):
        write("make", "sleep 60 & exit 0").run([], timeout=1)
    assert time.monotonic() - start < 10


class Interrupted(BaseException):
    """What a signal is inside a task."""


def test_a_signal_ends_it_too(write, tmp_path: pathlib.Path) -> None:
    def stop(number: int, frame: object) -> None:
        raise Interrupted

    before = signal.signal(signal.SIGUSR1, stop)
    timer = threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGUSR1))
    timer.start()
    try:
        with pytest.raises(Interrupted):
            write("make", f"echo $$ > {tmp_path}/pid; sleep 60").run([])
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert not alive(int((tmp_path / "pid").read_text()))
