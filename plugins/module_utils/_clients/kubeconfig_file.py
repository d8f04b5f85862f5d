# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A kubeconfig file: read as it is, written atomically and for its owner only."""

from __future__ import annotations

import os
import tempfile

from .._errors import MissingLibrary, RayError

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

    def load(self) -> dict:
        try:
            with open(self.path, encoding="utf-8") as file:
                document = yaml.safe_load(file)
        except FileNotFoundError:
            return {}
        except (OSError, yaml.YAMLError) as error:
            raise RayError(f"The kubeconfig {self.path} cannot be read: {type(error).__name__}.", code="INPUT",
                           hint="Mend or move the file; it is left as it is.") from error
        if document is not None and not isinstance(document, dict):
            raise RayError(f"{self.path} is no kubeconfig.", code="INPUT", hint="Name another path; it is left as it is.")
        return document or {}

    def save(self, document: dict) -> None:
        """Replace the file in one step, so that a reader never sees half of it and nobody else ever sees the token."""
        folder = os.path.dirname(self.path)
        try:
            os.makedirs(folder, mode=0o700, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=folder, prefix=".kubeconfig-")
        except OSError as error:
            raise RayError(f"The kubeconfig {self.path} cannot be written: {error.strerror}.", code="INPUT", hint="Name a path that you may write.") from error
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                yaml.safe_dump(document, file, sort_keys=False)
            os.replace(name, self.path)
        finally:
            # Still there only when something went wrong, an interruption included.
            if os.path.exists(name):
                os.unlink(name)
