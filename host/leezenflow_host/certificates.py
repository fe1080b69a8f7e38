# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small authority for one broker and its units: X.509 certificates on P-256, which a microcontroller can check.

Every certificate begins when the authority's does. A board without a clock of its own is brought forward to the
authority's beginning before it checks a broker (`leezenflow_device.transports.mqtts`); a broker certificate that is
renewed years later is then still one that a unit without a time server accepts.
"""

import dataclasses
import datetime
import ipaddress
from collections.abc import Iterable, Sequence

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from leezenflow_host.errors import InputError

AUTHORITY_YEARS = 30
CERTIFICATE_YEARS = 15


@dataclasses.dataclass(frozen=True)
class Identity:
    """A certificate and the key it is about."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def certificate_pem(self) -> bytes:
        """The certificate for brokers and laptops."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def certificate_der(self) -> bytes:
        """The certificate for boards."""
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def key_pem(self) -> bytes:
        """The secret key for brokers and laptops."""
        return self._key(serialization.Encoding.PEM)

    @property
    def key_der(self) -> bytes:
        """The secret key for boards."""
        return self._key(serialization.Encoding.DER)

    def _key(self, encoding: serialization.Encoding) -> bytes:
        form = serialization.PrivateFormat.TraditionalOpenSSL
        return self.key.private_bytes(encoding, form, serialization.NoEncryption())


def make_authority(name: str, begins: datetime.datetime) -> Identity:
    """Return a new authority, valid from the day of `begins` (UTC) on."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _name(name)
    day = begins.replace(hour=0, minute=0, second=0, microsecond=0)
    usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
    certificate = (
        _builder(subject, subject, key, day, _years_after(day, AUTHORITY_YEARS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .sign(key, hashes.SHA256())
    )
    return Identity(certificate, key)


def read_authority(certificate_pem: bytes, key_pem: bytes, where: str) -> Identity:
    """Return the authority of these two files; InputError (naming `where`) if they are damaged or strangers."""
    try:
        certificate = x509.load_pem_x509_certificate(certificate_pem)
        key = serialization.load_pem_private_key(key_pem, None)
        certificate.verify_directly_issued_by(certificate)
    except (ValueError, TypeError, InvalidSignature) as error:
        raise InputError(f"{where}: the authority cannot be read ({error}); restore it from your copy.") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        raise InputError(f"{where}: key and certificate of the authority do not belong together; restore your copy.")
    return Identity(certificate, key)


def issue_server(authority: Identity, hosts: Sequence[str], ends: datetime.datetime) -> Identity:
    """Return a certificate for a broker that is reached under these names and IP addresses, valid until `ends`."""
    names = x509.SubjectAlternativeName([_general_name(host) for host in hosts])
    return _issue(authority, hosts[0], ExtendedKeyUsageOID.SERVER_AUTH, ends, names)


def issue_client(authority: Identity, name: str, ends: datetime.datetime) -> Identity:
    """Return a certificate by which a unit or a person proves to be `name`, valid until `ends`."""
    return _issue(authority, name, ExtendedKeyUsageOID.CLIENT_AUTH, ends, None)


def end_of(authority: Identity, now: datetime.datetime) -> datetime.datetime:
    """Return when a certificate made now should end: after CERTIFICATE_YEARS, and never after the authority."""
    return min(_years_after(now, CERTIFICATE_YEARS), authority.certificate.not_valid_after_utc)


def make_revocations(authority: Identity, serials: Iterable[int], now: datetime.datetime) -> bytes:
    """Return the list (PEM) of certificates that no longer count; it holds as long as the authority."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(authority.certificate.subject)
        .last_update(authority.certificate.not_valid_before_utc)
        .next_update(authority.certificate.not_valid_after_utc)
    )
    for serial in serials:
        revoked = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now).build()
        builder = builder.add_revoked_certificate(revoked)
    return builder.sign(authority.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def der_of(text: str) -> bytes | None:
    """Return the DER of a PEM text (certificate or unencrypted key), None if it is neither."""
    data = text.encode()
    try:
        return x509.load_pem_x509_certificate(data).public_bytes(serialization.Encoding.DER)
    except ValueError:
        pass
    try:
        key = serialization.load_pem_private_key(data, None)
    except (ValueError, TypeError):
        return None
    form = serialization.PrivateFormat.TraditionalOpenSSL
    return key.private_bytes(serialization.Encoding.DER, form, serialization.NoEncryption())


def _issue(
    authority: Identity,
    name: str,
    purpose: x509.ObjectIdentifier,
    ends: datetime.datetime,
    names: x509.SubjectAlternativeName | None,
) -> Identity:
    key = ec.generate_private_key(ec.SECP256R1())
    begins = authority.certificate.not_valid_before_utc
    builder = (
        _builder(_name(name), authority.certificate.subject, key, begins, ends)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
    )
    if names is not None:
        builder = builder.add_extension(names, critical=False)
    return Identity(builder.sign(authority.key, hashes.SHA256()), key)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    begins: datetime.datetime,
    ends: datetime.datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
    )


def _years_after(begins: datetime.datetime, years: int) -> datetime.datetime:
    return begins + datetime.timedelta(days=round(years * 365.25))


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        pass
    try:
        return x509.DNSName(host)
    except ValueError:
        raise InputError(f"{host!r} is not a host name; write names with umlauts in their xn-- form.") from None
