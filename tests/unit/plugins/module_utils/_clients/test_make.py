# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is read out of the log of make; make itself is run by the tests of operator_artifacts."""

from __future__ import annotations

import pathlib

import pytest

from ansible_collections.vcf.ray.plugins.module_utils._clients import make
from ansible_collections.vcf.ray.plugins.module_utils._clients.programs import Program
from ansible_collections.vcf.ray.plugins.module_utils._errors import RayError

LOG = """GNU Make 4.3
Built for x86_64-pc-linux-gnu
Reading makefiles...
Updating makefiles....
Updating goal targets....
 File 'vsphere-yaml' does not exist.
   File 'parts' does not exist.
  Must remake target 'parts'.
kustomize build config/crd
Error: no such file
  Successfully remade target file 'parts'.
Must remake target 'vsphere-yaml'.
"""


def test_the_target_is_told_once_its_line_is_whole(tmp_path: pathlib.Path) -> None:
    log = tmp_path / "log"
    log.write_text("GNU Make 4.3\n")
    targets = make._Targets(str(log))
    assert targets.told("making ") == ""
    told = []
    for end in range(0, len(LOG), 7):
        with log.open("a") as file:
            file.write(LOG[end:end + 7])
        told.append(targets.told("making "))
    assert list(dict.fromkeys(told)) == ["", "making parts", "making vsphere-yaml"]


def test_the_older_make_of_macos_quotes_otherwise(tmp_path: pathlib.Path) -> None:
    (tmp_path / "log").write_text("Must remake target `vsphere-yaml'.\n")
    assert make._Targets(str(tmp_path / "log")).told("at ") == "at vsphere-yaml"


def test_what_was_said_is_without_what_make_tells_of_itself(tmp_path: pathlib.Path) -> None:
    log = tmp_path / "log"
    log.write_text(LOG)
    assert make.said(str(log)) == "kustomize build config/crd\nError: no such file"
    log.write_text(f"{LOG}yq eval-all .\nmake: *** [Makefile:3: vsphere-yaml] Error 1\n")
    assert make.said(str(log)) == "yq eval-all .\nmake: *** [Makefile:3: vsphere-yaml] Error 1"
    log.write_text("Reading makefiles...\n")
    assert make.said(str(log)) == "it said nothing"


@pytest.mark.parametrize(("script", "words"), [
    ("echo why; exit 2", r"make failed \(exit code 2\): why"), ("kill -9 $$", r"make failed \(signal 9\): it said nothing"),
])
def test_how_it_ended(tmp_path: pathlib.Path, script: str, words: str) -> None:
    (tmp_path / "make").write_text(f"#!/bin/sh\n{script}\n")
    (tmp_path / "make").chmod(0o755)
    with pytest.raises(RayError, match=words):
        make.run(Program("make", str(tmp_path / "make")), ["all"], folder=str(tmp_path), log=str(tmp_path / "log"), timeout=5)
