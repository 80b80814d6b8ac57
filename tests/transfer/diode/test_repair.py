"""Repair: the rule is kept, any K and a few restore the block, and a panic of the decoder stays inside."""

from __future__ import annotations

import random
from math import sqrt

import pytest
import raptorq
from hypothesis import given, settings
from hypothesis import strategies as st

from casemate.transfer.diode import encoded, overhead, repair_of, source_symbols
from casemate.transfer.diode.repair import Restoring, most_symbols


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 20_000), st.floats(0, 0.5))
def test_the_rule_of_six_sigma(symbols: int, loss: float) -> None:
    repair = repair_of(symbols, loss)

    def needed(more: int) -> float:
        sent = symbols + more
        return sent * loss + 6 * sqrt(sent * loss * (1 - loss)) + 2

    assert repair >= needed(repair)
    assert repair == 2 or repair - 1 < needed(repair - 1), "and not one more"


def test_what_it_costs_at_two_of_a_hundred() -> None:
    assert 0.055 < overhead(1 << 20, 1400, 0.02) < 0.06
    assert 0.10 < overhead(1 << 20, 8192, 0.02) < 0.13


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 20_000), st.sampled_from([64, 200, 1400, 8192]), st.integers(0, 2**32))
def test_any_symbols_restore_the_block(size: int, symbol: int, seed: int) -> None:
    draw = random.Random(seed)
    data = draw.randbytes(size)
    symbols = source_symbols(size, symbol)
    packets = encoded(data, symbol, 12)
    assert len(packets) == symbols + 12 <= most_symbols(size, symbol) + 12
    draw.shuffle(packets)
    block = Restoring(size, symbol)
    found = None
    for packet in packets[: symbols + 3]:
        assert block.take(packet) is None if found is not None else True
        found = block.take(packet) if found is None else found
        assert block.take(packet) is None or found is not None
        if found is not None:
            break
    assert found == data


def test_all_of_its_own_symbols_need_no_decoder(monkeypatch: pytest.MonkeyPatch) -> None:
    data = random.Random(1).randbytes(5000)
    packets = encoded(data, 1400, 0)
    monkeypatch.setattr(raptorq, "Decoder", None)
    block = Restoring(5000, 1400)
    assert [block.take(packet) for packet in reversed(packets)] == [None, None, None, data]
    assert len(block) == 4


@pytest.mark.parametrize("packet", [b"", b"\0" * 67, b"\0" * 69, b"\1" + b"\0" * 67])
def test_a_packet_of_another_form_never_reaches_the_decoder(packet: bytes) -> None:
    with pytest.raises(ValueError, match="not a packet"):
        Restoring(100, 64).take(packet)


class Panicking:
    """Stands for the library's decoder."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def with_defaults(self, size: int, symbol: int) -> Panicking:
        return self

    def decode(self, packet: bytes) -> bytes:
        raise self.error


def real_panic() -> BaseException:
    """One that the library itself raises: a packet that is too short."""
    try:
        raptorq.Decoder.with_defaults(1000, 64).decode(b"")
    except BaseException as panic:  # noqa: BLE001 - that it is one is what is tested
        return panic
    raise AssertionError("the library no longer panics: the comment in repair.py is out of date")


def test_a_panic_of_the_decoder_is_a_block_that_cannot_be_restored(monkeypatch: pytest.MonkeyPatch) -> None:
    panic = real_panic()
    assert not isinstance(panic, Exception)
    monkeypatch.setattr(raptorq, "Decoder", Panicking(panic))
    block = Restoring(64, 64)
    with pytest.raises(ArithmeticError):
        block.take(b"\0\0\0\1" + bytes(64))
    for other in (KeyboardInterrupt(), MemoryError()):
        monkeypatch.setattr(raptorq, "Decoder", Panicking(other))
        with pytest.raises(type(other)):
            Restoring(64, 64).take(b"\0\0\0\1" + bytes(64))
