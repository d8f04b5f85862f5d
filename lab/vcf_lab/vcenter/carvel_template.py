# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Templating what was fetched, step by step as kapp-controller does: each one reads what the one before has given."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from vcf_lab.vcenter.carvel_step import Done, ReconcileFailed, inside, only, run

STDIN = "-"
OPTIONS = {"ytt": ("paths", "inline", "fileMarks", "ignoreUnknownComments"), "kbld": ("paths",)}


class Templates:
    """The template steps of one package, in the folder that its contents were fetched to."""

    def __init__(self, tools: Path, fetched: Path, work: Path, environment: Callable[[], Any]) -> None:
        self._tools, self._fetched, self._work, self._environment = tools, fetched, work, environment

    async def render(self, steps: list[dict[str, Any]], namespace: str, values: dict[str, Any]) -> str:
        """The text that is deployed. What the platform gives goes to the first ytt step, as the installer of packages does."""
        text: str | None = None
        given = self._given(namespace, values)
        for number, step in enumerate(steps):
            kind = next(iter(step), "nothing")
            if kind not in OPTIONS:
                raise ReconcileFailed(f"Templating: {kind} is not a template step of this lab")
            options = step[kind] or {}
            only(options, OPTIONS[kind], f"Templating ({number}): {kind}")
            if kind == "ytt":
                done = await self._ytt(number, options, text, given)
                given = []
            else:
                done = await self._kbld(options, text)
            if done.code:
                raise ReconcileFailed(done.said or f"Templating dir: exit status {done.code}")
            text = done.out
        return text or ""

    def _given(self, namespace: str, values: dict[str, Any]) -> list[str]:
        given = ["--data-value", f"namespace={namespace}"]
        if values:
            file = self._work / "values.yaml"  # a file: values may be secret, arguments are not
            file.touch(mode=0o600)
            file.write_text(yaml.safe_dump(values))
            given += ["--data-values-file", str(file)]
        return given

    async def _ytt(self, number: int, options: dict[str, Any], text: str | None, given: list[str]) -> Done:
        command = [str(self._tools / "ytt"), *self._files(options, text)]
        inline = (options.get("inline") or {}).get("paths") or {}
        if inline:
            folder = self._work / f"inline-{number}"
            folder.mkdir()
            for name, content in inline.items():
                path = inside(folder, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(content)
            command += ["-f", str(folder)]
        for mark in options.get("fileMarks") or []:
            command += ["--file-mark", mark]
        if options.get("ignoreUnknownComments"):
            command.append("--ignore-unknown-comments")
        return await run([*command, *given], self._fetched, stdin=text)

    async def _kbld(self, options: dict[str, Any], text: str | None) -> Done:
        """With the certificates of the registered registries and without their logins: kapp-controller's kbld has none.

        The images of a lock need none, they are taken as they are; others have to be found at their registry.
        """
        environment = dict(await self._environment())
        nobody = self._work / "nobody"
        nobody.mkdir(exist_ok=True)
        environment |= {"DOCKER_CONFIG": str(nobody), "HOME": str(nobody)}
        command = [str(self._tools / "kbld"), "--build=false", *self._files(options, text)]
        return await run(command, self._fetched, environment, stdin=text)

    def _files(self, options: dict[str, Any], text: str | None) -> list[str]:
        """Without paths all that there is; with paths only these, so that `-` has to be named to be read."""
        paths = options.get("paths") or ([STDIN] if text is not None else ["."])
        arguments = []
        for path in paths:
            if path == STDIN and text is None:
                raise ReconcileFailed("Templating: Expected stdin to be available when using it as path, but was not")
            if path != STDIN:
                inside(self._fetched, path)
            arguments += ["-f", str(path)]
        return arguments
