"""Targets for a fuzzer: every reader of the link, each of which may refuse by our errors and do nothing else.

python -m tests.transfer.diode.fuzz datagram -max_total_time=60       (atheris; its options as libFuzzer's)
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from casemate.errors import BadInput
from casemate.transfer import diode
from casemate.transfer.diode import MESSAGES, Reader, Receiver, Sessions, Writer
from tests.transfer.diode.sim import KEY, PUBLIC, START, Memory

SYMBOL = 64
SESSION = diode.new_session(b"low1", 1, bytes(8))
SIZES = (1, 64, 65, 200, 1000, 16 << 10, (16 << 10) + 1, 1 << 20, (1 << 20) + 1, 0)


def datagram(data: bytes) -> None:
    assert Reader(KEY, SYMBOL, Sessions()).read(data) is None


def message(data: bytes) -> None:
    try:
        diode.read_message(data, PUBLIC)
    except BadInput:
        return


def gapcode(data: bytes) -> None:
    try:
        diode.read_gaps(KEY, b"low1", data.decode("utf-8", "replace"))
    except BadInput:
        return


def dropped(data: bytes) -> None:
    try:
        diode.read_head(KEY, data)
    except BadInput:
        return


def receiver(data: bytes) -> None:
    """Datagrams that are proven and hold whatever the data say: the low side has lost its mind, or its key."""
    found, writer = Receiver(KEY, PUBLIC, SYMBOL, Memory(1 << 20), START), Writer(KEY, SESSION)
    for at in range(0, min(len(data), 4000), 4):
        kind, size, place, fill = data[at : at + 4].ljust(4, b"\0")
        block = (MESSAGES if kind & 1 else 0) + kind // 2 % 4
        middle = Writer.middle(block, SIZES[size % len(SIZES)])
        packet = (place % 20 if place < 250 else place << 16).to_bytes(4, "big") + bytes([fill]) * SYMBOL
        for each in writer.write([(middle, packet)]):
            found.take(each, START + at)
        found.tick(START + at)
    diode.status_of(found, KEY, START)
    assert not found.counts["published"]


TARGETS: dict[str, Callable[[bytes], None]] = {
    target.__name__: target for target in (datagram, message, gapcode, dropped, receiver)
}


def main() -> None:
    import atheris

    name = sys.argv.pop(1)
    atheris.Setup(sys.argv, atheris.instrument_func(TARGETS[name]))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
