# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the installer of packages says, as vCenters have shown it, and what a user reads about it."""

from __future__ import annotations

import pytest

from ansible_collections.vcf.ray.plugins.module_utils._resources.service_install_failures import ELSE, next_step, without_values

SYNCING = "ERROR: Reason: ReconcileFailed. Message: vendir: Error: Syncing directory '0': Syncing directory '.' with imgpkgBundle contents: "
DIGEST = f"sha256:{'401' * 21}a"
BUNDLE = "registry.example.com/ray/bundle"
GET = f"{SYNCING}Fetching image: GET https://registry.example.com/v2/ray/bundle/manifests/{DIGEST}: "
TRANSPORT = (f"{SYNCING}Fetching image: Error while preparing a transport to talk with the registry: Unable to create round tripper: "
             'Get "https://registry.example.com/v2/": ')
VALUES = ("Reason: ReconcileFailed. Message: ytt: Error: Overlaying data values (in following order: additional data values): One or more data values "
          "were invalid ==================================== ")


@pytest.mark.parametrize(("message", "why", "step"), [
    (f"{GET}MANIFEST_UNKNOWN: manifest unknown; unknown manifest name=ray/bundle revision={DIGEST}",
     f"The image {BUNDLE}@{DIGEST} cannot be fetched from the registry registry.example.com: it is not there.", "vcf.ray.carvel_package_copy"),
    (f"{SYNCING}Fetching image: GET https://registry.example.com/v2/ray/bundle/manifests/0.1.0: MANIFEST_UNKNOWN: The named manifest is not known.",
     f"The image {BUNDLE}:0.1.0 cannot be fetched from the registry registry.example.com: it is not there.", "imgpkg copy"),
    (f"{GET}UNAUTHORIZED: authentication required; [map[Action:pull Class: Name:ray/bundle Type:repository]]",
     "it refuses the Supervisor's login", "vcf.ray.container_image_registry"),
    (f"{GET}DENIED: requested access to the resource is denied", "it refuses the Supervisor's login", "registry_username"),
    (f"{TRANSPORT}tls: failed to verify certificate: x509: certificate signed by unknown authority; GET http://registry.example.com/v2/: unexpected",
     "The package cannot be fetched from the registry registry.example.com: the Supervisor does not trust it.", "certificate_authority"),
    (f"{TRANSPORT}tls: failed to verify certificate: x509: certificate has expired or is not yet valid", "out of date", "Renew"),
    (f"{TRANSPORT}x509: certificate is valid for a.example.com, not registry.example.com", "for another name", "as its certificate does"),
    (f"{TRANSPORT}dial tcp: lookup registry.example.com on 10.0.0.2:53: no such host", "nobody knows the name", "DNS"),
    (f"{TRANSPORT}dial tcp 10.0.0.3:443: connect: connection refused", "it does not answer", "firewalls"),
    (f"{TRANSPORT}proxyconnect tcp: dial tcp 10.0.0.9:3128: i/o timeout", "the proxy that the Supervisor has", "Exempt"),
    (f"{GET}TOOMANYREQUESTS: rate limit", "no more requests", "registry of your own"),
    (f"{GET}something that nobody has met", "the reason is not told", "vcf.ray.container_image_registry"),
    (f"{SYNCING}Validating images lock: Expected ref to be in digest form, got '{BUNDLE}:1'", f"{BUNDLE}:1 by a tag", "vcf.ray.carvel_package"),
    (f"{SYNCING}Expected bundle image but found plain image (hint: Did you use -i instead of -b?)", "is a plain image", "vcf.ray.carvel_package"),
    (f"Message: kbld: Error: - Resolving image '{BUNDLE}:1': GET https://registry.example.com/v2/ray/bundle/manifests/1: UNAUTHORIZED: no",
     f"The templates name the image {BUNDLE}:1, which the lock", "vcf.ray.carvel_package"),
    ("Message: ytt: Error: - struct has no .license field or method in <toplevel> e.yml:3 | a: #@ data.values.license", "need the value license",
     "yaml_service_config"),
    ('Message: ytt: Error: - key "x" not in struct in <toplevel> e.yml:3', "need the value x", "yaml_service_config"),
    (f"{VALUES}Given data value is not declared in schema values.yaml: | 1 | sizes: (not shown) | = found: sizes = expected: one of {{ size }}",
     "does not know the value sizes", "yaml_service_config"),
    (f"{VALUES}Given data value is not declared in schema (data-value arg): | 1 | namespace= (not shown) | = found: namespace = expected: one of",
     "does not declare the value namespace, which the Supervisor gives", "vcf.ray.carvel_package"),
    (f"{VALUES}values.yaml: | 1 | size: (not shown) | = found: string = expected: integer (by schema.yml:4)",
     "The value size is a string and has to be an integer.", "yaml_service_config"),
    ("Message: ytt: Error: Validating final data values: size from: schema.yml:8 - must be: at most 5 (by: schema.yml:7)",
     "The value size is refused by the package: it has to be at most 5.", "yaml_service_config"),
    ("Message: ytt: Error: Unmarshaling YAML template 'config/e.yml': yaml: line 1: did not find", "cannot be rendered", "vcf.ray.carvel_package"),
    (("Message: kapp: Error: Ownership errors: - Resource 'deployment/manager (apps/v1) namespace: ray' is already associated with a different app "
     "'svc-other.example.com.app' namespace: vmware-system-supervisor-services (label 'kapp.k14s.io/app=1')"),
     "deployment/manager (apps/v1) namespace: ray belongs to other.example.com.", "Remove that service first"),
    (("Message: kapp: Error: Ownership errors: - Resource 'clusterrole/a (v1) cluster' is already associated with a different label "
     "'kapp.k14s.io/app=1'"), "clusterrole/a (v1) cluster belongs to another package (label kapp.k14s.io/app=1)", "left behind"),
    ("Conflicting resources: a is already present but not identical to mine", "Another package", "remove that one first"),
    ('Deployment a/b is not available: pod b-1: ImagePullBackOff Back-off pulling image "registry.example.com/ray/operator@sha256:1"',
     "The image registry.example.com/ray/operator@sha256:1 cannot be fetched from the registry registry.example.com", "the login for it"),
    ('Pod b: ErrImagePull Failed to pull image "ray/operator:1": unauthorized', "The image ray/operator:1 cannot be fetched from the registry:",
     "vcf.ray.container_image_registry"),
    ("CrashLoopBackOff", "ends again", "its log"),
    ('no matches for kind "Issuer"', "An API that the service needs", "required_apis"),
])
def test_a_failure_is_told_in_plain_words_with_the_next_step(message: str, why: str, step: str) -> None:
    said = next_step([message])
    assert why in said and step in said, said


def test_words_of_a_connection_elsewhere_are_no_registrys() -> None:
    webhook = 'Internal error occurred: failed calling webhook "v.example.com": Post "https://v.svc:443/x": dial tcp 10.0.0.1:443: connect: refused'
    assert next_step([webhook]) == next_step([]) == ELSE


def test_many_objects_of_others_are_counted() -> None:
    one = "- Resource '{} (v1) cluster' is already associated with a different app 'cert-manager-ctrl' namespace: x (label 'y')"
    said = next_step(["kapp: Error: Ownership errors: " + " ".join(one.format(name) for name in "abcde")])
    assert "c (v1) cluster belongs to cert-manager and 2 more." in said and "d (v1)" not in said


@pytest.mark.parametrize("quoted", [
    "values.yaml: | 3 | password: planted | = found: string", "values.yaml:\n    |\n  3 | password: planted\n    |\n\n    = found: string",
    "(data-value arg): | 1 | password=planted | = found: string", "values.yaml: | 3 | - planted | = found: string",
])
def test_values_that_are_quoted_are_not_shown(quoted: str) -> None:
    said = without_values(f"ytt: Error: {quoted} = expected: integer; values.yaml: | 4 | other: planted | = found: string = expected: map")
    assert "planted" not in said and "= found: string = expected: integer" in said
    assert "password" in said or "- planted" in quoted


def test_other_messages_stay_whole() -> None:
    assert without_values("kapp: Error: | 1 | a = found: b") == "kapp: Error: | 1 | a = found: b"
