"""A key in a file: what opens it, and what does not."""

from __future__ import annotations

import pytest

from casemate.crypto.locked import LEAST, is_locked, lock, unlock
from casemate.errors import BadInput

KEY = bytes(range(32))


def test_a_locked_key_opens_with_its_passphrase_alone() -> None:
    raw = lock(KEY, "caf\u00e9 noir", LEAST)
    assert is_locked(raw)
    assert KEY not in raw
    assert unlock(raw, "cafe\u0301 noir") == KEY
    for wrong in ("cafe noir", "", "caf\u00e9 noir "):
        with pytest.raises(BadInput, match="passphrase"):
            unlock(raw, wrong)


def test_a_bare_key_is_itself() -> None:
    assert lock(KEY, "") == KEY
    assert unlock(KEY, "") == KEY
    assert not is_locked(KEY)


@pytest.mark.parametrize("at", [23, 24, 39, 40, 60, -1])
def test_a_changed_byte_is_seen(at: int) -> None:
    raw = bytearray(lock(KEY, "word", LEAST))
    raw[at] ^= 1
    with pytest.raises(BadInput):
        unlock(bytes(raw), "word")


@pytest.mark.parametrize("work", [0, LEAST - 1, 21, 63, 255])
def test_a_file_that_asks_for_too_little_or_too_much_work_is_refused(work: int) -> None:
    raw = bytearray(lock(KEY, "word", LEAST))
    raw[23] = work
    with pytest.raises(BadInput, match="no private key"):
        unlock(bytes(raw), "word")


@pytest.mark.parametrize(
    "raw", [b"", b"short", b"x" * 33, b"casemate locked key v1\n", b"casemate locked key v1\n\x0e"]
)
def test_what_is_no_key(raw: bytes) -> None:
    with pytest.raises(BadInput, match="no private key"):
        unlock(raw, "word")
