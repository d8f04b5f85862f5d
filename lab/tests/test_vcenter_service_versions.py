# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The release that the front tells before any login."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from vcenter_front import Front, with_front

from vcf_lab.settings import VERSIONS
from vcf_lab.vcenter.service_versions import document

TOLD = {"7.0.3": "7.0.3.0", "8.0.1": "8.0.1.0", "8.0.3": "8.0.3.0", "9.0": "9.0.0.0", "9.1": "9.1.0.0"}


def test_the_release_is_told_without_a_session() -> None:
    async def scenario(front: Front) -> None:
        async with front.http.get(front.url + "/sdk/vimServiceVersions.xml") as answer:
            assert (answer.status, answer.content_type) == (200, "text/xml")
            root = ET.fromstring(await answer.text())
        assert root.findtext("namespace[name='urn:vim25']/version") == "9.1.0.0"

    with_front(scenario)


@pytest.mark.parametrize("version", VERSIONS)
def test_each_release_names_itself_and_only_older_ones(version: str) -> None:
    root = ET.fromstring(document(version))
    assert (root.tag, root.get("version")) == ("namespaces", "1.0")
    vim25 = root.find("namespace[name='urn:vim25']")
    assert vim25 is not None and vim25.findtext("version") == TOLD[version]
    prior = [entry.text for entry in vim25.findall("priorVersions/version")]
    newer = {TOLD[other] for other in VERSIONS if VERSIONS.index(other) >= VERSIONS.index(version)}
    assert "6.7" in prior and not newer & set(prior)
