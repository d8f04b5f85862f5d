# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The door to Ansible: a result says when TLS was not verified, whatever the option is called."""

from __future__ import annotations

import pytest

from ansible_collections.vcf.ray.plugins.module_utils import _module


@pytest.mark.parametrize(("params", "verified"), [
    ({"validate_certs": True, "registry_validate_certs": True, "supervisor": {"validate_certs": True}}, True),
    ({"validate_certs": None, "supervisor": None, "supervisor_login": "text"}, True),
    ({"validate_certs": False}, False),
    ({"registry_validate_certs": False}, False),
    ({"source_validate_certs": False, "registry_validate_certs": True}, False),
    ({"validate_certs": True, "supervisor_login": {"validate_certs": False}}, False),
])
def test_every_option_for_certificates_counts(params: dict, verified: bool) -> None:
    assert _module._verified(params) is verified
