# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`lab doctor`: is every part alive, of which version, in which network, does it answer?

Runs inside the lab (`python -m vcf_lab.doctor`).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from . import __version__, build, lifecycle, settings
from .ask import Unanswered
from .parts import PARTS, Part
from .settings import Lab


@dataclass(frozen=True)
class Finding:
    part: str
    pid: str
    module: str
    network: str
    answer: str
    good: bool


def embedded(path: Path) -> str | None:
    """`module@version` that Go wrote into a binary; needs a `go` to read it."""
    go = shutil.which("go")
    if not go:
        return None
    done = subprocess.run([go, "version", "-m", str(path)], capture_output=True, text=True)
    lines = [line.split() for line in done.stdout.splitlines()]
    for fields in lines:
        # The simulator's main is ours: what it serves is the module it depends on.
        if len(fields) >= 3 and ((fields[0] == "mod" and fields[2] != "(devel)") or fields[1] == "github.com/vmware/govmomi"):
            return f"{fields[1]}@{fields[2]}"
    return None


def module(lab: Lab, part: Part) -> str:
    """What the part is made of, from the binary itself where that can be read."""
    if part.distribution is None:
        return f"vcf-lab@{__version__}"
    tool = next(tool for tool in build.TOOLS if tool.name == part.distribution)
    return embedded(lab.bin / tool.name) or f"{tool.module}@{tool.pinned} (pinned)"


def examine(lab: Lab, part: Part) -> Finding:
    condition = lifecycle.status(lab.state).get(part.name, {})
    pid = condition.get("pid")
    alive = pid is not None and condition.get("state") != "dead" and Path(f"/proc/{pid}").exists()
    network = str(os.stat(f"/proc/{pid}/ns/net").st_ino) if alive else "-"
    try:
        answer, good = part.ask(lab), alive
    except (Unanswered, ValueError) as error:
        answer, good = " ".join(str(error).split())[:120], False
    if not alive:
        detail = condition.get("detail") or "no process"
        answer = f"{condition.get('state', 'dead')}: {detail}"
    return Finding(part.name, str(pid or "-"), module(lab, part), network, answer, good)


def main() -> int:
    lab = settings.load()
    findings = [examine(lab, part) for part in PARTS]
    widths = [max(len(getattr(f, name)) for f in findings) for name in ("part", "pid", "module", "network")]
    for f in findings:
        cells = (f.part, f.pid, f.module, f.network)
        mark = "ok  " if f.good else "FAIL"
        print(mark, "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)), f.answer, sep="  ")
    bad = [f.part for f in findings if not f.good]
    if bad:
        print(f"lab doctor: not well: {', '.join(bad)} (see `lab logs {bad[0]}`)", file=sys.stderr)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
