# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The nodes of the cluster as an inventory, and as kubectl tells them."""

from __future__ import annotations

import json

from labs import BIN


def test_the_inventory_says_what_kubectl_says(lab, tmp_path) -> None:
    source = tmp_path / "ray.vmray_cluster.yml"
    source.write_text(json.dumps({"plugin": "vcf.ray.vmray_cluster", "kubeconfig": str(lab.state / "kubeconfig"), "strict": True,
                                  "keyed_groups": [{"key": "vmray_cluster", "prefix": "of"}]}))
    done = lab.exec(str(BIN / "ansible-inventory"), "-i", str(source), "--list")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    inventory = json.loads(done.stdout)
    hosts = inventory["_meta"]["hostvars"]
    machines = json.loads(lab.kubectl("get", "virtualmachines", "-o", "json").stdout)["items"]
    assert {name: v["ansible_host"] for name, v in hosts.items()} == {m["metadata"]["name"]: m["status"]["network"]["primaryIP4"] for m in machines}
    assert len(hosts) >= 3
    cluster = json.loads(lab.kubectl("get", "vmrayclusters", "-o", "json").stdout)["items"][0]
    workers = cluster["spec"]["autoscaler_desired_workers"]
    assert set(inventory["vmray_role_worker"]["hosts"]) == set(workers)
    assert set(inventory["vmray_role_head"]["hosts"]) == set(hosts) - set(workers)
    assert {name: hosts[name]["vmray_node_type"] for name in workers} == workers
    assert set(inventory["vmray_state_running"]["hosts"]) == set(inventory["of_test_ray"]["hosts"]) == set(hosts)
    assert {v["dashboard_url"] for v in hosts.values()} == {f"http://{cluster['status']['vm_service_status']['ip']}:8265"}
    assert {v["ansible_user"] for v in hosts.values()} == {cluster["spec"]["common_node_config"]["vm_user"]}
    assert cluster["spec"]["common_node_config"]["vm_password_salt_hash"] not in done.stdout
