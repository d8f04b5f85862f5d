# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The data in aap/ as ansible itself reads it, and what its playbooks make of the answers of a survey."""

from __future__ import annotations

import base64
import json
import os
import pathlib
import re
import subprocess
import sys
import typing as t
import zipfile

import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader
from ansible.template import Templar, trust_as_template
from ansible.utils.collection_loader import AnsibleCollectionConfig

ROOT = pathlib.Path(__file__).parents[2]
AAP = ROOT / "aap"
BIN = pathlib.Path(sys.executable).parent
BUNDLE = ROOT / "build/bundle"
COLLECTIONS = BUNDLE / "ansible_collections"
# The last bundle of collections on PyPI whose awx.awx goes with the ansible-core of these tests.
REQUIREMENT = "ansible==12.3.0"
KINDS = {
    "controller_execution_environments": "execution_environment", "controller_credential_types": "credential_type",
    "controller_credentials": "credential", "controller_projects": "project", "controller_inventories": "inventory", "controller_hosts": "host",
    "controller_inventory_sources": "inventory_source", "controller_templates": "job_template", "controller_workflows": "workflow_job_template",
}


def fetch_modules() -> None:
    """Take awx.awx out of the bundle of collections, since it is on no index by itself."""
    if (COLLECTIONS / "awx/awx/plugins/modules/job_template.py").exists():
        return
    BUNDLE.mkdir(parents=True, exist_ok=True)
    subprocess.run([BIN / "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", REQUIREMENT, "-d", BUNDLE], check=True)
    with zipfile.ZipFile(next(BUNDLE.glob("ansible-*.whl"))) as wheel:
        wheel.extractall(BUNDLE, [name for name in wheel.namelist() if name.startswith("ansible_collections/awx/awx/")])


def load_plugins() -> None:
    """So that lookups by their full names are found in this process too."""
    if AnsibleCollectionConfig.collection_finder is None:
        init_plugin_loader([str(COLLECTIONS.parent)])


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "ANSIBLE_COLLECTIONS_PATH": f"{COLLECTIONS.parent}:{ROOT / 'build/collections'}", "ANSIBLE_LOCALHOST_WARNING": "False",
            "ANSIBLE_NOCOWS": "1", "NO_COLOR": "1", "ANSIBLE_INJECT_FACT_VARS": "False", **more}


def play(path: pathlib.Path, *args: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([BIN / "ansible-playbook", "-i", "localhost,", path, *args], env=environment(**env), capture_output=True, text=True,
                          timeout=300, check=False)


def data(folder: pathlib.Path) -> dict[str, list[dict]]:
    """The objects of each kind, with all templates filled in, as the play of apply.yml has them."""
    files = yaml.safe_load((AAP / "apply.yml").read_text(encoding="utf-8"))[0]["vars_files"]
    shown = {"msg": "VALUES:{{ dump_values | to_json | b64encode }}:"}
    written = [{"hosts": "localhost", "connection": "local", "gather_facts": False, "vars_files": [str(AAP / name) for name in files],
                "tasks": [{"ansible.builtin.debug": shown, "vars": {"dump_values": {name: f"{{{{ {name} }}}}" for name in KINDS}}}]}]
    (folder / "dump.yml").write_text(json.dumps(written), encoding="utf-8")
    done = play(folder / "dump.yml")
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(base64.b64decode(re.search(r"VALUES:([A-Za-z0-9+/=]*):", done.stdout).group(1)))


def filled(variables: dict[str, t.Any], names: list[str]) -> dict[str, t.Any]:
    """What ansible makes of these variables in a play; without a process of its own, since there are hundreds of cases."""
    templar = Templar(loader=DataLoader(), variables=variables)
    return {name: json.loads(json.dumps(templar.template(variables[name]))) for name in names}


def trusted(value: t.Any) -> t.Any:
    """Values of a playbook, the templates in which are to be filled; those of an answer are not."""
    if isinstance(value, dict):
        return {key: trusted(item) for key, item in value.items()}
    if isinstance(value, list):
        return [trusted(item) for item in value]
    return trust_as_template(value) if isinstance(value, str) else value


def wrapper(template: dict) -> pathlib.Path:
    """The playbook that a job template names, in a project whose root is that of this repository."""
    return ROOT / template["playbook"]


def wrapped(path: pathlib.Path) -> tuple[str, dict[str, t.Any]]:
    """The playbook of the collection that such a playbook imports, and the variables that it sets for it."""
    first = yaml.safe_load(path.read_text(encoding="utf-8"))[0]
    return first["ansible.builtin.import_playbook"], trusted(first.get("vars", {}))


def spec_of(role: str) -> dict[str, dict]:
    return yaml.safe_load((ROOT / f"roles/{role}/meta/argument_specs.yml").read_text(encoding="utf-8"))["argument_specs"]["main"]["options"]
