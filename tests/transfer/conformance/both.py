"""Both verifiers over the same bytes, and what they say in the same words."""

from __future__ import annotations

import io
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from casemate.engines.bundle_files import look
from casemate.transfer.state import read_state
from casemate.transfer.verify import Finding, verify
from tests.transfer.conformance.beside import casemate_verify as second
from tests.transfer.conformance.forge import NOW, keeper_of, opener_bytes


@dataclass(frozen=True)
class Said:
    """One verifier's answer."""

    verdict: str
    rule: str
    alarms: tuple[str, ...]
    gap: tuple[int, int] | None


def first_says(raw: bytes, state: bytes, now: int, guards: dict[str, Any], keys: tuple[tuple[str, str], ...]) -> Said:
    """casemate.transfer.verify, over a file."""
    findings = {name: Finding(**said) for name, said in guards.items()}
    with tempfile.NamedTemporaryFile(suffix=".cmb") as file:
        file.write(raw)
        file.flush()
        facts = look(Path(file.name), [keeper_of(*key) for key in keys]).facts
    found = verify(facts, read_state(state), now, findings)
    return Said(found.state, found.rule, tuple(sorted(found.alarms)), found.gap)


def second_says(raw: bytes, state: bytes, now: int, guards: dict[str, Any], keys: tuple[tuple[str, str], ...]) -> Said:
    """casemate_verify, over the bytes."""
    opener = second.Opener(opener_bytes(*keys[0])) if keys else None
    known = second.read_guards(json.dumps(guards).encode())
    found = second.verify(io.BytesIO(raw), second.read_state(state), now, opener, known)
    return Said(found.verdict, found.rule, found.alarms, found.gap)


def both_say(
    raw: bytes,
    state: bytes,
    now: int = NOW,
    guards: dict[str, Any] | None = None,
    keys: tuple[tuple[str, str], ...] = (("hybrid", "highland"),),
) -> Said:
    """What they say: an AssertionError where it is not the same."""
    said = [says(raw, state, now, guards or {}, keys) for says in (first_says, second_says)]
    assert said[0] == said[1], f"the first says {said[0]}, the second {said[1]}"
    return said[1]
