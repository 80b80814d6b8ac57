"""The verdict on a log together with that on the files of its tree."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from casemate.access.core import Core
from casemate.access.trees import Tree
from casemate.ledger import CHECKPOINT_FILE, Files, Head, Verdict, read_note, verify_folder, worst

__all__ = ["with_files"]

LOOKS = 3


def with_files(gate: Core, verdict: Verdict, remembered: list[Head]) -> Verdict:
    """The verdict on a log, or that on its files where it weighs more; while these are written one looks again."""
    vault, found = gate.vault, verdict
    tiles, tree, public = vault.tiles, Tree(vault, verdict.log), vault.signer.public
    for _ in range(LOOKS):
        note = tiles.read(verdict.log, CHECKPOINT_FILE) if tiles is not None else None
        if tiles is None or (note is None and not tiles.held(verdict.log)):
            return verdict
        files = Files(partial(tiles.read, verdict.log), tree.truth)
        found = verify_folder(verdict.log, files, public, _within(remembered, note, public))
        if found.state == "ok" or note == tiles.read(verdict.log, CHECKPOINT_FILE):
            break
    if worst([verdict, found]) is verdict:
        return verdict
    entries = 0 if found.state in ("tampered", "forked") else verdict.entries
    return replace(verdict, state=found.state, why=found.why, seq=found.seq, entries=entries)


def _within(remembered: list[Head], data: bytes | None, public: bytes) -> list[Head]:
    """Those heads that a note reaches; for the others the records have been asked."""
    note = read_note(data, public) if data is not None else None
    return [head for head in remembered if note is not None and head.size <= note.size]
