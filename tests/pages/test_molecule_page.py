# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/molecule.md, done word for word in an empty home, ends with green scenarios of one's own."""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
import sys

import page
import pytest

ROOT = pathlib.Path(__file__).parents[2]
PAGE = ROOT / "docs/molecule.md"
UPSTREAM = "https://github.com/vcf-ray/vcf.ray"
# How this machine reaches its package index.
PASSED = re.compile(r"^(PIP_\w+|SSL_\w+|REQUESTS_CA_BUNDLE|LANG|LC_\w+|TMPDIR|(?i:https?|no|all)_(?i:proxy))$")


def environment(home: pathlib.Path) -> dict[str, str]:
    """Of a reader with nothing but the system, and the two caches by which a machine is spared to build and to fetch again."""
    caches = os.environ.get("XDG_CACHE_HOME") or str(pathlib.Path.home() / ".cache")
    python = os.path.join(sys.base_prefix, "bin")
    return {**{name: value for name, value in os.environ.items() if PASSED.match(name)},
            "HOME": str(home), "PATH": f"{python}:/usr/local/go/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "NO_COLOR": "1",
            "XDG_CACHE_HOME": caches, "PIP_CACHE_DIR": os.environ.get("PIP_CACHE_DIR") or f"{caches}/pip", "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            # The page names where the repository is; the one to test is this one.
            "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": f"url.file://{ROOT}.insteadOf", "GIT_CONFIG_VALUE_0": UPSTREAM}


@pytest.fixture(scope="module", name="reader")
def fixture_reader(tmp_path_factory):
    """What the reader saw, and where; their lab is down afterwards, wherever the page has ended."""
    home = tmp_path_factory.mktemp("home")
    env = environment(home)
    try:
        done = subprocess.run(["bash", "-c", page.script(PAGE)], cwd=home, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=1500, check=False)
        yield home, done
    finally:
        if (home / "venv/bin/lab").exists():
            subprocess.run([home / "venv/bin/lab", "down"], env=env, check=False)


def test_the_page_ends_well(reader) -> None:
    _home, done = reader
    assert done.returncode == 0, done.stdout[-20000:]


def test_both_scenarios_of_ones_own_are_green(reader) -> None:
    """Nothing of them was left out for want of a playbook, which molecule only warns of."""
    _home, done = reader
    for scenario, steps in (("default", ("check", "converge", "idempotence", "verify")), ("training", ("prepare", "check", "converge", "idempotence"))):
        for step in steps:
            assert f"[{scenario} > {step}] Executed: Successful" in done.stdout, (scenario, step, done.stdout[-5000:])
    assert re.findall(r"> (\w+)\] Executed: Missing playbook", done.stdout) == ["destroy"]  # as the page says


def test_the_lab_that_ran_is_an_installed_one(reader) -> None:
    home, _done = reader
    where = subprocess.run([home / "venv/bin/python", "-c", "import vcf_lab; print(vcf_lab.__file__)"], cwd=home, env=environment(home),
                           capture_output=True, text=True, check=True).stdout
    assert where.startswith(str(home / "venv/lib"))


def test_every_block_is_a_command_or_a_file_with_a_name() -> None:
    found = page.blocks(PAGE)
    assert {block.language for block in found} == {"sh", "yaml"}
    assert [block.text for block in found if block.language == "yaml" and not re.match(r"[\w/-]+\.yml$", block.path)] == []


def test_nothing_is_left_out_but_the_scenarios_of_the_collection() -> None:
    left_out = [block for block in page.blocks(PAGE) if not block.run]
    assert [block.text.splitlines()[-1] for block in left_out] == ["lab run -- molecule test --all"]
