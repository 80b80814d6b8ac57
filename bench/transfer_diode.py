"""What the diode link costs: payload in MB per CPU second of each of its processes. `make bench NAME=transfer_diode`.

A sender and a receiver, each a process with the product's own halves and engines: the outbox's file, repair by the rule
of six sigma at 2 %, a proof for each datagram, UDP in calls of many; then the proof before the decoder, the blocks in
the spool's folder, SHA-512 over the whole, and its publication. Loss: of a hundred datagrams that were made, two are
not given to the kernel. CPU time counts all of a process, the kernel's share included; wall time says little, since the
pace is bounded so that nothing overflows. SHA-512 over an object that is to be sent is made once, before it is
announced and however often it is sent: it stands by itself (diode_digest), and in diode_tx_..._with_digest.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event

from casemate.crypto import KeySigner, generate, public_of
from casemate.engines.diode_memory import keep_freed_memory
from casemate.engines.diode_outbox import Outbox
from casemate.engines.diode_spool import FolderSpool
from casemate.engines.diode_udp import UdpEar, UdpMouth
from casemate.transfer.diode import OVERHEAD, Bounds, Pace, Receiver, Sender, new_session, repair_of, source_symbols
from casemate.wiring.diode_low import Steady

LINK = bytes(range(32))
HEART = generate("hybrid", bytes(range(64)))
SYMBOLS = {"1400": 1400, "8k": 8192}
GOALS = {"diode_tx_1400": 120, "diode_rx_1400": 85, "diode_tx_8k": 350, "diode_rx_8k": 220}


class Lossy:
    """A mouth before which a part of the datagrams is lost."""

    def __init__(self, mouth: UdpMouth, loss: float) -> None:
        draw = random.Random(1)
        self._mouth = mouth
        self._kept = [draw.random() >= loss for _ in range(100_003)] if loss else []
        self._at = 0

    def send(self, datagrams: Sequence[bytes]) -> None:
        if self._kept:
            at, self._at = self._at, (self._at + len(datagrams)) % (len(self._kept) - 64)
            datagrams = [each for place, each in enumerate(datagrams, at) if self._kept[place]]
        self._mouth.send(datagrams)


def sending(folder: Path, port: int, symbol: int, loss: float, cap: int) -> list[float]:
    """One object, once; the CPU seconds of its digest."""
    keep_freed_memory()
    mouth = UdpMouth(f"127.0.0.1:{port}", symbol + OVERHEAD)
    outbox, clock = Outbox(folder), Steady()
    session = new_session(outbox.sender, outbox.started(), os.urandom(8))
    pace = Pace(symbol, 0.02, cap, mouth.most, 1)
    sender = Sender(LINK, KeySigner(HEART), session, pace, clock.now())
    [lying] = outbox.lying()
    began = time.process_time()
    digest = outbox.measured(lying, Event().is_set)
    measured = time.process_time() - began
    assert digest is not None
    sender.offer(outbox.manifest(lying, digest, ""), outbox.file(lying))
    lossy = Lossy(mouth, loss)
    while not sender.idle:
        now = clock.now()
        if batch := sender.step(now):
            lossy.send(batch)
        else:
            time.sleep(sender.wait(now) / 1e6)
    return [measured]


def receiving(folder: Path, symbol: int, ready: Callable[[int], None]) -> list[float]:
    """Until one object is whole."""
    keep_freed_memory()
    ear, clock, spool = UdpEar("127.0.0.1:0", 64 << 20), Steady(), FolderSpool(folder, reserve=0)
    receiver = Receiver(LINK, public_of(HEART), symbol, spool, clock.now(), Bounds())
    ready(ear.port)
    while not receiver.counts["published"]:
        now = clock.now()
        for datagram in ear.hear(0.2):
            receiver.take(datagram, now)
        receiver.tick(clock.now())
        if receiver.pulse.last and now - receiver.pulse.at > 4_000_000:
            raise SystemExit(f"not whole: {ear.lost} datagrams had no room, {receiver.counts}")
    return []


def forked(work: Callable[[], list[float]]) -> tuple[int, int]:
    """Run in a process of its own; its id, and a pipe that gives its CPU seconds, its memory and what it told."""
    reads, writes = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            told = work()
            used = resource.getrusage(resource.RUSAGE_SELF)
            os.write(writes, json.dumps([used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, *told]).encode())
        except BaseException as error:  # noqa: BLE001 - a forked child ends here, whatever happens
            os.write(2, f"{error}\n".encode())
        finally:
            os._exit(0)
    os.close(writes)
    return child, reads


def ended(child: int, reads: int) -> list[float]:
    with open(reads, "rb") as pipe:
        told = pipe.read()
    os.waitpid(child, 0)
    return json.loads(told) if told else []


def once(size: int, symbol: int, loss: float, cap: int) -> dict[str, float]:
    """One object over the loopback device; MB per CPU second of both, and the receiver's memory."""
    with tempfile.TemporaryDirectory() as place:
        low, high = Path(place, "low"), Path(place, "high")
        Outbox(low)
        with (low / "out" / "object").open("wb") as file:
            for _ in range(size >> 20):
                file.write(os.urandom(1 << 20))
        reads, writes = os.pipe()
        receiver = forked(
            lambda: receiving(high, symbol, lambda port: os.write(writes, port.to_bytes(2, "big")) and None)
        )
        port = int.from_bytes(os.read(reads, 2), "big")
        sender = forked(lambda: sending(low, port, symbol, loss, cap))
        tx, rx = ended(*sender), ended(*receiver)
        os.close(reads)
        os.close(writes)
        if not rx or not tx:
            return {}
        [arrived] = (high / "arrived").iterdir()
        assert arrived.stat().st_size == size
        mb, digest = size / 1e6, tx[2]
        return {
            "tx": mb / (tx[0] - digest),
            "with": mb / tx[0],
            "rx": mb / rx[0],
            "digest": mb / digest,
            "rss_mb": rx[1],
        }


def middle(several: list[dict[str, float]], part: str) -> float:
    return round(statistics.median(each[part] for each in several), 1)


MIB, ROUNDS, CAP_MBIT = 128, 3, 600


def measure(folder: Path, size: int) -> dict[str, object]:
    """As a part of `make bench NAME=transfer`: an object of at most 128 MiB, since a link forgets each block."""
    del folder
    found = figures(min(size, MIB) << 20, ROUNDS, CAP_MBIT * 125_000)
    return {"ratios": {}, "figures": found, "against": "SHA-512 of the object alone: diode_digest"}


def figures(size: int, rounds: int, cap: int) -> dict[str, float]:
    """The figures that the issue names, and beside each the one without loss."""
    found: dict[str, float] = {}
    for name, symbol in SYMBOLS.items():
        symbols = source_symbols(1 << 20, symbol)
        found[f"diode_repair_{name}"] = round(repair_of(symbols, 0.02) / symbols, 3)
        for loss, suffix in ((0.02, ""), (0.0, "_no_loss")):
            several = [each for _ in range(rounds) if (each := once(size, symbol, loss, cap))]
            for part in ("tx", "rx"):
                if several:
                    found[f"diode_{part}_{name}{suffix}"] = middle(several, part)
            if several:
                found[f"diode_tx_{name}{suffix}_with_digest"] = middle(several, "with")
                found["diode_digest"] = middle(several, "digest")
            found[f"diode_lost_runs_{name}{suffix}"] = rounds - len(several)
            found["diode_rss_mb"] = max([found.get("diode_rss_mb", 0), *(round(each["rss_mb"], 1) for each in several)])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mib", type=int, default=MIB)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--cap-mbit", type=int, default=CAP_MBIT)
    asked = parser.parse_args()
    found = figures(asked.mib << 20, asked.rounds, asked.cap_mbit * 125_000)
    for name, value in found.items():
        goal = f"   (goal {GOALS[name]})" if name in GOALS else ""
        print(f"{name:28} {value:>9}{goal}", file=sys.stderr)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
