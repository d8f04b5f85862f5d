# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m benchmarks.record FILE COMMAND...`: what a terminal shows of a command, each line with its second."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
import time

from .world import ROOT

COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def main() -> int:
    ours, theirs = pty.openpty()
    start = time.monotonic()
    command = subprocess.Popen(sys.argv[2:], stdin=theirs, stdout=theirs, stderr=theirs, env={**os.environ, "TERM": "xterm"})
    os.close(theirs)
    line = b""
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        while data := _read(ours):
            for piece in data.splitlines(keepends=True):
                line += piece
                if line.endswith(b"\n"):
                    text = COLOURS.sub("", line.decode()).rstrip().replace(str(ROOT / "build/collections"), "~/.ansible/collections")
                    file.write(f"{time.monotonic() - start:6.1f} s  {text}".rstrip() + "\n")
                    line = b""
    return command.wait()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # the other end is closed
        return b""


if __name__ == "__main__":
    sys.exit(main())
