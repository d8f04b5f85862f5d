# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one loop that knows check mode, diff, state and wait."""

from __future__ import annotations

import typing as t
from contextlib import nullcontext

from . import _wait
from ._diff import changed_keys, overlay, same, without
from ._errors import RayError, UnknownYet
from ._ports import Json

# How often a write is sent at the most, and the seconds between two times when the server names none.
TRIES, PAUSE = 5, 0.5
# A write that is answered so may have been done all the same, or somebody else was faster: what is there now tells.
UNDECIDED = ("CONNECTION", "SERVICE_UNAVAILABLE", "ALREADY_EXISTS", "ALREADY_IN_DESIRED_STATE", "CONCURRENT_CHANGE", "CONFLICT")
# Seconds for which a wait goes on without an answer: about the time in which a service of vCenter restarts.
BEAR = 60.0


class Task:
    """What a handler sees of an Ansible task: ``params``, ``check_mode``, ``diff_mode``, ``warn(text)``, ``progress(text)``.

    ``hide(values)`` keeps secrets that are no options of their own (a token inside a kubeconfig) out of all that is shown. ``show(values)``
    takes plain values back that stand in an option which is secret as a whole, and would garble every text: the ``1`` of an environment.
    """

    def __init__(self, params: Json, *, check_mode: bool = False, diff_mode: bool = False,
                 warn: t.Callable[[str], None] = lambda text: None, progress: t.Callable[[str], None] = lambda text: None,
                 hide: t.Callable[[t.Iterable[str]], None] = lambda values: None,
                 show: t.Callable[[t.Iterable[str]], None] = lambda values: None) -> None:
        self.params, self.check_mode, self.diff_mode = params, check_mode, diff_mode
        self.warn, self.progress, self.hide, self.show = warn, progress, hide, show


class Resource(t.Protocol):
    """One remote object. ``ready`` answers, or raises when the object cannot leave its state; None means absent.

    ``create_only`` are keys that cannot change on an existing object, ``hidden`` ones that are never compared or shown,
    ``write_only`` ones that the server never gives back: they are sent at creation and never compared.
    ``resolve(before, desired)`` is optional: it turns names into ids and refuses what cannot work, before anything is
    written and in check mode too; ``UnknownYet`` from it means that an earlier step of the run makes what is missing.
    ``removable(before)`` is optional too: it raises UnknownYet when something that is there now stands in the way of a removal.
    ``watching()`` is optional: a context manager around the wait, which gives ``pause(seconds)``, a sleep that ends as soon
    as the object has changed. ``longest_pause`` is optional too: the most seconds between two reads of a wait; and so are
    ``subject``: what a wait is told of, where ``name`` is a phrase, and ``goal``: what is waited for, where that is not "to be ready".

    ``create``, ``update`` and ``delete`` may be called again with what is there by then: after a lost answer, or when another
    client was faster. So ``read`` must see what a ``create`` that was cut short has left undone.
    """

    noun: str

    def read(self) -> Json | None:
        ...

    def create(self, desired: Json) -> None:
        ...

    def update(self, before: Json, desired: Json) -> None:
        ...

    def delete(self, before: Json) -> None:
        ...

    def ready(self, current: Json | None) -> bool:
        ...

    def diagnose(self) -> str:
        ...


def reconcile(task: Task, resource: Resource, desired: Json | None) -> Json:
    """Bring ``resource`` to ``desired`` (None: absent) and wait; returns ``changed``, the noun, and the diff when asked for.

    In check mode nothing is written and the result says what the real run would do; what cannot be known yet
    is named under ``unknown``.
    """
    name = getattr(resource, "subject", None) or getattr(resource, "name", None) or resource.noun
    with _wait.heard_by(lambda words: task.progress(f"{name}: {words}")):
        return _reconcile(task, resource, desired)


def _reconcile(task: Task, resource: Resource, desired: Json | None) -> Json:
    before: Json | None = None
    try:
        before = resource.read()
        if desired is not None and hasattr(resource, "resolve"):
            desired = resource.resolve(before, desired)
        if desired is None and before is not None and hasattr(resource, "removable"):
            resource.removable(before)
    except UnknownYet as error:
        if not task.check_mode:
            raise
        return _unknown(task, resource, before, desired, error)
    after = None if desired is None else overlay(before, desired)
    changed = _differs(resource, before, after)
    _refuse_create_only(resource, before, after)
    current = before
    if not task.check_mode:
        if changed:
            _write(resource, before, desired)
        current = _settle(task, resource, before, desired, changed)
    elif changed:
        current = after
    return _result(task, resource, changed, before, after if task.check_mode else current, current)


def _differs(resource: Resource, before: Json | None, after: Json | None) -> bool:
    if before is None or after is None:
        return before is not after
    hidden = (*getattr(resource, "hidden", ()), *getattr(resource, "write_only", ()))
    return not same(without(before, hidden), without(after, hidden))


def _refuse_create_only(resource: Resource, before: Json | None, after: Json | None) -> None:
    if not before or not after:
        return
    wrong = [k for k in changed_keys(before, after) if k in getattr(resource, "create_only", ())]
    if wrong:
        now = ", ".join(f"{k} is {before.get(k)!r}, asked for {after.get(k)!r}" for k in wrong)
        raise RayError(f"{_title(resource, before)} exists and cannot be changed in this respect: {now}.", code="INPUT",
                       hint="Remove it first, or ask for what it is.")


def _write(resource: Resource, before: Json | None, desired: Json | None) -> None:
    """Write until what is there is what was asked for. An answer that leaves open whether it was written is settled by reading."""
    for left in range(TRIES - 1, -1, -1):
        try:
            return _send(resource, before, desired)
        except RayError as error:
            gone = error.code == "NOT_FOUND" and before is not None
            if not left or not (gone or error.code in UNDECIDED):
                raise
            _wait.pause(error.details.get("retry_after", PAUSE))
            before = _look_again(resource, error)
        after = None if desired is None else overlay(before, desired)
        if not _differs(resource, before, after):
            return None
        _refuse_create_only(resource, before, after)
    raise AssertionError("the last try returns or raises")


def _look_again(resource: Resource, error: RayError) -> Json | None:
    """What is there now; a server that cannot be read either leaves the first error to be told."""
    try:
        return resource.read()
    except RayError as other:
        raise error from other


def _send(resource: Resource, before: Json | None, desired: Json | None) -> None:
    try:
        if desired is None:
            resource.delete(before or {})
        elif before is None:
            resource.create({k: v for k, v in desired.items() if v is not None})
        else:
            resource.update(before, desired)
    except RayError as error:
        # The server's sentence need not say which object it is about.
        title = _title(resource, before)
        if title.rsplit(" ", 1)[-1] not in error.message:
            error.message = f"{title}: {error.message}"
        raise


def _settle(task: Task, resource: Resource, before: Json | None, desired: Json | None, changed: bool) -> Json | None:
    """Wait until the object is as asked, or read it once when the user does not wait."""
    if desired is None and not changed:
        return None
    if not task.params.get("wait", False):
        return resource.read() if changed else before
    end = "to be gone" if desired is None else getattr(resource, "goal", "to be ready")
    gone: t.Callable[[Json | None], bool] = lambda value: value is None
    # What was not touched need not be read again to see that it is ready.
    known = [] if changed else [before]
    read: t.Callable[[], Json | None] = lambda: known.pop() if known else resource.read()
    watching: t.Callable[[], t.ContextManager[t.Any]] = getattr(resource, "watching", nullcontext)
    with watching() as pause:
        settled: Json | None = _wait.until(
            read, gone if desired is None else resource.ready, what=f"{_title(resource, before)} {end}",
            timeout=task.params.get("wait_timeout", 0), diagnose=resource.diagnose, say=getattr(resource, "say", None),
            limit=getattr(resource, "longest_pause", 10.0), sleep=pause, bear=BEAR)
        return settled


def _title(resource: Resource, value: Json | None) -> str:
    name = getattr(resource, "name", None) or (value or {}).get("name") or ""
    return f"{resource.noun.replace('_', ' ')} {name}".strip()


def _result(task: Task, resource: Resource, changed: bool, before: Json | None, after: Json | None, current: Json | None) -> Json:
    hidden = getattr(resource, "hidden", ())
    result: dict[str, t.Any] = {"changed": changed, resource.noun: None if current is None else without(current, hidden)}
    if task.diff_mode:
        result["diff"] = {"before": without(before, hidden), "after": without(after, hidden)}
    return result


def _unknown(task: Task, resource: Resource, before: Json | None, desired: Json | None, error: UnknownYet) -> Json:
    """Absent stays absent when the parent is not there; anything else is done by a run whose earlier steps make room for it."""
    after = None if desired is None else {k: v for k, v in overlay(before, desired).items() if v is not None}
    result = _result(task, resource, desired is not None or before is not None, before, after, after)
    result["unknown"] = [error.message]
    return result
