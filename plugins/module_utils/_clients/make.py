# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run of make: its output in a file, its targets told while it runs, and ended with all its children when the task ends."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import typing as t

from .. import _wait
from .._errors import RayError
from .programs import Program, end, last_words

# A make that has called this play must not tell its flags and its job server to the one below.
OUTER = ("MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES", "MAKELEVEL", "MAKEFILES", "GNUMAKEFLAGS", "LC_ALL", "LANGUAGE")
# By this make tells its targets, in English when LC_ALL is C.
DEBUG = "--debug=b"
TARGET = re.compile(r"^ *Must remake target [`'](.+)'\.$")
CHATTER = re.compile(r"^ *(GNU Make |Built for |Copyright |License |This is free |There is NO |Reading makefiles|Updating |File [`'].*' "
                     r"|Must remake target |Successfully remade |Prerequisite )")
# Most seconds between two looks at the log.
LOOK = 1.0


def run(make: Program, arguments: t.Sequence[str], *, folder: str, log: str, timeout: float) -> None:
    """Run make in ``folder``, with its output in the file ``log``.

    Raises:
        RayError: ``FAILED`` with the last lines of the output, or ``TIMEOUT``. Neither names the log, which the caller may move.
    """
    environment = {name: value for name, value in os.environ.items() if name not in OUTER}
    with open(log, "wb") as output:
        # A session of its own, so that all that make has started ends with it.
        # run_command of Ansible, which pylint would have here, cannot end a program with its children.
        process = subprocess.Popen(  # pylint: disable=ansible-bad-function
            [make.path, DEBUG, *arguments], cwd=folder, env={**environment, "LC_ALL": "C"}, stdin=subprocess.DEVNULL,
            stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
    targets = _Targets(log)
    try:
        _watch(process, targets, timeout)
    finally:
        if process.poll() is None:
            end(process)
    if process.returncode:
        how = f"exit code {process.returncode}" if process.returncode > 0 else f"signal {-process.returncode}"
        raise RayError(f"make failed ({how}){targets.told(' at target ')}: {said(log)}.", code="FAILED", details={"rc": process.returncode})


def _watch(process: subprocess.Popen[bytes], targets: _Targets, timeout: float) -> None:
    def asleep(seconds: float) -> None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)

    try:
        _wait.until(process.poll, lambda status: status is not None, what="make", timeout=timeout, limit=LOOK, sleep=asleep,
                    say=lambda status: targets.told("making ") or "make has begun")
    except RayError as error:
        raise RayError(f"make took more than {timeout:.0f} s, and was ended{targets.told(' at target ')}.", code="TIMEOUT") from error


class _Targets:
    """The target that make is at, as its log tells it."""

    def __init__(self, log: str) -> None:
        self._log, self._read, self._target = log, 0, ""

    def told(self, before: str) -> str:
        """The target behind these words; nothing when there is none yet."""
        with open(self._log, "rb") as file:
            file.seek(self._read)
            new = file.read()
        # The last line may not be whole yet.
        new = new[:new.rfind(b"\n") + 1]
        self._read += len(new)
        found = [match.group(1) for line in new.decode(errors="replace").splitlines() if (match := TARGET.match(line))]
        self._target = found[-1] if found else self._target
        return f"{before}{self._target}" if self._target else ""


def said(log: str) -> str:
    """The last lines of a log, of its last target alone, and without what make tells of its targets."""
    with open(log, encoding="utf-8", errors="replace") as file:
        lines = list(file)
    begin = max((number for number, line in enumerate(lines) if TARGET.match(line)), default=0)
    own = [line for line in lines[begin:] if not CHATTER.match(line)] or [line for line in lines if not CHATTER.match(line)]
    return last_words("".join(own)).rstrip(".") or "it said nothing"
