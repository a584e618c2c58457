from __future__ import annotations

import datetime as dt
import ipaddress
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from factoryops.client.http import HttpPlant
from factoryops.contracts import live
from factoryops.domain.errors import UnavailableError
from factoryops.domain.identity import Role
from tests.support.api_service import running_api


@dataclass(frozen=True)
class _Authority:
    ca_file: Path
    certificate_file: Path
    key_file: Path


def _authority(folder: Path, name: str) -> _Authority:
    """A private authority and a certificate of it for loopback."""
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
    ca = (
        x509.CertificateBuilder().subject_name(ca_name).issuer_name(ca_name).public_key(ca_key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1)).add_extension(x509.BasicConstraints(True, 0), True)
        .add_extension(usage, True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key()), False)
        .sign(ca_key, hashes.SHA256())
    )  # fmt: skip
    own_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    certificate = (
        x509.CertificateBuilder().subject_name(own_name).issuer_name(ca_name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), False)
        .sign(ca_key, hashes.SHA256())
    )  # fmt: skip
    files = _Authority(folder / f"{name}-ca.pem", folder / f"{name}.pem", folder / f"{name}.key")
    files.ca_file.write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    files.certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files.key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return files


async def test_a_client_trusts_the_plants_own_authority_and_no_other(tmp_path: Path) -> None:
    ours, theirs = _authority(tmp_path, "ours"), _authority(tmp_path, "theirs")
    with running_api(tmp_path / "data", certificate_file=ours.certificate_file, key_file=ours.key_file) as service:
        kit = service.add_factory("riverside")
        plant = HttpPlant(service.url, ca_file=ours.ca_file)
        await plant.resume(kit.tokens[Role.VIEWER])
        link = await plant.open_live()
        assert isinstance(await anext(aiter(link)), live.Welcome)
        await link.close()
        await plant.close()
        for stranger in (HttpPlant(service.url, ca_file=theirs.ca_file), HttpPlant(service.url)):
            with pytest.raises(UnavailableError, match="certificate"):
                await stranger.resume(kit.tokens[Role.VIEWER])
            await stranger.close()
