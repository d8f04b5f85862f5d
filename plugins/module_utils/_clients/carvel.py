# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The programs of Carvel: ytt renders, kbld finds images and their digests, imgpkg carries bundles. Each call is one run of a program."""

from __future__ import annotations

import os
import tempfile
import typing as t
from contextlib import contextmanager

from .._errors import MissingLibrary, RayError
from .._ports import Json
from . import loopback
from .programs import Program, all_of

try:
    import yaml

    HAS_YAML = True
except ImportError:
    HAS_YAML = False

CONFIG = "config"
# What a registry says of a refused login, or of a right that is missing; some answers have but the status.
REFUSED, UNTRUSTED = ("unauthorized", "denied: ", "is denied", "forbidden"), ("x509",)
# What a failure is and what to do about it, by words that the program says of it; the last one fits all others.
HINTS = {
    "ytt": ((("",), "FAILED", "Mend the manifests: ytt says where."),),
    "kbld": ((REFUSED, "AUTH", "Log in at that registry with docker or podman before. It is not tried again."),
             (UNTRUSTED, "TLS", "Name the right CA file with registry_ca_path."),
             (("",), "FAILED", "Every image of the manifests has to be in a registry that can be reached from here, or be named by its digest.")),
    "imgpkg": ((REFUSED, "AUTH", "The account may not do this in that repository; ask who runs the registry. It is not tried again."),
               (UNTRUSTED, "TLS", "Name the right CA file with registry_ca_path."),
               (("",), "FAILED", "Run it again; what is there already is not sent a second time.")),
}


class Carvel:
    """The programs, with what they need to know of registries.

    Args:
        paths: the programs that may be used, each with its file, or None when it is on the PATH.
        environment: for every run; where the logins of registries are (DOCKER_CONFIG).
        ca_paths: PEM files of authorities to trust beside those of the system.
        validate_certs: False switches verification off, for all registries of a run.
    """

    def __init__(self, paths: t.Mapping[str, str | None], environment: t.Mapping[str, str | None], *, ca_paths: t.Sequence[str] = (),
                 validate_certs: bool = True) -> None:
        if not HAS_YAML:
            raise MissingLibrary("PyYAML")
        self._paths, self._environment = paths, environment
        # Programs run in folders of their own, from which a path of the user's leads elsewhere.
        self._flags = [flag for path in ca_paths for flag in ("--registry-ca-cert-path", os.path.abspath(path))]
        self._flags += [] if validate_certs else ["--registry-verify-certs=false"]
        self._programs: dict[str, Program] = {}

    def need(self) -> None:
        """Find all programs.

        Raises:
            RayError: ``INPUT``, once for all that are missing.
        """
        self._programs = all_of(self._paths)

    def rendered(self, files: dict[str, str], values: dict[str, str]) -> dict[str, str]:
        """What ytt makes of a bundle's configuration, file by file."""
        options = [option for name, value in values.items() for option in ("--data-value", f"{name}={value}")]
        with _folder(files) as folder:
            out = os.path.join(os.path.dirname(folder), "rendered")
            self._run("ytt", ["-f", CONFIG, *options, "--output-files", out], "The rendering of the manifests", cwd=folder)
            # There is no folder when no file renders to anything.
            names = sorted(os.listdir(out)) if os.path.isdir(out) else []
            return {name: _read(os.path.join(out, name)) for name in names}

    def schema(self, files: dict[str, str]) -> Json:
        """The OpenAPI v3 schema of the data values of a bundle's configuration."""
        with _folder(files) as folder:
            text = self._run("ytt", ["-f", CONFIG, "--data-values-schema-inspect", "--output", "openapi-v3"],
                             "The reading of the values schema", cwd=folder)
        schema: Json = yaml.safe_load(text)["components"]["schemas"]["dataValues"]
        return schema

    def lock(self, text: str, overrides: dict[str, str]) -> str:
        """The lock of all images of rendered objects.

        Args:
            text: the objects.
            overrides: image as it is written to the reference by digest that stands for it; no registry is asked for these.
        """
        rows = [{"image": image, "newImage": reference, "preresolved": True} for image, reference in overrides.items()]
        config = yaml.safe_dump({"apiVersion": "kbld.k14s.io/v1alpha1", "kind": "Config", "overrides": rows})
        with _folder({"overrides.yml": config}) as folder:
            self._run("kbld", ["-f", "-", "-f", "overrides.yml", "--imgpkg-lock-output", "lock.yml", *self._flags],
                      "The look-up of the images of the manifests", cwd=folder, text=text)
            return _read(os.path.join(folder, "lock.yml"))

    def by_lock(self, text: str, lock: str) -> str:
        """The objects with every image by digest, as kapp-controller makes them of a bundle."""
        with _folder({"images.yml": lock}) as folder:
            return self._run("kbld", ["-f", "-", "-f", "images.yml", *self._flags], "The replacing of images by their digests", cwd=folder, text=text)

    def digest_of(self, files: dict[str, str]) -> str:
        """The digest that a push of this bundle has, which is written nowhere."""
        # Whatever the user has set for his registries is none of this one's business, a program that hands out logins least of all.
        none = {name: None for name in os.environ if name.startswith("IMGPKG_")}
        with loopback.serving() as address, tempfile.TemporaryDirectory(prefix="carvel-") as empty:
            environment = {**none, "DOCKER_CONFIG": empty, "IMGPKG_ENABLE_IAAS_AUTH": "false"}
            return self._push(files, f"{address}/bundle:probe", ["--registry-anon"], environment, "The reckoning of the bundle's digest")

    def push(self, files: dict[str, str], reference: str) -> str:
        """Push a bundle to REPOSITORY:TAG; returns its digest."""
        return self._push(files, reference, [*self._flags], self._environment, f"The push of the bundle to {reference}")

    def copy_to_tar(self, bundle: str, tag: str, tar: str) -> None:
        """Write a bundle, named by its digest, with all its images into a file; a copy out of that gets the tag."""
        with _folder({"bundle.yml": _named(bundle, tag)}) as folder:
            self._run("imgpkg", ["copy", "--lock", "bundle.yml", "--to-tar", os.path.abspath(tar), *self._flags],
                      f"The copy of the bundle {bundle} to {tar}", cwd=folder, timeout=None)

    def copy_from_tar(self, tar: str, repository: str) -> str:
        """Push all of such a file into one repository; returns the digest of the bundle there."""
        return self._copy(["--tar", os.path.abspath(tar)], {}, repository, f"The copy of {tar} to {repository}")

    def copy(self, bundle: str, tag: str, repository: str) -> str:
        """Copy a bundle, named by its digest, with all its images into one repository, where it gets the tag; returns its digest there."""
        files = {"bundle.yml": _named(bundle, tag)}
        return self._copy(["--lock", "bundle.yml"], files, repository, f"The copy of the bundle {bundle} to {repository}")

    def _copy(self, source: list[str], files: dict[str, str], repository: str, what: str) -> str:
        with _folder(files) as folder:
            out = os.path.join(folder, "lock.yml")
            self._run("imgpkg", ["copy", *source, "--to-repo", repository, "--lock-output", out, *self._flags], what, cwd=folder, timeout=None)
            return _bundle(_read(out))

    def _push(self, files: dict[str, str], reference: str, flags: list[str], environment: t.Mapping[str, str | None], what: str) -> str:
        with _folder(files) as folder:
            out = os.path.join(os.path.dirname(folder), "lock.yml")
            self._run("imgpkg", ["push", "-b", reference, "-f", folder, "--lock-output", out, *flags], what, environment=environment)
            return _bundle(_read(out))

    def _run(self, name: str, args: list[str], what: str, *, cwd: str | None = None, text: str | None = None, timeout: float | None = 600,
             environment: t.Mapping[str, str | None] | None = None) -> str:
        try:
            return self._programs[name].run(args, env=environment or self._environment, cwd=cwd, input=text, what=what, timeout=timeout)
        except RayError as error:
            if error.code == "FAILED":
                words = error.message.lower()
                error.code, error.hint = next((code, hint) for signs, code, hint in HINTS[name] if any(sign in words for sign in signs))
            raise


@contextmanager
def _folder(files: dict[str, str]) -> t.Iterator[str]:
    """A temporary folder with these files. Their modes are part of a bundle's digest, so nobody's umask decides on them."""
    with tempfile.TemporaryDirectory(prefix="carvel-") as top:
        folder = os.path.join(top, "bundle")
        os.mkdir(folder)
        for name, text in files.items():
            path = os.path.join(folder, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8", newline="\n") as file:
                file.write(text)
            os.chmod(path, 0o644)
        for where, _names, _files in os.walk(folder):
            os.chmod(where, 0o755)  # noqa: S103 - of a bundle, which anybody may read
        yield folder


def _read(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return file.read()


def _named(bundle: str, tag: str) -> str:
    """A BundleLock: by it a digest and a tag can be told at once."""
    return yaml.safe_dump({"apiVersion": "imgpkg.carvel.dev/v1alpha1", "kind": "BundleLock", "bundle": {"image": bundle, "tag": tag}})


def _bundle(lock: str) -> str:
    """The digest in a BundleLock."""
    image: str = yaml.safe_load(lock)["bundle"]["image"]
    return image.rpartition("@")[2]
