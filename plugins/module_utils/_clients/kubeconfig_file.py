# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A kubeconfig file: read as it is, changed in one step and for its owner only."""

from __future__ import annotations

import fcntl
import os
import stat
import tempfile
import typing as t
from contextlib import contextmanager

from .._errors import MissingLibrary, RayError
from .._ports import Json

try:
    import yaml

    HAS_YAML = True
except ImportError:
    HAS_YAML = False


def default_path() -> str:
    """Where a kubeconfig is when no option names it; by the environment as it is now, not as it was when a library was imported."""
    return os.environ.get("KUBECONFIG") or "~/.kube/config"


class KubeconfigFile:
    """The file at ``path``; an absent one reads as empty."""

    def __init__(self, path: str) -> None:
        if not HAS_YAML:
            raise MissingLibrary("PyYAML")
        # A link stays one: what it points to is replaced.
        self.path = os.path.realpath(path)

    def load(self) -> Json:
        try:
            with open(self.path, encoding="utf-8") as file:
                document = yaml.safe_load(file)
        except FileNotFoundError:
            return {}
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise RayError(f"The kubeconfig {self.path} cannot be read: {type(error).__name__}.", code="INPUT",
                           hint="Mend or move the file; it is left as it is.") from error
        if document is not None and not isinstance(document, dict):
            raise RayError(f"{self.path} is no kubeconfig.", code="INPUT", hint="Name another path; it is left as it is.")
        return document or {}

    @property
    def private(self) -> bool:
        """Whether nobody but the owner may read it; an absent one is."""
        try:
            return not stat.S_IMODE(os.stat(self.path).st_mode) & 0o077
        except FileNotFoundError:
            return True

    def change(self, edit: t.Callable[[Json], Json]) -> None:
        """Put ``edit(document)`` in place of the document as it is by now, so that what others have written meanwhile is kept."""
        folder = os.path.dirname(self.path)
        try:
            os.makedirs(folder, mode=0o700, exist_ok=True)
        except OSError as error:
            raise self._unwritable(error) from error
        with _alone_in(folder):
            self._save(edit(self.load()))

    def _save(self, document: Json) -> None:
        """Replace the file in one step, so that a reader never sees half of it and nobody else ever sees the token."""
        try:
            # Its mode is 0600 from the start.
            handle, name = tempfile.mkstemp(dir=os.path.dirname(self.path), prefix=".kubeconfig-")
        except OSError as error:
            raise self._unwritable(error) from error
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                yaml.safe_dump(document, file, sort_keys=False)
                file.flush()
                os.fsync(file.fileno())
            os.replace(name, self.path)
        except OSError as error:
            raise self._unwritable(error) from error
        finally:
            # Still there only when something went wrong, an interruption included.
            if os.path.exists(name):
                os.unlink(name)

    def _unwritable(self, error: OSError) -> RayError:
        return RayError(f"The kubeconfig {self.path} cannot be written: {error.strerror}.", code="INPUT", hint="Name a path that you may write.")


@contextmanager
def _alone_in(folder: str) -> t.Iterator[None]:
    """One task at a time changes files there. The folder itself is the lock: it leaves no file behind, and ends with the process."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
        except OSError:
            # A file system that knows no locks; then the last one wins, as it does for kubectl's plugin.
            pass
        yield
    finally:
        os.close(handle)
