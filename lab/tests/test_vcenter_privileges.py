# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Privileges per call: the table knows every route, and a user has what was given, no more."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from vcenter_front import PASSWORD, FakeSimulator, Front, make_lab, with_front

from vcf_lab.vcenter import legacy_session
from vcf_lab.vcenter.app import make_app
from vcf_lab.vcenter.privileges import NAMES, OPEN_TO_ALL, RULES, rule_of

DOCS = Path(__file__).parents[2] / "docs" / "privileges.md"
CLASSES = "/api/vcenter/namespace-management/virtual-machine-classes"
USER = "operator@vsphere.local"
# Routes with a word out of a few in their path.
WORDS = {"kind": ("local", "subscribed"), "what": ("cluster", "datacenter", "datastore", "folder", "host", "network")}


async def with_user(front: Front, *privileges: str) -> None:
    front.app["directory"].add("operator", PASSWORD, {}, ["Users@vsphere.local"])
    status, body = await front.side("/privileges", "PUT", {USER: list(privileges)})
    assert status == 200, body
    assert (await front.login(USER))[0] == 201


def spelled(path: str) -> Iterator[str]:
    """A path of the application with something in place of each variable."""
    found = re.search(r"\{(\w+)[^}]*\}", path)
    if not found:
        yield path
        return
    for word in WORDS.get(found.group(1), ("x-1",)):
        yield from spelled(path.replace(found.group(0), word, 1))


def test_every_route_has_its_privileges(tmp_path) -> None:
    app = make_app(make_lab(tmp_path), simulator=FakeSimulator(), kube=object())
    routes = {
        (route.method, path)
        for route in app.router.routes()
        if route.resource is not None and route.method != "HEAD" and route.resource.canonical.startswith(("/api", "/rest"))
        for path in spelled(route.resource.canonical)
        if not path.startswith(OPEN_TO_ALL) and path != legacy_session.PATH
    }
    assert len(routes) > 80
    forgotten = sorted(f"{method} {path}" for method, path in routes if rule_of(method, path) is None and not _only_actions(method, path))
    assert not forgotten, f"no line in the table of privileges.py: {forgotten}"


def _only_actions(method: str, path: str) -> bool:
    """A route that does nothing without ?action= has a line for each action."""
    return any(rule.action and rule_of(method, path, rule.action) == rule for rule in RULES)


def test_no_line_stands_in_the_shadow_of_another() -> None:
    for rule in RULES:
        path = rule.path.replace("{}", "x").replace("...", "/y" if rule.path[-4] != "/" else "y")
        method = next(iter(rule.methods), "OPTIONS")
        assert rule_of(method, path, rule.action) == rule, rule.path


@pytest.mark.parametrize(
    ("method", "path", "privileges"),
    [
        ("GET", "/api/vcenter/namespace-management/supervisors/summaries", "Namespaces.Manage System.Read"),
        ("GET", "/api/vcenter/namespace-management/supervisors/x/container-image-registries", "System.Read"),
        ("POST", "/api/vcenter/namespace-management/supervisors/x/container-image-registries", "Namespaces.Manage"),
        ("POST", "/api/vcenter/namespace-management/supervisors/domain-c9", "Namespaces.Manage"),
        ("POST", "/api/vcenter/namespace-management/supervisors/x/supervisor-services/s", "SupervisorServices.Install"),
        ("POST", "/api/vcenter/namespace-management/supervisor-services", "SupervisorServices.Manage"),
        ("DELETE", "/api/vcenter/namespaces/instances/ray/access/vsphere.local/dev", "Namespaces.Configure"),
        ("GET", "/api/content/library/item", "System.Read"),
        ("POST", "/api/content/subscribed-library", "ContentLibrary.CreateSubscribedLibrary Datastore.AllocateSpace"),
    ],
)
def test_calls(method: str, path: str, privileges: str) -> None:
    rule = rule_of(method, path)
    assert rule is not None and " ".join(rule.privileges) == privileges


def test_a_user_has_exactly_what_was_given() -> None:
    async def scenario(front: Front) -> None:
        await with_user(front, "System.Read")
        assert (await front.call("GET", CLASSES))[0] == 200
        status, error = await front.call("POST", CLASSES, {"id": "x", "cpu_count": 1, "memory_MB": 1024})
        assert (status, error["error_type"]) == (403, "UNAUTHORIZED")
        assert "'VirtualMachineClasses.Manage'" in error["messages"][0]["default_message"]
        assert USER in error["messages"][0]["default_message"]
        await front.side("/privileges", "PUT", {USER.upper(): ["VirtualMachineClasses.Manage"]})
        assert (await front.call("POST", CLASSES, {"id": "x", "cpu_count": 1, "memory_MB": 1024}))[0] == 204
        status, error = await front.call("GET", CLASSES)
        assert status == 403 and "'System.Read'" in error["messages"][0]["default_message"]
        assert (await front.call("GET", "/api/session"))[0] == 200
        assert (await front.call("GET", "/api/vcenter/namespaces-user/namespaces"))[0] == 200
        assert (await front.call("GET", "/api/nonsense"))[0] == 404

    with_front(scenario)


def test_each_privilege_of_a_call_is_needed() -> None:
    async def scenario(front: Front) -> None:
        both = ["ContentLibrary.CreateLocalLibrary", "Datastore.AllocateSpace"]
        library = {"name": "l", "type": "LOCAL", "storage_backings": [{"type": "DATASTORE", "datastore_id": "datastore-1"}]}
        await with_user(front)
        for missing in both:
            await front.side("/privileges", "PUT", {USER: [name for name in both if name != missing]})
            status, error = await front.call("POST", "/api/content/local-library", library)
            assert status == 403 and f"'{missing}'" in error["messages"][0]["default_message"]
        await front.side("/privileges", "PUT", {USER: both})
        assert (await front.call("POST", "/api/content/local-library", library))[0] == 201

    with_front(scenario)


def test_privileges_of_a_group_and_of_administrators() -> None:
    async def scenario(front: Front) -> None:
        await with_user(front)
        assert (await front.call("GET", CLASSES))[0] == 403
        await front.side("/privileges", "PUT", {"Users@vsphere.local": ["System.Read"], "administrator@vsphere.local": []})
        assert (await front.call("GET", CLASSES))[0] == 200
        await front.login()
        assert (await front.call("GET", CLASSES))[0] == 200  # an administrator keeps all
        entry = [entry for entry in (await front.side("/requests"))[1] if entry["path"] == CLASSES][-1]
        assert entry["privileges"] == ["System.Read"]

    with_front(scenario)


def test_a_misspelt_privilege_is_refused() -> None:
    async def scenario(front: Front) -> None:
        status, answer = await front.side("/privileges", "PUT", {USER: ["System.read"]})
        assert status == 400 and "System.Read" in answer["error"]
        assert (await front.side("/privileges"))[1] == {}

    with_front(scenario)


def test_names_are_those_of_vsphere() -> None:
    assert all(re.fullmatch(r"[A-Z]\w+\.[A-Z]\w+", name) for name in NAMES)


def test_the_documentation_knows_them() -> None:
    text = DOCS.read_text()
    told = set(re.findall(r"`(\w+\.\w+)`(\*?)", text)) - {("RayAdmin", "")}
    named = {(name, star) for name, star in told if name in NAMES}
    assert {name for name, _ in told} - NAMES == set(), "names that the table does not have"
    documented = {name for rule in RULES if not rule.inferred for name in rule.privileges}
    assert {name for name, star in named if star and name in documented} <= {"System.Read"}
    assert {name for name, star in named if not star} <= documented
