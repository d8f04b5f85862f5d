# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The publisher's items: a small signed OVF, and one that somebody changed after signing."""

from __future__ import annotations

import hashlib
import json
import uuid
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from vcf_lab import pki
from vcf_lab.settings import PUBLISHER_HOST, Lab

CREATED = "2025-06-01T00:00:00.000Z"
GOOD, TAMPERED, UNSIGNED = "ray-node-ubuntu-24.04", "ray-node-tampered", "ray-node-unsigned"
DISK_SIZE = 8 * 1024
VMDK_MAGIC = b"KDMV"  # first bytes of a sparse disk
OVF = """<?xml version="1.0" encoding="UTF-8"?>
<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1"
  xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1"
  xmlns:rasd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData">
  <References><File ovf:href="{name}-disk1.vmdk" ovf:id="file1" ovf:size="{size}"/></References>
  <DiskSection><Info>Disks</Info>
    <Disk ovf:capacity="20" ovf:capacityAllocationUnits="byte * 2^30" ovf:diskId="vmdisk1" ovf:fileRef="file1"/>
  </DiskSection>
  <VirtualSystem ovf:id="{name}">
    <Info>A node of a Ray cluster</Info>
    <Name>{name}</Name>
    <OperatingSystemSection ovf:id="94"><Info>Guest</Info>
      <Description>Ubuntu Linux (64-bit)</Description></OperatingSystemSection>
    <VirtualHardwareSection><Info>Hardware</Info>
      <Item><rasd:ElementName>cpus</rasd:ElementName><rasd:InstanceID>1</rasd:InstanceID>
        <rasd:ResourceType>3</rasd:ResourceType><rasd:VirtualQuantity>{cpus}</rasd:VirtualQuantity></Item>
      <Item><rasd:ElementName>memory</rasd:ElementName><rasd:InstanceID>2</rasd:InstanceID>
        <rasd:ResourceType>4</rasd:ResourceType><rasd:VirtualQuantity>2048</rasd:VirtualQuantity></Item>
    </VirtualHardwareSection>
  </VirtualSystem>
</Envelope>
"""


def generate(lab: Lab, folder: Path) -> None:
    """Write the library once; a restart publishes the same bytes."""
    if (folder / "lib.json").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    names = {GOOD: "Ubuntu 24.04 with Docker, for nodes of Ray", TAMPERED: "Changed after signing", UNSIGNED: "Not signed"}
    for name in names:
        _write_item(lab, folder / name, name)
    items = [_entry(folder / name, name, description) for name, description in names.items()]
    _write_json(folder / "items.json", {"items": items})
    _write_json(folder / "lib.json", _index())


def _write_item(lab: Lab, folder: Path, name: str) -> None:
    folder.mkdir(exist_ok=True)
    ovf, disk = folder / f"{name}.ovf", folder / f"{name}-disk1.vmdk"
    ovf.write_text(OVF.format(name=name, size=DISK_SIZE, cpus=2))
    disk.write_bytes(VMDK_MAGIC + hashlib.shake_128(name.encode()).digest(DISK_SIZE - len(VMDK_MAGIC)))
    if name == UNSIGNED:
        return
    manifest = folder / f"{name}.mf"
    lines = (f"SHA256({file.name})= {hashlib.sha256(file.read_bytes()).hexdigest()}\n" for file in (ovf, disk))
    manifest.write_text("".join(lines))
    (folder / f"{name}.cert").write_text(_certificate_file(lab, manifest))
    if name == TAMPERED:
        ovf.write_text(OVF.format(name=name, size=DISK_SIZE, cpus=9))


def _certificate_file(lab: Lab, manifest: Path) -> str:
    """Signature of the manifest and the signer's certificate, as ovftool writes them."""
    certificate, key_file = pki.issue(lab, "ovf-signer", [f"signer.{PUBLISHER_HOST}"])
    key = serialization.load_pem_private_key(key_file.read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    signature = key.sign(manifest.read_bytes(), ec.ECDSA(hashes.SHA256()))
    pem = x509.load_pem_x509_certificate(certificate.read_bytes()).public_bytes(serialization.Encoding.PEM)
    return f"SHA256({manifest.name})= {signature.hex()}\n\n{pem.decode()}"


def _identifier(name: str) -> str:
    return f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_DNS, f'{name}.{PUBLISHER_HOST}')}"


def _entry(folder: Path, name: str, description: str) -> dict[str, object]:
    files = [
        {
            "name": file.name,
            "size": file.stat().st_size,
            "etag": hashlib.sha256(file.read_bytes()).hexdigest()[:32],
            "hrefs": [f"{name}/{file.name}"],
        }
        for file in sorted(folder.iterdir())
    ]
    return {
        "id": _identifier(name),
        "name": name,
        "description": description,
        "type": "vcsp.ovf",
        "created": CREATED,
        "version": "1",
        "contentVersion": "1",
        "metadataVersion": "1",
        "properties": {},
        "selfHref": f"{name}/item.json",
        "files": files,
    }


def _index() -> dict[str, object]:
    return {
        "vcspVersion": "2",
        "version": "1",
        "contentVersion": "1",
        "id": _identifier("dl-vm"),
        "name": "dl-vm",
        "created": CREATED,
        "capabilities": {"transferIn": ["httpGet"], "transferOut": ["httpGet"], "generateIds": False},
        "itemsHref": "items.json",
    }


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=1))
