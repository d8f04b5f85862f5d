# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection is imported as Ansible imports it, so that Ansible's own loaders find its plugins in the tests."""

from __future__ import annotations

import pathlib
import sys

from ansible.plugins.loader import init_plugin_loader
from ansible.utils.collection_loader import AnsibleCollectionConfig

if not AnsibleCollectionConfig.collection_finder:
    init_plugin_loader([path for path in sys.path if (pathlib.Path(path) / "ansible_collections").is_dir()])
