"""Certificates for tests: authorities, leaves and revocation lists, right and wrong."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CLIENT = ExtendedKeyUsageOID.CLIENT_AUTH


def name_of(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def usage(**more: bool) -> x509.KeyUsage:
    names = (
        "digital_signature content_commitment key_encipherment data_encipherment key_agreement key_cert_sign crl_sign "
        "encipher_only decipher_only"
    ).split()
    return x509.KeyUsage(**{name: more.get(name, False) for name in names})


class Made:
    """A certificate and its key."""

    def __init__(self, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
        self.certificate, self.key = certificate, key

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def key_pem(self) -> bytes:
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def make(
    name: str,
    above: Made | None = None,
    *,
    now: float,
    ca: bool = False,
    days: int = 30,
    begins: int = -1,
    depth: int | None = None,
    purpose: x509.ObjectIdentifier | None = CLIENT,
    signs: bool = True,
    extra: x509.ExtensionType | None = None,
    basic: bool = True,
    alternative: list[x509.GeneralName] | None = None,
) -> Made:
    """A certificate under `above`, or signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    moment = datetime.fromtimestamp(now, UTC)
    issuer = above.certificate.subject if above else name_of(name)
    made: Any = (
        x509.CertificateBuilder()
        .subject_name(name_of(name))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(moment + timedelta(days=begins))
        .not_valid_after(moment + timedelta(days=days))
    )
    if basic:
        made = made.add_extension(x509.BasicConstraints(ca=ca, path_length=depth), critical=True)
    kinds = {"key_cert_sign": signs, "crl_sign": signs} if ca else {"digital_signature": signs}
    made = made.add_extension(usage(**kinds), critical=True)
    if not ca and purpose is not None:
        made = made.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
    if extra is not None:
        made = made.add_extension(extra, critical=True)
    if alternative:
        made = made.add_extension(x509.SubjectAlternativeName(alternative), critical=False)
    return Made(made.sign(above.key if above else key, SHA256()), key)


def revoked(above: Made, *gone: Made, now: float, days: int = 7, begins: int = -1, key: Any = None) -> bytes:
    """A revocation list of an authority."""
    moment = datetime.fromtimestamp(now, UTC)
    made = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(above.certificate.subject)
        .last_update(moment + timedelta(days=begins))
        .next_update(moment + timedelta(days=days))
    )
    for each in gone:
        entry = x509.RevokedCertificateBuilder().serial_number(each.certificate.serial_number).revocation_date(moment)
        made = made.add_revoked_certificate(entry.build())
    return made.sign(key or above.key, SHA256()).public_bytes(Encoding.PEM)
