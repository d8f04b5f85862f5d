# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""reconcile: what is written, and what is said, in each state and mode."""

from __future__ import annotations

from contextlib import contextmanager

import pytest

from ansible_collections.vcf.ray.plugins.module_utils._errors import RayError, UnknownYet
from ansible_collections.vcf.ray.plugins.module_utils._reconcile import Task, reconcile


class Shelf:
    """A resource that keeps its object in memory and a log of what was written."""

    noun = "shelf"
    create_only = ("place",)
    hidden = ("secret",)

    def __init__(self, current: dict | None) -> None:
        self.name, self.current, self.log = "s1", current, []

    def read(self) -> dict | None:
        return self.current

    def create(self, desired: dict) -> None:
        self.log.append(("create", desired))
        self.current = dict(desired)

    def update(self, before: dict, desired: dict) -> None:
        self.log.append(("update", desired))
        self.current = {**before, **{k: v for k, v in desired.items() if v is not None}}

    def delete(self, before: dict) -> None:
        self.log.append(("delete", before))
        self.current = None

    def ready(self, current: dict | None) -> bool:
        return current is not None

    def diagnose(self) -> str:
        return ""


def task(**kwargs: bool) -> Task:
    return Task({"wait": True, "wait_timeout": 0}, diff_mode=True, **kwargs)


WANTED = {"name": "s1", "place": "attic", "books": ["a"], "colour": None}
THERE = {"name": "s1", "place": "attic", "books": ["a"], "colour": "red"}


@pytest.mark.parametrize(("before", "desired", "written"), [
    (None, WANTED, [("create", {"name": "s1", "place": "attic", "books": ["a"]})]),
    (THERE, WANTED, []),
    (THERE, {**WANTED, "books": ["b"]}, [("update", {**WANTED, "books": ["b"]})]),
    (THERE, None, [("delete", THERE)]),
    (None, None, []),
])
def test_only_what_differs_is_written_and_check_mode_says_the_same(before, desired, written) -> None:
    shelf, checked = Shelf(before), Shelf(before)
    real = reconcile(task(), shelf, desired)
    check = reconcile(task(check_mode=True), checked, desired)
    assert shelf.log == written
    assert checked.log == []
    assert real == check
    assert real["changed"] is bool(written)


def test_a_field_that_cannot_change_is_named_before_anything_is_written() -> None:
    shelf = Shelf(THERE)
    with pytest.raises(RayError, match="shelf s1 exists and cannot be changed in this respect: place is 'attic', asked for 'cellar'"):
        reconcile(task(), shelf, {**WANTED, "place": "cellar"})
    assert shelf.log == []


def test_hidden_values_are_neither_compared_nor_shown() -> None:
    shelf = Shelf({**THERE, "secret": "x"})
    result = reconcile(task(), shelf, {**WANTED, "secret": "y"})
    assert result["changed"] is False
    assert "secret" not in str(result)


def test_what_depends_on_an_object_that_is_not_there_yet_is_said_in_check_mode_only() -> None:
    class Orphan(Shelf):
        def read(self) -> dict | None:
            raise UnknownYet("The house of s1 does not exist yet.")

    result = reconcile(task(check_mode=True), Orphan(None), WANTED)
    assert result["changed"] is True
    assert result["unknown"] == ["The house of s1 does not exist yet."]
    assert reconcile(task(check_mode=True), Orphan(None), None)["changed"] is False
    with pytest.raises(RayError, match="does not exist yet"):
        reconcile(task(), Orphan(None), WANTED)


class Nailed(Shelf):
    """Cannot be removed while a nail holds it."""

    def removable(self, before: dict) -> None:
        raise UnknownYet("A nail holds it.", code="RESOURCE_IN_USE")


def test_what_stands_in_the_way_of_a_removal_is_said_in_check_mode_and_refused_for_real() -> None:
    shelf = Nailed(THERE)
    result = reconcile(task(check_mode=True), shelf, None)
    assert result["changed"] is True and result["unknown"] == ["A nail holds it."]
    assert result["diff"] == {"before": THERE, "after": {}}
    with pytest.raises(RayError, match="A nail holds it") as caught:
        reconcile(task(), shelf, None)
    assert caught.value.code == "RESOURCE_IN_USE"
    assert shelf.log == []
    assert reconcile(task(), Nailed(None), None)["changed"] is False


class SlowShelf(Shelf):
    """Ready at the third read; its watch says at once that something has changed."""

    longest_pause = 0.5

    def __init__(self) -> None:
        super().__init__(None)
        self.reads, self.pauses = 0, []

    def read(self) -> dict | None:
        self.reads += self.current is not None
        return self.current

    def ready(self, current: dict | None) -> bool:
        return self.reads >= 3

    def say(self, current: dict | None) -> str:
        return f"{self.reads} of 3 boards"

    @contextmanager
    def watching(self):
        self.log.append("watch opened")
        yield self.pauses.append
        self.log.append("watch closed")


def test_a_wait_pauses_by_the_resource_s_own_watch_and_tells_its_name_and_state() -> None:
    shelf, told = SlowShelf(), []
    reconcile(Task({"wait": True, "wait_timeout": 60}, progress=told.append), shelf, WANTED)
    assert shelf.log[1:] == ["watch opened", "watch closed"]
    assert len(shelf.pauses) == 2 and max(shelf.pauses) <= 0.5
    assert told == ["s1: 1 of 3 boards (0 s)", "s1: 2 of 3 boards (0 s)"]


class Undecided(Shelf):
    """Each write meets the next of ``answers``: an error raised before it is carried out, or after it when it says so."""

    def __init__(self, current: dict | None, *answers: tuple[str, bool]) -> None:
        super().__init__(current)
        self.answers = list(answers)

    def _answered(self, write, *args: dict) -> None:
        code, carried_out = self.answers.pop(0) if self.answers else ("", True)
        if carried_out:
            write(*args)
        if code:
            raise RayError("No answer.", code=code, details={"retry_after": 0})

    def create(self, desired: dict) -> None:
        if self.current is not None:
            raise RayError("It is there.", code="ALREADY_EXISTS", details={"retry_after": 0})
        self._answered(super().create, desired)

    def update(self, before: dict, desired: dict) -> None:
        self._answered(super().update, before, desired)

    def delete(self, before: dict) -> None:
        self._answered(super().delete, before)


CHANGED = {**WANTED, "books": ["b"]}


@pytest.mark.parametrize("code", ["CONNECTION", "SERVICE_UNAVAILABLE", "CONCURRENT_CHANGE"])
@pytest.mark.parametrize("carried_out", [True, False])
@pytest.mark.parametrize(("before", "desired"), [(None, WANTED), (THERE, CHANGED), (THERE, None)])
def test_a_write_without_an_answer_is_settled_by_reading(before, desired, carried_out, code) -> None:
    shelf = Undecided(before, (code, carried_out))
    result = reconcile(task(), shelf, desired)
    assert result["changed"]
    assert len(shelf.log) == 1, "carried out once"
    assert shelf.current == (None if desired is None else {**(before or {}), **{k: v for k, v in desired.items() if v is not None}})


def test_an_object_that_another_client_has_made_meanwhile_is_brought_to_what_was_asked() -> None:
    class Late(Undecided):
        """Somebody makes it between our look and our write."""

        def create(self, desired: dict) -> None:
            self.current = dict(THERE)
            super().create(desired)

    shelf = Late(None)
    reconcile(task(), shelf, CHANGED)
    assert shelf.current == {**THERE, "books": ["b"]}
    other = Late(None)
    with pytest.raises(RayError, match="place is 'attic', asked for 'cellar'"):
        reconcile(task(), other, {**WANTED, "place": "cellar"})


@pytest.mark.parametrize("code", ["INVALID_ARGUMENT", "UNAUTHORIZED", "NOT_FOUND"])
def test_a_refusal_is_no_reason_to_write_again(code) -> None:
    shelf = Undecided(None, (code, False))
    with pytest.raises(RayError, match="shelf s1: No answer"):
        reconcile(task(), shelf, WANTED)
    assert shelf.log == []


def test_what_is_gone_when_it_is_removed_is_removed() -> None:
    shelf = Undecided(THERE, ("NOT_FOUND", True))
    assert reconcile(task(), shelf, None)["changed"]


def test_a_server_that_never_takes_the_write_is_asked_five_times() -> None:
    shelf = Undecided(None, *[("SERVICE_UNAVAILABLE", False)] * 9)
    with pytest.raises(RayError, match="No answer"):
        reconcile(task(), shelf, WANTED)
    assert len(shelf.answers) == 4
