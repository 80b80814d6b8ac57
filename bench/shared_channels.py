"""How many bits a second two processes can pass through what a machine shares: `make bench NAME=shared_channels`.

A sender holds the resource busy for a slot to say 1 and rests to say 0; a receiver counts how much of its own work it
gets done in each slot. Half of the slots set the threshold, the other half are judged. The figure is the capacity of a
binary symmetric channel with the error seen, (1 - H(p)) / slot, for the best slot length tried. Both sides know the
slots exactly and talk about nothing else, so a region, which has queues, engines and other users in between, passes
less: this bounds what partitioning by access class cannot remove (docs/threat-model.md).
"""

from __future__ import annotations

import math
import multiprocessing
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

SECONDS = 4.0
SLOTS = (0.0001, 0.00025, 0.0005, 0.001, 0.002, 0.005, 0.01)
SEED = 20261120
Unit = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Channel:
    """One shared thing: what a unit of work on it is, and the cores that the two sides are held to."""

    name: str
    make: Callable[[str, str], Unit]
    sender_core: int | None
    receiver_core: int | None


def cpu(_folder: str, _side: str) -> Unit:
    """A few microseconds of arithmetic: both sides on one core."""
    return lambda: sum(range(200)) and None


def memory(_folder: str, _side: str) -> Unit:
    """Copy 4 MiB out of 256 MiB, so that neither side finds it in a cache; the sides on different cores."""
    source = np.ones(256 << 17, dtype=np.uint16)
    target = np.empty(1 << 21, dtype=np.uint16)
    places = random.Random(0)

    def unit() -> None:
        start = places.randrange(0, source.size - target.size)
        np.copyto(target, source[start : start + target.size])

    return unit


def fsync(folder: str, side: str) -> Unit:
    """Append 4 KiB and fdatasync, each side its own file in one file system."""
    descriptor = os.open(Path(folder) / side, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
    block = b"\0" * 4096

    def unit() -> None:
        os.write(descriptor, block)
        os.fdatasync(descriptor)

    return unit


def hold(core: int | None) -> None:
    if core is not None and core in (mine := os.sched_getaffinity(0)) and len(mine) > 1:
        os.sched_setaffinity(0, {core})


def send(channel: Channel, folder: str, start: float, slot: float, bits: list[int]) -> None:
    """Work through the slots whose bit is 1, rest through the others."""
    hold(channel.sender_core)
    unit = channel.make(folder, "sender")
    for number, bit in enumerate(bits):
        end = start + (number + 1) * slot
        if bit:
            while time.monotonic() < end:
                unit()
        elif (rest := end - time.monotonic()) > 0:
            time.sleep(rest)


def receive(channel: Channel, folder: str, start: float, slot: float, count: int) -> list[int]:
    """Units done in each slot."""
    hold(channel.receiver_core)
    unit = channel.make(folder, "receiver")
    time.sleep(max(0.0, start - time.monotonic()))
    done = [0] * count
    while (number := int((time.monotonic() - start) / slot)) < count:
        unit()
        done[number] += 1
    return done


def errors(bits: list[int], done: list[int]) -> float:
    """The share of wrong bits in the second half, judged by a threshold from the first."""
    half = len(bits) // 2
    level = {b: statistics.fmean([d for bit, d in zip(bits[:half], done, strict=False) if bit == b]) for b in (0, 1)}
    threshold, sign = (level[0] + level[1]) / 2, 1 if level[1] > level[0] else -1
    wrong = sum(bit != (sign * (d - threshold) > 0) for bit, d in zip(bits[half:], done[half:], strict=True))
    return wrong / (len(bits) - half)


def capacity(error: float, slot: float) -> float:
    """Bits a second of a binary symmetric channel."""
    p = min(max(error, 1e-9), 1 - 1e-9)
    return (1 + p * math.log2(p) + (1 - p) * math.log2(1 - p)) / slot


def trial(channel: Channel, folder: str, slot: float) -> tuple[float, float, float]:
    """Slot length, error and capacity of one run."""
    source = random.Random(SEED)
    bits = [source.randrange(2) for _ in range(int(SECONDS / slot))]
    start = time.monotonic() + 1.0
    sender = multiprocessing.get_context("fork").Process(target=send, args=(channel, folder, start, slot, bits))
    sender.start()
    try:
        done = receive(channel, folder, start, slot, len(bits))
    finally:
        sender.join(SECONDS + 10)
        sender.kill()
    error = errors(bits, done)
    return slot, error, capacity(error, slot)


def main() -> None:
    """Each channel at its best slot length, and what one fdatasync takes here."""
    channels = (
        Channel("CPU, one core for both", cpu, 0, 0),
        Channel("memory bandwidth, two cores", memory, 0, 1),
        Channel("fsync, one file system", fsync, 0, 1),
    )
    cores = len(os.sched_getaffinity(0))
    sys.stdout.write(f"{cores} cores, load {os.getloadavg()[0]:.1f}, {SECONDS:.0f} s a trial, seed {SEED}\n")
    sys.stdout.write("| shared | slot ms | wrong bits | bits/s |\n| --- | --- | --- | --- |\n")
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else None) as folder:
        for channel in channels:
            slot, error, best = max((trial(channel, folder, slot) for slot in SLOTS), key=lambda found: found[2])
            sys.stdout.write(f"| {channel.name} | {slot * 1000:g} | {error:.1%} | {best:.0f} |\n")
            sys.stdout.flush()
        unit = fsync(folder, "alone")
        times = sorted(timed(unit) for _ in range(200))
        sys.stdout.write(f"one 4 KiB append and fdatasync, alone: median {times[100] * 1000:.2f} ms\n")


def timed(unit: Unit) -> float:
    """Seconds that one unit takes."""
    start = time.perf_counter()
    unit()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
