"""What a caller shows at a door. The door fills one in; the gate judges it."""

from __future__ import annotations

from dataclasses import dataclass, field

from casemate.identity.certificate import Certificate

__all__ = ["Bearer", "Credential", "Peer", "Signed", "SignedHead"]


@dataclass(frozen=True, slots=True)
class Bearer:
    """A secret sent whole: an API key, or the console's cookie (`use` says which it must have been issued for)."""

    secret: str = field(repr=False)
    use: str = "api"


@dataclass(frozen=True, slots=True)
class Signed:
    """A request signed with AWS Signature Version 4: the key's id and what was signed, verified by the gate."""

    key_id: str
    method: str
    raw_path: str
    query: str
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    body: bytes = field(repr=False)
    authorization: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SignedHead:
    """A request whose head is signed as S3 has it, in a header or in its query; the body is held to what that says.

    Header names are in lower case. `authorization` is "" where the signature stands in the query.
    """

    key_id: str
    method: str
    raw_path: str
    query: str = field(repr=False)
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    authorization: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Peer:
    """A process of this machine on the local socket, named by the kernel (SO_PEERCRED), and its language."""

    uid: int
    language: str = "en"


Credential = Bearer | Signed | SignedHead | Peer | Certificate
