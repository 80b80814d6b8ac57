"""A release as it is kept: what went down, on whose approvals, signed by the region that carried it out. Pure.

Whoever holds it and the region's public key can check all of it alone: that the region says so, and that each
approver's key signed a statement of exactly these facts. It lies at the label of the request and says everything;
below lies the released object alone.
"""

from __future__ import annotations

import msgspec

from casemate.crypto import Signer, key_id, verify
from casemate.identity.approval import Statement, signed_by

__all__ = ["Approval", "Release", "sign_release", "verify_release"]

_HEAD = "casemate release v1"


class Approval(msgspec.Struct, frozen=True):
    """One approver's yes: his key's public half and signature in hex, `at` in microseconds."""

    request: str
    approver: str
    name: str
    key: str
    public: str
    signature: str
    at: int


class Release(msgspec.Struct, frozen=True):
    """What was carried out. `statement` is what every approver signed, but for `approver` and `key`, which are "".

    `landed` is kind/id@class of the object that was written below. `key_id` and `signature` are the region's.
    """

    statement: Statement
    approvals: tuple[Approval, ...]
    landed: str
    carried_by: str
    at: int
    key_id: str = ""
    signature: str = ""

    def body(self) -> bytes:
        """The bytes that the region signs: the statement's lines, then one for each approval, then what was done."""
        said = self.statement.body().decode()
        given = "".join(f"approval: {each.approver} {each.key} {each.signature} {each.at}\n" for each in self.approvals)
        done = f"landed: {self.landed}\ncarried by: {self.carried_by}\nat: {self.at}\nregion key: {self.key_id}\n"
        return f"{_HEAD}\n{said}{given}{done}".encode()


def sign_release(signer: Signer, release: Release) -> Release:
    """The release under the region's key."""
    named = msgspec.structs.replace(release, key_id=signer.key_id, signature="")
    return msgspec.structs.replace(named, signature=signer.sign(named.body()).hex())


def verify_release(release: Release, public: bytes) -> bool:
    """Whether the region of that key carried out exactly this, and two different people approved exactly this."""
    try:
        signature, body = bytes.fromhex(release.signature), release.body()
    except ValueError:
        return False
    given = release.approvals
    people, keys = {each.approver for each in given}, {each.public for each in given}
    return (
        not (release.statement.approver or release.statement.key)
        and release.key_id == key_id(public)
        and signature.hex() == release.signature
        and verify(public, body, signature)
        and len(people) == len(keys) == len(given) >= 2
        and release.statement.requester not in people
        and all(_given(release, each) for each in given)
    )


def _given(release: Release, each: Approval) -> bool:
    said = msgspec.structs.replace(release.statement, approver=each.approver, key=each.key)
    return each.request == said.request and signed_by(said, each.public, each.signature)
