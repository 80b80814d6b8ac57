"""Principals, sessions and credentials as pure values: how one proves who he is, never what he may do."""

from __future__ import annotations

from casemate.identity.certificate import Certificate
from casemate.identity.credential import Bearer, Credential, Peer, Signed, SignedHead
from casemate.identity.keys import KeyText, digest_of, make_key, split_key
from casemate.identity.session import ROLES, Principal, Session

__all__ = [
    "ROLES",
    "Bearer",
    "Certificate",
    "Credential",
    "KeyText",
    "Peer",
    "Principal",
    "Session",
    "Signed",
    "SignedHead",
    "digest_of",
    "make_key",
    "split_key",
]
