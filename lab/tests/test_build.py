# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
from pathlib import Path

import pytest

from vcf_lab import build, toolchain

ETCD = next(tool for tool in build.TOOLS if tool.name == "etcd")


def script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache, and a machine that has none of our programs."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    return build.cache()


def fake_go(folder: Path, *, output: str = "echo built", code: int = 0) -> Path:
    """A `go` that knows its version and writes a script for `build -o FILE`."""
    return script(
        folder / "go",
        'if [ "$1" = env ]; then echo go9.9.9; exit; fi\n'
        f'[ {code} = 0 ] || {{ echo "no such package"; exit {code}; }}\n'
        'while [ "$1" != -o ]; do shift; done\n'
        f"printf '#!/bin/sh\\n{output}\\n' > \"$2\"; chmod +x \"$2\"",
    )


def with_go(monkeypatch, tmp_path, **options):
    fake_go(tmp_path / "go", **options)
    monkeypatch.setenv("PATH", f"{tmp_path / 'go'}:/usr/bin:/bin")


def test_digest_follows_sources_and_sums_only(tmp_path):
    (tmp_path / "one").mkdir()
    for name in ("go.mod", "go.sum", "main.go"):
        (tmp_path / "one" / name).write_text("a")
    first = build.digest(tmp_path)
    (tmp_path / "one" / "README").write_text("b")
    assert build.digest(tmp_path) == first
    for name in ("go.mod", "go.sum", "main.go"):
        (tmp_path / "one" / name).write_text("b")
        assert build.digest(tmp_path) != first
        (tmp_path / "one" / name).write_text("a")


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("etcd Version: {}", True),
        ("Kubernetes v{}\n", True),
        ("v{}1", False),
        ("v1{}", False),
        ("v{}-rc.1", False),
        ("v{}.7", False),
        ("", False),
        (None, False),
    ],
)
def test_only_the_pinned_version_is_taken(text, good):
    version = ETCD.pinned.removeprefix("v")
    assert build.is_pinned(text.format(version) if text else text, ETCD) is good


def test_every_tool_is_pinned_and_its_package_named():
    for tool in build.TOOLS:
        assert tool.pinned.startswith("v")
        assert tool.ours or tool.package in (tool.sources / "tools.go").read_text()


def test_programs_of_the_machine_are_linked(cache, tmp_path, monkeypatch):
    ready = script(tmp_path / "assets" / "etcd", f"echo etcd Version: {ETCD.pinned[1:]}")
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(ready.parent))
    with_go(monkeypatch, tmp_path)
    build.ensure(lambda text: None)
    assert (cache / "etcd").resolve() == ready
    assert not (cache / "kubectl").is_symlink()


def test_other_versions_of_the_machine_are_not(cache, tmp_path, monkeypatch):
    script(tmp_path / "go" / "etcd", "echo etcd Version: 1.0.0")
    with_go(monkeypatch, tmp_path)
    build.ensure(lambda text: None)
    assert not (cache / "etcd").is_symlink()


def test_a_broken_binary_is_built_again_and_only_that(cache, tmp_path, monkeypatch):
    with_go(monkeypatch, tmp_path)
    build.ensure(lambda text: None)
    (cache / "ytt").write_bytes(b"\x7fELF cut off")
    said: list[str] = []
    build.ensure(said.append)
    assert next(line for line in said if line.startswith("[")).startswith("[1/1] ytt")
    assert not build.missing(cache)


def test_a_whole_cache_is_left_alone(cache, tmp_path, monkeypatch):
    with_go(monkeypatch, tmp_path)
    build.ensure(lambda text: None)
    said: list[str] = []
    assert build.ensure(said.append) == cache
    assert said == []


def test_a_failed_build_shows_why_and_leaves_no_program(cache, tmp_path, monkeypatch):
    with_go(monkeypatch, tmp_path, code=1)
    with pytest.raises(build.BuildError, match="no such package"):
        build.ensure(lambda text: None)
    assert not [path for path in cache.iterdir() if os.access(path, os.X_OK)]


def test_a_binary_that_does_not_run_is_not_kept(cache, tmp_path, monkeypatch):
    with_go(monkeypatch, tmp_path, output="exit 3")
    with pytest.raises(build.BuildError, match="does not run"):
        build.ensure(lambda text: None)
    assert not (cache / "etcd").exists()


@pytest.mark.parametrize(("needed", "taken"), [("1.26.0", True), ("9.9.9", True), ("10.0", False)])
def test_go_of_the_user_must_be_new_enough(tmp_path, monkeypatch, needed, taken):
    with_go(monkeypatch, tmp_path)
    assert (toolchain.on_path(needed) is not None) is taken


def test_kubernetes_learns_its_version_from_the_linker():
    tool = next(tool for tool in build.TOOLS if tool.name == "kubectl")
    assert f"gitVersion={tool.pinned}" in build.ldflags(tool)
    assert "-X" not in build.ldflags(ETCD)
