"""A private certificate authority in a folder: its key never leaves it (decision 0015).

ca.pem              give it to clients, devices and brokers: whom to trust
ca.key              the authority's key; readable by its owner alone
crl.pem             what was revoked, for brokers that check clients' certificates
issued.json         what was issued
issued/<name>/certificate.pem, issued/<name>/key.pem
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from factoryops.certificates.facts import CertificateFacts, facts_of
from factoryops.certificates.files import PUBLIC, read_private, replace_file
from factoryops.certificates.ledger import Issued, IssuedLedger, Purpose
from factoryops.domain.errors import ConflictError, InvalidInputError, NotFoundError, SetupError
from factoryops.domain.time import from_us, now_us, to_us

AUTHORITY_DAYS: Final = 3_650
CERTIFICATE_DAYS: Final = 397
"""Some systems refuse server certificates that are good for longer."""

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_BACKDATED: Final = timedelta(hours=1)
"""Devices' clocks are often behind."""
_USAGE: Final = {
    Purpose.SERVER: ExtendedKeyUsageOID.SERVER_AUTH,
    Purpose.CLIENT: ExtendedKeyUsageOID.CLIENT_AUTH,
}


class Authority:
    """An authority that exists; see `create_authority`.

    Raises:
        SetupError: there is none in the folder, its files cannot be used, or others may read its key.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        if not (folder / "ca.pem").exists():
            raise SetupError(f"There is no authority in {folder}. Make one with: certificate create-ca")
        key_text = read_private(folder / "ca.key")
        try:
            self._certificate = x509.load_pem_x509_certificate((folder / "ca.pem").read_bytes())
            key = serialization.load_pem_private_key(key_text, None)
        except (OSError, ValueError) as error:
            raise SetupError(f"The authority in {folder} cannot be read: restore ca.pem and ca.key.") from error
        if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != self._certificate.public_key():
            raise SetupError(f"ca.pem and ca.key in {folder} do not belong together: restore both.")
        self._key = key
        self._ledger = IssuedLedger(folder / "issued.json")

    @property
    def ca_file(self) -> Path:
        """Whom to trust: what clients, devices and brokers are given."""
        return self._folder / "ca.pem"

    @property
    def crl_file(self) -> Path:
        """What was revoked."""
        return self._folder / "crl.pem"

    @property
    def facts(self) -> CertificateFacts:
        """The authority's own certificate."""
        return facts_of(self._certificate)

    def certificate_file(self, name: str) -> Path:
        """The certificate of a name, the authority's own left out."""
        return self._folder / "issued" / name / "certificate.pem"

    def key_file(self, name: str) -> Path:
        """Its key."""
        return self._folder / "issued" / name / "key.pem"

    def listed(self) -> tuple[Issued, ...]:
        """The newest certificate of each name."""
        return self._ledger.current()

    def issue(
        self, name: str, purpose: Purpose, hosts: Sequence[str] = (), *, valid_days: int = CERTIFICATE_DAYS
    ) -> Issued:
        """Make a key and a certificate for it.

        Args:
            name: its name here; for a client also the user name a broker reads from it.
            purpose: for a server or for a client.
            hosts: the names and addresses clients connect to; a server needs one at least.
            valid_days: how long it is good, never longer than the authority itself.

        Raises:
            InvalidInputError: the name, a host or the time cannot be used.
            ConflictError: there is a good certificate of that name already.
        """
        _check(name, purpose, hosts, valid_days)
        known = self._ledger.find(name)
        if known is not None and not known.revoked_us:
            raise ConflictError(f"There is a certificate {name} already: renew it, or revoke it first.")
        return self._make(name, purpose, tuple(hosts), valid_days)

    def renew(self, name: str, *, valid_days: int = CERTIFICATE_DAYS) -> Issued:
        """A new key and certificate in place of the old; the old one stays good until it ends or is revoked.

        Raises:
            NotFoundError: nothing good of that name was issued.
        """
        known = self._known(name)
        return self._make(name, known.purpose, known.hosts, valid_days)

    def revoke(self, name: str) -> None:
        """Put every certificate of a name on the list of revoked ones; its files stay.

        Raises:
            NotFoundError: nothing good of that name was issued.
        """
        self._known(name)
        serials = frozenset(one.serial for one in self._ledger.all() if one.name == name)
        self._ledger.mark_revoked(serials, now_us())
        self.write_revoked()

    def write_revoked(self) -> None:
        """Sign the list of revoked certificates anew; good for as long as the authority."""
        moment = from_us(now_us())
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self._certificate.subject)
            .last_update(moment)
            .next_update(self._certificate.not_valid_after_utc)
            .add_extension(x509.CRLNumber(now_us()), critical=False)
            .add_extension(_issuer_key_of(self._certificate), critical=False)
        )
        for one in self._ledger.all():
            if one.revoked_us:
                builder = builder.add_revoked_certificate(_revoked(one))
        signed = builder.sign(self._key, hashes.SHA256())
        replace_file(self.crl_file, signed.public_bytes(serialization.Encoding.PEM), mode=PUBLIC)

    def _known(self, name: str) -> Issued:
        known = self._ledger.find(name)
        if known is None or known.revoked_us:
            raise NotFoundError(f"There is no good certificate {name}: see `certificate list`.")
        return known

    def _make(self, name: str, purpose: Purpose, hosts: tuple[str, ...], valid_days: int) -> Issued:
        key = ec.generate_private_key(ec.SECP256R1())
        starts_at = from_us(now_us()).replace(microsecond=0) - _BACKDATED
        ends_at = min(starts_at + _BACKDATED + timedelta(days=valid_days), self._certificate.not_valid_after_utc)
        builder = (
            _builder(_named(name), self._certificate.subject, key.public_key())
            .not_valid_before(starts_at)
            .not_valid_after(ends_at)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([_USAGE[purpose]]), critical=False)
            .add_extension(_key_usage(is_authority=False), critical=True)
            .add_extension(_issuer_key_of(self._certificate), critical=False)
        )
        if hosts:
            names = x509.SubjectAlternativeName([_general_name(host) for host in hosts])
            builder = builder.add_extension(names, critical=False)
        certificate = builder.sign(self._key, hashes.SHA256())
        issued = Issued(name, purpose, hosts, f"{certificate.serial_number:x}", to_us(starts_at), to_us(ends_at))
        self._ledger.add(issued)
        replace_file(self.key_file(name), _key_text(key))
        replace_file(self.certificate_file(name), certificate.public_bytes(serialization.Encoding.PEM), mode=PUBLIC)
        return issued


def create_authority(folder: Path, *, name: str = "FactoryOps plant CA", valid_days: int = AUTHORITY_DAYS) -> Authority:
    """Make an authority in `folder`.

    Raises:
        ConflictError: there is one: replacing it would cut off everybody who trusts it.
        StorageError: the folder cannot be written.
    """
    if (folder / "ca.pem").exists() or (folder / "ca.key").exists():
        raise ConflictError(f"There is an authority in {folder} already; everybody trusts that one.")
    key = ec.generate_private_key(ec.SECP256R1())
    starts_at = from_us(now_us()).replace(microsecond=0) - _BACKDATED
    certificate = (
        _builder(_named(name), _named(name), key.public_key())
        .not_valid_before(starts_at)
        .not_valid_after(starts_at + timedelta(days=valid_days))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(is_authority=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    replace_file(folder / "ca.key", _key_text(key))
    replace_file(folder / "ca.pem", certificate.public_bytes(serialization.Encoding.PEM), mode=PUBLIC)
    authority = Authority(folder)
    authority.write_revoked()
    return authority


def _check(name: str, purpose: Purpose, hosts: Sequence[str], valid_days: int) -> None:
    if _NAME.fullmatch(name) is None:
        raise InvalidInputError(f"{name} cannot name a certificate: take letters, digits, dots and hyphens.")
    if purpose is Purpose.SERVER and not hosts:
        raise InvalidInputError("A server's certificate needs the name or address that clients connect to: --host.")
    if valid_days < 1:
        raise InvalidInputError("A certificate must be good for a day at least.")
    for host in hosts:
        _general_name(host)


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        pass
    try:
        return x509.DNSName(host.encode("idna").decode("ascii"))
    except UnicodeError as error:
        raise InvalidInputError(f"{host} is neither a host's name nor an address.") from error


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _key_usage(*, is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        encipher_only=False,
        decipher_only=False,
    )


def _issuer_key_of(authority: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    known = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(known)


def _revoked(issued: Issued) -> x509.RevokedCertificate:
    return (
        x509.RevokedCertificateBuilder()
        .serial_number(int(issued.serial, 16))
        .revocation_date(from_us(issued.revoked_us))
        .build()
    )


def _key_text(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
