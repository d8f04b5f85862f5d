# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: vmray_cluster
short_description: Head and workers of Ray clusters as hosts
description:
  - Makes a host of each virtual machine of each C(VMRayCluster) that the user may see, named as the machine is.
  - Each host is in one group for each of its variables C(vmray_cluster), C(vmray_namespace), C(vmray_node_type), C(vmray_role) and
    C(vmray_state), such as C(vmray_role_worker); characters that a group may not have become C(_).
  - Where two machines of different namespaces have one name, the namespace and a dot go before it; so does the namespace in the
    group of a cluster.
  - Sends one request for each namespace, and needs the rights of a VIEW user there.
  - The file's name ends in C(.vmray_cluster.yml) or C(.vmray_cluster.yaml).
options:
  plugin:
    description: Name of this plugin.
    type: str
    required: true
    choices: [vcf.ray.vmray_cluster]
  namespaces:
    description:
      - The vSphere namespaces to look into.
      - When left out, those that the kubeconfig names for the user of its current context, as M(vcf.ray.supervisor_kubeconfig) writes them;
        with O(context) the namespace of that context; with O(supervisor) and no kubeconfig those that the Supervisor names.
      - One of these that refuses the user is left out with a warning; one that is named here is an error.
    type: list
    elements: str
  clusters:
    description: Names of the clusters to show; all when left out.
    type: list
    elements: str
  kubeconfig:
    env:
      - name: K8S_AUTH_KUBECONFIG
  context:
    env:
      - name: K8S_AUTH_CONTEXT
  host:
    env:
      - name: K8S_AUTH_HOST
  api_key:
    env:
      - name: K8S_AUTH_API_KEY
  ca_cert:
    env:
      - name: K8S_AUTH_SSL_CA_CERT
notes:
  - Values of the options for the API server may be vaulted, and may be templates.
author:
  - Contributors to the vcf.ray project (@vcf-ray)
version_added: 1.0.0
extends_documentation_fragment:
  - vcf.ray.kubernetes
  - ansible.builtin.constructed
  - ansible.builtin.inventory_cache
"""

EXAMPLES = r"""
# ray.vmray_cluster.yml. The first two lines alone give all clusters of the namespaces that the kubeconfig names; here it is one
# cluster, its machines also in groups of our own, asked for at most once in ten minutes.
plugin: vcf.ray.vmray_cluster
kubeconfig: ~/.kube/ray
namespaces: [deploy-ray]
clusters: [test-ray]
keyed_groups:
  - key: vmray_node_type
    prefix: ray
groups:
  ray_ready: vmray_state == 'running'
compose:
  ansible_ssh_private_key_file: "'~/.ssh/' ~ vmray_cluster"
cache: true
cache_plugin: ansible.builtin.jsonfile
cache_connection: ~/.ansible/cache
cache_timeout: 600
"""

import json
import re
from collections import Counter
from functools import partial

from ansible.errors import AnsibleParserError
from ansible.inventory.group import to_safe_group_name
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable
from ansible.utils.unsafe_proxy import wrap_var

try:
    from ansible.template import trust_as_template
except ImportError:
    # Before ansible-core 2.19 every text is trusted that is not marked as unsafe.
    trust_as_template = str

from ..module_utils import _names
from ..module_utils._clients import kube_contexts
from ..module_utils._errors import RayError
from ..module_utils._reconcile import Task
from ..module_utils._resources import vmray_nodes

KIND = "VMRayCluster"
SUFFIXES = (".vmray_cluster.yml", ".vmray_cluster.yaml")
# Variable of a host: what it is of a node.
VARIABLES = {"ansible_host": "address", "ansible_user": "user", "vmray_cluster": "cluster", "vmray_namespace": "namespace",
             "vmray_node_type": "node_type", "vmray_role": "role", "vmray_state": "state", "dashboard_url": "dashboard_url"}
GROUPED = ("vmray_cluster", "vmray_namespace", "vmray_node_type", "vmray_role", "vmray_state")
# Addresses, names and URLs; no character that any template could begin with.
HARMLESS = re.compile(r"[A-Za-z0-9_.:/@+-]*")
# Options that hold expressions, which Constructable evaluates for each host.
EXPRESSIONS = ("compose", "groups", "keyed_groups")
# What tells one source of nodes from another and so is part of the cache's key; of a kubeconfig or a login only these keys.
SOURCE = ("kubeconfig", "context", "host", "supervisor", "namespaces", "clusters")
TELLING = ("clusters", "hostname", "username")


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):
    """Reads the file, fetches the nodes or takes them from the cache, and makes hosts of them."""

    NAME = "vcf.ray.vmray_cluster"
    # The place that Ansible leaves to plugins: names with dashes become groups without a warning for each.
    _sanitize_group_name = staticmethod(partial(to_safe_group_name, force=True, silent=True))

    def verify_file(self, path):
        return super().verify_file(path) and f".{path.rsplit('/', 1)[-1]}".endswith(SUFFIXES)

    def parse(self, inventory, loader, path, cache=True):
        super().parse(inventory, loader, path, cache)
        config = self._read_config_data(path)
        self._refuse_unknown(config)
        try:
            nodes = self._nodes(self._given(config), path, cache)
        except RayError as error:
            # ansible-core 2.19 would say the same sentence once more for a cause.
            raise AnsibleParserError(str(error)) from None
        self._populate(nodes)

    def _refuse_unknown(self, config):
        """Ansible itself passes over an option that it does not know, and with it a misspelt ``namespaces``."""
        known = [name for option, about in self.option_definitions.items() for name in (option, *about.get("aliases", []))]
        for name in config:
            if name not in known:
                near = ", ".join(_names.closest_first(name, known)[:3])
                raise AnsibleParserError(f"The inventory plugin {self.NAME} has no option {name}. Closest: {near}.")

    def _given(self, config):
        """What the file says, as a module would get it: templates filled in, vaulted values opened, plain types."""
        filled = self.templar.template({name: value for name, value in config.items() if name not in EXPRESSIONS})
        return json.loads(json.dumps(filled, default=str))

    def _nodes(self, given, path, cache):
        """From the cache when the user wants one and it has them, else from the API server."""
        cached = self.get_option("cache")
        source = [given.get(name, self.get_option(name)) for name in SOURCE]
        # Of a dict no secrets, which change from run to run.
        told_apart = [{k: value.get(k) for k in TELLING} if isinstance(value, dict) else value for value in source]
        key = self.get_cache_key(path + json.dumps(told_apart, default=str))
        if cached and cache:
            try:
                return self._cache[key]
            except KeyError:
                pass
        nodes = self._fetched(given)
        if cached:
            self._cache[key] = nodes
        return nodes

    def _fetched(self, given):
        # Here and not above: a run that the cache serves need not pay for the import of kubernetes.
        from ..module_utils._clients import kube as kube_client

        spec = {"namespaces": {"type": "list", "elements": "str"}, "clusters": {"type": "list", "elements": "str"}, **kube_client.ARGSPEC}
        known = [name for option, about in spec.items() for name in (option, *about.get("aliases", []))]
        checked = ArgumentSpecValidator(spec).validate({name: given[name] for name in known if name in given})
        if checked.error_messages:
            raise RayError("; ".join(checked.error_messages), code="INPUT")
        params = checked.validated_parameters
        with kube_client.connect(Task(params)) as kube:
            clusters = self._clusters(kube, params)
        return [node for raw in clusters for node in vmray_nodes.nodes(raw)]

    def _clusters(self, kube, params):
        """The clusters that are asked for, by one request for each namespace."""
        found, refused = [], []
        namespaces = params["namespaces"] or _known_namespaces(params)
        for namespace in sorted(set(namespaces)):
            try:
                found += kube.list(KIND, namespace)
            except RayError as error:
                if error.code != "FORBIDDEN" or params["namespaces"]:
                    raise
                # A kubeconfig may still name a namespace that is gone, or that the user may not enter any more.
                refused.append(error)
        if len(refused) == len(set(namespaces)):
            raise refused[0]
        for error in refused:
            self.display.warning(str(error))
        wanted, names = params["clusters"] or [], [raw["metadata"]["name"] for raw in found]
        for name in sorted(set(wanted) - set(names)):
            self.display.warning(_names.missing(KIND, name, names).message)
        return [raw for raw in found if not wanted or raw["metadata"]["name"] in wanted]

    def _populate(self, nodes):
        """Hosts and groups; the API's texts are never taken for templates."""
        machines = Counter(node["name"] for node in nodes)
        clusters = Counter(self._sanitize_group_name(name) for namespace, name in {(node["namespace"], node["cluster"]) for node in nodes})
        for node in nodes:
            host = node["name"] if machines[node["name"]] == 1 else f"{node['namespace']}.{node['name']}"
            host = self.inventory.add_host(_text(host))
            variables = {name: _text(node[key]) for name, key in VARIABLES.items() if node[key] is not None}
            for name, value in variables.items():
                self.inventory.set_variable(host, name, value)
            for name in GROUPED:
                if name in variables:
                    twice = name == "vmray_cluster" and clusters[self._sanitize_group_name(node["cluster"])] > 1
                    group = f"{name}_{node['namespace']}_{node['cluster']}" if twice else f"{name}_{variables[name]}"
                    self.inventory.add_host(host, self.inventory.add_group(self._sanitize_group_name(group)))
            self._construct(host, variables)

    def _construct(self, host, variables):
        strict = self.get_option("strict")
        self._set_composite_vars(self.get_option("compose"), variables, host, strict)
        self._add_host_to_composed_groups(self.get_option("groups"), variables, host, strict)
        self._add_host_to_keyed_groups(self.get_option("keyed_groups"), variables, host, strict)


def _known_namespaces(params):
    """Those of the kubeconfig, else those that the Supervisor names: its users may not list the namespaces themselves."""
    from ..module_utils._clients import kube_config
    from ..module_utils._clients import supervisor as supervisor_client

    names, supervisor = [], params["supervisor"]
    if kube_config.uses_kubeconfig(params):
        names = kube_contexts.namespaces(params["kubeconfig"], params["context"])
    elif supervisor:
        with supervisor_client.connect(Task(supervisor)) as client:
            names = [workload["namespace"] for workload in client.workloads()]
    if not names:
        raise RayError("Nothing says in which namespaces the Ray clusters are.", code="INPUT", hint="Name them with the option namespaces.")
    return names


def _text(value):
    """What the API says is never a template; a text that cannot be one is marked so that ``ansible-inventory --list`` shows it plainly."""
    return trust_as_template(value) if HARMLESS.fullmatch(value) else wrap_var(value)
