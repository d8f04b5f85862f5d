# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the operator's image without a docker daemon: `python3 image/build.py --tag NAME:TAG FILE.tar.gz`.

It holds a whole Python with the operator, so that it starts under a bare chroot.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import contents
from bytecode import compiled
from docker_archive import Layer, write

CONFIG = {
    "Entrypoint": ["/entrypoint"],
    "Env": [f"PATH=/{contents.PYTHON}/bin:/usr/bin:/bin", "PYTHONUNBUFFERED=1"],
    "WorkingDir": "/",
    "User": "0",
}
PASSWD = "root:x:0:0:root:/tmp:/entrypoint\nnobody:x:65534:65534:nobody:/tmp:/entrypoint\n"
GROUP = "root:x:0:\nnogroup:x:65534:\n"


def layers() -> list[Layer]:
    """What changes least lies lowest, so that a new operator is a small push."""
    own, roots = contents.operator()
    packages, python = contents.packages(roots), contents.python()
    base = Layer(
        "the system's libraries",
        files=contents.libraries(python | packages),
        texts={
            "etc/passwd": (0o644, PASSWD),
            "etc/group": (0o644, GROUP),
            "etc/nsswitch.conf": (0o644, "hosts: files dns\n"),
        },
        links={"lib": "usr/lib", "lib64": "usr/lib", "usr/lib64": "lib"},
        folders={"dev": 0o755, "proc": 0o755, "tmp": 0o1777, "var": 0o755},
    )
    entrypoint = {"entrypoint": (0o755, contents.ENTRYPOINT)}
    return [
        base,
        Layer("Python", python, made=compiled(python)),
        Layer("packages", packages, made=compiled(packages)),
        Layer("the operator", own, entrypoint, compiled(own)),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--tag", required=True)
    parser.add_argument("file", type=Path)
    options = parser.parse_args()
    # Renamed when it is whole: what has the name can be pushed.
    temporary = options.file.with_name(f".{options.file.name}.{os.getpid()}")
    try:
        image = write(temporary, options.tag, layers(), CONFIG)
        temporary.replace(options.file)
    finally:
        temporary.unlink(missing_ok=True)
    print(f"{options.tag}: {image}, {options.file.stat().st_size / 1e6:.1f} MB in {options.file}")


if __name__ == "__main__":
    main()
