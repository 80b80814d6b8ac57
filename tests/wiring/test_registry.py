"""Records become cards in every process: from the store in control, from the snapshot in a data process."""

from __future__ import annotations

import msgspec
import pytest

from casemate.access import Sections
from casemate.errors import Conflict, Damaged, UnknownModel
from casemate.models import READER, Catalogue
from casemate.models.record import Described, EngineSpec, ModelRecord
from casemate.policy import Action
from casemate.wiring import registry
from casemate.wiring.registry import Records, enlist
from tests.attacks.scene import LOW, SECRET, TOP, flow_of, label_of, principal
from tests.laws.world import World

ASK = Action("ask", "answer")


def record(name: str = "acme/one", **told: object) -> ModelRecord:
    engine = EngineSpec("openai", "https://models.example/v1", "m", "key")
    made = ModelRecord(name=name, described=Described(aliases=("us-gov.one",)), engine=engine, proposed=LOW)
    return msgspec.structs.replace(made, **{"accreditation": LOW, **told})


async def store(world: World, *records: ModelRecord, at: str = LOW) -> None:
    from casemate.models.record import MODEL
    from casemate.objects import Put

    flow = await flow_of(world, principal(world, "olga", TOP, "operator"), Action("register", "model"), at)
    await flow.commit(*(Put(MODEL, each.name, each) for each in records))


async def test_control_reads_the_store_and_a_data_process_the_snapshot(world: World) -> None:
    house = world.house
    await store(world, record(), record("acme/retired", retired=True), record("acme/none", accreditation=""))
    await store(world, record("acme/high", accreditation=TOP), at=SECRET)
    house.sections = Sections()
    await enlist(house, "control")
    told = await house.sections.write()
    assert house.loops[-1].name == "models.records"
    ours = house.catalogue
    assert {"acme/one", "acme/high"} <= set(ours.cards)
    assert "acme/retired" not in ours.cards
    house.catalogue, house.sections = Catalogue({READER: ours.cards[READER]}), Sections()
    loops = len(house.loops)
    await enlist(house, "data")
    assert (set(house.catalogue.cards), len(house.loops)) == ({READER}, loops)
    house.sections.read(told)()
    session = principal(world, "ann", TOP)
    low, high = await flow_of(world, session, ASK, LOW), await flow_of(world, session, ASK, SECRET)
    assert house.catalogue.named(low, "us-gov.one").name == "acme/one"
    assert house.catalogue.named(high, "acme/high").accreditation is label_of(world, TOP)
    with pytest.raises(UnknownModel):
        house.catalogue.named(low, "acme/high")


async def test_a_record_that_cannot_be_bound_stops_no_other(world: World) -> None:
    records = Records(world.house)
    bad = EngineSpec("openai", "no url", "m")
    kept = [
        registry._Kept(LOW, record("acme/bad", engine=bad)),
        registry._Kept(LOW, record("acme/purple", accreditation="us:PURPLE")),
        registry._Kept("purple", record("acme/nowhere")),
        registry._Kept(LOW, record("acme/files", engine=EngineSpec())),
        registry._Kept(LOW, record(READER)),
        registry._Kept(LOW, record()),
    ]
    records.take(kept)
    assert set(records.problems) == {"acme/bad", "acme/purple", "acme/nowhere"}
    cards = world.house.catalogue.cards
    assert "acme/one" in cards
    assert cards[READER].label is None, "what the settings name stands first"
    one = cards["acme/one"]
    records.take(kept[-1:])
    assert world.house.catalogue.cards["acme/one"] is one
    records.take([])
    assert "acme/one" not in world.house.catalogue.cards


async def test_two_labels_have_a_model_of_one_name_each(world: World) -> None:
    records = Records(world.house)
    high = record(accreditation=TOP, described=Described(vendor="high"))
    records.put(label_of(world, SECRET), high)
    records.put(label_of(world, LOW), record())
    session = principal(world, "ann", TOP)
    for at, vendor in ((LOW, "unknown"), (SECRET, "high")):
        flow = await flow_of(world, session, ASK, at)
        assert world.house.catalogue.named(flow, "acme/one").vendor == vendor
        assert [card.vendor for card in world.house.catalogue.visible(flow) if card.name == "acme/one"] == [vendor]


async def test_a_section_is_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    records = Records(world.house)
    records.put(label_of(world, LOW), record())
    raw = records.write()
    assert len(records.understood(raw)) == 1
    monkeypatch.setattr(registry, "MOST", 0)
    with pytest.raises(Damaged):
        records.understood(raw)
    monkeypatch.setattr(registry, "SECTION", 4)
    for refused in (lambda: records.understood(raw), records.write):
        with pytest.raises(Damaged):
            refused()


async def test_what_cannot_be_read_leaves_what_there_was(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    records = Records(world.house)
    await store(world, record())
    assert await records.refresh() == 0
    before = dict(world.house.catalogue.cards)

    def broken(self: object) -> None:
        raise Damaged(what="model")

    monkeypatch.setattr(Records, "read", broken)
    await records.refresh()
    assert (records.problems, world.house.catalogue.cards) == ({"": "damaged"}, before)


async def test_nothing_is_moved_over_what_lies_there(world: World) -> None:
    records, label = Records(world.house), label_of(world, LOW)
    for token in ("0" * 32, "1" * 32):
        (world.house.folder.path / "models" / "incoming" / token).mkdir(parents=True)
    records.settle("0" * 32, label, "m")
    with pytest.raises(Conflict):
        records.settle("1" * 32, label, "m")
