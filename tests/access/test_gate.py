"""The gate from inside: what is damaged is never served, what ends is forgotten, what is refused names its rule."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest

from casemate.access import Flow, Hold, audit, pack, unpack
from casemate.access.classes import Classes
from casemate.access.core import outward
from casemate.errors import Absent, Damaged, Expired, Refused, Unauthenticated
from casemate.identity import Bearer, Peer, Principal, Session, Signed
from casemate.identity.sigv4 import Authorization, signature
from casemate.labels import Label, Labelled
from casemate.objects import Kind, Put
from casemate.policy import Action, Refuse
from tests.laws.world import World, a_world

LOW = "agency=EXERCISE"
SECRET = "agency=EXERCISE + us:SECRET//REL=USA"
KEEP = Action("keep", "answer")
READ = Action("read", "ledger")


class Note(msgspec.Struct, frozen=True):
    text: str


NOTE = Kind("test.note", Note)


def inside(work: Callable[[World], Awaitable[None]]) -> None:
    """Run a test's body in a fresh region with an analyst and an owner."""

    async def run() -> None:
        async with a_world() as world:
            await world.person("analyst", SECRET)
            await work(world)

    asyncio.run(run())


def label(world: World, text: str) -> Label:
    found: Label = world.house.gate.vault.region.policies.parse(text)
    return found


async def flow_of(world: World, at: str = SECRET, action: Action = KEEP, roles: str = "user") -> Flow:
    held = label(world, at)
    session = Session("ses", Principal("p", "tester", held, frozenset({roles})), label(world, LOW), held)
    return await world.house.gate.open(session, action)


def stored(world: World, sql: str, *values: Any) -> None:
    """Change the store behind everybody's back."""
    import apsw

    apsw.Connection(str(world.house.folder.records)).execute(sql, values)


def test_a_changed_row_is_damaged_and_nothing_of_it_is_served() -> None:
    async def work(world: World) -> None:
        flow = await flow_of(world)
        await flow.commit(Put(NOTE, "n", Note("word")))
        stored(world, "UPDATE rows SET sealed = CAST(sealed || x'00' AS BLOB) WHERE kind = 'test.note'")
        with pytest.raises(Damaged):
            await flow.read(NOTE, "n")

    inside(work)


def test_a_row_in_another_s_place_is_damaged() -> None:
    async def work(world: World) -> None:
        flow = await flow_of(world)
        await flow.commit(Put(NOTE, "a", Note("one")), Put(NOTE, "b", Note("two")))
        [row] = world.house.gate.vault.reader.get(NOTE.name, "a", [flow.access.id])
        with pytest.raises(Damaged):
            world.house.gate.rows.open(Kind("test.other", Note), row)

    inside(work)


def test_a_class_that_is_not_what_its_id_says_is_damaged() -> None:
    async def work(world: World) -> None:
        gate = world.house.gate
        await (await flow_of(world)).commit(Put(NOTE, "n", Note("word")))
        plain = msgspec.msgpack.encode({"label": LOW, "need": "", "originator": ""})
        secret = gate.classes.of(label(world, SECRET))
        sealed = gate.vault.sealer.seal("", "class", plain, secret.id.encode())
        stored(world, "UPDATE classes SET sealed = ? WHERE id = ?", sealed, secret.id)
        with pytest.raises(Damaged):
            Classes(gate.vault).everything()

    inside(work)


def test_a_class_that_nobody_wrote_is_damaged_and_one_that_was_is_found() -> None:
    async def work(world: World) -> None:
        flow = await flow_of(world)
        await flow.commit(Put(NOTE, "n", Note("word")))
        anew = Classes(world.house.gate.vault)
        assert anew.by_id(flow.access.id).label is flow.acting
        with pytest.raises(Damaged):
            anew.by_id("nowhere")

    inside(work)


def test_a_changed_entry_is_damaged() -> None:
    async def work(world: World) -> None:
        flow = await flow_of(world)
        await flow.commit(Put(NOTE, "n", Note("word")))
        stored(world, "UPDATE entries SET leaf = zeroblob(48) WHERE log = ?", flow.access.id)
        with pytest.raises(Damaged):
            audit.entries(await flow_of(world, action=READ))

    inside(work)


def test_what_was_said_is_held_to_its_digest_and_forgotten_in_time() -> None:
    async def work(world: World) -> None:
        flow = await flow_of(world)
        await flow.begin(b"the question")
        await flow.release(b"the answer")
        auditor = await flow_of(world, action=Action("open", "ledger"), roles="auditor")
        begun = flow.begun
        assert await audit.open_content(auditor, begun, "test") == b"the question"
        log, kept = world.house.gate.vault.reader.entry(begun)
        forged = world.house.gate.vault.sealer.seal(
            log, "content", msgspec.msgpack.encode((b"salt", b"another")), begun.encode()
        )
        stored(world, "UPDATE contents SET content = ? WHERE log = ? AND seq = ?", forged, log, kept.seq)
        with pytest.raises(Damaged):
            await audit.open_content(auditor, begun, "test")
        world.clock.forward(40 * 86_400)
        await world.step("ledger.forget")
        assert await audit.open_content(auditor, begun, "test") is None
        checked = await flow_of(world, action=Action("verify", "ledger"), roles="auditor")
        assert {verdict.state for _, verdict in audit.verdicts(checked, [])} == {"ok"}

    inside(work)


def test_another_s_words_are_absent() -> None:
    async def work(world: World) -> None:
        flow = await flow_of(world)
        await flow.begin(b"mine")
        await flow.release(b"told")
        assert await audit.own_content(await flow_of(world, action=READ), flow.begun) == b"mine"
        held = label(world, SECRET)
        other = Session("o", Principal("o", "other", held, frozenset({"auditor"})), label(world, LOW), held)
        with pytest.raises(Absent):
            await audit.own_content(await world.house.gate.open(other, READ), flow.begun)
        with pytest.raises(Absent):
            audit.entry(await flow_of(world, LOW, READ), flow.begun)

    inside(work)


def test_a_blob_of_a_hidden_class_is_absent() -> None:
    async def work(world: World) -> None:
        high = await flow_of(world)
        name = await high.pour(b"bytes")
        await high.commit(Put(NOTE, "n", Note("word")))
        assert await high.blob(high.access.id, name) == b"bytes"
        low = await flow_of(world, LOW)
        with pytest.raises(Absent):
            await low.blob(high.access.id, name)

    inside(work)


def test_an_envelope_is_opened_only_where_it_is_dominated() -> None:
    async def work(world: World) -> None:
        flow = await flow_of(world)
        assert flow.look(Labelled(label(world, LOW), "word")) == "word"
        low = await flow_of(world, LOW)
        with pytest.raises(Refused) as raised:
            low.look(Labelled(label(world, SECRET), "word"))
        assert raised.value.facts["rule"] == "no-read-up"

    inside(work)


def test_only_a_service_that_saw_nothing_else_settles() -> None:
    async def work(world: World) -> None:
        gate = world.house.gate
        flow = await flow_of(world, action=Action("add", "document"))
        ref = await flow.hold(Hold("a.txt", "base", "digest"), b"words")
        from casemate.access import HELD

        held = await flow.read(HELD, ref.id)
        with pytest.raises(Refused) as raised:
            flow.settle(held)
        assert raised.value.facts["rule"] == "marks-of-origin"
        settle = Action("settle", "document")
        service = await gate.open(gate.service("knowledge", flow.access), settle)
        await flow.commit(Put(NOTE, "n", Note("word")))
        await service.read(NOTE, "n")
        with pytest.raises(Refused):
            service.settle(held)
        clean = await gate.open(gate.service("knowledge", flow.access), settle)
        settling = clean.settle(await clean.read(HELD, ref.id))
        with pytest.raises(Refused):
            settling.change(label(world, "agency=EXERCISE + us:TOP SECRET"), Put(NOTE, "x", Note("up")))

    inside(work)


def test_a_carried_flow_is_the_same_flow_and_a_changed_one_is_none() -> None:
    async def work(world: World) -> None:
        flow = await flow_of(world)
        await flow.inspect(["(S//NF) a marked line"])
        await flow.begin(b"q")
        sealed = pack(flow, Note("chat"))
        again, note = unpack(world.house.gate, sealed, Note)
        assert note == Note("chat")
        assert (again.acting, again.floor, again.begun) == (flow.acting, flow.floor, flow.begun)
        assert again.session == flow.session
        with pytest.raises(Damaged):
            unpack(world.house.gate, sealed[:-1] + bytes([sealed[-1] ^ 1]), Note)

    inside(work)


def signed(world: World, key_id: str, secret: str) -> Signed:
    headers = (("host", "h"), ("x-amz-date", "20260921T141320Z"))
    auth = Authorization(key_id, "20260921", "law", "bedrock", ("host", "x-amz-date"), "")
    bare = Signed(key_id, "GET", "/foundation-models", "", headers, b"", "")
    value = f"Credential={key_id}/20260921/law/bedrock/aws4_request, SignedHeaders=host;x-amz-date, "
    said = f"AWS4-HMAC-SHA256 {value}Signature={signature(bare, auth, secret)}"
    return Signed(key_id, "GET", "/foundation-models", "", headers, b"", said)


def test_credentials_that_do_not_open() -> None:
    async def work(world: World) -> None:
        gate = world.house.gate
        api = world.keys["analyst"]
        key_id, secret = world.signers["analyst"]
        assert gate.admit(Bearer(api)).principal.name == "analyst"
        assert gate.admit(signed(world, key_id, secret)).principal.name == "analyst"
        wrong = (
            Bearer(api[:-1] + ("a" if api[-1] != "a" else "b")),
            Bearer(api, "console"),
            Bearer("cm_unknown_key"),
            Bearer("no key at all"),
            Peer(99_999),
            signed(world, key_id, "another secret"),
            signed(world, "CMKUNKNOWN", secret),
            signed(world, api.split("_")[1], gate.directory.sigv4_secret(api.split("_")[1], 1)),
        )
        for credential in wrong:
            with pytest.raises(Unauthenticated):
                gate.admit(credential)
        world.clock.forward(400 * 86_400)
        with pytest.raises(Expired):
            gate.admit(Bearer(api))

    inside(work)


def test_a_lowered_clearance_closes_the_keys_above_it() -> None:
    async def work(world: World) -> None:
        seen = await world.call("owner", "GET", "/api/principals")
        [person] = [p for p in seen.json["data"]["principals"] if p["name"] == "analyst"]
        changed = {"name": "analyst", "clearance": "us:UNCLASSIFIED", "roles": ["user"]}
        assert (await world.call("owner", "PUT", f"/api/principals/{person['id']}", changed)).status == 200
        assert (await world.call("analyst", "GET", "/api/session")).status == 401

    inside(work)


def test_the_outward_face_of_what_is_absent_says_nothing_of_a_rule() -> None:
    hidden = outward(Action("read", "document"), Refuse("no-read-up", {"id": "doc_x"}, face="absent"))
    assert isinstance(hidden, Absent)
    assert hidden.facts == {"kind": "document", "id": "doc_x"}
    assert isinstance(outward(KEEP, Refuse("no-rule", {})), Refused)


def test_what_was_absent_below_is_told_above_and_changes_nothing_below() -> None:
    async def work(world: World) -> None:
        high = await flow_of(world)
        await high.commit(Put(NOTE, "n", Note("word")))
        low = await flow_of(world, LOW)
        with pytest.raises(Absent) as raised:
            await low.read(NOTE, "n")
        before = audit.entries(await flow_of(world, LOW, READ, "auditor"))
        await world.step("ledger.reconcile")
        assert audit.entries(await flow_of(world, LOW, READ, "auditor")) == before
        told = audit.entries(await flow_of(world, SECRET, READ, "auditor"))
        [entry] = [s.entry for s in told if s.entry.rule == "no-read-up"]
        assert entry.facts["asked"] == raised.value.entry
        assert (entry.facts["principal"], entry.outcome) == ("tester", "refused")
        await world.step("ledger.reconcile")
        assert len(audit.entries(await flow_of(world, SECRET, READ, "auditor"))) == len(told)

    inside(work)
