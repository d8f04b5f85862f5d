# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`lab run -- python -m benchmarks [NAME ...]`: measure, and write results.json; the page and the plot are made from it."""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from . import page
from .measure import again, many, memory, notice, tasks, traffic
from .world import BIN, ROOT, World

# `many` ends the operator of the lab, so it is the last one.
ALL = {"tasks": tasks, "traffic": traffic, "again": again, "memory": memory, "notice": notice, "many": many}
LIBRARIES = ("ansible-core", "kubernetes", "requests", "urllib3", "passlib", "aiohttp")


def surroundings() -> dict[str, Any]:
    """What the figures depend on; no names of machines."""
    told = subprocess.run([BIN / "python", "-c", ASK, *LIBRARIES], capture_output=True, text=True, check=True).stdout
    model = [line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    curl = subprocess.run(["curl", "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
    return {"cores": os.cpu_count(), "processor": model[0] if model else "unknown", "kernel": platform.release(), "curl": curl, **json.loads(told)}


ASK = """
import glob, importlib.metadata as m, json, os, platform, sys
import ansible_collections.kubernetes.core as found
base = os.path.dirname(os.path.dirname(os.path.dirname(found.__file__ or list(found.__path__)[0] + "/x")))
names = ("kubernetes/core", "vmware/vmware_rest")
def version(name):
    with open(os.path.join(base, name, "MANIFEST.json")) as file:
        return json.load(file)["collection_info"]["version"]
print(json.dumps({"python": platform.python_version(), **{n: m.version(n) for n in sys.argv[1:]},
                  **{n.replace("/", "."): version(n) for n in names}}))
"""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*ALL, []], metavar="NAME", help=f"of {', '.join(ALL)}; all when none is named")
    names = parser.parse_args().names or list(ALL)
    found = json.loads(page.RESULTS.read_text()) if page.RESULTS.exists() else {}
    found["surroundings"] = surroundings()
    world = World(Path(os.environ["LAB_STATE"]))
    if not Path(world.kubeconfig).exists():
        print("site.yml, from an empty vCenter to a Ray job", flush=True)
        world.site()
    late = []
    for name in [n for n in ALL if n in names]:
        print(f"{name}: {ALL[name].TITLE} (at most {ALL[name].BUDGET} s)", flush=True)
        start = time.monotonic()
        found[name] = ALL[name].run(world)
        took = found[name]["took_s"] = round(time.monotonic() - start)
        page.RESULTS.write_text(json.dumps(found, indent=1) + "\n")
        late += [f"{name} took {took} s, its budget is {ALL[name].BUDGET} s"] if took > ALL[name].BUDGET else []
    page.PAGE.write_text(page.render(found))
    subprocess.run([BIN / "python", "-m", "benchmarks.plot"], cwd=ROOT, check=True)
    print("\n".join([*late, "results in docs/benchmarks.md"]))
    return 1 if late else 0


if __name__ == "__main__":
    sys.exit(main())
