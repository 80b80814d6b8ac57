"""Inside the mission's environment: events made from the recordings, then one of the two that are compared.

`make`: FOLDER/events.jsonl and FOLDER/rules.pack. `ours`: the mission's own pass with so many processes. `sqlite`: the
same rules as SQL. Each prints one line of JSON. CPU seconds are of the process and of its children.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import resource
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

GUID = re.compile(r"[0-9A-F]{8}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{12}")
STAMP = re.compile(r"20\d\d-\d\d-\d\d[T ]\d\d:\d\d:\d\d")


_said = [time.monotonic()]


def cpu() -> float:
    """CPU seconds of this process and of those of its children that have ended."""
    every = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in every)


def progress(what: str, done: int, of: int) -> None:
    """A line for whoever waits, now and then."""
    if done == of or time.monotonic() - _said[0] > 10:
        _said[0] = time.monotonic()
        print(f"  {what}: {done}/{of}", file=sys.stderr, flush=True)


def make(data: Path, folder: Path, repetitions: int) -> dict[str, Any]:
    """Events of the recordings, each repetition with its own times, record ids, host, users and GUIDs."""
    from casemate_cyber.rules.read import compiled, files
    from evtx import PyEvtxParser

    begun = cpu()
    pack = compiled(list(files([data / "rules.tar.gz"])))
    told = {"rules": len(pack.rules), "left": len(pack.left), "compile_cpu_s": round(cpu() - begun, 2)}
    (folder / "rules.pack").write_bytes(pack.encode())
    with tempfile.TemporaryDirectory() as room, tarfile.open(data / "regression.tar.gz") as archive:
        archive.extractall(room, filter="data")
        recordings = sorted(Path(room).rglob("*.evtx"))
        texts = [record["data"] for path in recordings for record in PyEvtxParser(str(path)).records_json()]
    drawn = random.Random(20261121)
    with (folder / "events.jsonl").open("w", encoding="utf-8") as out:
        for number in range(repetitions):
            out.writelines(_changed(text, number, at, drawn) + "\n" for at, text in enumerate(texts))
    return {**told, "events": repetitions * len(texts), "bytes": (folder / "events.jsonl").stat().st_size}


def _changed(text: str, number: int, at: int, drawn: random.Random) -> str:
    minute = number * 3 + at % 3
    stamp = f"2026-{1 + minute // 40320:02d}-{1 + minute // 1440 % 28:02d}"
    clock = f"{minute // 60 % 24:02d}:{minute % 60:02d}:{at % 60:02d}"
    text = STAMP.sub(lambda found: f"{stamp}{found[0][10]}{clock}", text)
    text = GUID.sub(lambda found: f"{drawn.getrandbits(32):08X}{found[0][8:24]}{drawn.getrandbits(48):012X}", text)
    text = re.sub(r'"EventRecordID":\d+', f'"EventRecordID":{number * 1000 + at}', text)
    host = re.search(r'"Computer":"([^"]+)"', text)
    if host:
        text = text.replace(f'"Computer":"{host[1]}"', f'"Computer":"ws{number:04d}.example.test"')
    return re.sub(r'User":"([^"\\]*)\\\\([^"]*)"', lambda f: f'User":"{f[1]}\\\\u{number:04d}{f[2][:4]}"', text)


def ours(folder: Path, processes: int, stage: str, first: int) -> dict[str, Any]:
    """The mission's pass over the `first` units, 0 for all; `stage` stops after reading, or after matching."""
    from casemate_cyber.events.read import Trouble, events, units
    from casemate_cyber.match.engine import Engine
    from casemate_cyber.rules.pack import decode
    from casemate_cyber.scan.unit import lowered, scan
    from casemate_cyber.scan.workers import scanned

    engine = Engine(decode((folder / "rules.pack").read_bytes()).rules)
    engine.prepare()
    room = Path(tempfile.mkdtemp(dir=folder))
    waits: dict[str, float] = {}

    def timed(*given: Any) -> Any:
        """In a worker: one unit, and how long the kernel has let this process stand ready behind others by now."""
        done = scan(*given)
        (room / f"waited-{os.getpid()}").write_text(Path("/proc/self/schedstat").read_text().split()[1])
        return done

    self = resource.getrusage(resource.RUSAGE_SELF)
    before = self.ru_utime + self.ru_stime
    begun, wall = cpu(), time.monotonic()
    cut = units([folder / "events.jsonl"], room)[0][: first or None]
    seen = hits = 0
    if stage == "whole":
        for done in scanned(engine, cut, ["events.jsonl"], room, {}, processes, work=timed):
            seen, hits = seen + done.events, hits + done.hits
            assert not done.missed, done.troubles
            progress("ours", done.unit + 1, len(cut))
        waits = {path.name: int(path.read_text()) / 1e9 for path in room.glob("waited-*")}
    else:
        for unit in cut:
            for found in events(unit, "events.jsonl"):
                assert not isinstance(found, Trouble)
                seen += 1
                low = lowered(found[1])
                if stage == "match":
                    hits += len(engine.match(found[0], low, found[1]))
            progress(stage, unit.number + 1, len(cut))
    told = {"events": seen, "hits": hits, "cpu_s": cpu() - begun, "wall_s": time.monotonic() - wall}
    # What the parent took stays in: on a quiet machine of as many cores the workers wait for it too.
    parent = resource.getrusage(resource.RUSAGE_SELF)
    told["parent_cpu_s"] = parent.ru_utime + parent.ru_stime - before
    others = [max(0.0, waited - told["parent_cpu_s"]) for waited in waits.values()]
    told["waited_s"] = sum(others) / max(1, len(others))
    peaks = [resource.getrusage(who).ru_maxrss / 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return {**told, "rss_mb": max(peaks), "rss_sum_mb": peaks[0] + processes * peaks[1]}


def sqlite(data: Path, folder: Path, block: int, indexed: int, patience: float) -> dict[str, Any]:
    """The same events in a table of SQLite, so many at a time, and each rule as its SQL; hits written as ours are.

    After `patience` seconds no further block begins: `events` says how many there were. Then the first `indexed` events
    once more, with an index.
    """
    from casemate_cyber.rules.pack import decode
    from casemate_cyber.rules.read import files

    from tests import peer

    rules = [rule for rule in decode((folder / "rules.pack").read_bytes()).rules if rule.source == "windows"]
    sql, refused = peer.queries(dict(files([data / "rules.tar.gz"])), rules)
    declared = peer.columns([], {name for raw in islice(_events(folder), 2000) for name in raw})
    asked = {number: peer.over(rules[number], query, declared) for number, query in sql.items()}
    begun, every = time.monotonic(), _events(folder)
    told = {"hits": 0, "events": 0, "load_cpu_s": 0.0, "cpu_s": 0.0}
    while not told["events"] or time.monotonic() - begun < patience:
        one = _block(folder, declared, asked, islice(every, block), indexed=False)
        if not one["events"]:
            break
        told = {name: value + one[name] for name, value in told.items()}
        print(f"  {told['events']} events, {told['cpu_s']:.0f} CPU s", file=sys.stderr, flush=True)
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    with_index = _block(folder, declared, asked, islice(_events(folder), indexed), indexed=True)
    return {**told, "rss_mb": rss, "queries": len(asked), "refused": len(refused), "indexed": with_index}


def _block(
    folder: Path, declared: dict[str, str], asked: dict[int, str], events: Iterator[dict[str, Any]], indexed: bool
) -> dict[str, float]:
    """These events through every query."""
    import msgspec

    from tests import peer

    begun, base = cpu(), peer.base(declared)
    peer.load(base, declared, events)
    if indexed:
        base.execute("CREATE INDEX routed ON logs (EventID, Channel)")
    loaded, hits, seen = cpu() - begun, 0, base.execute("SELECT count(*) FROM logs").fetchone()[0]
    encode = msgspec.json.Encoder().encode_lines
    with (folder / "hits.jsonl").open("ab") as out:
        for at, (number, query) in enumerate(asked.items() if seen else (), 1):
            rows = base.execute(
                query.replace("SELECT rowid", "SELECT SystemTime, Computer, User, rowid, EventRecordID")
            ).fetchall()
            hits += len(rows)
            out.write(encode([(number, *row) for row in rows]))
            progress("SQLite, indexed" if indexed else "SQLite", at, len(asked))
    base.close()
    return {"hits": hits, "events": seen, "load_cpu_s": loaded, "cpu_s": cpu() - begun}


def _events(folder: Path) -> Iterator[dict[str, Any]]:
    from casemate_cyber.events.read import events, units

    for unit in units([folder / "events.jsonl"], folder)[0]:
        for found in events(unit, "events.jsonl"):
            yield found[1]  # type: ignore[index]


def main() -> None:
    """One step."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("step", choices=("make", "ours", "sqlite"))
    asked.add_argument("folder", type=Path)
    asked.add_argument("--data", type=Path)
    asked.add_argument("--repetitions", type=int, default=897)
    asked.add_argument("--processes", type=int, default=1)
    asked.add_argument("--first", type=int, default=0)
    asked.add_argument("--stage", choices=("read", "match", "whole"), default="whole")
    asked.add_argument("--block", type=int, default=165_048)
    asked.add_argument("--indexed", type=int, default=0)
    asked.add_argument("--patience", type=float, default=1e9)
    given = asked.parse_args()
    if given.step == "make":
        told = make(given.data, given.folder, given.repetitions)
    elif given.step == "ours":
        told = ours(given.folder, given.processes, given.stage, given.first)
    else:
        told = sqlite(given.data, given.folder, given.block, given.indexed, given.patience)
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main()
