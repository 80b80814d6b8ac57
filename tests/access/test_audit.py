"""The ledger as it is read: an auditor his logs, anybody else himself, and everything that is read can be checked."""

from __future__ import annotations

from unittest.mock import patch

import pytest

from casemate.access import Flow, audit
from casemate.errors import Absent
from casemate.ledger import verify_export
from casemate.objects import Put
from casemate.policy import Action
from tests.access.test_flow import at
from tests.attacks.scene import LOW, SECRET, TOP, flow_of, label_of, log, principal
from tests.laws.access_worlds import NOTE, Note
from tests.laws.world import World

READ = Action("read", "ledger")


async def reader(world: World, label: str, name: str = "ada", *roles: str) -> Flow:
    return await flow_of(world, principal(world, name, TOP, *roles), READ, label)


async def said(world: World, label: str, who: str = "ann", words: bytes = b"said") -> str:
    """Somebody asks something; the id of his BEGIN."""
    world.clock.forward(1)
    flow = await at(world, label, who)
    begun = await flow.begin(words)
    await flow.release(b"answer to " + words)
    return begun


async def test_an_auditor_reads_the_logs_below_and_nobody_elses(world: World) -> None:
    ids = {label: await said(world, label) for label in (LOW, SECRET, TOP)}
    seen = audit.entries(await reader(world, SECRET, "ada", "auditor"))
    assert {s.entry.id for s in seen if s.entry.outcome == "begin"} == {ids[LOW], ids[SECRET]}
    assert [s.entry.at for s in seen] == sorted((s.entry.at for s in seen), reverse=True)
    assert all(s.access.label.text in (LOW, SECRET) for s in seen)


async def test_anybody_else_reads_himself(world: World) -> None:
    mine, other = await said(world, LOW), await said(world, LOW, "ben")
    flow = await reader(world, LOW, "ann", "user")
    assert {s.entry.principal for s in audit.entries(flow)} == {"ann"}
    assert audit.entry(flow, mine).entry.id == mine
    for id in (other, "ent_never"):
        with pytest.raises(Absent) as told:
            audit.entry(flow, id)
        assert told.value.facts == {"kind": "entry", "id": id}


async def test_an_entry_above_is_as_absent_as_one_that_never_was(world: World) -> None:
    high = await said(world, TOP)
    flow = await reader(world, SECRET, "ada", "auditor")
    for id in (high, "ent_never"):
        with pytest.raises(Absent) as told:
            audit.entry(flow, id)
        assert told.value.facts == {"kind": "entry", "id": id}
    assert audit.entry(await reader(world, TOP, "ada", "auditor"), high).seq == 0


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
async def test_the_newest_come_first_whatever_a_page_holds(world: World, limit: int) -> None:
    for number in range(6):
        await said(world, (LOW, SECRET)[number % 2], ("ann", "ben")[number % 3 == 0])
    for who, roles in (("ada", ("auditor",)), ("ann", ("user",))):
        flow = await reader(world, SECRET, who, *roles)
        whole = audit.entries(flow, 1000)
        assert len(whole) == (12 if who == "ada" else 8)
        with patch.object(audit, "PAGE", 2):
            assert audit.entries(flow, limit) == whole[:limit]


async def test_whoever_is_no_auditor_reads_no_further_back_than_a_bound(world: World) -> None:
    first = await said(world, LOW)
    for _ in range(4):
        await said(world, LOW, "ben")
    flow = await reader(world, LOW, "ann", "user")
    assert first in {s.entry.id for s in audit.entries(flow)}
    with patch.object(audit, "LOOKED", 8):
        assert audit.entries(flow) == []


async def test_what_was_said_is_opened_with_a_reason_that_is_on_record_first(world: World) -> None:
    begun = await said(world, SECRET, words=b"the question")
    flow = await reader(world, TOP, "ada", "auditor")
    assert await audit.open_content(flow, begun, "a complaint") == b"the question"
    [entry] = log(world, TOP)
    assert (entry.action, entry.outcome, entry.principal) == ("ledger.open", "opened", "ada")
    assert entry.facts == {"entry": begun, "reason": "a complaint"}


async def test_what_cannot_be_recorded_is_not_opened(world: World) -> None:
    begun = await said(world, SECRET)
    flow = await reader(world, TOP, "ada", "auditor")

    async def full(*_: object) -> None:
        raise Absent(kind="disk", id="")

    with patch.object(type(flow), "note", full), pytest.raises(Absent, match="disk"):
        await audit.open_content(flow, begun, "why")


async def test_what_vanished_meanwhile_is_nothing(world: World) -> None:
    begun = await said(world, SECRET)
    flow = await reader(world, TOP, "ada", "auditor")
    found = [flow.gate.recorder.find(begun), None]
    with patch.object(flow.gate.vault.reader._port, "entry", lambda _: found.pop(0)):
        assert await audit.open_content(flow, begun, "why") is None


async def test_ones_own_words_and_nobody_elses(world: World) -> None:
    mine, other = await said(world, SECRET), await said(world, SECRET, "ben")
    flow = await reader(world, SECRET, "ann", "auditor")
    assert await audit.own_content(flow, mine) == b"said"
    with pytest.raises(Absent):
        await audit.own_content(flow, other)


async def test_an_entry_without_words_has_none(world: World) -> None:
    flow = await at(world, SECRET)
    await flow.commit(Put(NOTE, "one", Note("a", "ships")))
    [entry] = log(world, SECRET)
    assert await audit.own_content(await reader(world, SECRET, "ann"), entry.id) is None


async def test_the_label_that_a_question_bore(world: World) -> None:
    flow = await at(world, TOP)
    flow.bear(label_of(world, SECRET))
    begun = await flow.begin(b"marked")
    await flow.release(b"")
    read = await reader(world, TOP, "ada", "auditor")
    assert audit.floor_of(read, audit.entry(read, begun)) is label_of(world, SECRET)
    [last] = [s for s in audit.entries(read) if s.entry.ref == begun]
    assert audit.floor_of(read, last) is label_of(world, TOP)


async def test_every_visible_log_has_a_verdict_and_what_runs_is_not_interrupted(world: World) -> None:
    for label in (LOW, SECRET, TOP):
        await said(world, label)
    under_way = await (await at(world, SECRET)).begin(b"still running")
    await world.step("ledger.checkpoint")
    flow = await reader(world, SECRET, "ada", "auditor")
    verdicts = {access.label.text: verdict for access, verdict in audit.verdicts(flow, [])}
    assert set(verdicts) == {LOW, SECRET}
    assert {verdict.state for verdict in verdicts.values()} == {"ok"}
    assert (verdicts[SECRET].entries, verdicts[SECRET].witnessed, verdicts[SECRET].solo) == (3, False, True)
    world.house.gate.running.clear()
    verdict = {access.label.text: v for access, v in audit.verdicts(flow, [])}[SECRET]
    assert (verdict.state, verdict.interrupted) == ("interrupted", (under_way,))


async def test_a_remembered_head_is_a_witness(world: World) -> None:
    await said(world, SECRET)
    await world.step("ledger.checkpoint")
    flow = await reader(world, SECRET, "ada", "auditor")
    heads = audit.heads(flow)
    assert {head.log for head in heads} == {flow.access.id}
    await said(world, SECRET)
    [(_, verdict)] = [(a, v) for a, v in audit.verdicts(flow, heads) if a.label is flow.acting]
    assert (verdict.state, verdict.witnessed) == ("ok", True)
    [head] = heads
    forged = type(head)(head.log, head.size, "00" * 48)
    [(_, verdict)] = [(a, v) for a, v in audit.verdicts(flow, [forged]) if a.label is flow.acting]
    assert verdict.state == "forked"


async def test_an_export_is_checked_alone(world: World) -> None:
    for _ in range(5):
        await said(world, SECRET)
    await world.step("ledger.checkpoint")
    flow = await reader(world, SECRET, "ada", "auditor")
    public = flow.gate.vault.signer.public
    with patch.object(audit, "PAGE", 3):
        raw = audit.export(flow, flow.access)
    verdict = verify_export(raw, public, audit.heads(flow))
    assert (verdict.state, verdict.entries, verdict.witnessed) == ("ok", 10, True)
    assert verify_export(raw.replace(b"ann", b"eve", 1), public).state == "tampered"
    assert verify_export(raw[: len(raw) // 2], public).state == "incomplete"
    assert verify_export(raw, bytes(32)).state == "tampered"
    assert b"answer to" not in raw


async def test_checkpoints_are_read_page_by_page(world: World) -> None:
    for _ in range(4):
        await said(world, SECRET)
        await world.step("ledger.checkpoint")
    flow = await reader(world, SECRET, "ada", "auditor")
    with patch.object(audit, "PAGE", 2):
        points = audit.checkpoints(flow, flow.access.id)
    assert [point.size for point in points] == [2, 4, 6, 8]
