"""The cost of one chunk's translation: from an OpenAI-shaped server's event to a frame of ConverseStream."""

from __future__ import annotations

import time

from bench.parts.stub import CHUNKS, PIECES
from casemate.doors.bedrock.streamed import Writer
from casemate.engines.openai_answer import Chunks

ROUNDS = 300


def translate_chunk_us() -> float:
    """Microseconds of CPU time a chunk, each in a packet of its own; the median of seven runs."""
    events = [piece.partition(b"\r\n")[2][:-2] for piece in PIECES[:CHUNKS]]
    times = []
    for _ in range(7):
        began = time.process_time()
        for _ in range(ROUNDS):
            reading, writing = Chunks("stub", (), cached=False), Writer("stub", "en")
            told = [writing.delta(delta) for event in events for delta in reading.fed(event)]
        times.append((time.process_time() - began) / ROUNDS / CHUNKS * 1e6)
        if len(told) != CHUNKS or b"tok63" not in told[-1]:
            raise SystemExit("a chunk was lost on its way")
    return sorted(times)[3]
