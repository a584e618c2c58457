"""What a certificate says of itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import NameOID

from factoryops.domain.errors import InvalidInputError


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """A certificate, for people.

    Attributes:
        hosts: the names and addresses it is good for.
        fingerprint: hexadecimal SHA-256 of the certificate.
    """

    subject: str
    issuer: str
    hosts: tuple[str, ...]
    serial: str
    fingerprint: str
    starts_at: datetime
    ends_at: datetime
    is_authority: bool


def inspect(file: Path) -> CertificateFacts:
    """The facts of the first certificate in a PEM file.

    Raises:
        InvalidInputError: the file cannot be read, or holds no certificate.
    """
    try:
        certificate = x509.load_pem_x509_certificate(file.read_bytes())
    except OSError as error:
        raise InvalidInputError(f"The certificate {file} cannot be read ({error.strerror}).") from error
    except ValueError as error:
        raise InvalidInputError(f"{file} holds no certificate in PEM form.") from error
    return facts_of(certificate)


def facts_of(certificate: x509.Certificate) -> CertificateFacts:
    """The facts of a certificate."""
    return CertificateFacts(
        subject=_common_name(certificate.subject),
        issuer=_common_name(certificate.issuer),
        hosts=_hosts(certificate),
        serial=f"{certificate.serial_number:x}",
        fingerprint=certificate.fingerprint(hashes.SHA256()).hex(),
        starts_at=certificate.not_valid_before_utc,
        ends_at=certificate.not_valid_after_utc,
        is_authority=_is_authority(certificate),
    )


def _common_name(name: x509.Name) -> str:
    found = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if found else name.rfc4514_string()


def _hosts(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    addresses = (str(one) for one in names.get_values_for_type(x509.IPAddress))
    return (*names.get_values_for_type(x509.DNSName), *addresses)


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False
