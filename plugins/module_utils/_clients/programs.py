# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs of others that a task runs: found before anything is done, ended with the task, and heard when they fail."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import typing as t

from .._errors import RayError

# Where each one comes from, for who has not got it.
SOURCES = {
    "ytt": "https://carvel.dev/ytt/",
    "kbld": "https://carvel.dev/kbld/",
    "imgpkg": "https://carvel.dev/imgpkg/",
    "crane": "https://github.com/google/go-containerregistry",
    "docker": "https://docs.docker.com/engine/install/",
    "podman": "https://podman.io/docs/installation",
    "kustomize": "https://kubectl.docs.kubernetes.io/installation/kustomize/",
    "yq": "https://github.com/mikefarah/yq (version 4; Debian's package yq is another program)",
    "make": "https://www.gnu.org/software/make/ (or the package make of the system)",
    "sed": "https://www.gnu.org/software/sed/ (GNU sed; on macOS: brew install gnu-sed)",
    "git": "https://git-scm.com/downloads",
}
# What a program says last names the cause; more would bury it.
LAST_LINES, LAST_CHARACTERS = 12, 2000
# Seconds for a program to end by itself when it is told to; less than a task has when a signal ends it (_signals.GRACE).
GRACE = 2


class Program(t.NamedTuple):
    """A program that is there: its name in messages, and its file."""

    name: str
    path: str

    def run(self, args: t.Sequence[str], *, env: t.Mapping[str, str | None] | None = None, cwd: str | None = None,
            input: str | bytes | None = None, what: str | None = None, timeout: float | None = 600) -> str:
        """What it prints on its standard output.

        Args:
            args: never a secret among them, as every user of the machine can read them.
            env: what is set beside the task's own environment; None takes a variable away.
            input: what it reads; without it nothing can be read, so that no program waits for a terminal.
            what: what it is run for, a phrase that fits before "failed": ``The push of the bundle to REPOSITORY``.
            timeout: seconds; it is ended then, with all that it has started.
        Raises:
            RayError: ``FAILED`` with its own last words, ``TIMEOUT``, or ``INPUT`` when the file is no program.
        """
        what = what or f"{self.name} {args[0] if args else ''}".strip()
        environment = {name: value for name, value in {**os.environ, **(env or {})}.items() if value is not None}
        data = input.encode() if isinstance(input, str) else input
        try:
            # A session of its own, so that it can be ended with its children, and has no terminal to ask at.
            # run_command of Ansible, which pylint would have here, can do neither.
            process = subprocess.Popen(  # pylint: disable=ansible-bad-function
                [self.path, *args], env=environment, cwd=cwd, start_new_session=True, stdout=subprocess.PIPE,
                stdin=subprocess.DEVNULL if data is None else subprocess.PIPE, stderr=subprocess.PIPE)
        except OSError as error:
            raise RayError(f"{what} failed: {self.path} cannot be run: {error.strerror}.", code="INPUT",
                           hint=f"Is it {self.name} for this machine? {how_to_get(self.name)}") from error
        with process:
            out, err = self._heard(process, data, what, timeout)
        if process.returncode:
            raise self._failed(process.returncode, err or out, what)
        return out.decode(errors="replace")

    def _heard(self, process: subprocess.Popen[bytes], data: bytes | None, what: str, timeout: float | None) -> tuple[bytes, bytes]:
        """Both outputs when it has ended; whatever else ends the wait, ends the program and its children too."""
        whole = False
        try:
            heard = process.communicate(data, timeout=timeout)
            whole = True
        except subprocess.TimeoutExpired as error:
            raise RayError(f"{what} failed: {self.name} took more than {timeout:.0f} s, and was ended.", code="TIMEOUT",
                           hint="Run the same command by hand to see what it waits for.") from error
        finally:
            if not whole:
                end(process)
        return heard

    def _failed(self, status: int, output: bytes, what: str) -> RayError:
        how = f"exit code {status}" if status > 0 else f"signal {-status}"
        words = last_words(output.decode(errors="replace")) or "it said nothing"
        stop = "" if words[-1] in ".?!" else "."
        return RayError(f"{what} failed ({self.name}, {how}): {words}{stop}", code="FAILED", details={"rc": status, "said": words})


def program(name: str, path: str | None = None) -> Program:
    """The program of this name on the PATH, or the one that an option names by its path.

    Raises:
        RayError: ``INPUT``, with the address where it can be had.
    """
    return all_of({name: path})[name]


def all_of(wanted: t.Mapping[str, str | None]) -> dict[str, Program]:
    """Several programs, names with paths (None: on the PATH); one error names all that are missing."""
    there = {name: found(name, path) for name, path in wanted.items()}
    missing = [name for name, one in there.items() if one is None]
    if missing:
        places = "; ".join(_looked_for(name, wanted[name]) for name in missing)
        raise RayError(f"{_listed(missing)} cannot be run here: {places}.", code="INPUT",
                       hint=" ".join(how_to_get(name) for name in missing), details={"missing": missing})
    return {name: one for name, one in there.items() if one}


def found(name: str, path: str | None = None) -> Program | None:
    """The program, or None when it is not there."""
    file = shutil.which(path or name)
    return Program(name, os.path.abspath(file)) if file else None


def how_to_get(name: str) -> str:
    return f"Get {name} from {SOURCES[name]}." if name in SOURCES else f"Install {name}."


def last_words(text: str) -> str:
    """The last lines that say something, on one line each."""
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    return "\n".join(lines[-LAST_LINES:])[-LAST_CHARACTERS:].strip()


def _looked_for(name: str, path: str | None) -> str:
    return f"{path} is no file that can be run" if path else f"no {name} is on the PATH"


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def end(process: subprocess.Popen[bytes]) -> None:
    """End the session of a program: first asked, then not."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(GRACE)
        except ProcessLookupError:
            break
        except subprocess.TimeoutExpired:
            continue
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe:
            pipe.close()
