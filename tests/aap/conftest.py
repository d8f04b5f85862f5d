# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The data in aap/, read once, and the modules of awx.awx that it is for."""

from __future__ import annotations

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
import controller_config


@pytest.fixture(scope="session")
def config(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict]]:
    controller_config.fetch_modules()
    controller_config.load_plugins()
    return controller_config.data(tmp_path_factory.mktemp("config"))


@pytest.fixture(scope="session")
def templates(config: dict[str, list[dict]]) -> dict[str, dict]:
    """Job templates by the name of their playbook."""
    return {controller_config.wrapper(template).stem: template for template in config["controller_templates"]}
