"""The keys of a channel between two regions: rotated, revoked, and what was under way told apart; through the doors."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from casemate.crypto import KeySigner
from casemate.engines.transfer_yard import FolderYard
from casemate.transfer.bundle.roles import read_root
from casemate.transfer.region.channel import ChannelRecord
from casemate.transfer.region.keys import told_apart
from casemate.transfer.region.seats import signing_of
from casemate.transfer.verify import verify
from tests.laws.world import Seen
from tests.transfer.regions import DAY, Pair, a_document, a_pair


def lived(law: Callable[[Pair], Awaitable[None]], **people: int) -> None:
    async def done() -> None:
        async with a_pair(**people) as pair:
            await law(pair)

    asyncio.run(done())


async def a_bundle(pair: Pair) -> bytes:
    """The next one, as the low region sends it."""
    sent, file = await pair.send(("policy", "us"))
    assert sent.status == 201, sent.body
    return file


async def told(pair: Pair, path: str = "introduction") -> Any:
    """What one end has to tell the other."""
    world, label = (pair.low, pair.below) if path else (pair.high, pair.above)
    seen = await world.call("officer", "GET", f"/api/transfer/channels/up/{path}".rstrip("/"), None, label)
    return seen.json["data"]


def done(seen: Seen) -> Any:
    assert seen.status in (200, 201), seen.body
    return seen.json["data"]


def test_row_25_signers_rotated_in_time_need_no_hand_and_nothing_under_way_is_lost() -> None:
    async def law(pair: Pair) -> None:
        files = [await a_bundle(pair)]
        done(await pair.ask(pair.low, "officer", "rotate", {}))
        files += [await a_bundle(pair) for _ in range(2)]
        assert (await pair.take(files[2]))["verdict"] == "hold"  # the key before signs too: it waits, and is no forgery
        for file in files[:2]:
            assert (await pair.take(file))["verdict"] == "accept"
        state = await pair.state()
        assert (state.sequence, read_root(state.root.encode()).trust.version) == (3, 2)
        old = await pair.record(pair.low)
        stolen = await pair.made([a_document()], signing=old.former[0])
        assert (await pair.take(stolen))["rule"] == "key-rotated"
        done(await pair.ask(pair.low, "officer", "rotate", {}))
        for _ in range(2):
            assert (await pair.take(await a_bundle(pair)))["verdict"] == "accept"
        assert read_root((await pair.state()).root.encode()).trust.version == 3

    lived(law)


def test_row_25_stolen_keys_are_revoked_by_an_introduction_that_two_people_take() -> None:
    async def law(pair: Pair) -> None:
        first, under_way = await a_bundle(pair), await a_bundle(pair)
        assert (await pair.take(first))["verdict"] == "accept"
        stolen = await pair.record(pair.low)
        forged = await pair.made(
            [a_document()], signing=stolen.signing, sequence=2, previous=(await pair.state()).previous
        )
        assert (await pair.take(forged))["verdict"] == "accept"  # nobody knows yet
        done(await pair.ask(pair.low, "officer", "rotate", {"revoke": True}))
        renewed = await a_bundle(pair)
        assert (await pair.take(renewed))["rule"] == "threshold"
        introduction = await told(pair)
        assert introduction["sequence"] == 2
        assert KeySigner(stolen.signing).key_id in introduction["revoked"]
        first_said = await pair.ask(pair.high, "officer", "renew", {"introduction": introduction})
        assert first_said.status == 202
        again = await pair.ask(pair.high, "officer", "renew", {"introduction": introduction})
        assert (again.status, again.json.get("rule")) == (403, "two-person")
        other = {**introduction, "sequence": 1, "previous": (await pair.state()).previous}
        assert (await pair.ask(pair.high, "second", "renew", {"introduction": other})).status == 202
        assert (await pair.ask(pair.high, "officer", "renew", {"introduction": introduction})).status == 202
        done(await pair.ask(pair.high, "second", "renew", {"introduction": introduction}))
        assert (await pair.take(under_way))["rule"] == "key-revoked"
        more = await pair.made(
            [a_document()], signing=stolen.signing, roles=stolen.roles, roots=(), root=stolen.root.encode()
        )
        assert (await pair.take(more))["rule"] == "key-revoked"
        assert (await pair.take(renewed))["verdict"] == "accept"
        assert (await pair.take(await a_bundle(pair)))["verdict"] == "accept"
        nothing_new = await pair.ask(pair.high, "officer", "renew", {"introduction": introduction})
        assert nothing_new.status == 409

    lived(law)


def test_row_25_the_key_that_opens_is_rotated_and_the_older_one_opens_until_it_is_given_up() -> None:
    async def law(pair: Pair) -> None:
        old = await told(pair, "")
        files = [await a_bundle(pair), await a_bundle(pair)]
        rotated = done(await pair.ask(pair.high, "officer", "rotate", {}))
        assert rotated["sequence"] == 0
        new = await told(pair, "")
        assert new["keys"]["opens"] == [new["keys"]["opens"][0], *old["keys"]["opens"]]
        assert (await pair.take(files[0]))["verdict"] == "accept"
        done(await pair.ask(pair.low, "officer", "renew", {"card": new["card"]}))
        assert (await pair.ask(pair.low, "officer", "renew", {"card": new["card"]})).status == 409
        current = await pair.ask(pair.high, "officer", "revoke", {"keys": new["keys"]["opens"][:1]})
        assert current.status == 400
        done(await pair.ask(pair.high, "officer", "revoke", {"keys": old["keys"]["opens"]}))
        late = await pair.take(files[1])
        assert (late["verdict"], late["rule"]) == ("quarantine", "key-retired")
        third = await a_bundle(pair)
        assert (await pair.take(third))["verdict"] == "hold"  # it opens: 2 is missing before it
        done(await pair.ask(pair.high, "officer", "rotate", {"revoke": True}))
        assert (await told(pair, ""))["keys"]["opens"] != new["keys"]["opens"]

    lived(law)


def test_row_25_a_signer_whose_key_is_said_to_be_lost_counts_no_more() -> None:
    async def law(pair: Pair) -> None:
        keys = (await told(pair, ""))["keys"]
        assert (await pair.ask(pair.high, "officer", "revoke", {"keys": ["hybrid-aaaaaaaaaaaaaaaa"]})).status == 400
        assert (await pair.ask(pair.high, "officer", "revoke", {"keys": []})).status == 400
        assert (await pair.ask(pair.low, "officer", "revoke", {"keys": keys["signers"]})).status == 400
        done(await pair.ask(pair.high, "officer", "revoke", {"keys": keys["signers"]}))
        file = await a_bundle(pair)
        assert (await pair.take(file))["rule"] == "key-revoked"
        assert (await told(pair, ""))["keys"]["revoked"] == keys["signers"]
        done(await pair.ask(pair.low, "officer", "rotate", {"revoke": True}))
        introduction = {"introduction": await told(pair)}
        assert (await pair.ask(pair.high, "officer", "renew", introduction)).status == 202
        done(await pair.ask(pair.high, "second", "renew", introduction))
        assert (await pair.take(await a_bundle(pair)))["verdict"] == "accept"

    lived(law)


WRONG: tuple[tuple[dict[str, Any], int], ...] = (
    ({"channel": "ab" * 16}, 400),
    ({"source": "elsewhere"}, 400),
    ({"label": "bottom"}, 400),
    ({"root": "{}"}, 400),
    ({"revoked": ["a key"]}, 400),
    ({"revoked": ["hybrid-aaaaaaaaaaaaaaaa"], "previous": "short"}, 400),
    ({}, 409),
)


def test_an_introduction_that_is_no_renewal_is_refused() -> None:
    async def law(pair: Pair) -> None:
        good = await told(pair)
        for wrong, status in WRONG:
            seen = await pair.ask(pair.high, "officer", "renew", {"introduction": {**good, **wrong}})
            assert seen.status == status, (wrong, seen.body)
        assert (await pair.ask(pair.high, "officer", "renew", {})).status == 400
        card = (await told(pair, ""))["card"]
        for one in ({**card, "region": "elsewhere"}, {**card, "recipient": "00"}, {**card, "ceiling": "us:NEVER"}):
            assert (await pair.ask(pair.low, "officer", "renew", {"card": one})).status == 400
        lower = {**card, "ceiling": "bottom"}
        assert (await pair.ask(pair.low, "officer", "renew", {"card": lower})).status == 403
        assert (await pair.ask(pair.high, "officer", "renew", {"card": card})).status == 400
        assert (await pair.ask(pair.low, "officer", "renew", {"introduction": good})).status == 400
        for _ in range(8):
            done(await pair.ask(pair.high, "officer", "rotate", {}))
        assert (await pair.ask(pair.high, "officer", "rotate", {})).status == 409

    lived(law)


def test_a_bundle_that_needs_several_goes_out_once_each_of_them_has_said_so() -> None:
    async def law(pair: Pair) -> None:
        ceiling = pair.low.house.gate.vault.region.ceiling.text
        for who in ("ben", "cat"):
            await pair.low.person(who, ceiling, ("releaser",))
        sent, _ = await wanted(pair)
        id, outbox = sent["id"], pair.low.folder / "transfer" / "outbox"
        assert (sent["verdict"], sent["signed"]) == ("waiting", 1)

        async def say(who: str, deed: str, status: int = 200) -> Any:
            seen = await pair.ask(pair.low, who, f"/api/transfer/bundles/{id}/{deed}", None)
            assert seen.status == status, (who, deed, seen.body)
            return seen.json

        await pair.low.step("transfer.outbox")
        file = await pair.low.call("operator", "GET", f"/api/transfer/bundles/{id}/file", None, pair.below)
        assert file.status == 404
        assert (await wanted(pair))[1] == 409  # one waits: the channel sends no other
        assert (await pair.ask(pair.low, "officer", "rotate", {})).status == 409
        assert (await say("releaser", "sign", 403))["rule"] == "two-person"
        assert (await say("releaser", "approve", 403))["rule"] == "two-person"
        assert (await say("ben", "sign"))["data"]["verdict"] == "waiting"
        await say("cat", "sign", 409)  # all have signed
        assert (await say("ben", "approve", 403))["rule"] == "two-person"
        assert not outbox.exists()
        assert (await say("officer", "approve"))["data"]["verdict"] == "sent"
        await say("cat", "approve", 409)
        file = await pair.low.call("operator", "GET", f"/api/transfer/bundles/{id}/file", None, pair.below)
        assert (await pair.take(file.body))["verdict"] == "accept"

        second, _ = await wanted(pair)
        id = second["id"]
        assert second["sequence"] == 2
        done(await pair.ask(pair.low, "cat", f"/api/transfer/bundles/{id}/withdraw", None))
        await say("ben", "sign", 409)
        third, _ = await wanted(pair)
        id = third["id"]
        assert third["sequence"] == 2  # the number was never used
        draft = pair.low.folder / "transfer" / "draft" / f"{third['bundle']}.cmb"
        assert draft.exists()
        await say("ben", "sign")
        await say("officer", "approve")
        file = await pair.low.call("operator", "GET", f"/api/transfer/bundles/{id}/file", None, pair.below)
        assert (await pair.take(file.body))["verdict"] == "accept"

    lived(law, signatures=2, approvals=1)


async def wanted(pair: Pair) -> tuple[Any, int]:
    """A bundle that is asked for: what is told of it, and the status."""
    body = {"members": [{"kind": "policy", "id": "us"}]}
    seen = await pair.ask(pair.low, "releaser", "bundles", body)
    return seen.json.get("data"), seen.status


Cell = tuple[str, str, str, str]


def expected(stage: str, keys: str, people: str, expiry: str) -> str:
    """The rule of a cell, as docs/transfer.md has it: who signed, then when it ends; the clock decides nothing."""
    if keys == "old":
        return {"rotated": "key-rotated", "revoked": "key-revoked"}[stage]
    if people != "all":
        return "threshold"
    return "expired" if expiry == "ended" else "accepted"


def test_row_25_rotation_revocation_threshold_expiry_and_clock_one_table() -> None:
    """Two sign and one approves. Each cell is judged by what the high region knows after the acts of its officers."""

    async def law(pair: Pair) -> None:
        first = await pair.record(pair.low)
        assert (await pair.take(await file_of(pair, first)))["verdict"] == "accept"
        opened = await table(pair, "opened", first)
        done(await pair.ask(pair.low, "officer", "rotate", {}))
        assert (await pair.take(await file_of(pair, await pair.record(pair.low))))["verdict"] == "accept"
        rotated = await table(pair, "rotated", first)
        done(await pair.ask(pair.low, "officer", "rotate", {"revoke": True}))
        introduction = {"introduction": await told(pair)}
        assert (await pair.ask(pair.high, "second", "renew", introduction)).status == 202
        done(await pair.ask(pair.high, "officer", "renew", introduction))
        revoked = await table(pair, "revoked", first)
        assert (len(opened), len(rotated), len(revoked)) == (18, 36, 36)

    lived(law, signatures=2, approvals=1)


async def table(pair: Pair, stage: str, first: ChannelRecord) -> list[Cell]:
    """All cells of a stage: keys x people x expiry x clock."""
    record, known = await pair.record(pair.low), await pair.record()
    state = await pair.state()
    cells = []
    for keys in ("now",) if stage == "opened" else ("now", "old"):
        by = record if keys == "now" else first
        for people in ("all", "one signs", "none approves"):
            for expiry in ("valid", "ended"):
                ends = state.attested + (30 * DAY if expiry == "valid" else -1)
                file = await signed(pair, by, people, expires=ends, issued=ends - DAY)
                for clock, off in (("true", 0), ("ahead", 730 * DAY), ("behind", -730 * DAY)):
                    yard = FolderYard(pair.high.folder / "table")
                    opened = await yard.open(file, (known.keeper, *known.keepers))
                    verdict = verify(opened.facts, state, state.attested + off)
                    verdict = told_apart(known, state, opened, verdict)
                    cell = (keys, people, expiry, clock)
                    assert verdict.rule == expected(stage, keys, people, expiry), (stage, cell)
                    alarm = {"true": (), "ahead": ("clock-ahead",), "behind": ("clock-behind",)}[clock]
                    if verdict.rule == "accepted":
                        assert set(alarm) <= set(verdict.alarms), (stage, cell)
                    cells.append(cell)
    return cells


async def signed(pair: Pair, by: ChannelRecord, people: str = "all", **changes: Any) -> str:
    """A bundle that the high region could take next, signed with the keys of that record; where it lies.

    It says what the sender says by now: only who signed it may be others.
    """
    record, known = await pair.record(pair.low), await pair.state()
    made = await pair.packed(
        [a_document()],
        signing=by.signing,
        former=by.former[:1],
        roles=record.roles,
        root=record.root.encode(),
        sequence=known.sequence + 1,
        previous=known.previous,
        **changes,
    )
    yard = FolderYard(pair.high.folder / "table")
    keys = signing_of(by)
    if people == "one signs":
        keys = [each for each in keys if each[1] not in by.others]
    elif people == "none approves":
        keys = [each for each in keys if each[0] == "signer"]
    (pair.high.folder / "table" / "draft").mkdir(parents=True, exist_ok=True)
    (pair.high.folder / "table" / "draft" / f"{made.stem}.cmb").write_bytes(made.read_bytes())
    await yard.publish(made.stem, keys)
    return f"outbox/{made.name}"


async def file_of(pair: Pair, by: ChannelRecord) -> bytes:
    return (pair.high.folder / "table" / await signed(pair, by)).read_bytes()
