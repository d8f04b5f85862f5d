# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import signal
import threading
import typing as t
from contextlib import contextmanager, nullcontext

import pytest

from ansible_collections.vcf.ray.plugins.module_utils._signals import ENDING, closing_first


@pytest.fixture(name="after", autouse=True)
def fixture_after() -> t.Iterator[list[int]]:
    """Signals that have taken their course, which here lets the process live."""
    seen: list[int] = []
    before = {number: signal.signal(number, lambda number, frame: seen.append(number)) for number in ENDING}
    yield seen
    signal.alarm(0)
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", ENDING)
def test_what_is_open_is_closed_before_the_signal_takes_its_course(after: list[int], number: int) -> None:
    closed: list[int] = []
    with pytest.raises(SystemExit) as end, closing_first(nullcontext()):
        try:
            signal.raise_signal(number)
        finally:
            closed += [len(after)]
    assert closed == [0] and after == [number] and end.value.code == 128 + number


def test_a_second_signal_does_not_disturb_the_closing(after: list[int]) -> None:
    closed = False
    with pytest.raises(SystemExit), closing_first(nullcontext()):
        try:
            signal.raise_signal(signal.SIGTERM)
        finally:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGTERM)
            closed = True
    assert closed and after == [signal.SIGTERM]


def test_a_login_is_not_interrupted(after: list[int]) -> None:
    """A session whose id has not been read cannot be closed."""
    seen: list[str] = []

    @contextmanager
    def opening() -> t.Iterator[str]:
        signal.raise_signal(signal.SIGTERM)
        seen.append("opened")
        try:
            yield "client"
        finally:
            seen.append("closed")

    with pytest.raises(SystemExit), closing_first(opening()):
        seen.append("worked")
    assert seen == ["opened", "closed"] and after == [signal.SIGTERM]


def test_a_logout_is_not_interrupted(after: list[int]) -> None:
    seen: list[str] = []

    @contextmanager
    def opening() -> t.Iterator[str]:
        yield "client"
        signal.raise_signal(signal.SIGTERM)
        seen.append("closed")

    with pytest.raises(SystemExit), closing_first(opening()) as client:
        seen.append(client)
    assert seen == ["client", "closed"] and after == [signal.SIGTERM]


def test_an_error_of_the_login_does_not_hide_the_signal(after: list[int]) -> None:
    @contextmanager
    def opening() -> t.Iterator[None]:
        signal.raise_signal(signal.SIGINT)
        if not after:
            raise KeyError
        yield

    with pytest.raises(SystemExit), closing_first(opening()):
        pass
    assert after == [signal.SIGINT]


def test_closing_has_some_seconds(after: list[int]) -> None:
    with pytest.raises(SystemExit), closing_first(nullcontext()):
        try:
            signal.raise_signal(signal.SIGTERM)
        finally:
            assert signal.getsignal(signal.SIGALRM) is signal.SIG_DFL and 0 < signal.alarm(0) <= 5


def test_without_a_signal_nothing_changes(after: list[int]) -> None:
    handlers = [signal.getsignal(number) for number in ENDING]
    with closing_first(nullcontext()):
        pass
    with pytest.raises(KeyError), closing_first(nullcontext()):
        raise KeyError
    assert [signal.getsignal(number) for number in ENDING] == handlers and signal.alarm(0) == 0 and not after


def test_another_thread_is_left_alone(after: list[int]) -> None:
    """Python lets only the main thread choose what a signal does."""
    entered: list[bool] = []

    def work() -> None:
        with closing_first(nullcontext()):
            entered.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert entered == [True]
