# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The next step for what the package installer of a Supervisor reports; its words, met in the field, lead there."""

from __future__ import annotations

# A sign in the message, in lower case, and what to do. The first one that is found counts, so the narrower ones come first.
HINTS = (
    (("x509", "certificate signed by unknown authority", "certificate verify failed"),
     "The Supervisor does not trust the registry: give it the registry's CA (vcf.ray.container_image_registry, or the vSphere Client)."),
    (("proxyconnect", "proxy authentication"), "The Supervisor asks the proxy that it has from vCenter: exempt the registry from it."),
    (("unauthorized", "authentication required", "401"),
     "The registry wants a login: give the Supervisor one for it (vcf.ray.container_image_registry)."),
    (("manifest_unknown", "manifest unknown", "name_unknown", "not found in registry"),
     "The registry does not have this image: copy the bundle there with imgpkg copy (pull and push leave its references behind)."),
    (("no such host", "connection refused", "i/o timeout", "dial tcp"),
     "The registry cannot be reached from the Supervisor: look at its name, DNS and firewall, and that the package names the right registry."),
    (("is already present but not identical",), "Another package has brought an object of the same name: remove that one first."),
    (("imagepullbackoff", "errimagepull"), "The image of the service cannot be pulled: look at its name, its registry and the login for it."),
    (("crashloopbackoff",), "The service starts and ends again: its log says why."),
    (("no matches for kind", "ensure crds are installed"),
     "An API that the service needs is missing on this Supervisor; required_apis finds that out before."),
    (("ytt:",), "The values in yaml_service_config do not fit the package."),
)
ELSE = "Look at the pods and events of the service's namespace on the Supervisor."


def next_step(messages: list[str]) -> str:
    text = " ".join(messages).lower()
    return next((hint for signs, hint in HINTS if any(sign in text for sign in signs)), ELSE)
