#!/usr/bin/python
# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands for the info modules: what they have said once comes back as the result of a module, which Ansible does not take for templates."""

from __future__ import annotations

import json

from ansible.module_utils.basic import AnsibleModule

module = AnsibleModule({"path": {"type": "path", "required": True}}, supports_check_mode=True)
with open(module.params["path"], encoding="utf-8") as file:
    module.exit_json(changed=False, found=json.load(file))
