# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""operator_artifacts with the real make and a small source: what is made, when, and that the source stays as it is."""

from __future__ import annotations

import os
import pathlib
import signal
import subprocess
import sys
import time
import typing as t

import pytest

from ansible_collections.vcf.ray.plugins.module_utils import _signals
from ansible_collections.vcf.ray.plugins.module_utils._clients import operator_build
from ansible_collections.vcf.ray.plugins.module_utils._errors import RayError
from ansible_collections.vcf.ray.plugins.module_utils._reconcile import Task
from ansible_collections.vcf.ray.plugins.modules import operator_artifacts
from ansible_collections.vcf.ray.tests.unit.plugins.conversation import task_for

MAKEFILE = """
IMAGE_TAG ?= latest
.PHONY: vsphere-yaml create-image-tar parts fails sleeps empty
parts:
\tmkdir -p artifacts
\techo once >> ../made.log; cat config
vsphere-yaml: parts
\techo "image: $(IMAGE_TAG), level: $(MAKELEVEL)" > artifacts/ytt-vsphere.yaml
create-image-tar: parts
\techo image > artifacts/vmray-cluster-controller.tar.gz
fails: parts
\techo "the cause" >&2; exit 3
sleeps:
\techo $$$$ > $(PIDS); sleep 100 & wait
empty:
\ttrue
"""


class Site:
    """A source, a folder for builds, and the module run on them."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.source, self.work, self.lines = folder / "source", folder / "work", []
        self.source.mkdir()
        (self.source / "Makefile").write_text(MAKEFILE)
        (self.source / "config").write_text("namespace: x\n")

    def run(self, check_mode: bool = False, **options: t.Any) -> dict:
        task = task_for(operator_artifacts, check_mode, source=str(self.source), **{"work_dir": str(self.work), **options})
        heard = Task(task.params, check_mode=task.check_mode, diff_mode=True, progress=self.lines.append)
        with operator_build.connect(heard) as build:
            return operator_artifacts.ensure(heard, build)

    def refused(self, **options: t.Any) -> RayError:
        with pytest.raises(RayError) as caught:
            self.run(**options)
        return caught.value

    @property
    def made(self) -> int:
        """How often make has made something."""
        log = self.work / "made.log"
        return len(log.read_text().splitlines()) if log.exists() else 0

    def folders(self) -> list[str]:
        return sorted(path.name for path in self.work.iterdir() if path.is_dir()) if self.work.exists() else []

    def state(self) -> list[tuple]:
        return sorted((str(path), path.lstat().st_mtime_ns, path.lstat().st_mode) for path in [self.source, *self.source.rglob("*")])


@pytest.fixture(name="site")
def fixture_site(tmp_path: pathlib.Path) -> Site:
    return Site(tmp_path)


def test_make_once(site: Site) -> None:
    before = site.state()
    foretold = site.run(check_mode=True)
    assert not site.work.exists()
    result = site.run()
    assert result == foretold and result["changed"]
    told = result["operator_artifacts"]
    assert told["source_digest"] == f"sha256:{pathlib.Path(told['folder']).name}" and result["diff"] == {"before": {}, "after": told}
    assert pathlib.Path(told["manifests"]).read_text() == "image: latest, level: 0\n" and pathlib.Path(told["image_archive"]).read_text() == "image\n"
    assert told["manifests"] == f"{told['folder']}/artifacts/ytt-vsphere.yaml" and "namespace: x" in pathlib.Path(told["log"]).read_text()
    assert site.lines[0].startswith("make vsphere-yaml create-image-tar: ")
    again = site.run()
    assert not again["changed"] and again["operator_artifacts"] == told and site.made == 1
    assert not site.run(check_mode=True)["changed"]
    assert site.state() == before and site.folders() == [pathlib.Path(told["folder"]).name]


@pytest.mark.parametrize("options", [{"variables": {"IMAGE_TAG": "1.0"}}, {"targets": ["vsphere-yaml"]}, {}])
def test_another_input_is_another_folder(site: Site, options: dict) -> None:
    first = site.run()["operator_artifacts"]
    if not options:
        (site.source / "config").write_text("namespace: y\n")
    foretold, other = site.run(check_mode=True, **options), site.run(**options)
    assert foretold == other and other["changed"] and other["operator_artifacts"]["folder"] != first["folder"] and len(site.folders()) == 2
    text = pathlib.Path(other["operator_artifacts"]["manifests"]).read_text()
    assert text.startswith("image: 1.0") is bool(options.get("variables"))
    assert (other["operator_artifacts"]["image_archive"] == "") is ("targets" in options)


def test_variables_reach_make_as_yaml_writes_them(site: Site) -> None:
    site.run(variables={"IMAGE_TAG": True})
    assert not site.run(variables={"IMAGE_TAG": "true"})["changed"]


def test_neither_git_nor_old_artifacts_count(site: Site) -> None:
    first = site.run()
    for name in (".git", "artifacts"):
        (site.source / name).mkdir()
        (site.source / name / "ytt-vsphere.yaml").write_text("old")
    assert site.run() == {**first, "changed": False, "diff": {"before": first["diff"]["after"], "after": first["diff"]["after"]}}
    copied = pathlib.Path(site.run(variables={"A": 1}, targets=["vsphere-yaml"])["operator_artifacts"]["folder"])
    assert (copied / ".git/ytt-vsphere.yaml").read_text() == "old" and (copied / "artifacts/ytt-vsphere.yaml").read_text() != "old"


def test_the_root_of_the_repository(site: Site) -> None:
    inner = site.source / "vmray-cluster-operator"
    inner.mkdir()
    for name in ("Makefile", "config"):
        (site.source / name).rename(inner / name)
    (inner / "Makefile").write_text(MAKEFILE.replace("../made", "../../made").replace("cat config", "cat ../beside"))
    (site.source / "Makefile").write_text("all:\n\tfalse\n")
    (site.source / "beside").write_text("at the root")
    told = site.run()["operator_artifacts"]
    assert told["manifests"] == f"{told['folder']}/vmray-cluster-operator/artifacts/ytt-vsphere.yaml" and site.made == 1
    assert "at the root" in pathlib.Path(told["log"]).read_text() and os.path.dirname(told["log"]) == told["folder"]
    assert not site.run()["changed"]


def test_a_folder_that_lacks_its_artifacts_is_made_anew(site: Site) -> None:
    told = site.run()["operator_artifacts"]
    pathlib.Path(told["image_archive"]).unlink()
    (pathlib.Path(told["folder"]) / "stray").write_text("x")
    result = site.run()
    assert result["changed"] and result["operator_artifacts"] == told and os.path.isfile(told["image_archive"])
    assert not (pathlib.Path(told["folder"]) / "stray").exists() and len(site.folders()) == 1


def test_make_that_fails_shows_its_last_lines_and_leaves_its_log(site: Site) -> None:
    error = site.refused(targets=["fails"])
    assert error.code == "FAILED" and "failed (exit code 2) at target fails: " in error.message and "the cause" in error.message
    assert str(site.source) in error.message and "Must remake" not in error.message
    log = pathlib.Path(error.details["log"])
    assert log.parent.name.endswith(".failed") and str(log) in (error.hint or "") and "the cause" in log.read_text()
    site.refused(targets=["fails"])
    assert site.folders() == [log.parent.name] and site.made == 2


def test_artifacts_that_make_did_not_make_are_named(site: Site) -> None:
    error = site.refused(targets=["empty"])
    assert "there is no artifacts/ytt-vsphere.yaml and no artifacts/vmray-cluster-controller.tar.gz" in error.message
    assert os.path.isfile(error.details["log"]) and all(name.endswith(".failed") for name in site.folders())


def gone(pid: int) -> bool:
    for _turn in range(100):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        state = pathlib.Path(f"/proc/{pid}/stat")
        if state.exists() and state.read_text().rsplit(")", 1)[-1].split()[0] == "Z":
            return True
        time.sleep(0.05)
    return False


def test_a_late_make_is_ended_with_its_children(site: Site, tmp_path: pathlib.Path) -> None:
    pids = tmp_path / "pids"
    error = site.refused(targets=["sleeps"], variables={"PIDS": str(pids)}, timeout=1)
    assert error.code == "TIMEOUT" and "took more than 1 s, and was ended at target sleeps." in error.message and ".failed" in (error.hint or "")
    assert gone(int(pids.read_text())) and any("making sleeps" in line for line in site.lines)


STOPPED = """
import sys
from ansible.plugins.loader import init_plugin_loader
init_plugin_loader([path for path in sys.path if path])
from ansible_collections.vcf.ray.plugins.module_utils._signals import closing_first
from ansible_collections.vcf.ray.plugins.module_utils._clients import operator_build
from ansible_collections.vcf.ray.plugins.module_utils._reconcile import Task
from ansible_collections.vcf.ray.plugins.modules import operator_artifacts
params = {"source": sys.argv[1], "work_dir": sys.argv[2], "targets": ["sleeps"], "variables": {"PIDS": sys.argv[3]}, "tools": None, "make_path": None,
          "timeout": 60}
task = Task(params)
with closing_first(operator_build.connect(task)) as build:
    operator_artifacts.ensure(task, build)
"""


def test_a_signal_ends_make_with_its_children_and_leaves_nothing(site: Site, tmp_path: pathlib.Path) -> None:
    pids = tmp_path / "pids"
    root = pathlib.Path(_signals.__file__).parents[5]
    with subprocess.Popen([sys.executable, "-c", STOPPED, site.source, site.work, pids], env={**os.environ, "PYTHONPATH": str(root)}) as process:
        for _turn in range(200):
            if pids.exists() and pids.read_text():
                break
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == -signal.SIGTERM
    assert gone(int(pids.read_text())) and site.folders() == []


def test_the_flags_of_an_outer_make_stay_outside(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAKEFLAGS", "n")
    monkeypatch.setenv("MAKELEVEL", "3")
    assert pathlib.Path(site.run()["operator_artifacts"]["manifests"]).read_text() == "image: latest, level: 0\n"


def test_a_source_that_an_earlier_task_fetches_is_unknown_in_check_mode(site: Site) -> None:
    site.source = site.source / "not/yet"
    result = site.run(check_mode=True)
    assert result["changed"] and str(site.source) in result["unknown"][0] and result["operator_artifacts"] == {}
    assert "is not there" in site.refused().message


def test_what_is_no_source_is_told(site: Site, tmp_path: pathlib.Path) -> None:
    assert "inside of the source" in site.refused(work_dir=str(site.source / "build")).message
    assert "inside of the source" in site.refused(work_dir=str(site.source)).message
    (site.source / "Makefile").unlink()
    assert "There is no Makefile in" in site.refused().message
    assert not site.work.exists()


@pytest.mark.parametrize(("options", "words"), [
    ({"targets": ["-f/etc/passwd"]}, "is no target"), ({"targets": ["A=1"]}, "is no target"), ({"targets": []}, "There is no target"),
    ({"variables": {"A B": "1"}}, "is no name of a variable"), ({"variables": {"-n": ""}}, "is no name of a variable"),
])
def test_what_would_be_an_option_of_make_is_refused(site: Site, options: dict, words: str) -> None:
    assert words in site.refused(**options).message and not site.work.exists()


@pytest.mark.parametrize("check_mode", [True, False])
def test_missing_tools_are_named_before_anything_starts(site: Site, check_mode: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    error = site.refused(check_mode=check_mode, tools=["tool-of-ours", "other-tool"])
    assert error.details == {"missing": ["tool-of-ours", "other-tool"]} and not site.work.exists()
    with (site.source / "Makefile").open("a") as file:
        file.write("x:\n\tkustomize build\n")
    monkeypatch.setenv("PATH", "/nowhere")
    assert site.refused(check_mode=check_mode).details["missing"] == ["make", "kustomize"]


def test_a_source_that_changes_while_it_is_copied(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    real = operator_build.source_tree.copy

    def copy(root: str, destination: str, left_out: t.Callable[[str], bool]) -> None:
        real(root, destination, left_out)
        (site.source / "config").write_text("new")

    monkeypatch.setattr(operator_build.source_tree, "copy", copy)
    assert "has changed while it was copied" in site.refused().message and site.folders() == []


def test_a_work_dir_that_cannot_be_written(site: Site) -> None:
    site.work.write_text("a file")
    assert f"The folder {site.work} cannot be written: File exists" in site.refused().message
