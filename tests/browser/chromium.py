# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The system's Chromium without a window, for all tests that look at pages of ours."""

from __future__ import annotations

import contextlib
import os
import shutil
import typing as t

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
MISSING = "No Chromium on this machine, so nobody looks at the pages: install it (as root, on Debian: apt-get install --no-install-recommends chromium)."


@contextlib.contextmanager
def launched() -> t.Iterator[t.Any]:
    """The browser; without one the test is skipped, and with CI=true it fails."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(MISSING)
    from playwright import sync_api

    with sync_api.sync_playwright() as driver:
        # A browser of root has no sandbox of its own; what it opens is our own page.
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox"] if os.geteuid() == 0 else [])
        yield browser
        browser.close()
