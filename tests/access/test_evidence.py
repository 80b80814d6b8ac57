"""What can be carried away: nothing leaves that does not fit a signed root."""

from __future__ import annotations

from unittest.mock import patch

import pytest

from casemate.access import audit, evidence
from casemate.errors import Absent, BadInput, Damaged, Unavailable
from casemate.ledger import SHA256, check_evidence, read_note, verify_export
from tests.access.damage import sealed_flipped
from tests.access.test_audit import reader, said
from tests.access.test_loops import class_id, damaged_entries
from tests.attacks.scene import LOW, SECRET, TOP
from tests.laws.world import World

__all__ = ["sealed_flipped"]


async def test_an_entry_is_proved_once_a_head_covers_it(world: World) -> None:
    begun = await said(world, SECRET)
    flow = await reader(world, SECRET, "ann", "user")
    with pytest.raises(Unavailable):
        evidence.prove(flow, begun)
    await world.step("ledger.checkpoint")
    verdict, entry = check_evidence(evidence.prove(flow, begun), world.house.gate.vault.signer.public)
    assert verdict.state == "ok"
    assert entry is not None
    assert entry.id == begun
    later = await said(world, SECRET)
    with pytest.raises(Unavailable):
        evidence.prove(flow, later)


async def test_nobody_elses_entry_is_proved(world: World) -> None:
    other, high = await said(world, SECRET, "ben"), await said(world, TOP)
    await world.step("ledger.checkpoint")
    flow = await reader(world, SECRET, "ann", "user")
    for id in (other, high, "ent_never"):
        with pytest.raises(Absent):
            evidence.prove(flow, id)


async def test_an_entry_that_has_gone_or_is_not_what_was_signed_proves_nothing(world: World) -> None:
    begun = await said(world, SECRET)
    await world.step("ledger.checkpoint")
    flow, recorder = await reader(world, SECRET, "ann", "user"), world.house.gate.recorder
    with patch.object(audit, "entry", return_value=audit.entry(flow, begun)):
        for name, wrong in (("plain", b"{}"), ("find", None)):
            with patch.object(type(recorder), name, return_value=wrong), pytest.raises(Damaged):
                evidence.prove(flow, begun)
    assert evidence.prove(flow, begun)


async def test_parts_verify_alone_over_either_hash(world: World) -> None:
    for _ in range(4):
        await said(world, SECRET)
        await world.step("ledger.checkpoint")
    flow = await reader(world, SECRET, "ada", "auditor")
    access = world.house.gate.classes.by_id(class_id(world, SECRET))
    public = world.house.gate.vault.signer.public
    for start, stop in ((0, None), (3, 5), (7, 8)):
        assert verify_export(evidence.part(flow, access, start, stop), public).state == "ok"
        assert verify_export(evidence.part(flow, access, start, stop, SHA256), public).state == "ok"
    for start, stop in ((5, 5), (0, 9), (-1, 3)):
        with pytest.raises(BadInput):
            evidence.part(flow, access, start, stop)
    with damaged_entries(world, SECRET), pytest.raises(Damaged):
        evidence.part(flow, access, 0, None, SHA256)


async def test_notes_are_those_of_the_visible_logs(world: World) -> None:
    for label in (LOW, SECRET, TOP):
        await said(world, label)
    assert evidence.notes(await reader(world, SECRET, "ada", "auditor")) == []
    await world.step("ledger.checkpoint")
    public = world.house.gate.vault.signer.public
    told = [read_note(note.encode(), public) for note in evidence.notes(await reader(world, SECRET, "ada", "auditor"))]
    assert {note.log for note in told if note} == {class_id(world, LOW), class_id(world, SECRET)}
    object.__setattr__(world.house.gate.vault, "tiles", None)
    again = evidence.notes(await reader(world, SECRET, "ada", "auditor"))
    assert all(read_note(note.encode(), public) for note in again)


@pytest.mark.parametrize("query", ["from=x", "to=-1", "profile=md5", "from=9999999999999999999", "from=5&to=5"])
async def test_a_part_that_is_none_is_said(world: World, query: str) -> None:
    await said(world, SECRET)
    await world.step("ledger.checkpoint")
    await world.person("ada", TOP, ("auditor",))
    seen = await world.call("ada", "GET", f"/api/ledger/logs/{class_id(world, SECRET)}?{query}", acting=TOP)
    assert seen.status == 400
