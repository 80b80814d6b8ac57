"""The folder of a channel on the side that sends: founded once, its trust renewed by new roots.

channel.json   who, where, which label, whose keys       roots/N.root.json   whom the channel trusts
roles/*.key    the keys of the four roles                sent.json           the last that was made
state.json     what the other side begins with: carried there once, by hand
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta

from casemate.crypto import KeySigner, Recipient, generate, is_public_key
from casemate.crypto.locked import lock
from casemate.engines.files_publish import publish
from casemate.errors import BadInput, Conflict
from casemate.ids import Entropy, SystemEntropy
from casemate.labels import Policies
from casemate.transfer.bundle import ROLES, Trust, chained, make_root, read_root, strict
from casemate.transfer.lattice import lattice_of
from casemate.transfer.state import State, read_state, written

__all__ = ["Channel", "Order", "Sent", "alone", "channel_in", "file_of", "found", "read_file", "rotated", "trusted"]

_MOST_CHANNEL = 1 << 20
_YEAR = 366 * 86_400 * 1_000_000
_T = TypeVar("_T")
Hex = Annotated[str, Meta(pattern=r"^[0-9a-f]+\Z")]


class Channel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A channel as its sender keeps it. `label` in canonical text; `recipients`: public keys in hexadecimal."""

    channel: str
    source: str
    destination: str
    label: str
    banner: str
    profile: Literal["hybrid", "cnsa2"]
    recipients: tuple[Hex, ...]
    policies: tuple[str, ...]


class Sent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    sequence: int = 0
    previous: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """A channel that is to be: labels as somebody wrote them, public keys in bytes."""

    source: str
    destination: str
    label: str
    floor: str
    ceiling: str
    policies: tuple[str, ...]
    profile: Literal["hybrid", "cnsa2"]
    recipients: tuple[bytes, ...]
    signers: tuple[bytes, ...]
    approvers: tuple[bytes, ...]
    needed: tuple[int, int]


def found(folder: Path, order: Order, passphrase: str, now: int, entropy: Entropy | None = None) -> Channel:
    """A new channel with keys for its roles; those are locked with `passphrase`, "" leaves them bare.

    Raises BadInput, MarkingError, Conflict where the folder is there.
    """
    policies = Policies.load(order.policies)
    label, floor, ceiling = (policies.parse(each) for each in (order.label, order.floor, order.ceiling))
    if not label <= ceiling or not floor <= ceiling:
        raise BadInput(what="floor, label and ceiling")
    _trusted(order.profile, (order.signers, order.approvers), order.needed)
    if not order.recipients:
        raise BadInput(what="fewer keys than are needed")
    id = (entropy or SystemEntropy()).draw("channel")
    privates = {name: generate("cnsa2") for name in ROLES}
    keys = {name: KeySigner(raw) for name, raw in privates.items()}
    root = make_root(
        id,
        1,
        now + 5 * _YEAR,
        {name: ([key.public], 1) for name, key in keys.items()},
        (order.signers, order.needed[0]),
        (order.approvers, order.needed[1]),
        [keys["root"]],
    )
    recipients = tuple(Recipient(each).public.hex() for each in order.recipients)
    banner = policies.banner(label)
    made = Channel(
        id.hex(), order.source, order.destination, label.text, banner, order.profile, recipients, order.policies
    )
    state = State(
        made.channel,
        order.source,
        order.destination,
        label.text,
        banner,
        floor.text,
        ceiling.text,
        lattice_of(policies),
        root.decode(),
    )
    try:
        folder.mkdir(mode=0o700)
        (folder / "roles").mkdir(mode=0o700)
        (folder / "roots").mkdir(mode=0o700)
    except FileExistsError:
        raise Conflict(what=str(folder)) from None
    for name, raw in privates.items():
        publish(folder / "roles" / f"{name}.key", [lock(raw, passphrase)])
    publish(folder / "roots" / "1.root.json", [root])
    publish(folder / "sent.json", [file_of(Sent())])
    publish(folder / "state.json", [written(state)])
    publish(folder / "channel.json", [file_of(made)])
    return made


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """The channel is nobody else's for the length of a block; whoever comes second waits. Raises OSError.

    So no two bundles get one number, and no new root is passed by.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def channel_in(folder: Path) -> Channel:
    """The channel that is kept in a folder. Raises Damaged, OSError."""
    return read_file(folder / "channel.json", Channel)


def rotated(
    folder: Path,
    signers: Sequence[bytes],
    approvers: Sequence[bytes],
    needed: tuple[int, int],
    unlock: Callable[[Path], bytes],
    now: int,
) -> Trust:
    """The channel's next root, which trusts these. It goes with every bundle from now on, and stands beside them.

    The keys of the roles stay. Raises BadInput.
    """
    with alone(folder):
        channel = channel_in(folder)
        _trusted(channel.profile, (tuple(signers), tuple(approvers)), needed)
        keys = {name: KeySigner(unlock(folder / "roles" / f"{name}.key")) for name in ROLES}
        last = max(int(path.name.partition(".")[0]) for path in (folder / "roots").glob("*.root.json"))
        raw = make_root(
            bytes.fromhex(channel.channel),
            last + 1,
            now + 5 * _YEAR,
            {name: ([key.public], 1) for name, key in keys.items()},
            (signers, needed[0]),
            (approvers, needed[1]),
            [keys["root"]],
        )
        publish(folder / "roots" / f"{last + 1}.root.json", [raw])
        return read_root(raw).trust


def trusted(path: Path, roots: Sequence[Path], revoked: Sequence[str]) -> State:
    """A state's file with newer roots that follow from its own, and keys that count no more.

    This is how a channel recovers whose signers' keys are lost: no bundle of theirs is needed. Raises Damaged.
    """
    state = read_state(path.read_bytes())
    chain = {f"{read_root(raw).trust.version}.root.json": raw for raw in (each.read_bytes() for each in roots)}
    newest = chained(state.root.encode(), chain, state.revoked)
    gone = tuple(sorted({*state.revoked, *revoked}))
    after = msgspec.structs.replace(state, root=newest.trust.raw.decode(), revoked=gone)
    publish(path, [written(after)])
    return after


def _trusted(profile: str, groups: tuple[tuple[bytes, ...], tuple[bytes, ...]], needed: tuple[int, int]) -> None:
    """Whether these can be whom a channel trusts. Raises BadInput."""
    size = 2624 if profile == "hybrid" else 2592
    if any(len(each) != size or not is_public_key(each) for group in groups for each in group):
        raise BadInput(what="public key of another profile")
    if any(len(set(group)) < need for group, need in zip(groups, needed, strict=True)):
        raise BadInput(what="fewer keys than are needed")


def read_file(path: Path, shape: type[_T]) -> _T:
    return strict.shaped(strict.read(path.read_bytes(), _MOST_CHANNEL, path.name), shape, path.name)


def file_of(value: Channel | Sent) -> bytes:
    return strict.spelled(msgspec.to_builtins(value))
