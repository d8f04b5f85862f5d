# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual environments in build/: one with the oldest of everything that the collection allows, one with the tools of execution environments."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import typing as t
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
BOUND = re.compile(r"^([A-Za-z0-9._-]+)>=([0-9.]+)$")
PIP = ("-m", "pip", "--disable-pip-version-check", "--quiet")


def bounds(text: str) -> dict[str, str]:
    """Name and lower bound of each line; nothing else may stand in the file, as an upper bound is what breaks an image with other collections."""
    found = {}
    for line in filter(None, (re.sub(r"(^|\s)#.*", "", line).strip() for line in text.splitlines())):
        match = BOUND.match(line)
        assert match, f"requirements.txt: {line!r} is no NAME>=VERSION"
        found[match.group(1)] = match.group(2)
    return found


def required() -> dict[str, str]:
    return bounds((ROOT / "requirements.txt").read_text(encoding="utf-8"))


def oldest_core() -> str:
    """The version that meta/runtime.yml allows at the least."""
    requires = yaml.safe_load((ROOT / "meta/runtime.yml").read_text(encoding="utf-8"))["requires_ansible"]
    match = BOUND.match(f"ansible-core{requires}")
    assert match, f"meta/runtime.yml: {requires!r} is no >=VERSION"
    return match.group(2)


def oldest_python() -> Path:
    """Of this machine, from the one on that tests/config.yml promises; those of pyenv are not on PATH."""
    promised = yaml.safe_load((ROOT / "tests/config.yml").read_text(encoding="utf-8"))["modules"]["python_requires"]
    oldest = int(promised.removeprefix(">=3."))
    folders = [Path(folder) for folder in os.environ["PATH"].split(":") if "/shims" not in folder]
    folders += sorted(Path.home().glob(".pyenv/versions/*/bin"))
    found = {int(match.group(1)): path for folder in folders if folder.is_dir() for path in folder.glob("python3.*")
             if (match := re.fullmatch(r"python3\.(\d+)", path.name))}
    return found[min(minor for minor in found if minor >= oldest)]


def environment(name: str, python: Path, *wanted: str, wheels: bool = True) -> Path:
    """The bin folder of build/NAME with these packages; made anew when it was made from others.

    ``wheels`` forbids to build any: what is built may need a compiler, or headers of the system.
    """
    folder = ROOT / "build" / name
    ready, recipe = folder / "ready", "\n".join((str(python), *wanted))
    if not ready.exists() or ready.read_text(encoding="utf-8") != recipe:
        shutil.rmtree(folder, ignore_errors=True)
        run(python, "-m", "venv", folder)
        run(folder / "bin/python", *PIP, "install", *(("--only-binary", ":all:") if wheels else ()), *wanted)
        ready.write_text(recipe, encoding="utf-8")
    return folder / "bin"


def lowest() -> Path:
    """Each package at its bound, with pytest for the units."""
    pins = [f"{name}=={version}" for name, version in required().items()]
    return environment("lowest", oldest_python(), f"ansible-core=={oldest_core()}", *pins, "pytest>=8")


def newest() -> Path:
    """The newest of everything, on the newest Python; tests/run makes it for the units."""
    folder = ROOT / "build/newest"
    assert (folder / "ready").exists(), "build/newest is missing; `tests/run cores` makes it"
    return folder / "bin"


def tools() -> Path:
    """ansible-builder and ansible-navigator; the Ansible that they run is that of PATH."""
    return environment("tools", Path(shutil.which("python3") or "python3"), "ansible-builder>=3.1", "ansible-navigator>=24", wheels=False)


def run(*command: t.Any, rc: int = 0, **kwargs: t.Any) -> str:
    """What a command said; it has to end with ``rc``."""
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                          timeout=kwargs.pop("timeout", 600), **kwargs)
    assert done.returncode == rc, f"{' '.join(map(str, command))} ended with {done.returncode}\n{done.stdout[-8000:]}"
    return done.stdout
