"""Whatever was changed in the folder is said to be damaged, and nothing of it is served."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import apsw
import msgspec
import pytest

from casemate.access import HELD, Flow, audit
from casemate.errors import Damaged
from casemate.labels import access_class
from casemate.objects import Kind, Put
from casemate.policy import Action
from casemate.store import Batch, put_digest, row_digest
from tests.access.damage import flipped, sealed_flipped, with_classes, with_entries, with_rows
from tests.access.test_audit import reader, said
from tests.access.test_flow import at, store
from tests.attacks.scene import LOW, SECRET, TOP, flow_of, label_of, log, principal
from tests.laws.access_worlds import NOTE, Note
from tests.laws.world import World

replace = msgspec.structs.replace


def fitting(row: Any, **changed: Any) -> Any:
    """A changed row with the digest of a writer who knew what he did, but has no key."""
    row = replace(row, **changed)
    put = put_digest(row.class_id, row.kind, row.id, row.sealed)
    return replace(row, digest=row_digest(put, row.version, row.seq))


@pytest.mark.parametrize(
    "change",
    [
        sealed_flipped,
        lambda row: replace(row, digest=flipped(row.digest)),
        lambda row: replace(row, version=row.version + 1),
        lambda row: replace(row, seq=-1),
        lambda row: fitting(row, sealed=flipped(row.sealed)),
        lambda row: fitting(row, sealed=row.sealed[:-1]),
        lambda row: fitting(row, id="other"),
        lambda row: fitting(row, kind="held"),
    ],
    ids=["bytes", "digest", "version", "place", "bytes and digest", "cut", "another's id", "another's kind"],
)
async def test_a_changed_row_is_not_served(world: World, change: Callable[[Any], Any]) -> None:
    await store(world, SECRET, "one", "said")
    flow = await at(world, SECRET)
    with with_rows(world, NOTE.name, change):
        for read in (flow.read(NOTE, "one"), flow.read_each(NOTE, "one")):
            with pytest.raises(Damaged) as told:
                await read
            assert "said" not in str(told.value)
        assert (await flow.scan(NOTE)).items == ()
        assert await flow.every(NOTE) == []
    assert flow.seen == set()


async def test_a_row_put_in_anothers_place_is_not_served(world: World) -> None:
    """Whoever may write the file but has no key moves rows about: between ids, and between classes."""
    await store(world, SECRET, "one", "low")
    await store(world, TOP, "one", "high")
    high = await at(world, TOP)
    lowered = (await at(world, SECRET)).access.id
    with with_rows(world, NOTE.name, lambda row: fitting(row, class_id=lowered)), pytest.raises(Damaged):
        await high.read_each(NOTE, "one")


async def test_a_row_of_another_kind_is_not_this_kind(world: World) -> None:
    await store(world, LOW, "one")
    flow = await at(world, LOW)
    row = flow.gate.rows.get(NOTE.name, "one", [flow.access.id])[0]
    with pytest.raises(Damaged):
        flow.gate.rows.open(HELD, row)


async def test_a_value_that_is_not_of_its_type_is_damaged(world: World) -> None:
    class Other(msgspec.Struct, frozen=True):
        text: int

    flow = await at(world, LOW)
    await flow.commit(Put(Kind(NOTE.name, Other), "one", Other(7)))
    with pytest.raises(Damaged):
        await flow.read(NOTE, "one")


async def test_a_row_that_was_changed_in_the_file_itself(world: World) -> None:
    await store(world, SECRET, "one", "said")
    file = apsw.Connection(str(world.house.folder.records))
    file.execute("UPDATE rows SET sealed = CAST(sealed || x'00' AS BLOB) WHERE kind = ?", (NOTE.name,))
    file.close()
    with pytest.raises(Damaged):
        await (await at(world, SECRET)).read(NOTE, "one")


@pytest.mark.parametrize(
    "change",
    [
        sealed_flipped,
        lambda row: replace(row, id="a" * 26),
        lambda row: replace(row, sealed=b""),
    ],
    ids=["bytes", "another's id", "nothing"],
)
async def test_a_changed_class_is_seen_by_nobody(world: World, change: Callable[[Any], Any]) -> None:
    await store(world, TOP, "one", "hidden")
    flow = await at(world, LOW)
    flow.gate.classes._known.clear()
    with with_classes(world, change):
        assert await flow.every(NOTE) == []
        assert {c.id for c in flow.gate.classes.everything()} < {row.id for row in flow.gate.vault.reader.classes()}


async def test_a_class_whose_label_was_lowered_with_the_keys_in_hand(world: World) -> None:
    """Even sealed rightly: a class is named by its label, and a low label under a high name is damaged."""
    await store(world, TOP, "one", "hidden")
    flow = await at(world, LOW)
    gate, high = flow.gate, (await at(world, TOP)).access
    plain = msgspec.msgpack.encode({"label": LOW, "need": "", "originator": ""})
    forged = gate.vault.sealer.seal("", "class", plain, high.id.encode())
    gate.classes._known.clear()
    changed = with_classes(world, lambda row: replace(row, sealed=forged) if row.id == high.id else row)
    with changed:
        assert await flow.every(NOTE) == []
        assert high.id not in {c.id for c in gate.classes.everything()}
        with pytest.raises(Damaged, match="access class"):
            gate.classes.by_id(high.id)
    assert await flow.every(NOTE) == []


async def test_a_class_that_nobody_has_written_is_none(world: World) -> None:
    gate = world.house.gate
    high = await at(world, TOP)
    with pytest.raises(Damaged, match="access class"):
        gate.classes.by_id("b" * 26)
    await store(world, TOP, "one")
    gate.classes._known.clear()
    assert gate.classes.by_id(high.access.id) is high.access


async def test_a_class_with_a_need_or_an_originator_is_nobodys(world: World) -> None:
    gate = world.house.gate
    for more in ({"need": "payroll"}, {"originator": "them"}):
        found = gate.classes.learn(access_class(label_of(world, LOW), **more))
        put = gate.rows.put(found, Put(NOTE, "one", Note("hidden", "ships")))
        await gate.vault.committer.commit(Batch(domain=found.id, puts=[put], classes=[gate.classes.row(found)]))
        assert gate.classes.by_id(found.id) is found
    gate.classes._known.clear()
    assert len([c for c in gate.classes.everything() if c.need or c.originator == "them"]) == 2
    assert await (await at(world, TOP)).every(NOTE) == []


def files(folder: Path) -> list[Path]:
    return [file for file in sorted(folder.rglob("*")) if file.is_file()]


async def test_a_changed_blob_is_not_served(world: World) -> None:
    await store(world, SECRET, "so that the class exists")
    flow = await at(world, SECRET)
    name = await flow.pour(b"the bytes")
    [file] = files(world.folder / "data" / "blobs")
    whole = file.read_bytes()
    for changed in (flipped(whole), whole[:-1], b"", whole + b"x"):
        file.write_bytes(changed)
        with pytest.raises(Damaged):
            await flow.blob(flow.access.id, name)
    assert await flow.pour(b"the bytes") == name
    assert await flow.blob(flow.access.id, name) == b"the bytes"


async def audits(world: World) -> Flow:
    return await reader(world, SECRET, "ada", "auditor")


@pytest.mark.parametrize(
    "change",
    [sealed_flipped, lambda stored: replace(stored, leaf=flipped(stored.leaf)), lambda stored: replace(stored, id="x")],
    ids=["bytes", "leaf", "another's id"],
)
async def test_a_changed_entry_is_not_shown_and_its_log_is_tampered(world: World, change: Callable[[Any], Any]) -> None:
    begun = await said(world, SECRET)
    await world.step("ledger.checkpoint")
    flow = await audits(world)
    with with_entries(world, change):
        with pytest.raises(Damaged):
            audit.entry(flow, begun)
        with pytest.raises(Damaged):
            audit.entries(flow)
        assert {verdict.state for access, verdict in audit.verdicts(flow, []) if access is flow.access} == {"tampered"}
    assert {verdict.state for _, verdict in audit.verdicts(flow, [])} == {"ok"}


async def test_words_that_are_not_those_of_the_entry_are_not_shown(world: World) -> None:
    """The digest in the tree holds what was said, also against whoever has the keys."""
    begun = await said(world, SECRET, words=b"what was said")
    flow = await audits(world)
    sealer = flow.gate.vault.sealer
    for words in (msgspec.msgpack.encode((bytes(24), b"what was said")), msgspec.msgpack.encode((b"", b"else"))):
        other = sealer.seal(flow.access.id, "content", words, flow.gate.recorder.named(begun).encode())
        changed = with_entries(world, lambda stored, other=other: replace(stored, content=other))
        with changed, pytest.raises(Damaged, match="ledger content"):
            await audit.open_content(flow, begun, "why")
    with with_entries(world, lambda stored: replace(stored, content=flipped(stored.content))), pytest.raises(Damaged):
        await audit.open_content(flow, begun, "why")
    assert await audit.open_content(flow, begun, "why") == b"what was said"


async def test_what_is_sealed_in_the_folder_shows_nothing(world: World) -> None:
    """Whoever steals data/ finds no word, name or title; labels of classes are sealed too."""
    await (await at(world, SECRET)).commit(
        Put(NOTE, "one", Note("the-word-in-a-row", "the-index")), facts={"n": "the-fact"}
    )
    await (await at(world, SECRET)).pour(b"the-word-in-a-blob")
    await said(world, SECRET, words=b"the-word-that-was-said")
    ann = principal(world, "the-name", TOP)
    await (await flow_of(world, ann, Action("keep", "answer"))).release(b"")
    raw = b"".join(file.read_bytes() for file in files(world.folder / "data"))
    assert len(raw) > 1000
    for word in (b"the-word", b"the-index", b"the-fact", b"the-name", b"SECRET", b"EXERCISE"):
        assert word not in raw
    assert log(world, SECRET)
