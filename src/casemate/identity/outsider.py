"""Who somebody is to an authority outside: the subject of a sign-in provider's token, or of a certificate.

It is a name and nothing else. What it may do here is said by a binding to a principal, or by a signed attribute file.
"""

from __future__ import annotations

from dataclasses import dataclass

from casemate.errors import BadInput

__all__ = ["SCHEMES", "Outsider"]

SCHEMES = ("oidc", "certificate", "fingerprint")
LIMIT = 1024


@dataclass(frozen=True, slots=True)
class Outsider:
    """`scheme` oidc: issuer URL and subject; certificate: both names (RFC 4514); fingerprint: SHA-256 in hex alone."""

    scheme: str
    issuer: str
    subject: str

    def __post_init__(self) -> None:
        for text in (self.issuer, self.subject):
            if not text.isprintable() or len(text) > LIMIT:
                raise BadInput(what=f"The name of an issuer or subject has at most {LIMIT} printable characters.")
        if self.scheme not in SCHEMES or not self.subject or bool(self.issuer) is (self.scheme == "fingerprint"):
            raise BadInput(what=f"Somebody outside is named by {', '.join(SCHEMES)}, an issuer and a subject.")

    @property
    def text(self) -> str:
        """One text for each name, and no other name's: the parts hold no control character."""
        return "\x00".join((self.scheme, self.issuer, self.subject))
