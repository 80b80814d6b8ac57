"""No rule differs from the same rule as SQL on SQLite: over recordings, and over events made from the rules."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

from casemate_cyber.events.read import Trouble, events, units
from casemate_cyber.match.engine import Engine
from casemate_cyber.rules.pack import Pack
from casemate_cyber.rules.sources import ALSO
from casemate_cyber.scan.unit import lowered

from . import made, peer

# SQLite folds A to Z alone; Sigma says that case does not count, and here it does not for any letter. These rules
# look for words with such letters; they differ over events that hold the capitals, and over no other.
OTHER_LETTERS = {
    "1a0f6f16-2099-4753-9a02-43b6ac7a1fa5",
    "5b768e71-86f2-4879-b448-81061cbae951",
}


def _capital(event: dict[str, Any]) -> bool:
    return any(not c.isascii() and c != c.lower() for value in event.values() if isinstance(value, str) for c in value)


def differing(
    pack: Pack, sources: dict[str, bytes], source: str, found: list[dict[str, Any]]
) -> tuple[list[str], int, int]:
    """(rules that differ, rules compared, rules with a hit)."""
    wanted = (source, *ALSO.get(source, ()))
    rules = [rule for rule in pack.rules if rule.source in wanted]
    sql, refused = peer.queries(sources, rules)
    assert all("Value-only" in reason for reason in refused.values()), set(refused.values())
    declared = peer.columns(rules, {name for event in found for name in event})
    base = peer.base(declared)
    peer.load(base, declared, found)
    ours: dict[int, set[int]] = defaultdict(set)
    engine = Engine(rules)
    for row, event in enumerate(found, 1):
        for number in engine.match(source, lowered(event), event):
            ours[number].add(row)
    different = []
    for number, query in sql.items():
        theirs = {row for (row,) in base.execute(query)}
        odd = min(theirs ^ ours[number], default=None)
        if rules[number].id in OTHER_LETTERS:
            odd = min((row for row in theirs ^ ours[number] if not _capital(found[row - 1])), default=None)
        if odd is not None:
            different.append(f"{rules[number].path}: {len(theirs)} by SQL, {len(ours[number])} here; {found[odd - 1]}")
    return different, len(sql), sum(bool(ours[number]) for number in sql)


def test_no_rule_differs_over_the_recordings(
    pack: Pack, sources: dict[str, bytes], recordings: Path, tmp_path: Path
) -> None:
    cut, _ = units(sorted(recordings.rglob("*.evtx")), tmp_path)
    found = []
    for unit in cut:
        for event in events(unit, unit.path.name):
            assert not isinstance(event, Trouble)
            found.append(event[1])
    different, compared, hit = differing(pack, sources, "windows", found)
    assert different == []
    assert compared > 2700
    assert hit > 150


def test_no_rule_differs_over_events_made_from_the_rules(pack: Pack, sources: dict[str, bytes]) -> None:
    names = {rule.source for rule in pack.rules}
    total = said_yes = 0
    wrong: list[str] = []
    for source in sorted(names):
        found = [event for rule in pack.rules if rule.source == source for event in made.events(rule.condition)]
        different, compared, hit = differing(pack, sources, source, found)
        wrong += different
        total += compared
        said_yes += hit
    assert wrong == []
    assert said_yes > 0.9 * total
