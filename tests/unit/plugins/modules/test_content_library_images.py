# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""content_library with a look into a namespace: what its Supervisor tells of the images, and what happens without a login."""

from __future__ import annotations

import contextlib
import typing as t

import pytest

from ansible_collections.vcf.ray.plugins.module_utils._clients import kube_login
from ansible_collections.vcf.ray.plugins.module_utils._errors import RayError
from ansible_collections.vcf.ray.plugins.modules import content_library
from ansible_collections.vcf.ray.tests.unit.plugins.conversation import MISSING, run
from ansible_collections.vcf.ray.tests.unit.plugins.scripted import Scripted

LIB = "/api/content/subscribed-library/lib-1"
INFO = {"id": "lib-1", "name": "images", "type": "SUBSCRIBED", "last_sync_time": "2026-01-01T00:00:00Z",
        "subscription_info": {
            "subscription_url": "https://p/lib.json", "on_demand": True, "automatic_sync_enabled": True, "authentication_method": "NONE"}}
NODE = {"id": "i-1", "name": "node", "type": "ovf", "security_compliance": True, "cached": True}
READ = [
    ("POST", "/api/content/library?action=find", {"name": "images", "type": "SUBSCRIBED"}, ["lib-1"]),
    ("GET", LIB, None, INFO),
    ("POST", "/api/content/library/item?action=find", {"library_id": "lib-1", "name": "node"}, ["i-1"]),
    ("GET", "/api/content/library/item/i-1", None, NODE),
]
NAMESPACE = ("GET", "/api/vcenter/namespaces/instances/v2/ray", None)
ATTACHED = {"supervisor": "sv-1", "vm_service_spec": {"content_libraries": ["lib-1"]}}
LOGIN = {"username": "me", "password": "secret", "hostname": "sv.example.com"}
OPTIONS = {"name": "images", "items": ["node"], "image": {"namespace": "ray"}, "wait_timeout": 5}


def image(ready: str, reason: str = "") -> dict:
    conditions = [{"type": "Ready", "status": ready, "reason": reason}]
    return {"metadata": {"name": "vmi-0a"}, "status": {"name": "node", "conditions": conditions}}


@pytest.fixture(name="listed")
def fixture_listed(monkeypatch: pytest.MonkeyPatch) -> t.Callable[..., list]:
    """Lets the Supervisor list these images, one list for each look; gives the addresses that were opened and closed."""

    def listed(*answers: t.Any) -> list:
        seen: list = []

        @contextlib.contextmanager
        def opened(hostname: str | None) -> t.Iterator[Scripted]:
            seen.append(hostname)
            kube = Scripted([("list", ("VirtualMachineImage", "ray"), answer) for answer in answers])
            yield kube
            kube.done()
            seen.append("closed")

        monkeypatch.setattr(kube_login, "opener", lambda task: opened if task.params["supervisor_login"] else None)
        return seen

    return listed


def test_without_a_login_nothing_is_said_to_be_true() -> None:
    result = run(content_library, *READ, **OPTIONS)
    assert not result["changed"] and result["content_library"]["images"] == "not_checked"


def test_the_wait_ends_when_the_image_of_the_item_is_ready(listed: t.Callable[..., list]) -> None:
    seen = listed([image("False", "NotSynced")], [image("True")])
    result = run(content_library, *READ, *READ[1:], **OPTIONS, supervisor_login=LOGIN)
    assert not result["changed"]
    assert result["content_library"]["images"] == [{"item": "node", "image": "vmi-0a", "ready": True, "reason": ""}]
    assert seen == [None, "closed"]


def test_the_address_of_the_supervisor_comes_from_vcenter(listed: t.Callable[..., list]) -> None:
    seen = listed([image("True")])
    summary = {"supervisor": "sv-1", "info": {"name": "sv", "config_status": "RUNNING", "kubernetes_status": "READY", "api_endpoint": "10.0.0.5"}}
    run(content_library, *READ, (*NAMESPACE, ATTACHED),
        ("GET", "/api/vcenter/namespace-management/supervisors/summaries", None, {"items": [summary]}), **OPTIONS,
        supervisor_login={"username": "me", "password": "secret"})
    assert seen == ["10.0.0.5", "closed"]


@pytest.mark.parametrize(("answer", "text"), [({**ATTACHED, "vm_service_spec": {}}, "not attached to namespace ray"), (MISSING, "no namespace ray")])
def test_a_library_that_is_not_attached_ends_the_wait_at_once(listed: t.Callable[..., list], answer: t.Any, text: str) -> None:
    listed([])
    more = [("GET", "/api/vcenter/namespaces/instances/ray", None, MISSING)] if answer is MISSING else []
    with pytest.raises(RayError, match=text):
        run(content_library, *READ, (*NAMESPACE, answer), *more, **OPTIONS, supervisor_login=LOGIN)


def test_a_wait_that_gives_up_says_why_the_image_is_not_ready(listed: t.Callable[..., list]) -> None:
    listed([image("False", "ProviderNotReady")])
    with pytest.raises(RayError, match="image vmi-0a of node is not ready: Ready: ProviderNotReady"):
        run(content_library, *READ, ("GET", LIB, None, INFO), *READ[2:],
            ("GET", "/api/content/library/item?library_id=lib-1", None, ["i-1"]), READ[3],
            **{**OPTIONS, "wait_timeout": 0}, supervisor_login=LOGIN)


def test_a_supervisor_that_is_away_for_a_moment_is_borne(listed: t.Callable[..., list]) -> None:
    away = RayError("away", code="CONNECTION")
    listed([image("False")], away, [image("True")])
    assert run(content_library, *READ, *READ[1:], *READ[1:], **OPTIONS, supervisor_login=LOGIN)["content_library"]["images"][0]["ready"]
    listed(away)
    with pytest.raises(RayError, match="away"):
        run(content_library, *READ, **OPTIONS, supervisor_login=LOGIN)


def test_of_a_library_that_is_to_be_made_the_images_are_unknown() -> None:
    none = [(*READ[0][:3], []), (*READ[0][:2], {"name": "images", "type": "LOCAL"}, [])]
    options = {**OPTIONS, "subscription_url": "https://p/lib.json", "datastore": "ds"}
    with pytest.raises(RayError, match="not there yet"):
        run(content_library, *none, **options)
    assert run(content_library, *none, check_mode=True, **options)["unknown"]


def test_the_items_have_to_be_named() -> None:
    with pytest.raises(RayError, match="No item is named"):
        run(content_library, name="images", image={"namespace": "ray"})
