"""The keys of a sender's people in a channel, and the roots that say whose signatures a bundle needs.

Each person who has to sign or to approve has a key of the channel's own; all of them lie in its sealed record, and one
is used only once somebody has said so. It must never decide who may: that is the gate's.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from casemate.access import Flow
from casemate.crypto import KeySigner, generate
from casemate.errors import BadInput
from casemate.transfer.bundle.face import Role
from casemate.transfer.bundle.roles import ROLES, make_root
from casemate.transfer.region.channel import ChannelRecord

__all__ = ["MOST_PEOPLE", "Seats", "drawn", "root_of", "signing_of"]

MOST_PEOPLE = 6
"""Who sign and who approve, together: with the keys of the root before, twelve signatures, which is what fits."""
YEAR = 366 * 86_400 * 1_000_000
ROOT_LASTS = 10 * YEAR


@dataclass(frozen=True, slots=True)
class Seats:
    """Private keys: of those who sign, of those who approve, and of the four roles."""

    signers: tuple[bytes, ...] = field(repr=False)
    approvers: tuple[bytes, ...] = field(repr=False)
    roles: bytes = field(repr=False)


def drawn(flow: Flow, name: str, signatures: int, approvals: int) -> Seats:
    """New keys for so many people. Raises BadInput."""
    if not 0 < signatures <= MOST_PEOPLE or not 0 <= approvals <= MOST_PEOPLE - signatures:
        raise BadInput(what=f"A bundle is signed by 1 person or more; {MOST_PEOPLE} sign and approve it at most.")
    entropy, scope = flow.gate.vault.entropy, f"channel/{flow.access.id}/{name}"

    def several(count: int) -> tuple[bytes, ...]:
        return tuple(generate("hybrid", entropy.draw(scope, 64)) for _ in range(count))

    signers = several(signatures)
    roles = generate("cnsa2", entropy.draw(scope, 64))
    return Seats(signers, several(approvals), roles)


def root_of(channel: bytes, version: int, now: int, seats: Seats, before: bytes = b"") -> str:
    """A root by which all of these have to sign. `before`: the key of the roles of the root before, which signs too."""
    keys = [KeySigner(each) for each in (seats.roles, before) if each]
    people = [tuple(KeySigner(each).public for each in group) for group in (seats.signers, seats.approvers)]
    needed = [(publics, len(publics)) for publics in people]
    each = dict.fromkeys(ROLES, ((keys[0].public,), 1))
    return make_root(channel, version, now + ROOT_LASTS, each, needed[0], needed[1], keys).decode()


def signing_of(record: ChannelRecord) -> list[tuple[Role, bytes]]:
    """The keys that sign a bundle, once everybody has said so: of this root, and of the one before."""
    signers = (record.signing, *record.others, *record.former)
    approvers = (*record.approving, *record.former_approving)
    return [*(("signer", each) for each in signers), *(("approver", each) for each in approvers)]
