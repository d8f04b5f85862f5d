# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.vcf.ray.plugins.module_utils._clients import proxy
from ansible_collections.vcf.ray.plugins.module_utils._errors import RayError


@pytest.mark.parametrize(("host", "port", "url"), [
    (None, None, None), ("", 8080, None), ("proxy.example.com", None, "http://proxy.example.com:3128"), ("192.0.2.1", 8080, "http://192.0.2.1:8080"),
    ("2001:db8::1", 8080, "http://[2001:db8::1]:8080"), ("[2001:db8::1]", None, "http://[2001:db8::1]:3128"),
])
def test_the_two_options_make_one_address(host, port, url):
    assert proxy.url({"proxy_host": host, "proxy_port": port}) == url


@pytest.mark.parametrize("host", ["http://proxy.example.com", "proxy.example.com:8080", "me:secret@proxy.example.com", "proxy.example.com/", "a b"])
def test_a_name_that_is_more_than_a_name_is_refused_and_not_repeated(host):
    with pytest.raises(RayError) as refused:
        proxy.url({"proxy_host": host})
    assert refused.value.code == "INPUT" and host not in str(refused.value)


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_a_port_that_is_none_is_refused(port):
    with pytest.raises(RayError, match=f"proxy_port {port} is no port"):
        proxy.url({"proxy_host": "proxy.example.com", "proxy_port": port})


def test_options_that_a_client_does_not_have_mean_no_proxy():
    assert proxy.url({}) is None
