# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The site as it is built, a browser that looks at it, and a lab in which the examples run."""

from __future__ import annotations

import functools
import http.server
import json
import os
import pathlib
import subprocess
import sys
import threading
import typing as t

import pytest

TESTS = pathlib.Path(__file__).parents[1]
sys.path[:0] = [str(TESTS), str(TESTS / "browser")]
from chromium import launched
from labs import BIN, ROOT


@pytest.fixture(scope="session", name="site")
def fixture_site() -> pathlib.Path:
    """The folder of the site: that of DOCS_SITE, or the one of `make docs`, which is built anew."""
    if os.environ.get("DOCS_SITE"):
        return pathlib.Path(os.environ["DOCS_SITE"]).resolve()
    done = subprocess.run(["make", "--silent", "docs"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return ROOT / "build/docs/html"


@pytest.fixture(scope="session", name="documented")
def fixture_documented() -> dict[str, dict]:
    """What ansible-doc knows of each module."""
    names = [f"vcf.ray.{path.stem}" for path in sorted((ROOT / "plugins/modules").glob("*.py"))]
    env = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build/collections")}
    done = subprocess.run([BIN / "ansible-doc", "-j", "-t", "module", *names], env=env, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args: t.Any) -> None:
        pass


@pytest.fixture(scope="session", name="address")
def fixture_address(site: pathlib.Path) -> t.Iterator[str]:
    """The site on an address of this machine alone."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()


@pytest.fixture(scope="session", name="chromium")
def fixture_chromium() -> t.Iterator[t.Any]:
    with launched() as browser:
        yield browser
