"""One run: rules and logs in, alerts out. What the mission does, without the mission's face."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from casemate_cyber import hunt
from casemate_cyber.events.read import Trouble, Unit, units
from casemate_cyber.match.engine import Engine
from casemate_cyber.rules.pack import Pack, decode
from casemate_cyber.rules.signed import Manifest, manifest_of, parted
from casemate_cyber.scan.alerts import Alerts
from casemate_cyber.scan.correlate import asked
from casemate_cyber.scan.unit import Scanned, scan
from casemate_cyber.scan.workers import hits_of, scanned

PACK = b'{"form":'
READ = 4096
"""Bytes of a compiled pack in which its digest stands."""
MOST_TROUBLES = 500


@dataclass(slots=True)
class Watched:
    """What a run saw. `troubles`: the first MOST_TROUBLES of `missed`."""

    alerts: Alerts
    events: int = 0
    hits: int = 0
    bytes: int = 0
    missed: int = 0
    sources: dict[str, int] = field(default_factory=dict)
    troubles: list[Trouble] = field(default_factory=list)

    def add(self, done: Scanned) -> None:
        """One unit's counts."""
        self.events += done.events
        self.hits += done.hits
        self.missed += done.missed
        self.troubles += done.troubles[: MOST_TROUBLES - len(self.troubles)]
        for source, count in done.sources.items():
            self.sources[source] = self.sources.get(source, 0) + count


def pack_of(
    paths: Sequence[Path], audit: bool, signed_by: str = "", before: Sequence[Path] = ()
) -> tuple[Pack, Manifest | None]:
    """The rules of these files, and what their publisher says of them: one compiled pack, or Sigma files and archives.

    `signed_by`: the publisher's key in hex, which must have signed them. `before`: compiled packs of earlier runs; the
    one of just these rules, converted by just these versions, is taken instead of compiling.

    Raises:
        ValueError: a compiled pack beside other files, of another form, or where a signature is asked for; rules that
            are not what was signed.
    """
    packs = [path for path in paths if path.is_file() and path.open("rb").read(len(PACK)) == PACK]
    if packs:
        if len(paths) > 1:
            raise ValueError("a compiled pack stands alone: give it without other rules")
        if signed_by:
            raise ValueError("a compiled pack is not what its publisher signed: give the rules themselves")
        return decode(packs[0].read_bytes()), None
    if signed_by and before:
        raise ValueError("nobody has signed a compiled pack: give either compiled or signed_by")
    from casemate_cyber.rules.read import compiled, digest, files

    rules, beside = parted(list(files(paths)))
    said, known = manifest_of(rules, beside, signed_by), digest(rules, audit)
    for path in before:
        raw = path.read_bytes()
        if raw.startswith(PACK) and known.encode() in raw[:READ] and (found := decode(raw)).digest == known:
            return found, said
    return compiled(rules, audit), said


def watched(
    pack: Pack,
    logs: Sequence[Path],
    scratch: Path,
    processes: int,
    progress: Callable[[int, int, str], None],
    keep: Path | None = None,
) -> Watched:
    """Every event of the logs against every rule of the pack. `keep`: where all events go, as one file of Parquet."""
    names = [path.name for path in logs]
    cut, troubles = units(list(logs), scratch)
    seen = Watched(Alerts(pack, names, scratch / "alerts.sqlite", lambda what: troubles.append(Trouble("", 0, what))))
    seen.bytes = sum(unit.end - unit.start for unit in cut)
    fields = marked(pack)
    engine = Engine(pack.rules)
    engine.prepare()
    work = scan if keep is None else partial(_kept, scratch)
    waiting: dict[int, Scanned] = {}
    following = 0
    for number, done in enumerate(scanned(engine, cut, names, scratch, fields, processes, work=work), 1):
        waiting[done.unit] = done
        while following in waiting:
            _take(seen, waiting.pop(following), scratch, cut)
            following += 1
        progress(number, len(cut), "matching")
    if keep is not None:
        kept = [hunt.units_of(scratch, unit.number) for unit in cut]
        hunt.parquet(kept, keep, scratch)
        for path in kept:
            path.unlink(missing_ok=True)
    seen.alerts.correlate()
    seen.alerts.close()
    seen.missed += len(troubles)
    seen.troubles = (troubles + seen.troubles)[:MOST_TROUBLES]
    return seen


def _kept(
    scratch: Path, engine: Engine, unit: Unit, name: str, out: Path, fields: Mapping[int, Sequence[str]]
) -> Scanned:
    """In a worker: as `scan`, with every event in a file of the unit; of a unit that is lost, none stays."""
    path = hunt.units_of(scratch, unit.number)
    with path.open("wb") as file:

        def keep(source: str, raw: Mapping[str, object], at: int) -> None:
            file.write(hunt.line(source, raw, name, at))

        return scan(engine, unit, name, out, fields, keep)


def _take(seen: Watched, done: Scanned, scratch: Path, cut: Sequence[Unit]) -> None:
    """In the order of the inputs, whoever came first: the same logs give the same result."""
    seen.add(done)
    if not done.events:  # one that was lost counts nothing: what it had kept until then is not asked either
        hunt.units_of(scratch, cut[done.unit].number).unlink(missing_ok=True)
    hits = hits_of(scratch, cut[done.unit].number)
    seen.alerts.add(hits)
    hits.unlink()


def marked(pack: Pack) -> dict[int, tuple[str, ...]]:
    """What correlations ask of each rule's hits, by the rule's number."""
    wanted: dict[str, set[str]] = {}
    for correlation in pack.correlations:
        for rule in correlation.rules:
            wanted.setdefault(rule, set()).update(asked(correlation, rule))
    return {number: tuple(sorted(wanted[rule.id])) for number, rule in enumerate(pack.rules) if rule.id in wanted}
