"""Heads of the ledger rise and are witnessed; one that shrinks or forks puts its bundle aside, and that is an alarm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.access import audit
from casemate.crypto import KeySigner, generate
from casemate.errors import BadInput
from casemate.ledger import (
    Checkpoint,
    Head,
    consistency_proof,
    judged_rising,
    leaf_hash,
    read_rising,
    root_of,
    sign_checkpoint,
    write_rising,
)
from casemate.policy import Action
from casemate.transfer.region import Content, Outgoing
from casemate.transfer.region.channel import HEADS_TYPE
from tests.transfer.regions import LOW, Pair, a_pair

SIGNER = KeySigner(generate())


@dataclass
class Grown:
    """A log of so many leaves, told apart by its seed."""

    size: int
    seed: str = ""

    @property
    def leaves(self) -> list[bytes]:
        return [leaf_hash(f"{self.seed if n > 2 else ''}{n}".encode()) for n in range(self.size)]

    @property
    def head(self) -> Head:
        return Head("log", self.size, root_of(self.leaves).hex())

    def rising(self, *before: int, signer: KeySigner = SIGNER) -> bytes:
        point = sign_checkpoint(signer, "log", self.size, root_of(self.leaves), 1)
        return write_rising(point, ((size, consistency_proof(self.leaves, size)) for size in before))


@given(old=st.integers(1, 40), more=st.integers(0, 40))
def test_what_goes_on_from_what_was_seen_is_witnessed(old: int, more: int) -> None:
    rising = read_rising(Grown(old + more).rising(old))
    assert judged_rising(rising, SIGNER.public, [Grown(old).head]) == "ok"
    assert judged_rising(rising, SIGNER.public, []) == "ok"
    assert judged_rising(rising, KeySigner(generate()).public, []) == "signature"
    if more:
        assert judged_rising(rising, SIGNER.public, [Grown(old + more + 1).head]) == "shrunk"
        assert judged_rising(read_rising(Grown(old + more).rising()), SIGNER.public, [Grown(old).head]) == "unproved"


@given(old=st.integers(4, 40), more=st.integers(0, 40))
def test_another_history_is_forked_whatever_it_proves(old: int, more: int) -> None:
    rising = read_rising(Grown(old + more, "other").rising(old))
    assert judged_rising(rising, SIGNER.public, [Grown(old).head]) == "forked"


@pytest.mark.parametrize("raw", [b"", b"{}", b"[]", b"\xff", b"x" * (2 << 20)])
def test_what_is_no_head_is_refused(raw: bytes) -> None:
    with pytest.raises(BadInput):
        read_rising(raw)


async def rises(pair: Pair) -> dict[str, Any]:
    """The newest head of the low region, signed now, sent and taken."""
    await pair.low.step("ledger.checkpoint")
    sent, file = await pair.send(("heads", "ledger"))
    assert sent.status == 201, sent.body
    return await pair.take(file)


async def watching(pair: Pair) -> None:
    """An auditor above adds the region below, with its key."""
    body = {"name": "lowland", "public": pair.low.house.gate.vault.signer.public.hex()}
    seen = await pair.high.call("officer", "POST", "/api/ledger/witnesses", body, pair.above)
    assert seen.status == 201, seen.body


async def witnessed(pair: Pair) -> list[dict[str, Any]]:
    return list((await pair.high.call("officer", "GET", "/api/ledger/cosignatures", None, pair.above)).json["data"])


async def point(pair: Pair) -> Checkpoint:
    """The newest signed head of the log of the channel's class, below."""
    gate = pair.low.house.gate
    access = gate.classes.of(gate.vault.region.policies.parse(pair.below))
    flow = await gate.open(gate.service("transfer", access), Action("tend", "bundle"))
    return audit.checkpoints(flow, access.id)[-1]


async def test_heads_rise_and_each_goes_on_from_the_last() -> None:
    async with a_pair() as pair:
        await watching(pair)
        for many in (1, 2, 3):
            told = await rises(pair)
            assert told["verdict"] == "accept", told
            assert len(await witnessed(pair)) == many
        sizes = [each["size"] for each in await witnessed(pair)]
        assert sorted(sizes) == sorted(set(sizes))
        assert max(sizes) <= (await point(pair)).size


async def test_nobody_witnesses_a_region_whose_key_he_does_not_know() -> None:
    async with a_pair() as pair:
        told = await rises(pair)
        assert (told["verdict"], told["rule"], told["alarms"]) == ("quarantine", "unfit", [])
        assert await witnessed(pair) == []


@pytest.mark.parametrize("wrong", ["forked", "shrunk", "same-size", "signature", "unproved", "junk"])
async def test_a_head_that_contradicts_what_was_seen_is_an_alarm_and_nothing_of_it_is_kept(wrong: str) -> None:
    async with a_pair() as pair:
        await watching(pair)
        assert (await rises(pair))["verdict"] == "accept"
        seen, signer = await point(pair), pair.low.house.gate.vault.signer
        size = {"shrunk": seen.size - 1, "same-size": seen.size}.get(wrong, seen.size + 3)
        leaves = [leaf_hash(str(n).encode()) for n in range(size)]
        if wrong == "signature":
            signer = SIGNER
        told = sign_checkpoint(signer, seen.log, size, root_of(leaves), 1)
        proofs = [(seen.size, consistency_proof(leaves, seen.size))] if wrong == "forked" else []
        raw = b"{}" if wrong == "junk" else write_rising(told, proofs)
        forged = Outgoing("heads-1", HEADS_TYPE, LOW, (Content("head.json", raw),))
        taken = await pair.take(await pair.made([forged]))
        rule = {"same-size": "ledger-forked", "forked": "ledger-forked", "shrunk": "ledger-shrunk"}.get(wrong, "unfit")
        assert (taken["verdict"], taken["rule"]) == ("quarantine", rule)
        assert taken["alarms"] == ([rule] if rule != "unfit" else [])
        assert [each["size"] for each in await witnessed(pair)] == [seen.size]
        logged = await pair.high.call("officer", "GET", "/api/ledger", None, pair.above)
        alarms = [each["entry"]["facts"].get("alarms", "") for each in logged.json["data"]]
        assert (rule in alarms) == (rule != "unfit")


async def test_what_is_no_log_of_the_channel_is_not_sent() -> None:
    async with a_pair() as pair:
        sent, _ = await pair.send(("heads", "another"))
        assert sent.status == 400
