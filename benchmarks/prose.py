# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words of docs/benchmarks.md: everything that does not depend on a number."""

BEFORE = """# Benchmarks

What tasks of this collection cost, beside what one would write instead. This page and its plot are made by `make bench` from
`benchmarks/results.json`; nobody edits them."""

SECTIONS = {
    "tasks": ("A task with nothing to change", """\
The time from one task's start to the start of the next one, as a callback sees it. All rows stand in the same playbooks, once in each
round, in another order each time; the first round of each playbook (there are four), which pays for imports and caches, has a column of
its own; rows of ours share most of their imports there.
A kubeconfig with a token, and where it is taken a session of vCenter, are handed in; rows that log in say so.
`curl` is not run by Ansible: its figure is the sum of its own times for all calls, the TLS handshake included.
Requests and connections are those of one task alone, counted by audit events of its Python, and checked against vCenter's own log;
sessions are those that vCenter still has after it."""),
    "again": ("site.yml again", """\
The second `site.yml` changes nothing. It is measured as a whole command, start of Ansible included, against a playbook of as many `ping`
tasks as `site.yml` runs tasks of ours; includes, assertions and the like are extra work that only `site.yml` has."""),
    "notice": ("How soon a ready cluster is noticed", """\
A cluster with a head and two workers is made, and all wait for it at the same time. The truth is known from a thread that asks Ray every
50 ms: the moment at which it first lists both workers as alive. Below zero means that the wait was over **before** Ray was ready."""),
    "many": ("Many clusters", """\
The clusters are objects of the API server without machines: their status is copied from a real one, so all of them name the same real
Ray, and the operator is stopped. Commands are measured from start to end, tasks as above."""),
    "memory": ("Memory of a fork", """\
The middle of all moments of a wait of 6 s. PSS counts a shared page in parts among those who share it, USS only pages of nobody else;
a worker shares most of its pages with the controller that it was forked from, a module shares nothing but libraries of the system."""),
}

LIMITS = """## What these figures do not say

- Servers are on the same machine, so the network takes next to nothing and the servers answer within milliseconds. Far from a
  data centre the time of the calls grows for everybody alike: differences stay, ratios become smaller.
- `kubernetes.core.k8s` finds out that nothing is to be done by writing: a patch of a type that custom resources do not have, which the
  API server refuses, then a merge patch, which passes the operator's webhooks. Ours reads, compares, and writes nothing; it asks the API
  server for a dry run only when something differs. With `wait`, ours also asks Ray, which the neighbour cannot do at all.
- `vmware_rest.content_subscribedlibrary` cannot be handed a session, logs in for each task and never out. It knows the library by its
  name, but reads no items. The first row has the same options; as in the role, ours also looks for an item, says whether its signature was
  accepted, and finds datastore and security policy by name. The row with two tasks is nearer to that, but needs the item's id to be known.
  The module is deprecated; its successor in vmware.vmware and those of community.vmware speak a protocol (JSON-RPC through VMware's SDK)
  that the lab does not have, so they are not here.
- `uri` in a loop is kind to `uri`: all ids are known beforehand and one task makes all calls. Nothing compares the answers.
- `curl` knows all ids beforehand and reads no answer.
- `kubectl wait` has nothing better to wait for than the operator's `cluster_state`, which is `healthy` long before Ray runs.
- `ansible-inventory` makes hosts and groups of the clusters' machines; `k8s_info` returns objects and makes no hosts.
- Everybody runs on the same cores as the servers of the lab and Ray."""

RUN = """## Run it

`make bench` (about 15 minutes) makes an environment for the neighbours in `build/bench`, starts a lab of its own, measures, writes
`benchmarks/results.json`, this page and the plot, and ends the lab. `make bench ONLY="tasks again"` measures only those again:
`tasks`, `traffic` (its requests and connections), `again`, `notice`, `many`, `memory`. Let nothing else run meanwhile."""
