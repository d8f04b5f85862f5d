# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A file that is replaced as a whole, and manifests as they lie in a folder."""

from __future__ import annotations

import os
import tempfile

from .._errors import RayError, UnknownYet

SUFFIXES = (".yml", ".yaml")


class TextFile:
    """The file at ``path``, which anybody may read; its folder has to be there."""

    def __init__(self, path: str) -> None:
        # A link stays one: what it points to is replaced.
        self.path, self._file = path, os.path.realpath(path)
        if os.path.isdir(self._file):
            raise RayError(f"{path} is a folder.", code="INPUT", hint="Name the file to write with path.")

    def check(self) -> None:
        """Whether it could be written.

        Raises:
            UnknownYet: there is no folder for it, which an earlier task may make.
        """
        folder = os.path.dirname(self._file)
        if not os.path.isdir(folder):
            raise UnknownYet(f"The folder {folder} for {os.path.basename(self.path)} is not there.", code="INPUT",
                             hint="Make it first, or name another path.")
        if not os.access(folder, os.W_OK | os.X_OK):
            raise RayError(f"The folder {folder} is not writable, so {self.path} cannot be written.", code="INPUT", hint="Name a path that you may write.")

    def read(self) -> str | None:
        """Its text, None when it is not there."""
        try:
            with open(self._file, encoding="utf-8", errors="replace", newline="") as file:
                return file.read()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise RayError(f"{self.path} cannot be read: {error.strerror}.", code="INPUT", hint="Name a path that you may read and write.") from error

    def write(self, text: str) -> None:
        """Replace it in one step, so that a reader never sees half of it."""
        try:
            handle, name = tempfile.mkstemp(dir=os.path.dirname(self._file), prefix=f".{os.path.basename(self._file)}-")
        except OSError as error:
            raise RayError(f"{self.path} cannot be written: {error.strerror}.", code="INPUT", hint="Name a path that you may write.") from error
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
                file.write(text)
                os.fchmod(file.fileno(), 0o644)
            os.replace(name, self._file)
        except OSError as error:
            raise RayError(f"{self.path} cannot be written: {error.strerror}.", code="INPUT", hint="Is there space left, and may you write it?") from error
        finally:
            # Still there only when something went wrong, an interruption included.
            if os.path.exists(name):
                os.unlink(name)


def manifests(path: str) -> dict[str, str]:
    """The YAML files of a folder by their names, sorted; or the one file that ``path`` is.

    Raises:
        UnknownYet: there is nothing at this path, which an earlier task may make.
        RayError: ``INPUT`` when there are none, or one is not text.
    """
    if not os.path.exists(path):
        raise UnknownYet(f"The manifests {path} are not there.", code="INPUT",
                         hint="Make them first (vcf.ray.operator_artifacts), or name the folder or file with manifests.")
    if not os.path.isdir(path):
        return {os.path.basename(path): _text(path)}
    names = sorted(name for name in os.listdir(path) if name.endswith(SUFFIXES) and os.path.isfile(os.path.join(path, name)))
    if not names:
        raise RayError(f"The folder {path} has no file that ends in .yml or .yaml.", code="INPUT", hint="Folders in it are not looked into.")
    return {name: _text(os.path.join(path, name)) for name in names}


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8-sig") as file:
            return file.read()
    except OSError as error:
        raise RayError(f"The manifests {path} cannot be read: {error.strerror}.", code="INPUT") from error
    except UnicodeDecodeError as error:
        raise RayError(f"{path} is no text in UTF-8, so it holds no manifests.", code="INPUT", hint="Give the YAML files.") from error
