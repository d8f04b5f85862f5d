# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read by mypy, never run: each client is what the resources take, though neither knows the other."""

from __future__ import annotations

from plugins.module_utils import _ports, _reconcile
from plugins.module_utils._clients import (
    carvel,
    file_repository,
    image_archive,
    image_tools,
    inventory,
    kube,
    kube_watch,
    kubeconfig_file,
    operator_build,
    package_archive,
    package_copier,
    ray,
    ray_package,
    reference,
    registry,
    sso,
    supervisor,
    text_file,
    vcenter,
)
from plugins.module_utils._resources import (
    carvel_package,
    container_image,
    operator_artifacts,
    package_places,
    ray_job,
    ray_job_file,
    repository_file,
    supervisor_kubeconfig,
    vmray_ready,
    vmray_signs,
)


def shared(task: _reconcile.Task, found: inventory.Inventory, rest: vcenter.VCenter, soap: sso.Sso, api: kube.Kube, seen: kube_watch.Watch,
           dashboard: ray.Ray, code: ray_package.Package, image: reference.Reference, text: text_file.TextFile) -> None:
    """Those that several resources take."""
    options: _ports.Task = task
    names: _ports.Inventory = found
    server: _ports.VCenter = rest
    directory: _ports.Sso = soap
    cluster: _ports.Kube = api
    watch: _ports.Watch = seen
    jobs: _ports.Ray = dashboard
    package: _ports.RayPackage = code
    name: _ports.Reference = image
    file: _ports.TextFile = text
    del options, names, server, directory, cluster, watch, jobs, package, name, file


def of_one(programs: carvel.Carvel, registries: registry.Registries, files: file_repository.FileRepository, tree: operator_build.OperatorBuild,
           service: supervisor.Supervisor, kubeconfig: kubeconfig_file.KubeconfigFile) -> None:
    """Those of one resource."""
    tools: carvel_package.Carvel = programs
    place: carvel_package.Registry = registries
    tags: container_image.Registries = registries
    repository: repository_file.Repository = files
    build: operator_artifacts.Build = tree
    login: supervisor_kubeconfig.Login = service
    store: supervisor_kubeconfig.Store = kubeconfig
    del tools, place, tags, repository, build, login, store


def of_images(images: image_archive.ImageArchive, tool: image_tools.Pusher, copies: package_copier.PackageCopier, package: package_archive.PackageArchive,
              job: ray_job.RayJob, asked: vmray_ready.Dashboard, read: vmray_ready.Evidence) -> None:
    """Images, copies, and what one resource takes of another."""
    archive: container_image.Archive = images
    pusher: container_image.Pusher = tool
    copier: package_places.Copier = copies
    whole: package_places.Archive = package
    whose: ray_job_file.Job = job
    words: tuple[vmray_signs.Witness, vmray_signs.Witness] = (asked, read)
    del archive, pusher, copier, whole, whose, words
