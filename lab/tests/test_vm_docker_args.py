# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Command lines of docker as Ray's autoscaler and the operator's cloud-init write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from vcf_lab.vm import docker_args
from vcf_lab.vm.docker_args import DockerError, check_image, parse

RUN = (
    "run --rm --name ray_container -d -it -e LC_ALL=C.UTF-8 -v /home/u/ca.crt:/home/ray/ca.crt:ro "
    "--env RAY_USE_TLS=1 --ulimit nofile=65536:65536 --shm-size=1234b --net=host rayproject/ray:2.60.0 bash -c ls -l"
)


def test_run_ends_its_options_at_the_image() -> None:
    call = parse(RUN.split())
    assert call.verb == "run"
    assert call.words == ["rayproject/ray:2.60.0", "bash", "-c", "ls", "-l"]
    assert call.value("--name") == "ray_container"
    assert call.value("--shm-size") == "1234b"
    assert call.has("-d") and call.has("-i") and call.has("-t")
    assert docker_args.mounts(call) == [("/home/u/ca.crt", "/home/ray/ca.crt")]
    assert docker_args.environment(call, {}) == {"LC_ALL": "C.UTF-8", "RAY_USE_TLS": "1"}


def test_exec_takes_it_as_switches_and_keeps_the_command() -> None:
    call = parse(["exec", "-it", "ray_container", "/bin/bash", "-c", "ray stop"])
    assert call.words == ["ray_container", "/bin/bash", "-c", "ray stop"]


def test_the_same_letter_means_something_else_elsewhere() -> None:
    assert parse(["logs", "-f", "c"]).words == ["c"]
    assert parse(["rm", "-f", "c"]).words == ["c"]
    assert parse(["inspect", "-f", "{{.State.Running}}", "c"]).words == ["c"]
    assert parse(["run", "-t", "image"]).words == ["image"]


def test_options_may_follow_the_words_of_other_verbs() -> None:
    call = parse(["login", "harbor.lab", "--username", "u", "--password", "p"])
    assert (call.words, call.value("--username"), call.value("--password")) == (["harbor.lab"], "u", "p")


def test_env_file_and_inherited_values(tmp_path: Path) -> None:
    (tmp_path / "env").write_text("TOKEN=a=b\n# no\nX=1\n")
    call = parse(["run", "--env-file", str(tmp_path / "env"), "-e", "X=2", "-e", "HOME", "-e", "NONE", "i"])
    assert docker_args.environment(call, {"HOME": "/root"}) == {"TOKEN": "a=b", "X": "2", "HOME": "/root"}


def test_named_volumes_are_refused() -> None:
    with pytest.raises(DockerError, match="absolute"):
        docker_args.mounts(parse(["run", "-v", "data:/data", "i"]))


def test_an_option_without_its_value() -> None:
    with pytest.raises(DockerError, match="flag needs an argument"):
        parse(["run", "--name"])


@pytest.mark.parametrize(
    "image",
    [
        "rayproject/ray",
        "rayproject/ray:2.60.0-py311",
        "harbor.lab:5000/ml/ray-ml:nightly",
        "ray:2",
        "rayproject/ray@sha256:" + "a" * 64,
    ],
)
def test_images_of_ray_from_any_registry(image: str) -> None:
    check_image(image)


@pytest.mark.parametrize(
    ("image", "text"),
    [
        ("busybox", "pull access denied for busybox"),
        ("rayproject/x-ray:1", "pull access denied"),
        ("rayproject/ray:missing", "manifest for rayproject/ray:missing not found"),
        ("Ray Project", "invalid reference format"),
    ],
)
def test_other_images_are_refused_in_dockers_words(image: str, text: str) -> None:
    with pytest.raises(DockerError, match=text):
        check_image(image)
