"""Admission by a client's certificate: judged anew at each request, since a connection outlives a revocation."""

from __future__ import annotations

from casemate.access.vault import Vault
from casemate.errors import BadInput, Unauthenticated
from casemate.identity.certificate import Certificate
from casemate.identity.outsider import Outsider

__all__ = ["named"]


def named(vault: Vault, shown: Certificate) -> tuple[str, tuple[Outsider, ...]]:
    """What a session's id is derived from, and who the certificate says that he is. Raises Unauthenticated."""
    anchors = vault.trust.anchors()
    if anchors is None or not anchors.stands(shown.der, vault.clock.now()):
        raise Unauthenticated
    try:
        return f"crt_{shown.fingerprint}", shown.outsiders()
    except BadInput:
        raise Unauthenticated from None
