# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shape of the code: imports go one way, and each library and each habit has one place."""

from __future__ import annotations

import ast
import pathlib
import re

import pytest
import yaml

ROOT = pathlib.Path(__file__).parents[2]
UTILS = ROOT / "plugins/module_utils"
MODULES = sorted((ROOT / "plugins/modules").glob("*.py"))
PYTHON = sorted((ROOT / "plugins").rglob("*.py"))

# Each layer may import what stands to its right.
ALLOWED = {
    "_ports": set(),
    "_errors": {"_ports"},
    "_diff": {"_errors", "_ports"},
    "_names": {"_errors", "_ports"},
    "_wait": {"_errors", "_ports"},
    "_trust": set(),
    "_http": {"_errors", "_ports", "_trust"},
    "_password": {"_errors"},
    "_jwt": set(),
    "_clients": {"_clients", "_jwt", "_names", "_http", "_wait", "_diff", "_errors", "_ports"},
    "_resources": {"_resources", "_jwt", "_names", "_wait", "_diff", "_errors", "_password", "_ports"},
    "_diagnose": {"_wait", "_diff", "_errors", "_ports"},
    "_reconcile": {"_wait", "_diff", "_errors", "_ports"},
    "_signals": set(),
    "_module": {"_reconcile", "_signals", "_errors", "_ports"},
}


def imports(path: pathlib.Path) -> set[str]:
    """Dotted names of all that a file imports; relative imports of module_utils as its part, such as ``_http``."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            if not node.level:
                names.add(node.module)
            elif node.module:
                names.add(f".{node.module}")
            else:
                names |= {f".{alias.name}" for alias in node.names}
    return names


def fragments(path: pathlib.Path) -> list[str]:
    """The documentation fragments of a module."""
    doc = re.search(r'DOCUMENTATION = r?"""(.*?)"""', path.read_text(encoding="utf-8"), re.DOTALL)
    return yaml.safe_load(doc.group(1)).get("extends_documentation_fragment", [])


def part(path: pathlib.Path) -> str:
    return path.relative_to(UTILS).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", sorted(UTILS.rglob("*.py")), ids=lambda p: str(p.relative_to(UTILS)))
def test_imports_go_one_way(path: pathlib.Path) -> None:
    here = part(path)
    siblings = {p.stem for p in path.parent.glob("*.py")} if path.parent != UTILS else set()
    inner = {name[1:].split(".")[0] for name in imports(path) if name.startswith(".")} - siblings
    assert inner <= ALLOWED[here], f"{path.name} imports {sorted(inner - ALLOWED[here])}"


@pytest.mark.parametrize(("library", "homes"), [
    ("requests", {"_http.py", "_trust.py"}),
    ("kubernetes", {"_clients/kube_config.py"}),
    ("pyVmomi", {"_clients/inventory.py"}),
])
def test_each_library_has_its_home(library: str, homes: set[str]) -> None:
    users = [str(p.relative_to(ROOT / "plugins")) for p in PYTHON if any(n.split(".")[0] == library for n in imports(p))]
    assert set(users) <= {f"module_utils/{home}" for home in homes}


def test_resources_have_never_heard_of_ansible() -> None:
    """Clients know Ansible's env_fallback for their options, the door knows AnsibleModule, nobody else anything."""
    for path in UTILS.rglob("*.py"):
        known = {n for n in imports(path) if n.split(".")[0] == "ansible"}
        basic = {"ansible.module_utils.basic"}
        assert known <= {"_clients": basic, "_module": basic | {"ansible.module_utils.common.parameters"}}.get(part(path), set()), path
        assert part(path) == "_module" or "AnsibleModule" not in path.read_text(encoding="utf-8"), path


@pytest.mark.parametrize(("habit", "home"), [
    (r"\b(fail_json|exit_json)\b", "_module.py"),
    (r"\bcheck_mode\b(?!:)", "_reconcile.py"),
    (r"\btime\.sleep\b", "_wait.py"),
    (r"\bsignal\.signal\b", "_signals.py"),
])
def test_each_habit_has_one_home(habit: str, home: str) -> None:
    homes = {"_module.py": {"_module.py"}, "_reconcile.py": {"_reconcile.py", "_module.py"}, "_wait.py": {"_wait.py", "_http.py"},
             "_signals.py": {"_signals.py"}}[home]
    for path in UTILS.rglob("*.py"):
        if path.name not in homes:
            assert not re.search(habit, path.read_text(encoding="utf-8")), f"{path}: {habit}"


@pytest.mark.parametrize("path", PYTHON, ids=lambda p: p.name)
def test_no_error_is_swallowed(path: pathlib.Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ExceptHandler):
            assert node.type is not None and getattr(node.type, "id", "") not in ("Exception", "BaseException"), f"{path}:{node.lineno}"


@pytest.mark.parametrize("path", PYTHON, ids=lambda p: p.name)
def test_files_and_functions_stay_small(path: pathlib.Path) -> None:
    text = path.read_text(encoding="utf-8")
    if path not in MODULES:
        assert len(text.splitlines()) <= 300
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            assert node.end_lineno - node.lineno < 40, f"{path.name}: {node.name} is longer than 40 lines"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: p.name)
def test_each_module_has_its_action_plugin(path: pathlib.Path) -> None:
    """Two imports and nothing else: that of the module is for ansible-lint, which reads the options there."""
    action = ROOT / "plugins/action" / path.name
    shared = "_session" if path.stem == "vcenter_session" else "_run"
    assert imports(action) == {"__future__", f".modules.{path.stem}", f".plugin_utils.{shared}"}
    assert all(isinstance(node, ast.ImportFrom) for node in ast.parse(action.read_text(encoding="utf-8")).body)


def test_no_action_plugin_is_without_a_module() -> None:
    assert {p.stem for p in (ROOT / "plugins/action").glob("*.py")} == {p.stem for p in MODULES}
    assert "plugin_routing" not in yaml.safe_load((ROOT / "meta/runtime.yml").read_text(encoding="utf-8"))


def test_action_groups_name_every_module() -> None:
    groups = yaml.safe_load((ROOT / "meta/runtime.yml").read_text(encoding="utf-8"))["action_groups"]
    named = sorted(name for group, members in groups.items() if group != "session" for name in members)
    assert named == sorted(p.stem for p in MODULES)


def test_the_group_session_is_all_modules_that_take_a_session() -> None:
    """vcenter_session too: so a role finds out whether one was handed in, which it must not end."""
    groups = yaml.safe_load((ROOT / "meta/runtime.yml").read_text(encoding="utf-8"))["action_groups"]
    assert groups["session"] == [path.stem for path in MODULES if "vcf.ray.vcenter" in fragments(path)]


@pytest.mark.parametrize("path", MODULES, ids=lambda p: p.name)
def test_a_module_belongs_to_the_group_of_its_options(path: pathlib.Path) -> None:
    groups = yaml.safe_load((ROOT / "meta/runtime.yml").read_text(encoding="utf-8"))["action_groups"]
    group = next(name for name, members in groups.items() if path.stem in members)
    if group in ("vcenter", "kubernetes", "ray"):
        # The SSO service wants a login of its own, with the options of its vCenter.
        assert ("vcf.ray.vcenter.sso" if path.stem.startswith("sso_") else f"vcf.ray.{group}") in fragments(path)


@pytest.mark.parametrize("path", MODULES, ids=lambda p: p.name)
def test_who_takes_the_login_of_a_registry_documents_it_and_belongs_to_carvel(path: pathlib.Path) -> None:
    """The other way round a module of the group need not: some build, or speak to a repository of files."""
    carvel = yaml.safe_load((ROOT / "meta/runtime.yml").read_text(encoding="utf-8"))["action_groups"]["carvel"]
    takes = "registry.ARGSPEC" in path.read_text(encoding="utf-8")
    assert takes == ("vcf.ray.registry" in fragments(path))
    assert path.stem in carvel or not takes


def test_action_groups_are_sorted() -> None:
    for members in yaml.safe_load((ROOT / "meta/runtime.yml").read_text(encoding="utf-8"))["action_groups"].values():
        assert members == sorted(members)


def test_programs_have_one_home() -> None:
    """What ends a program with its children, and keeps it from waiting for a terminal, is written once."""
    users = {p.name for p in PYTHON if "subprocess" in imports(p)}
    assert users <= {"programs.py", "make.py"}


def test_what_is_shipped_does_not_name_the_lab() -> None:
    for folder in ("plugins", "roles", "playbooks"):
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and path.suffix in (".py", ".yml"):
                assert not re.search(r"\bvcf_lab\b|\blab\b", path.read_text(encoding="utf-8")), path
