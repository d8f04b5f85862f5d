# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of the lab's tests; those marked `lab` start one in a folder of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from vcf_lab import pki
from vcf_lab.settings import Lab


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    """A lab of files only: nothing runs."""
    made = Lab(tmp_path, tmp_path / "bin", "9.1", "fast", True, "Lab-secret!1")
    pki.make_ca(tmp_path / "pki")
    made.save()
    return made
