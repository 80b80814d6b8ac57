"""What comes by a bundle is looked at by the guard of both regions; what neither makes anew the same is put aside."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from casemate.engines.guard import CellGuard
from casemate.engines.sandbox import Sandbox, support
from casemate.engines.transfer_guard import FencedGuards
from casemate.engines.transfer_yard import FolderYard
from casemate.knowledge.documents.document import opened
from casemate.policy import Action
from casemate.transfer.region import Content, Outgoing
from casemate.transfer.region.channel import OBJECT_TYPE, POLICY_TYPE
from casemate.wiring import transfer as wiring
from tests.cells.made import pdf
from tests.laws.s3_operations import Hand
from tests.transfer.guard.samples import TOKENIZER
from tests.transfer.regions import LOW, TEXT, Pair, a_document, a_pair
from tests.transfer.test_region import a_model, a_model_of, weights

HIDDEN = "The pi\u200ber lies\r\nnorth of the harbour."
KNOWN = "inward known v1"


def lived(law: Callable[[Pair], Awaitable[None]], guard: str = "known") -> None:
    async def done() -> None:
        async with a_pair(guard=guard) as pair:
            await law(pair)

    asyncio.run(done())


def an_object(key: str, data: bytes) -> Outgoing:
    about = {"bucket": "plans", "key": key, "said": {"media": "text/plain"}}
    return Outgoing(
        "object-1", OBJECT_TYPE, LOW, (Content("about.json", json.dumps(about).encode()), Content("content", data))
    )


async def adopted(pair: Pair) -> tuple[int, list[Any]]:
    buckets = (await pair.high.call("user", "GET", "/api/buckets", None, pair.above)).json["data"]
    return len(await pair.come()), buckets


async def stated(pair: Pair, file: bytes) -> list[Any]:
    """What the release in a bundle says of its objects' guards: opened with the key of the region that takes."""
    found = await pair._record(pair.high, pair.above)
    yard = FolderYard(pair.high.folder / "seen")
    name = await yard.receive(_pieces(file), 1 << 30)
    inside = (await yard.open(name, (found.value.keeper,))).facts.inside
    assert inside is not None
    return [each.guards for each in inside.envelope.release.objects]


async def raw(pair: Pair) -> str:
    """What lies above as the file of the one document that has come."""
    (document,) = await pair.come()
    gate = pair.high.house.gate
    access = gate.classes.of(gate.vault.region.policies.parse(pair.above))
    flow = await gate.open(gate.service("transfer", access), Action("take", "bundle"))
    whole, _ = await opened(flow, document["id"])
    assert whole is not None
    return (await flow.blob(access.id, whole.value.source)).decode()


async def _pieces(file: bytes) -> Any:
    yield file


def test_both_regions_ask_their_guard_and_what_it_has_made_is_what_lands() -> None:
    async def law(pair: Pair) -> None:
        assert (await pair._record(pair.low, pair.below)).value.guard == "known"  # so the card has said
        await a_model(pair.low, pair.below)
        await Hand(pair.low, "user", pair.below).settled("plans", "a/b.bin")
        id = await pair.document(HIDDEN.encode())
        sent, file = await pair.send(
            ("document", id), ("model", "small"), ("policy", "us"), ("object", "plans/a/b.bin")
        )
        assert sent.status == 201, sent.body
        guards = {m["type"].split(".")[-2]: m["guard"] for m in sent.json["data"]["members"]}
        assert guards == {"document": "agree", "model": "agree", "policy": "agree", "object": ""}
        for each in await stated(pair, file):
            assert [(one.guard, one.verdict) for one in each] in ([(KNOWN, "agree")], [])
        told = await pair.take(file)
        assert told["verdict"] == "accept", told
        assert {m["type"].split(".")[-2]: m["guard"] for m in told["members"]} == guards
        assert await raw(pair) == HIDDEN.replace("\u200b", "").replace("\r\n", "\n")
        body = {"model": "small"}
        whole = await pair.high.call("operator", "POST", "/api/models/verify", body, pair.above)
        assert whole.json["data"]["evidence"]["outcome"] == "whole"  # the files of a model land as they came

    lived(law)


HELD: list[tuple[Outgoing, str]] = [
    (a_document("a.txt", b"\xff\xfe\xfd words"), "guard-encoding"),
    (a_document("a.txt", b"PK\x03\x04 words"), "guard-archive"),
    (a_document("a.json", b'{"a":1,"a":2}'), "guard-structure"),
    (a_document("a.png", b"\x89PNG\r\n\x1a\n and no more"), "guard-structure"),
    (an_object("deep/b.csv", b"\x80\x04\x95 pickled"), "guard-pickle"),
    (a_model_of({"model.safetensors": weights(b"tail")}), "guard-trailing"),
    (a_model_of({"model.safetensors": weights(), "tokenizer.json": b'{"version":"9"}'}), "guard-schema"),
    (Outgoing("p", POLICY_TYPE, LOW, (Content("policy.toml", b"\xff"),)), "guard-encoding"),
]


def test_what_no_guard_makes_anew_is_put_aside_by_its_rule_and_nothing_of_its_bundle_comes() -> None:
    async def law(pair: Pair) -> None:
        for wrong, rule in HELD:
            told = await pair.take(await pair.made([a_document("good.txt", TEXT, number=2), wrong]))
            assert (told["verdict"], told["rule"]) == ("quarantine", "guard-refused"), (wrong.type, told)
            assert told["why"].startswith(wrong.name), told["why"]
            assert told["why"].endswith(f": {rule}"), told["why"]
            assert not told["members"]
        assert await adopted(pair) == (0, [])
        assert (await pair.state()).sequence == 0

    lived(law)


def test_a_verdict_on_other_bytes_is_no_verdict() -> None:
    async def law(pair: Pair) -> None:
        good = await pair.made([a_document("a.txt", TEXT)])
        for guards in (
            (("sha512:" + "0" * 128, KNOWN, "agree"),),
            (("sha512:" + "0" * 128, "another guard", "agree"),),
            (("sha512:" + "0" * 128, KNOWN, "guard-hidden"),),
        ):
            told = await pair.take(await pair.made([replace(a_document("a.txt", TEXT), guards=guards)]))
            assert (told["verdict"], told["rule"]) == ("quarantine", "guard-differs"), told
        unknown = replace(a_document("a.bin", TEXT), guards=guards)
        told = await pair.take(await pair.made([unknown]))
        assert (told["verdict"], told["rule"]) == ("quarantine", "guard-missing"), told
        assert await adopted(pair) == (0, [])
        assert (await pair.take(good))["verdict"] == "accept"

    lived(law)


def test_what_the_guard_of_the_sender_holds_is_not_sent() -> None:
    async def law(pair: Pair) -> None:
        hand = Hand(pair.low, "user", pair.below)
        await hand.settled("plans", "b.json")
        sent, _ = await pair.send(("object", "plans/b.json"))
        assert sent.status == 403, sent.body
        assert sent.json["rule"].startswith("guard-")
        assert await pair.bundles(pair.low) == []

    lived(law)


def test_a_channel_that_asks_for_each_takes_nothing_that_the_guard_does_not_know() -> None:
    async def law(pair: Pair) -> None:
        for wrong, rule in (
            (a_document("a.docx", b"PK\x03\x04"), "guard-archive"),
            (a_document("a.doc", TEXT), "guard-office"),
            (an_object("b.bin", TEXT), "guard-pickle"),
            (an_object("b", TEXT), "guard-format"),
        ):
            told = await pair.take(await pair.made([wrong]))
            assert (told["rule"], told["why"].rpartition(" ")[2]) == ("guard-refused", rule), told
        assert (await pair.state()).guard == "each"
        assert (await pair.take(await pair.made([a_document()])))["verdict"] == "accept"

    lived(law, "each")


def test_a_channel_that_asks_for_none_takes_files_as_they_are() -> None:
    async def law(pair: Pair) -> None:
        sent, file = await pair.send(("document", await pair.document(HIDDEN.encode())))
        assert await stated(pair, file) == [()]
        told = await pair.take(file)
        assert [m["guard"] for m in told["members"] + sent.json["data"]["members"]] == ["", ""]
        assert await raw(pair) == HIDDEN
        wrong = replace(a_document("a.txt", b"\xff"), guards=(("sha512:" + "0" * 128, KNOWN, "agree"),))
        assert (await pair.take(await pair.made([wrong])))["rule"] == "guard-refused"  # whoever names one is asked

    lived(law, "none")


@pytest.mark.skipif(bool(support().why), reason=f"no sandbox here: {support().why}")
def test_fenced_children_look_and_of_a_pdf_its_text_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox = Sandbox()
    cell = CellGuard(sandbox)
    monkeypatch.setattr(wiring, "_guards", lambda _house: FencedGuards(cell))

    async def law(pair: Pair) -> None:
        objects = [
            a_document("pier.pdf", pdf([[(72, 700, 12, "The pier lies north.")]])),
            an_object("plans/pier.pdf", pdf([[(72, 700, 12, "The pier lies south.")]])),
            a_model_of({"model.safetensors": weights(), "tokenizer.json": TOKENIZER}),
        ]
        told = await pair.take(await pair.made([a_document("a.json", b"{")]))
        assert told["why"].endswith(": guard-structure"), told
        told = await pair.take(await pair.made(objects))
        assert told["verdict"] == "accept", told
        assert "The pier lies north." in await raw(pair)
        listed = await pair.high.call("user", "GET", "/api/buckets/plans/objects", None, pair.above)
        assert [each["key"] for each in listed.json["data"]["objects"]] == ["plans/pier.pdf.txt"]
        await cell.close()

    lived(law, "each")
    sandbox.close()
