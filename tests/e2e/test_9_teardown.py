# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way back: everything is as at the start, and then the lab is gone."""

from __future__ import annotations

import pathlib


def test_teardown_asks_first(lab) -> None:
    before = lab.digest()
    play = lab.play("vcf.ray.teardown")
    assert play.rc != 0
    assert "teardown_confirm=true" in play.text
    assert lab.digest() == before


def test_teardown_leads_back_to_the_start(lab) -> None:
    play = lab.play("vcf.ray.teardown", "-e", "teardown_confirm=true", "-e", "vi_admin_remove_supervisor=true")
    assert play.rc == 0, play.text
    assert lab.whole() == lab.empty


def test_teardown_again_changes_nothing(lab) -> None:
    play = lab.play("vcf.ray.teardown", "-e", "teardown_confirm=true", "-e", "vi_admin_remove_supervisor=true")
    assert play.rc == 0, play.text
    assert play.counts["changed"] == 0, play.text
    assert lab.whole() == lab.empty


def mine(state: pathlib.Path) -> list[str]:
    """Processes of this lab, which all have its folder in their environment."""
    found = []
    for environ in pathlib.Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"LAB_STATE={state}".encode() in environ.read_bytes() and b"LAB_TEST_PARENT" not in environ.read_bytes():
                found.append((environ.parent / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return found


def test_down_leaves_nothing(lab) -> None:
    assert mine(lab.state), "the lab's processes must be found while it runs"
    down = lab.command("down")
    assert down.returncode == 0, down.stderr
    assert mine(lab.state) == []
    assert not lab.state.exists()
    assert str(lab.state) not in pathlib.Path("/proc/self/mountinfo").read_text()
