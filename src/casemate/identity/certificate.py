"""A client's certificate as the end of a connection shows it (mutual TLS, RFC 8446 section 4.4.2). Pure.

The TLS layer has seen that the client holds its key. Whether its authority is believed, whether it stands now and whose
it is are the gate's to say, at each request: a connection outlives a revocation.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from casemate.errors import BadInput, Unauthenticated
from casemate.identity.outsider import Outsider

__all__ = ["Certificate", "from_pem", "shown"]

LIMIT = 64 << 10  # bytes


@dataclass(frozen=True, slots=True)
class Certificate:
    """Names in RFC 4514's form, alternative names as text, SHA-256 fingerprint in hex, and the certificate in DER."""

    issuer: str
    subject: str
    alternative: tuple[str, ...]
    fingerprint: str
    der: bytes = field(repr=False)

    def outsiders(self) -> tuple[Outsider, ...]:
        """How it can be bound: by itself, then by its names. Raises BadInput where a name cannot be told."""
        own = Outsider("fingerprint", "", self.fingerprint)
        return (own, Outsider("certificate", self.issuer, self.subject)) if self.subject and self.issuer else (own,)


def shown(der: bytes) -> Certificate:
    """The certificate in DER. Raises Unauthenticated where it cannot be read."""
    try:
        if len(der) > LIMIT:
            raise ValueError("too long")
        return _told(x509.load_der_x509_certificate(der), der)
    except (ValueError, x509.DuplicateExtension):
        raise Unauthenticated from None


def from_pem(pem: bytes) -> Certificate:
    """The one certificate in PEM, as an officer gives it to bind it. Raises BadInput."""
    try:
        (found,) = x509.load_pem_x509_certificates(pem)
        return _told(found, found.public_bytes(Encoding.DER))
    except (ValueError, x509.DuplicateExtension):
        raise BadInput(what="There is not exactly one certificate (PEM) in it.") from None


def _told(found: x509.Certificate, der: bytes) -> Certificate:
    issuer, subject = found.issuer.rfc4514_string(), found.subject.rfc4514_string()
    return Certificate(issuer, subject, _alternative(found), found.fingerprint(SHA256()).hex(), der)


def _alternative(found: x509.Certificate) -> tuple[str, ...]:
    """Alternative names as text; of another form (a CAC's UPN) as its object identifier and bytes in hex."""
    try:
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(
        f"{each.type_id.dotted_string}:{each.value.hex()}" if isinstance(each, x509.OtherName) else str(each.value)
        for each in names
    )
