# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Our modules in the controller's process and as modules, on each ansible-core, against a vCenter of a few lines.

VCF_RAY_CORES names the folders with the commands of each ansible-core, with colons between them; without it there is
only the one that runs these tests.
"""

from __future__ import annotations

import os
import sys
import typing as t
from pathlib import Path

import pytest
from fake_vcenter import FakeVCenter, make_certificate
from running import Core, Run

CORES = [Core(Path(folder)) for folder in os.environ.get("VCF_RAY_CORES", str(Path(sys.executable).parent)).split(":")]
WAYS = {"in_process": True, "module": False}


@pytest.fixture(scope="session", name="certificate")
def fixture_certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ca")
    make_certificate(folder)
    return folder


@pytest.fixture(name="server")
def fixture_server(certificate: Path) -> t.Iterator[FakeVCenter]:
    with FakeVCenter(certificate) as server:
        yield server


@pytest.fixture(params=CORES, ids=str, name="core")
def fixture_core(request: pytest.FixtureRequest) -> Core:
    return request.param


@pytest.fixture(params=list(WAYS), name="way")
def fixture_way(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(name="play")
def fixture_play(core: Core, server: FakeVCenter, tmp_path: Path) -> t.Callable[..., Run]:
    """``play(PLAYBOOK, ARGS, in_process=..., env=...)`` runs it to its end."""
    runs = []

    def play(*args: t.Any, **kwargs: t.Any) -> Run:
        with Run(core, tmp_path / f"run{len(runs)}", server, *args, **kwargs) as run:
            runs.append(run)
            return run.end(300)

    return play
