"""A local certificate authority, and server certificates under it (RFC 5280), on P-384 with SHA-384.

The authority may sign for its hosts alone (critical nameConstraints), and nothing below it may sign at all: whoever
trusts it on his machine trusts it for this region, not for the rest of the world.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

__all__ = ["ALWAYS", "Described", "Pair", "describe", "make_authority", "make_server", "permitted"]

ALWAYS = ("localhost", "127.0.0.1", "::1")
AUTHORITY_DAYS = 3650
SERVER_DAYS = 825  # what Apple's clients accept of an authority of one's own
_EARLIER = timedelta(minutes=5)  # for a client whose clock is a little behind
_MICRO = 1_000_000


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its private key (PKCS #8), both in PEM."""

    certificate: bytes
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Described:
    """A certificate as it is told: names, SHA-256 fingerprint in hex, and its end in microseconds since the epoch."""

    subject: str
    issuer: str
    hosts: tuple[str, ...]
    fingerprint: str
    expires: int


def make_authority(name: str, hosts: tuple[str, ...], now: int) -> Pair:
    """A new authority for `hosts`, and for this machine. Raises ValueError for what is no host."""
    key = ec.generate_private_key(ec.SECP384R1())
    begin = _moment(now)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Casemate local authority: {name}"[:64])])
    usage = _usage(key_cert_sign=True, crl_sign=True)
    made = (
        _begun(subject, subject, key, begin, begin + timedelta(days=AUTHORITY_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.NameConstraints(_ranges(_every(hosts)), None), critical=True)
        .sign(key, SHA384())
    )
    return _pair(made, key)


def make_server(authority: Pair, hosts: tuple[str, ...], now: int) -> Pair:
    """A new key and certificate for the server. Raises ValueError where the authority may not sign for a host."""
    above = x509.load_pem_x509_certificate(authority.certificate)
    signer = load_pem_private_key(authority.key, None)
    if not isinstance(signer, ec.EllipticCurvePrivateKey) or signer.public_key() != above.public_key():
        raise ValueError("the authority's key is not that of its certificate")
    allowed = permitted(authority.certificate)
    every = _every(hosts)
    strangers = [host for host in every if host not in allowed]
    if strangers:
        raise ValueError(f"the authority may not sign for {', '.join(strangers)}")
    key = ec.generate_private_key(ec.SECP384R1())
    begin = _moment(now)
    end = min(begin + timedelta(days=SERVER_DAYS), above.not_valid_after_utc)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, every[0][:64])])
    named = x509.SubjectAlternativeName([_general(host) for host in every])
    made = (
        _begun(subject, above.subject, key, begin, end)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(named, critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        .sign(signer, SHA384())
    )
    return _pair(made, key)


def permitted(certificate: bytes) -> tuple[str, ...]:
    """The hosts that an authority may sign for."""
    above = x509.load_pem_x509_certificate(certificate)
    limits = above.extensions.get_extension_for_class(x509.NameConstraints).value.permitted_subtrees or []
    return tuple(str(each.value).partition("/")[0] for each in limits)


def describe(certificate: bytes) -> Described:
    """A certificate in PEM, as it is told. Raises ValueError."""
    found = x509.load_pem_x509_certificate(certificate)
    try:
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        hosts = tuple(str(each.value) for each in names)
    except x509.ExtensionNotFound:
        hosts = ()
    return Described(
        subject=found.subject.rfc4514_string(),
        issuer=found.issuer.rfc4514_string(),
        hosts=hosts,
        fingerprint=found.fingerprint(SHA256()).hex(),
        expires=int(found.not_valid_after_utc.timestamp() * _MICRO),
    )


def _every(hosts: tuple[str, ...]) -> tuple[str, ...]:
    """The hosts and this machine, each once, in one spelling."""
    spelled = [str(_general(host.strip().lower()).value) for host in (*hosts, *ALWAYS)]
    return tuple(dict.fromkeys(spelled))


def _general(host: str) -> x509.IPAddress | x509.DNSName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        labels = host.split(".")
        right = all(part and part.replace("-", "").isalnum() and len(part) < 64 for part in labels)
        if not right or not host.isascii() or len(host) > 253:
            raise ValueError(f"{host!r} is neither the name of a host nor an address") from None
        return x509.DNSName(host)


def _ranges(hosts: tuple[str, ...]) -> list[x509.GeneralName]:
    general = [_general(host) for host in hosts]
    return [
        x509.IPAddress(ipaddress.ip_network(each.value)) if isinstance(each, x509.IPAddress) else each
        for each in general
    ]


def _begun(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, begin: datetime, end: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin - _EARLIER)
        .not_valid_after(end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        encipher_only=False,
        decipher_only=False,
    )


def _pair(made: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> Pair:
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return Pair(made.public_bytes(Encoding.PEM), private)


def _moment(now: int) -> datetime:
    return datetime.fromtimestamp(now // _MICRO, UTC)
