"""A key under another's: what opens it, in each suite, and what does not."""

from __future__ import annotations

import pytest

from casemate.crypto import Keeper, Recipient, WrapProfile, generate_keeper
from casemate.errors import Damaged

KEY = bytes(range(32))
SIZES: dict[WrapProfile, tuple[int, int, int, int]] = {"hybrid": (112, 1665, 1714, 1), "cnsa2": (64, 1568, 1617, 2)}


@pytest.mark.parametrize("profile", SIZES)
def test_it_opens_for_its_holder_and_context_alone(profile: WrapProfile) -> None:
    private = generate_keeper(profile)
    keeper, other = Keeper(private), Keeper(generate_keeper(profile))
    wrapped = Recipient(keeper.recipient.public).wrap(KEY, b"class_a")
    assert (len(private), len(keeper.recipient.public), len(wrapped), wrapped[0]) == SIZES[profile]
    assert keeper.unwrap(wrapped, b"class_a") == KEY
    assert KEY not in wrapped
    assert wrapped != keeper.recipient.wrap(KEY, b"class_a")
    with pytest.raises(Damaged):
        keeper.unwrap(wrapped, b"class_b")
    with pytest.raises(Damaged):
        other.unwrap(wrapped, b"class_a")
    assert keeper.recipient.name.startswith(f"{profile}-")
    assert keeper.recipient.name != other.recipient.name


@pytest.mark.parametrize("profile", SIZES)
def test_a_changed_byte_is_seen(profile: WrapProfile) -> None:
    keeper = Keeper(generate_keeper(profile))
    wrapped = keeper.recipient.wrap(KEY, b"c")
    for at in (0, 1, 500, 1568, len(wrapped) - 1):
        changed = bytearray(wrapped)
        changed[at] ^= 1
        with pytest.raises(Damaged):
            keeper.unwrap(bytes(changed), b"c")
    for cut in (b"", wrapped[:1], wrapped[:-1], wrapped + b"\0"):
        with pytest.raises(Damaged):
            keeper.unwrap(cut, b"c")


def test_what_is_wrapped_in_one_suite_does_not_open_in_the_other() -> None:
    seed = generate_keeper("cnsa2")
    hybrid = Keeper(seed + (7).to_bytes(48, "big"))
    with pytest.raises(Damaged):
        hybrid.unwrap(Keeper(seed).recipient.wrap(KEY, b"c"), b"c")


@pytest.mark.parametrize("private", [b"", bytes(32), bytes(63), bytes(112), bytes(64) + b"\xff" * 48, bytes(113)])
def test_what_is_no_private_key(private: bytes) -> None:
    with pytest.raises(Damaged):
        Keeper(private)


@pytest.mark.parametrize("public", [b"", bytes(32), b"\xff" * 1568, bytes(1665), bytes(1666)])
def test_what_is_no_public_key(public: bytes) -> None:
    with pytest.raises(Damaged):
        Recipient(public)
