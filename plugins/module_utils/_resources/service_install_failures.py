# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the package installer of a Supervisor reports, in plain words and with the next step; its texts were met in the field."""

from __future__ import annotations

import re
import typing as t

REGISTER = "vcf.ray.container_image_registry"
COPY = ("Copy the package there with vcf.ray.carvel_package_copy, or imgpkg copy: what pull and push bring goes on naming the registry "
        "that it came from (KB 437632).")
BUILD = "Build the package anew with vcf.ray.carvel_package."
ELSE = "Look at the pods and events of the service's namespace on the Supervisor."
# Only then the words of a connection are about a registry, and not about a webhook or the API server.
PULLING = re.compile(r"Syncing directory|Fetching image|pull(?:ing)? image|ImagePullBackOff|ErrImagePull|/v2/", re.IGNORECASE)
MANIFEST = re.compile(r"https?://([^/\s\"]+)/v2/([^\s\"]+?)/manifests?/([^\s\":]+(?::[0-9a-f]{64})?)", re.IGNORECASE)
HOST = re.compile(r"https?://([^/\s\"]+)/v2/")
NAMED = re.compile(r"pull(?:ing)? image \\?\"?([^\"\\\s]*\w)", re.IGNORECASE)
# Signs in lower case, why a registry does not give the image, and what to do.
REFUSALS = (
    (("proxyconnect", "proxy authentication"), "the proxy that the Supervisor has from vCenter is in the way",
     "Exempt the registry from the proxy of vCenter."),
    (("certificate has expired",), "its certificate is out of date", "Renew the certificate of the registry, and look at the clocks."),
    (("certificate is valid for", "doesn't contain any ip sans", "not valid for any names"), "its certificate is for another name",
     "Name the registry in the package as its certificate does."),
    (("x509", "certificate signed by unknown authority", "certificate verify failed"), "the Supervisor does not trust it",
     f"Register it at the Supervisor with its certificate_authority: {REGISTER}."),
    (("unauthorized", "authentication required", " 401", "denied", "forbidden"), "it refuses the Supervisor's login, or was given none",
     f"Register it at the Supervisor with a registry_username and registry_password that may read it: {REGISTER}."),
    (("manifest_unknown", "manifest unknown", "name_unknown", "not_found", "not found"), "it is not there", COPY),
    (("toomanyrequests", "too many requests"), "it takes no more requests for now", f"Wait, or use a registry of your own. {COPY}"),
    (("no such host", "server misbehaving"), "nobody knows the name of that registry",
     "Look at the name in the package, and at the DNS servers of the Supervisor."),
    (("connection refused", "i/o timeout", "no route to host", "deadline exceeded", "dial tcp"), "it does not answer the Supervisor",
     "Look whether the registry runs, at its port, and at the firewalls between the two."),
)
# Values that templates read and nobody sets, that are set and nobody knows, and that are of another kind.
LACKING = re.compile(r"struct has no \.(\S+) field|key \"([^\"]+)\" not in struct")
UNKNOWN = re.compile(r"not declared in schema.*?= found: (\S+)", re.DOTALL)
KIND = re.compile(r"\d+ \|\s*([\w.-]+)[:=].*?= found: (\w+)\s*= expected: (\w+)", re.DOTALL)
RULE = re.compile(r"Validating final data values:\s*(\S+)\s+from: \S+\s+- must be: (.+?) \(by", re.DOTALL)
OWNED = re.compile(r"Resource '([^']+)' is already associated with a different (?:app '(?:svc-)?([^']+?)(?:\.app|-ctrl)?'|label '([^']+)')")
QUOTED = re.compile(r"(\d+ \|) *([\w.-]+[:=])?.*?(?=\s*\|?\s*= found)", re.DOTALL)
DIGEST = re.compile(r"[0-9a-f]{64}")  # may hold anything, such as 401
TAGGED = re.compile(r"Expected ref to be in digest form, got '([^']+)'")
UNLOCKED = re.compile(r"Resolving image '([^']+)'")


def next_step(messages: list[str]) -> str:
    """Why it failed, as far as the messages tell, and what to do about it."""
    text = " ".join(messages)
    return next((words for words in (reading(text) for reading in READINGS) if words), ELSE)


def without_values(text: str) -> str:
    """A message without what ytt quotes of the values, as these may be secret; their names stay."""
    return QUOTED.sub(lambda match: f"{match[1]} {match[2] or ''} (not shown)", text) if "ytt:" in text else text


def _ownership(text: str) -> str:
    """Objects that another package has; up to three are named."""
    found = [(what, app or f"another package (label {label})") for what, app, label in OWNED.findall(text)]
    if found:
        more = f" and {len(found) - 3} more" if len(found) > 3 else ""
        what = ", ".join(f"{name} belongs to {owner}" for name, owner in found[:3])
        return f"Objects of this service are another's: {what}{more}. Remove that service first, or what it has left behind, or rename the objects."
    if "is already present but not identical" in text:
        return "Another package has brought an object of the same name: remove that one first."
    return ""


def _lock(text: str) -> str:
    """Images that the bundle does not name by digest."""
    if tagged := TAGGED.search(text):
        return f"The bundle names the image {tagged[1]} by a tag, and only digests are taken. {BUILD}"
    if unlocked := UNLOCKED.search(text):
        return (f"The templates name the image {unlocked[1]}, which the lock of the bundle does not have; it was looked for at its registry, "
                f"without a login and in vain. {BUILD}")
    if "found plain image" in text or "-b instead of -i" in text:
        return f"What the package fetches as a bundle is a plain image, or the other way round. {BUILD}"
    return ""


def _registry(text: str) -> str:
    """A registry that does not give what is asked of it: which, what, and why."""
    if not PULLING.search(text):
        return ""
    low = DIGEST.sub("", text.lower())
    why, step = next(((why, step) for signs, why, step in REFUSALS if any(sign in low for sign in signs)),
                     ("the reason is not told", f"Look at its name, its registry, and the login for it ({REGISTER})."))
    what, registry = _wanted(text)
    return f"{what} cannot be fetched from the registry{' ' + registry if registry else ''}: {why}. {step}"


def _wanted(text: str) -> tuple[str, str]:
    """The image, as far as it is told, and its registry."""
    if asked := MANIFEST.search(text):
        registry, repository, version = asked.groups()
        return f"The image {registry}/{repository}{'@' if version.startswith('sha256:') else ':'}{version}", registry
    if named := NAMED.search(text):
        first, slash, _rest = named[1].partition("/")
        return f"The image {named[1]}", first if slash and ("." in first or ":" in first or first == "localhost") else ""
    host = HOST.search(text)
    return "The package", host[1] if host else ""


def _templates(text: str) -> str:
    """Templates and values that do not go together: which value."""
    if "ytt:" not in text:
        return ""
    if rule := RULE.search(text):
        return f"The value {rule[1]} is refused by the package: it has to be {rule[2]}. Set it in yaml_service_config."
    if unknown := UNKNOWN.search(text):
        if unknown[1] == "namespace":
            return f"The package does not declare the value namespace, which the Supervisor gives to every service. {BUILD}"
        return f"The package does not know the value {unknown[1]}. Take it out of yaml_service_config, or write it as the package does."
    if kind := KIND.search(text):
        return f"The value {kind[1]} is {_a(kind[2])} and has to be {_a(kind[3])}. Change it in yaml_service_config."
    if lacking := LACKING.search(text):
        return f"The templates of the package need the value {lacking[1] or lacking[2]}, which nobody sets. Set it in yaml_service_config."
    return f"The templates of the package cannot be rendered; the message names file and line. Look at yaml_service_config, or at the package. {BUILD}"


def _a(word: str) -> str:
    return f"{'an' if word[0] in 'aeio' else 'a'} {word}"


def _pods(text: str) -> str:
    low = text.lower()
    if "crashloopbackoff" in low:
        return "The service starts and ends again: its log says why."
    if "no matches for kind" in low or "ensure crds are installed" in low:
        return "An API that the service needs is missing on this Supervisor; required_apis finds that out before."
    return ""


# The first that recognises the text counts, so the narrower ones come first.
READINGS: tuple[t.Callable[[str], str], ...] = (_ownership, _lock, _templates, _registry, _pods)
