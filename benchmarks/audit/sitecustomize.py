# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task opens and sends, seen from its own Python: on PYTHONPATH of a play that is counted, never of one that is timed.

Python tells of each connection and each request by audit events, whichever library makes them; so the same counter
serves a task in the controller's process and the process of a module.
"""

from __future__ import annotations

import json
import os
import re
import sys

REQUEST = re.compile(rb"[A-Z]+ (\S+) HTTP/1\.[01]\r\n")


def _count(to: str) -> None:
    file = os.open(to, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def write(**event: object) -> None:
        os.write(file, (json.dumps({"pid": os.getpid(), **event}) + "\n").encode())

    def hook(event: str, args: tuple) -> None:
        if event == "socket.connect" and isinstance(args[1], tuple) and args[1][1]:
            write(connect=f"{args[1][0]}:{args[1][1]}")
        elif event == "http.client.send" and isinstance(args[1], (bytes, bytearray)):
            found = REQUEST.match(args[1])
            if found:
                write(request=args[1].split(b" ", 1)[0].decode(), path=found.group(1).decode(), host=args[0].host)
            elif args[1][:1] == b"{":
                write(body=json.loads(args[1]))

    sys.addaudithook(hook)


if os.environ.get("BENCH_AUDIT"):
    _count(os.environ["BENCH_AUDIT"])
