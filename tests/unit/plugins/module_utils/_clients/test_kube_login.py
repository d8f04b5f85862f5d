# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The look at a Supervisor: none without a login, the address of the user before that of vCenter, closed at the end."""

from __future__ import annotations

import pytest

from ansible_collections.vcf.ray.plugins.module_utils._clients import kube, kube_login
from ansible_collections.vcf.ray.plugins.module_utils._errors import UnknownYet
from ansible_collections.vcf.ray.plugins.module_utils._reconcile import Task

LOGIN = {"hostname": None, "username": "me@vsphere.local", "password": "secret", "ca_path": None, "validate_certs": True}


class FakeKube:
    def __init__(self, access: dict) -> None:
        self.access, self.closed = access, False

    def close(self) -> None:
        self.closed = True


@pytest.fixture(autouse=True, name="made")
def fixture_made(monkeypatch: pytest.MonkeyPatch) -> list[FakeKube]:
    made: list[FakeKube] = []
    monkeypatch.setattr(kube, "access_for", lambda task: task.params)
    monkeypatch.setattr(kube, "Kube", lambda access: made.append(FakeKube(access)) or made[-1])
    return made


@pytest.mark.parametrize("given", [None, {}])
def test_without_a_login_there_is_nothing_to_open(given: dict | None) -> None:
    assert kube_login.opener(Task({"supervisor_login": given})) is None


@pytest.mark.parametrize(("own", "used"), [(None, "10.0.0.5"), ("sv.example.com", "sv.example.com")])
def test_the_address_of_the_user_comes_first(made: list[FakeKube], own: str | None, used: str) -> None:
    opened = kube_login.opener(Task({"supervisor_login": {**LOGIN, "hostname": own}}))
    with opened("10.0.0.5") as client:
        assert client.access["supervisor"] == {**LOGIN, "hostname": used}
        assert client.access["kubeconfig"] is None
        assert not client.closed
    assert client.closed and len(made) == 1


def test_without_any_address_nothing_is_sent(made: list[FakeKube]) -> None:
    opened = kube_login.opener(Task({"supervisor_login": LOGIN}))
    with pytest.raises(UnknownYet, match="no address yet"), opened(None):
        pass
    assert made == []
