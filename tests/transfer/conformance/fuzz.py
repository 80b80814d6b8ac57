"""A target of atheris: `python -m tests.transfer.conformance.fuzz [-runs=N] [FOLDER]`. No test of the suite.

The bytes are a change of a good bundle's area, of its content or of a state; whatever they are, casemate_verify ends in
a verdict or in Unusable, and where it refuses the first verifier does too.
"""

from __future__ import annotations

import io
import sys

import atheris

with atheris.instrument_imports(include=["casemate_verify"]):
    from tests.transfer.conformance.beside import casemate_verify

from tests.transfer.conformance.both import both_say
from tests.transfer.conformance.forge import AREA, NOW, Bundle, opener_bytes, state_of

GOOD = Bundle().make()
STATE = state_of()


def one_input(data: bytes) -> None:
    """One try: its first byte says what is changed, the next four where."""
    if len(data) < 6:
        return
    kind, place, piece = data[0] % 4, int.from_bytes(data[1:5], "big"), data[5:]
    if kind == 0:
        _state(piece)
    elif kind == 1:
        _state(_put(STATE, place, piece))
    elif kind == 2:
        raw = _put(GOOD[:AREA], place % 6000, piece)[:AREA] + GOOD[AREA:]
        both_say(raw, STATE)
    else:
        both_say(
            Bundle(bends={"content": lambda content: _put(content, place % 80_000, piece)[: len(content)]}).make(),
            STATE,
        )


def _put(raw: bytes, place: int, piece: bytes) -> bytes:
    at = place % len(raw)
    return raw[:at] + piece + raw[at + len(piece) :]


def _state(raw: bytes) -> None:
    try:
        known = casemate_verify.read_state(raw)
    except casemate_verify.Unusable:
        return
    casemate_verify.verify(io.BytesIO(GOOD), known, NOW, casemate_verify.Opener(opener_bytes()))


def main() -> None:
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
