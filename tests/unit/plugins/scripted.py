# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A client that follows a script: each call must be the next one of the script, with the very same arguments."""

from __future__ import annotations

import typing as t


class Scripted:
    """Stands for a client; one call more, less, or other than written fails.

    Args:
        script: ``(method, args, answer)`` in order; ``args`` is a tuple, keyword arguments as a dict at its end, ``...``
            for anything; an answer that is an exception is raised.
        attributes: plain attributes of the client.
    """

    def __init__(self, script: list[tuple[str, t.Any, t.Any]], **attributes: t.Any) -> None:
        self._script = list(script)
        self.__dict__.update(attributes)

    def __getattr__(self, method: str) -> t.Callable[..., t.Any]:
        def call(*args: t.Any, **kwargs: t.Any) -> t.Any:
            got = (*args, kwargs) if kwargs else args
            assert self._script, f"one call too many: {method}{got}"
            wanted, expected, answer = self._script.pop(0)
            assert method == wanted, f"{method}{got} instead of {wanted}{expected}"
            assert expected is ... or got == expected, f"{method}{got} instead of {expected}"
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call

    def done(self) -> None:
        assert not self._script, f"never called: {self._script}"
