# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes into the operator's image: this Python, what the operator imports, and the libraries below both.

Nothing is fetched: all of it is on the machine that runs the operator's code anyway.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

PROGRAM = "vcf_lab.rayoperator"
PYTHON = "opt/python"
OPERATOR = "opt/operator"
ENTRYPOINT = f"""\
#!/{PYTHON}/bin/python3
import runpy
import sys

sys.path[0] = "/{OPERATOR}"
runpy.run_module("{PROGRAM}", run_name="__main__", alter_sys=True)
"""
# Parts of the standard library that a server does not run; some pull in libraries of their own.
UNUSED = {
    "__phello__", "config", "curses", "dbm", "dist-packages", "ensurepip", "idlelib", "lib2to3", "pydoc_data", "site-packages",
    "sqlite3", "test", "tests", "tkinter", "turtledemo", "unittest", "venv", "__pycache__",
}  # fmt: skip
UNUSED_EXTENSIONS = re.compile(r"(_test|_tkinter|_curses|_dbm|_gdbm|_sqlite3|_crypt|_xx|xx|nis|ossaudiodev|readline)")
# The C library opens these by name, so that no program is seen to need them.
BY_NAME = ("libnss_files.so.2", "libnss_dns.so.2", "libgcc_s.so.1")
_NEEDED = re.compile(r"^\s+(\S+)(?: => (/\S+))? \(0x", re.MULTILINE)
Files = dict[str, Path]  # path in the image -> file of this machine


def operator() -> tuple[Files, set[str]]:
    """The operator's own code, and the names of the distributions that it imports."""
    before = set(sys.modules)
    importlib.import_module(f"{PROGRAM}.__main__")
    loaded = set(sys.modules) - before
    ours = PROGRAM.partition(".")[0]
    files: Files = {}
    for name in loaded:
        if name.partition(".")[0] == ours and (path := getattr(sys.modules[name], "__file__", None)):
            files[_own(ours, Path(path))] = Path(path)
    package = Path(sys.modules[PROGRAM].__file__ or "").parent
    for path in package.rglob("*"):  # what it reads beside its modules
        if path.is_file() and "__pycache__" not in path.parts:
            files[_own(ours, path)] = path
    owners = importlib.metadata.packages_distributions()
    top = {name.partition(".")[0] for name in loaded} - {ours}
    return files, {owner for name in top for owner in owners.get(name, ())}


def _own(ours: str, path: Path) -> str:
    root = Path(sys.modules[ours].__file__ or "").parent.parent
    return f"{OPERATOR}/{path.relative_to(root)}"


def packages(roots: set[str]) -> Files:
    """Files of these distributions and of all that they require."""
    files: Files = {}
    todo, seen = sorted(roots), set()
    while todo:
        name = todo.pop()
        key = re.sub(r"[-_.]+", "-", name).lower()
        if key in seen:
            continue
        seen.add(key)
        try:
            found = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # one for other Pythons or systems
        if found.files is None:
            raise SystemExit(
                f"image: the package {name} does not tell its files: install it by pip, in a virtual environment"
            )
        for file in found.files:
            if ".." not in file.parts and "__pycache__" not in file.parts and _kept(file.parts):
                files[f"{OPERATOR}/{file}"] = Path(str(found.locate_file(file)))
        for text in found.requires or ():
            wanted, _, marker = text.partition(";")
            if "extra" not in marker:
                todo.append(re.split(r"[^A-Za-z0-9._-]", wanted.strip(), maxsplit=1)[0])
    return files


def _kept(parts: tuple[str, ...]) -> bool:
    """Of what pip notes about a package only that which is the same on every machine."""
    return not parts[0].endswith(".dist-info") or parts[-1] == "METADATA"


def python() -> Files:
    """The interpreter below this environment, and its standard library."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    target = f"{PYTHON}/{sys.platlibdir}/{version}"
    files: Files = {f"{PYTHON}/bin/python3": Path(os.path.realpath(getattr(sys, "_base_executable", sys.executable)))}
    for source in {sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")}:
        root = Path(source)
        if not (root / "os.py").exists() and not (root / "lib-dynload").exists():
            continue  # an environment's own folder, which holds no standard library
        for folder, folders, names in os.walk(root):
            folders[:] = [name for name in folders if name not in UNUSED and not name.startswith("config-")]
            for name in names:
                path = Path(folder) / name
                if path.is_file() and not (name.endswith(".so") and UNUSED_EXTENSIONS.match(name)):
                    files[f"{target}/{path.relative_to(root)}"] = path
    return files


def libraries(files: Files) -> Files:
    """Shared libraries that the binaries among the files need, as the loader of this system finds them."""
    present = {os.path.realpath(path) for path in files.values()}
    binaries = sorted(path for path in present if _is_elf(path))
    told = subprocess.run(["ldd", *binaries], capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"}).stdout
    found: Files = {}
    for name, path in _NEEDED.findall(told):
        place = path or name
        # Those of a package stay beside it, where it looks for them.
        if place.startswith("/") and os.path.realpath(place) not in present:
            found.setdefault(f"usr/lib/{os.path.basename(name)}", Path(place))
    if not any("ld-" in name for name in found):
        raise SystemExit("image: ldd names no loader: this image can be made on Linux with glibc only")
    for folder in sorted({path.parent for path in found.values()}):
        for name in BY_NAME:
            if (folder / name).exists():
                found.setdefault(f"usr/lib/{name}", folder / name)
    return found


def _is_elf(path: str) -> bool:
    with open(path, "rb") as file:
        return file.read(4) == b"\x7fELF"
