# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A build of a source tree in a copy of it, kept under the digest of what it is made from."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import tempfile
import typing as t

from .._errors import RayError, UnknownYet
from .._ports import Task
from . import build_tools, make, source_tree

# The folder of the operator in its repository, where its own guide has make run.
OPERATOR = "vmray-cluster-operator"
OUTPUT = "artifacts"
LOG, REPLACED = "vcf-ray-make.log", ".vcf-ray-replaced"
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
TARGET = re.compile(r"[A-Za-z0-9_.%+@/][A-Za-z0-9_.%+@/-]*")


class OperatorBuild:
    """One build: what it is made from, and the folder for it.

    Args:
        source: root of the tree; the Makefile is in it, or in its folder ``vmray-cluster-operator``.
        work_dir: where the folder is to be.
        targets, variables: what make is told.
        tools: programs that the Makefile calls; None takes those that it names.
    """

    def __init__(self, source: str, work_dir: str, targets: list[str], variables: dict[str, str], *, make_path: str | None = None,
                 tools: list[str] | None = None, timeout: float = 1800) -> None:
        self.source, self._work_dir = os.path.abspath(source), os.path.abspath(work_dir)
        self._targets, self._variables, self._make_path, self._tools, self._timeout = targets, variables, make_path, tools, timeout
        self._key = ""

    @property
    def place(self) -> str:
        """Where make runs, from the root of the tree."""
        return OPERATOR if os.path.isfile(os.path.join(self.source, OPERATOR, "Makefile")) else ""

    @property
    def folder(self) -> str:
        return os.path.join(self._work_dir, self.key())

    @property
    def log(self) -> str:
        return os.path.join(self.folder, LOG)

    def artifact(self, name: str, folder: str | None = None) -> str:
        return os.path.join(folder or self.folder, self.place, OUTPUT, name)

    def key(self) -> str:
        """64 digits of all that decides what comes out: the tree, the targets and the variables."""
        if not self._key:
            self._refuse_wrong_folders()
            parts = {"tree": self._digest(self.source), "targets": self._targets, "variables": self._variables}
            self._key = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
        return self._key

    def check_tools(self) -> t.Any:
        """make, once it is sure that it and all that it calls are there."""
        with _told(f"The Makefile in {self.source} cannot be read", "INPUT"), open(
                os.path.join(self.source, self.place, "Makefile"), encoding="utf-8", errors="replace") as file:
            text = file.read()
        return build_tools.checked(build_tools.named_in(text) if self._tools is None else self._tools, text, self._make_path)

    def make(self, expected: list[str]) -> None:
        """Copy, make, and put the whole in its place once these artifacts are there. What went wrong is kept beside it, to be looked at."""
        program = self.check_tools()
        with self._copied() as folder:
            try:
                self._run(program, folder, expected)
            except RayError as error:
                failed = f"{self.folder}.failed"
                shutil.rmtree(failed, ignore_errors=True)
                os.rename(folder, failed)
                error.message = f"The build of {self.source} failed: {error.message}"
                error.hint = f"The whole output is in {os.path.join(failed, LOG)}, with the copy that it ran in. {error.hint or ''}".rstrip()
                error.details["log"] = os.path.join(failed, LOG)
                raise
            self._put_in_place(folder, expected)

    def _run(self, program: t.Any, folder: str, expected: list[str]) -> None:
        arguments = [*(f"{name}={value}" for name, value in sorted(self._variables.items())), *self._targets]
        make.run(program, arguments, folder=os.path.join(folder, self.place), log=os.path.join(folder, LOG), timeout=self._timeout)
        missing = [name for name in expected if not os.path.isfile(self.artifact(name, folder))]
        if missing:
            raise RayError(f"make {' '.join(self._targets)} succeeded, but there is no {' and no '.join(os.path.join(OUTPUT, name) for name in missing)}.",
                           code="FAILED", hint="Are the targets those that make them?")

    @contextlib.contextmanager
    def _copied(self) -> t.Iterator[str]:
        """A copy of the tree under a name of its own, which is gone at the end unless it was renamed."""
        with _told(f"The folder {self._work_dir} cannot be written", "INPUT"):
            os.makedirs(self._work_dir, exist_ok=True)
            folder = tempfile.mkdtemp(prefix=f".{self.key()[:12]}-", dir=self._work_dir)
        try:
            with _told(f"The source {self.source} cannot be copied to {self._work_dir}", "FAILED"):
                source_tree.copy(self.source, folder, self._is_output)
            if self._digest(folder) != self._digest(self.source):
                raise RayError(f"The source {self.source} has changed while it was copied.", code="FAILED", hint="Run again when nobody writes there.")
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def whole(self, expected: list[str]) -> bool:
        return all(os.path.isfile(self.artifact(name)) for name in expected)

    def _put_in_place(self, folder: str, expected: list[str]) -> None:
        """What another run has finished meanwhile is as good; a folder that lacks artifacts is of no use."""
        if self.whole(expected):
            return
        with _told(f"The folder {self.folder} cannot be written", "FAILED"):
            if os.path.lexists(self.folder):
                os.rename(self.folder, os.path.join(folder, REPLACED))
            os.rename(folder, self.folder)
        shutil.rmtree(os.path.join(self.folder, REPLACED), ignore_errors=True)

    def _digest(self, root: str) -> str:
        """Without .git, in which reading already writes, and what make has made before."""
        with _told(f"The source {root} cannot be read", "INPUT"):
            return source_tree.digest(root, lambda path: os.path.basename(path) == ".git" or self._is_output(path))

    def _is_output(self, path: str) -> bool:
        return path == os.path.join(self.place, OUTPUT)

    def _refuse_wrong_folders(self) -> None:
        if not os.path.lexists(self.source):
            raise UnknownYet(f"The source {self.source} is not there.", hint="Name the folder with the operator's Makefile with source.")
        if not os.path.isfile(os.path.join(self.source, self.place, "Makefile")):
            raise RayError(f"There is no Makefile in {self.source}, and none in its folder {OPERATOR}.", code="INPUT",
                           hint="Name the operator's folder, or the root of its repository, with source.")
        real, work = os.path.realpath(self.source), os.path.realpath(self._work_dir)
        if os.path.commonpath([real, work]) == real:
            raise RayError(f"The folder {self._work_dir} is inside of the source {self.source}, so that each build would be part of it.", code="INPUT",
                           hint="Name a folder outside of it with work_dir.")


@contextlib.contextmanager
def _told(what: str, code: str) -> t.Iterator[None]:
    """Errors of the file system in a sentence, with the file that they are about."""
    try:
        yield
    except OSError as error:
        raise RayError(f"{what}: {error.strerror}{f' ({error.filename})' if error.filename else ''}.", code=code,
                       hint="Look at the permissions of the folder, and at the room on its disk.") from error


def _text(value: t.Any) -> str:
    """A variable as make gets it; true and false as YAML writes them."""
    return str(value).lower() if isinstance(value, bool) else str(value)


@contextlib.contextmanager
def connect(task: Task) -> t.Iterator[OperatorBuild]:
    """The build of the options."""
    p = task.params
    variables = {name: _text(value) for name, value in (p["variables"] or {}).items()}
    for kind, pattern, names in (("target", TARGET, p["targets"]), ("name of a variable", NAME, variables)):
        wrong = [name for name in names if not pattern.fullmatch(name)]
        if wrong:
            raise RayError(f"{wrong[0]!r} is no {kind} for make.", code="INPUT", hint="Give targets as a list of names, variables as a dictionary.")
    if not p["targets"]:
        raise RayError("There is no target for make.", code="INPUT", hint="Leave targets out for those of the operator's guide.")
    yield OperatorBuild(p["source"], p["work_dir"], p["targets"], variables, make_path=p["make_path"], tools=p["tools"], timeout=p["timeout"])
