"""Acting needs through the doors: a header says them, what is brought rests among those who need to know it."""

from __future__ import annotations

import pytest

from casemate.identity import Peer
from casemate.policy import Action
from tests.attacks.scene import ASKED, HIDDEN, LOW, SECRET, TOP, Writer, bring, connect, label_of, log
from tests.laws.world import Seen, World

ALPHA = "agency=EXERCISE + need=ALPHA + us:SECRET//REL=USA"
BOTH = "agency=EXERCISE + need=ALPHA + need=BRAVO + us:SECRET//REL=USA"
OPEN = "SECRET//NOFORN"
MESSAGES = [{"role": "user", "content": ASKED}]


def acting(*needs: str) -> tuple[tuple[str, str], ...]:
    return (("casemate-acting-needs", ", ".join(needs)),)


async def people(world: World) -> None:
    for name, clearance in (("ann", BOTH), ("ben", SECRET), ("cat", ALPHA)):
        await world.person(name, clearance)


async def search(world: World, who: str, *needs: str) -> Seen:
    return await world.call(who, "GET", "/api/search?q=hidden+lantern", headers=acting(*needs) if needs else ())


async def test_a_session_says_what_it_has_and_what_it_acts_with(world: World) -> None:
    await people(world)
    told = (await world.call("ann", "GET", "/api/session")).json["data"]
    assert (told["needs"], told["acting_needs"]) == (["ALPHA", "BRAVO"], [])
    told = (await world.call("ann", "GET", "/api/session", headers=acting("BRAVO"))).json["data"]
    assert told["acting_needs"] == ["BRAVO"]
    assert told["acting"]["label"] == "agency=EXERCISE + need=BRAVO + us:SECRET//REL=USA"
    told = (await world.call("ann", "GET", "/api/session?needs=ALPHA,BRAVO")).json["data"]
    assert told["acting_needs"] == ["ALPHA", "BRAVO"]
    both = (("casemate-acting-label", LOW), *acting("ALPHA"))
    told = (await world.call("ann", "GET", "/api/session", headers=both)).json["data"]
    assert told["acting"]["label"] == "agency=EXERCISE + need=ALPHA"


async def test_a_mark_never_shows_it_and_the_label_does(world: World) -> None:
    await people(world)
    plain = await world.call("ann", "GET", "/api/session")
    knowing = await world.call("ann", "GET", "/api/session", headers=acting("ALPHA"))
    assert plain.header("Casemate-Marking") == knowing.header("Casemate-Marking") == OPEN
    assert knowing.header("Casemate-Label") == ALPHA


@pytest.mark.parametrize(
    ("needs", "status", "rule"),
    [(("ALPHA", "CHARLIE"), 403, "acting-needs"), (("two words",), 400, ""), (("ALPHA", ""), 400, "")],
)
async def test_what_one_has_not_is_refused(world: World, needs: tuple[str, ...], status: int, rule: str) -> None:
    await people(world)
    seen = await world.call("ann", "GET", "/api/session", headers=acting(*needs))
    assert (seen.status, seen.json.get("rule", "")) == (status, rule)
    if rule:
        assert "CHARLIE" in seen.json["detail"]
    assert "CHARLIE" not in str(log(world, SECRET))


async def test_a_document_is_for_those_who_need_to_know(world: World) -> None:
    await people(world)
    seen = await world.call(
        "ann", "POST", "/api/documents?name=n.txt&base=law&label=us:SECRET//NOFORN", HIDDEN, headers=acting("ALPHA")
    )
    assert seen.status == 202
    await world.step("knowledge.ingest")
    assert [
        len((await search(world, who, *needs)).json["data"])
        for who, needs in (
            ("ann", ()),
            ("ann", ("ALPHA",)),
            ("ann", ("BRAVO",)),
            ("ben", ()),
            ("cat", ("ALPHA",)),
        )
    ] == [0, 1, 0, 0, 1]
    listed = await world.call("ben", "GET", "/api/documents")
    assert listed.json["data"] == {"documents": [], "parts": [], "waiting": []}
    hidden = await world.call("ben", "GET", f"/api/documents/{seen.json['data']['id']}")
    never = await world.call("ben", "GET", "/api/documents/doc_never")
    assert hidden.status == never.status == 404
    assert (
        hidden.body.replace(seen.json["data"]["id"].encode(), b"doc_never").split(b'"entry"')[0]
        == (never.body.split(b'"entry"')[0])
    )


@pytest.mark.parametrize(
    ("need", "who", "found"),
    [
        ("ALPHA|BRAVO", ("cat", "ALPHA"), 1),
        ("ALPHA|BRAVO", ("ann", "BRAVO"), 1),
        ("ALPHA|BRAVO", ("ben",), 0),
        ("ALPHA%26BRAVO", ("cat", "ALPHA"), 0),
        ("ALPHA%26BRAVO", ("ann", "ALPHA", "BRAVO"), 1),
    ],
)
async def test_an_expression_says_who(world: World, need: str, who: tuple[str, ...], found: int) -> None:
    await people(world)
    target = f"/api/documents?name=n.txt&base=law&label=us:SECRET//NOFORN&need={need}"
    assert (await world.call("ann", "POST", target, HIDDEN, headers=acting("ALPHA", "BRAVO"))).status == 202
    await world.step("knowledge.ingest")
    assert len((await search(world, *who)).json["data"]) == found


async def test_whoever_would_not_know_it_cannot_say_so(world: World) -> None:
    await people(world)
    target = "/api/documents?name=n.txt&base=law&label=us:SECRET//NOFORN&need=ALPHA"
    seen = await world.call("ann", "POST", target, HIDDEN)
    assert (seen.status, seen.json["rule"]) == (403, "need-stated")
    assert "ALPHA" in seen.json["detail"]
    assert (await world.call("ann", "POST", target + "%26", HIDDEN)).status == 400


async def test_the_same_bytes_for_others_are_another_document(world: World) -> None:
    await people(world)
    target = "/api/documents?name=n.txt&base=law&label=us:SECRET//NOFORN"
    for need, state in (("", "waiting"), ("", "known"), ("ALPHA%7CBRAVO", "waiting"), ("BRAVO%7CALPHA", "known")):
        told = await world.call("ann", "POST", f"{target}&need={need}", HIDDEN, headers=acting("ALPHA"))
        assert told.json["data"]["state"] == state
        await world.step("knowledge.ingest")


async def test_an_answer_is_written_in_rungs_of_what_one_needs_to_know(world: World) -> None:
    await people(world)
    await bring(world, "ben", b"The hidden lantern stands at the pier.", SECRET, label=SECRET)
    await world.call(
        "ann", "POST", "/api/documents?name=n.txt&base=law&label=us:SECRET//NOFORN", HIDDEN, headers=acting("ALPHA")
    )
    await world.step("knowledge.ingest")
    plain = await world.call("ann", "POST", "/api/ask", {"question": ASKED})
    told = await world.call("ann", "POST", "/api/ask", {"question": ASKED}, headers=acting("ALPHA"))
    assert [rung["label"] for rung in plain.json["data"]["rungs"]] == [SECRET]
    rungs = told.json["data"]["rungs"]
    assert [rung["label"] for rung in rungs] == [SECRET, ALPHA], "lower ones first"
    assert "burns" in rungs[1]["text"]
    assert "burns" not in rungs[0]["text"]
    assert b"burns" not in plain.body
    assert told.header("Casemate-Label") == ALPHA
    [begun] = [entry for entry in log(world, ALPHA) if entry.outcome == "begin"]
    assert begun.id == told.header("Casemate-Ledger")


async def test_what_one_of_two_opens_has_a_rung_of_its_own(world: World) -> None:
    """It bears those of the authorizations by which it was found, so the rung below does not lose it or tell of it."""
    await people(world)
    target = "/api/documents?name=n.txt&base=law&label=us:SECRET//NOFORN&need=ALPHA%7CBRAVO"
    await world.call("ann", "POST", target, HIDDEN, headers=acting("ALPHA"))
    await world.step("knowledge.ingest")
    for needs, by in ((("ALPHA",), "ALPHA"), (("BRAVO",), "BRAVO"), (("ALPHA", "BRAVO"), "ALPHA")):
        told = await world.call("ann", "POST", "/api/ask", {"question": ASKED}, headers=acting(*needs))
        [rung] = told.json["data"]["rungs"]
        assert rung["label"] == label_of(world, SECRET).with_needs([by]).text
    none = await world.call("ann", "POST", "/api/ask", {"question": ASKED})
    assert b"burns" not in none.body


async def test_a_proof_holds_where_need_to_know_counts(world: World) -> None:
    """The second world has the same classes."""
    await people(world)
    for need in ("ALPHA", "ALPHA%7CBRAVO"):
        target = f"/api/documents?name={need[:3]}.txt&base=law&label=us:SECRET//NOFORN&need={need}"
        text = HIDDEN + need.encode()
        await world.call("ann", "POST", target, text, headers=acting("ALPHA", "BRAVO"))
    await world.step("knowledge.ingest")
    body = {"question": ASKED, "who": "", "at": BOTH, "reason": "", "last": False}
    proof = await world.call("ann", "POST", "/api/prove", body, headers=acting("ALPHA", "BRAVO"))
    assert proof.status == 200, proof.body
    assert proof.json["data"]["equal"] is True
    assert proof.json["data"]["passages"] == 2


async def test_every_wire_takes_it_and_a_signature_covers_it(world: World) -> None:
    await people(world)
    await world.call(
        "ann", "POST", "/api/documents?name=n.txt&base=law&label=us:SECRET//NOFORN", HIDDEN, headers=acting("ALPHA")
    )
    await world.step("knowledge.ingest")
    body = {"model": "casemate/extractive-reader", "messages": MESSAGES, "metadata": {"knowledge": "all"}}
    told = await world.call("ann", "POST", "/v1/chat/completions", body, headers=acting("ALPHA"))
    assert b"burns" in told.body
    assert b"burns" not in (await world.call("ann", "POST", "/v1/chat/completions", body)).body
    asked = {"messages": [{"role": "user", "content": [{"text": ASKED}]}], "requestMetadata": {"knowledge": "all"}}
    path = "/model/casemate.extractive-reader/converse"
    unsigned = await world.call("ann", "POST", path, asked, signed=True, headers=acting("ALPHA"))
    assert unsigned.status in (401, 403), "a header that decides, and that nobody has signed"
    signed = await world.call("ann", "POST", path, asked, ALPHA, signed=True)
    assert signed.status == 200
    assert b"burns" in signed.body


async def test_an_engine_outside_is_lent_it_only_where_it_is_named_for_it(world: World) -> None:
    await people(world)
    for accreditation, asked, status in ((TOP, "ALPHA", 404), (TOP, "", 200)):
        engine = Writer("It burns. [1]")
        connect(world, engine, accreditation)
        # A key whose floor is its ceiling: what it sends back was made with what it acts with.
        gate = world.house.gate
        from casemate.accounts import KeyRequest, issue

        flow = await gate.open(gate.admit(Peer(0)), Action("issue", "key"))
        needs = tuple(filter(None, [asked]))
        _, secret = await issue(flow, KeyRequest(principal="ann", ceiling=SECRET, needs=needs))
        world.keys["bound"] = secret
        body = {"model": "far", "messages": MESSAGES}
        seen = await world.call("bound", "POST", "/v1/chat/completions", body)
        assert (seen.status, len(engine.lent)) == (status, int(status == 200))


async def test_an_engine_inside_needs_no_name(world: World) -> None:
    await people(world)
    engine = Writer("It burns. [1]")
    connect(world, engine, SECRET, outside=False)
    seen = await world.call("ann", "POST", "/v1/chat/completions", {"model": "far", "messages": MESSAGES}, ALPHA)
    assert seen.status == 200
    assert len(engine.lent) == 1
