# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Galaxy's own import, asked before the upload. It calls an artifact good that it has warned of, so its lines decide here."""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
import tempfile

# Lines that are accepted: what they match, and why nothing is mended.
ACCEPTED: dict[str, str] = {}

# What Automation Hub asks for, and Galaxy may.
SWITCHES = {"CHECK_REQUIRED_TAGS": "true", "REQUIRE_V1_OR_GREATER": "true", "CHECK_CHANGELOG": "true"}


def complaints(artifact: pathlib.Path, python: pathlib.Path) -> list[str]:
    """What the importer in the environment of a Python has against an artifact."""
    env = {name: os.environ[name] for name in ("HOME", "LANG") if name in os.environ}
    env |= {f"GALAXY_IMPORTER_{name}": value for name, value in SWITCHES.items()}
    env |= {"PATH": f"{python.parent}:/usr/local/bin:/usr/bin:/bin", "NO_COLOR": "1"}
    # A folder of its own: it leaves a result where it stands, and the tree is not to be what it reads.
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([python, "-m", "galaxy_importer.main", artifact.resolve()], cwd=folder, env=env, capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    if heard := unaccepted(said):
        return heard
    verdict = done.returncode == 0 and "Importer processing completed successfully" in said
    return [] if verdict else [f"galaxy-importer came to no verdict on {artifact.name}: {said[-500:].strip() or 'it said nothing'}."]


def unaccepted(said: str) -> list[str]:
    """Lines of warning and error, without those that are accepted."""
    bad = [line for line in said.splitlines() if re.search(r"\b(WARNING|ERROR|CRITICAL)\b", line)]
    return [line for line in bad if not any(re.search(pattern, line) for pattern in ACCEPTED)]
