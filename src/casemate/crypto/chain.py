"""Whether a certificate comes from an authority that this region names, and stands at a moment (RFC 5280). Pure.

The rules, all of which must hold for each certificate on the way up:
1. it is signed by the next one, which stands in the authorities' file; the last is signed by itself;
2. the moment lies within its validity;
3. an authority is one (basicConstraints, keyCertSign), and has no more below it than it allows;
4. no critical extension is one that nobody here looks at;
5. where revocation lists are given, its issuer has a current one, signed by it, and no current one lists it.
A client's own certificate is for clients (extendedKeyUsage), where it says what it is for. What cannot be decided is
no.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

__all__ = ["Anchors"]

T = TypeVar("T", bound=x509.ExtensionType)
DEEPEST = 5
_MICRO = 1_000_000
_UNDERSTOOD = frozenset(
    {
        x509.BasicConstraints.oid,
        x509.KeyUsage.oid,
        x509.ExtendedKeyUsage.oid,
        x509.SubjectAlternativeName.oid,
        x509.CertificatePolicies.oid,
    }
)
_SIGNERS = (rsa.RSAPublicKey, ec.EllipticCurvePublicKey, ed25519.Ed25519PublicKey, ed448.Ed448PublicKey)
_CANNOT = (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm, x509.DuplicateExtension)


class Anchors:
    """The authorities whose certificates are believed, and what they have revoked."""

    def __init__(self, authorities: bytes, revoked: bytes | None = None) -> None:
        """Both in PEM, one or many; without `revoked` nothing is looked up. Raises ValueError."""
        self._authorities = x509.load_pem_x509_certificates(authorities)
        self._lists = None if revoked is None else _lists(revoked)

    def stands(self, der: bytes, now: int) -> bool:
        """Whether that client's certificate is good at `now`, in microseconds since the epoch."""
        moment = datetime.fromtimestamp(now / _MICRO, UTC)
        try:
            leaf = x509.load_der_x509_certificate(der)
            return _for_clients(leaf) and self._climbs(leaf, moment, 0)
        except _CANNOT:
            return False

    def _climbs(self, below: x509.Certificate, moment: datetime, depth: int) -> bool:
        """Whether one of the authorities signed it, and is itself good, up to one that signed itself."""
        if depth >= DEEPEST or not _holds(below, moment) or not _plain(below):
            return False
        for above in self._authorities:
            if not _signed(below, above) or not _may_sign(above, depth) or not self._current(below, above, moment):
                continue
            root = above.subject == above.issuer and _signed(above, above)
            if (_holds(above, moment) and _plain(above)) if root else self._climbs(above, moment, depth + 1):
                return True
        return False

    def _current(self, below: x509.Certificate, above: x509.Certificate, moment: datetime) -> bool:
        """Rule 5. Without lists every certificate is current; with them, a missing or old list is a no."""
        if self._lists is None:
            return True
        current = False
        for each in self._lists:
            if each.issuer != above.subject or not _list_signed(each, above):
                continue
            ends = each.next_update_utc
            if ends is None or not each.last_update_utc <= moment < ends:
                continue
            if each.get_revoked_certificate_by_serial_number(below.serial_number) is not None:
                return False
            current = True
        return current


def _lists(pem: bytes) -> list[x509.CertificateRevocationList]:
    """Every list in the bytes; a list for some certificates only says nothing of the others, and is refused."""
    end = b"-----END X509 CRL-----"
    found = [x509.load_pem_x509_crl(part.strip() + b"\n" + end + b"\n") for part in pem.split(end)[:-1]]
    if not found:
        raise ValueError("no revocation list stands in it")
    for each in found:
        if any(extension.critical for extension in each.extensions):
            raise ValueError("a revocation list that does not speak of all certificates of its issuer")
    return found


def _holds(found: x509.Certificate, moment: datetime) -> bool:
    return found.not_valid_before_utc <= moment <= found.not_valid_after_utc


def _plain(found: x509.Certificate) -> bool:
    return all(not each.critical or each.oid in _UNDERSTOOD for each in found.extensions)


def _signed(below: x509.Certificate, above: x509.Certificate) -> bool:
    try:
        below.verify_directly_issued_by(above)
    except _CANNOT:
        return False
    return True


def _list_signed(each: x509.CertificateRevocationList, above: x509.Certificate) -> bool:
    key = above.public_key()
    return isinstance(key, _SIGNERS) and each.is_signature_valid(key) and _uses(above, "crl_sign")


def _may_sign(above: x509.Certificate, depth: int) -> bool:
    """`depth` authorities already stand below this one."""
    basic = _extension(above, x509.BasicConstraints)
    if basic is None or not basic.ca or not _uses(above, "key_cert_sign"):
        return False
    return basic.path_length is None or basic.path_length >= depth


def _for_clients(leaf: x509.Certificate) -> bool:
    basic = _extension(leaf, x509.BasicConstraints)
    if basic is not None and basic.ca:
        return False
    purposes = _extension(leaf, x509.ExtendedKeyUsage)
    usual: Iterable[x509.ObjectIdentifier] = (
        ExtendedKeyUsageOID.CLIENT_AUTH,
        ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
    )
    return (purposes is None or any(each in purposes for each in usual)) and _uses(leaf, "digital_signature")


def _uses(found: x509.Certificate, what: str) -> bool:
    usage = _extension(found, x509.KeyUsage)
    return usage is None or bool(getattr(usage, what))


def _extension(found: x509.Certificate, kind: type[T]) -> T | None:
    try:
        return found.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None
