# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation site: the pages of docs/ as they stand, and the reference out of the collection itself.

All is staged in DEST/source in the shape of the repository, so that the links of the Markdown hold there as they hold in it;
DEST/html is the site. A warning is an error.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import typing as t

import environment
import staging

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BIN = pathlib.Path(sys.executable).parent
MERMAID = "11.17.2"
MERMAID_SHA512 = "V6K3C8EBdEsPFZXSKMJe6ppQOENxuHARr9GvHX4hh47lAbhMRD9qf4oEK7LoaRQxULMa80/qt5gHO73aCleBBg=="
# Targets of the reference that are pages of Ansible's own site, which is not asked when this one is built.
ANSIBLE = {
    "common_return_values": ("Return values that all modules have", "reference_appendices/common_return_values.html"),
    "ansible_configuration_settings": ("Settings of ansible-core", "reference_appendices/config.html"),
    "action_plugins": ("Action plugins", "plugins/action.html"),
    "ansible_collections.ansible.builtin.set_stats_module": ("The module ansible.builtin.set_stats", "collections/ansible/builtin/set_stats_module.html"),
}
ANSIBLE_SITE = "https://docs.ansible.com/projects/ansible/latest/"


def run(*command: str | os.PathLike, **env: str) -> None:
    done = subprocess.run([str(word) for word in command], env={**os.environ, **env}, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{pathlib.Path(command[0]).name} failed ({done.returncode}):\n{done.stdout}{done.stderr}")


def mermaid(kept: pathlib.Path) -> pathlib.Path:
    """The script that draws the pictures, fetched once: the site must not load it from elsewhere when it is read."""
    script = kept / f"mermaid-{MERMAID}.min.js"
    if not script.exists():
        if not shutil.which("npm"):
            sys.exit("The pictures are drawn by mermaid, which npm fetches, and there is no npm on the PATH. Debian has it in the package npm.")
        with tempfile.TemporaryDirectory() as folder:
            run("npm", "pack", "--silent", "--pack-destination", folder, f"mermaid@{MERMAID}")
            package = next(pathlib.Path(folder).glob("*.tgz"))
            found = base64.b64encode(hashlib.sha512(package.read_bytes()).digest()).decode()
            if found != MERMAID_SHA512:
                sys.exit(f"mermaid {MERMAID} of the package index has the sha512 {found}, not {MERMAID_SHA512}. It is not used.")
            with tarfile.open(package) as tar:
                member = t.cast("t.IO[bytes]", tar.extractfile("package/dist/mermaid.min.js"))
                part = script.with_suffix(".part")
                part.write_bytes(member.read())
                part.replace(script)
    return script


def ansible() -> str:
    """A page with the targets that are elsewhere."""
    title = "Ansible's own documentation"
    parts = [f".. _{label}:\n\n{name}\n{'-' * len(name)}\n\n{ANSIBLE_SITE}{page}\n" for label, (name, page) in ANSIBLE.items()]
    return "\n".join([f":orphan:\n\n{title}\n{'=' * len(title)}\n", *parts])


def reference(folder: pathlib.Path, collections: str) -> None:
    """The pages of modules, roles, the inventory plugin and the environment variables."""
    folder.mkdir(mode=0o755)
    run(BIN / "antsibull-docs", "--config-file", HERE / "antsibull-docs.cfg", "collection", "--use-current", "--squash-hierarchy", "--fail-on-error",
        "--dest-dir", folder, "vcf.ray", ANSIBLE_COLLECTIONS_PATH=collections, PATH=f"{BIN}:{os.environ['PATH']}")
    for path in folder.glob("*.rst"):
        path.write_text(staging.without_contents(path.read_text(encoding="utf-8")), encoding="utf-8")
    index = folder / "index.rst"
    index.write_text(staging.reference_index(index.read_text(encoding="utf-8")), encoding="utf-8")
    (folder / "environment_variables.rst").write_text(environment.page(BIN, collections, ROOT), encoding="utf-8")
    (folder / "ansible.rst").write_text(ansible(), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dest", type=pathlib.Path, default=ROOT / "build/docs", help="folder of the site; what is in it is replaced")
    parser.add_argument("--collections", default=str(ROOT / "build/collections"), help="folder in which the collection is ansible_collections/vcf/ray")
    args = parser.parse_args()
    script = mermaid(BIN.parent)
    source, html = args.dest / "source", args.dest / "html"
    for folder in (source, html):
        shutil.rmtree(folder, ignore_errors=True)
    source.mkdir(parents=True)
    (html / "_static").mkdir(parents=True)
    shutil.copy(script, html / "_static/mermaid.min.js")
    try:
        staging.stage(ROOT, source)
    except staging.BadPage as error:
        sys.exit(str(error))
    reference(source / "reference", args.collections)
    run(BIN / "python", "-m", "sphinx", "-b", "html", "-c", HERE, "-W", "--keep-going", "-q", "-d", args.dest / "doctrees", "-E", source, html)
    print(f"The site is {html / 'index.html'}")


if __name__ == "__main__":
    main()
