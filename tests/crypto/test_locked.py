"""A key in a file: what opens it, and what does not."""

from __future__ import annotations

import pytest

from casemate.crypto.locked import Work, is_locked, lock, unlock
from casemate.errors import BadInput

KEY = bytes(range(32))
LEAST = Work(1, 10, 1)
HEAD = b"casemate locked key "
OLD = HEAD + b"v1\n\x0e"  # scrypt at 2**14, as files were locked before: "word" opens it


def test_a_locked_key_opens_with_its_passphrase_alone() -> None:
    raw = lock(KEY, "caf\u00e9 noir", LEAST)
    assert is_locked(raw)
    assert KEY not in raw
    assert unlock(raw, "cafe\u0301 noir") == KEY
    for wrong in ("cafe noir", "", "caf\u00e9 noir "):
        with pytest.raises(BadInput, match="passphrase"):
            unlock(raw, wrong)


def test_a_longer_key_is_locked_as_well_and_opens_as_what_it_is_alone() -> None:
    raw = lock(KEY * 2, "word", LEAST)
    assert unlock(raw, "word", (64, 112)) == KEY * 2
    with pytest.raises(BadInput, match="no private key"):
        unlock(raw, "word")


def test_a_bare_key_is_itself() -> None:
    assert lock(KEY, "") == KEY
    assert unlock(KEY, "") == KEY
    assert not is_locked(KEY)


def test_what_a_guess_costs_by_itself_is_the_second_choice_of_rfc_9106() -> None:
    raw = lock(KEY, "word")
    assert raw[23:26] == bytes([3, 16, 4])
    assert unlock(raw, "word") == KEY


def test_a_file_of_the_older_form_opens() -> None:
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    from casemate.crypto import encrypt

    head = OLD + bytes(range(16))
    raw = head + encrypt(Scrypt(salt=head[-16:], length=32, n=1 << 14, r=8, p=1).derive(b"word"), KEY, head)
    assert is_locked(raw)
    assert unlock(raw, "word") == KEY
    with pytest.raises(BadInput, match="passphrase"):
        unlock(raw, "sword")
    for work in (0, 13, 21, 255):
        with pytest.raises(BadInput, match="no private key"):
            unlock(raw[:23] + bytes([work]) + raw[24:], "word")


@pytest.mark.parametrize("at", [22, 26, 40, 42, 43, 60, -1])
def test_a_changed_byte_is_seen(at: int) -> None:
    raw = bytearray(lock(KEY, "word", LEAST))
    raw[at] ^= 1
    with pytest.raises(BadInput):
        unlock(bytes(raw), "word")


@pytest.mark.parametrize("work", [(0, 10, 1), (17, 10, 1), (1, 9, 1), (1, 21, 1), (1, 255, 1), (1, 10, 0), (1, 10, 17)])
def test_a_file_that_asks_for_too_little_or_too_much_work_is_refused(work: tuple[int, int, int]) -> None:
    raw = bytearray(lock(KEY, "word", LEAST))
    raw[23:26] = bytes(work)
    with pytest.raises(BadInput, match="no private key"):
        unlock(bytes(raw), "word")


@pytest.mark.parametrize(
    "raw", [b"", b"short", b"x" * 33, *(HEAD + end for end in (b"v1\n", b"v1\n\x0e", b"v2\n", b"v2\n\1"))]
)
def test_what_is_no_key(raw: bytes) -> None:
    with pytest.raises(BadInput, match="no private key"):
        unlock(raw, "word")
