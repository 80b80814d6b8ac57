"""What seldom happens to what the gate keeps: damage, conflicts and refusals that are met at the edge of a step."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import msgspec
import pytest

from casemate.access import HELD, Hold, contain, frozen
from casemate.access.release_kinds import REQUEST, ReleaseRequest
from casemate.access.settle import HeldRecord
from casemate.clock import iso
from casemate.errors import Conflict, Refused, Unauthenticated
from casemate.identity import SignedHead, sigv4_s3, split_key
from casemate.identity.sigv4 import Authorization
from casemate.objects import Delete, Put
from casemate.policy import Action
from tests.access.damage import flipped, with_entries
from tests.access.test_flow import at, store
from tests.access.test_settle import bringer
from tests.attacks.scene import LOW, SECRET, TOP, flow_of, label_of, log
from tests.custody import spilled
from tests.laws.access_worlds import NOTE, Note
from tests.laws.world import World


async def test_what_is_contained_never_moves_down(world: World) -> None:
    await store(world, SECRET, "one")
    gate = world.house.gate
    high, low = (gate.classes.of(label_of(world, label)) for label in (SECRET, LOW))
    before = len(log(world, SECRET))
    onward = contain.Onward(low, [Put(NOTE, "one", Note("a", "t"))])
    with pytest.raises(Refused) as told:
        await contain.land(gate, high, [Delete(NOTE, "one")], {}, onward)
    assert told.value.facts["rule"] == "no-write-down"
    await gate.folded()
    assert len(log(world, SECRET)) == before
    assert [each.id for each in await (await at(world, SECRET)).every(NOTE)] == ["one"]


async def test_custody_passes_over_entries_and_words_that_cannot_be_opened(world: World) -> None:
    flow = await at(world, SECRET)
    await flow.begin(b"what was said")
    await world.house.gate.folded()
    whole = list(contain.logged(flow))
    [spoken] = [each for each in whole if contain.said(flow, each)]
    assert contain.said(flow, spoken) == b"what was said"
    assert spoken.stored is not None
    words = msgspec.structs.replace(spoken.stored, content=flipped(spoken.stored.content))
    assert contain.said(flow, contain.Logged(spoken.access, spoken.entry, words)) == b""
    id = spoken.stored.id

    def change(stored: Any) -> Any:
        return msgspec.structs.replace(stored, sealed=flipped(stored.sealed)) if stored.id == id else stored

    with with_entries(world, change):
        left = list(contain.logged(flow))
    assert [each.entry for each in left] == [each.entry for each in whole if each is not spoken]


async def test_a_key_outlives_a_log_whose_leaves_are_not_all_there(world: World) -> None:
    """Without the last head nothing could be verified afterwards: the key waits until the log can be read."""
    await world.person("olga", TOP, ("user", "officer", "auditor"))
    await store(world, SECRET, "one")
    done = await world.call("olga", "POST", "/api/class-keys/destroy", {}, acting=SECRET)
    assert done.json["data"]["state"] == "doomed"
    with patch.object(world.house.gate.vault.reader._port, "leaves", lambda *_: []):
        await world.step("keys.destroy")
    assert (await world.call("olga", "GET", "/api/class-keys/here", acting=SECRET)).status == 200
    await world.step("keys.destroy")
    assert (await world.call("olga", "GET", "/api/class-keys/here", acting=SECRET)).status == 410


def signed_head(world: World, key_id: str, secret: str, scope_key: str = "") -> SignedHead:
    stamp = iso(world.clock.now())[:19].replace("-", "").replace(":", "") + "Z"
    headers = (("host", "region.test"), ("x-amz-content-sha256", sigv4_s3.UNSIGNED), ("x-amz-date", stamp))
    names = tuple(name for name, _ in headers)
    auth = Authorization(scope_key or key_id, stamp[:8], "law", "s3", names, "")
    bare = SignedHead(key_id, "GET", "/bucket/key", "", headers, "")
    made = sigv4_s3.signature(bare, sigv4_s3.Shown(auth, stamp, sigv4_s3.UNSIGNED), secret)
    scope = f"{auth.key_id}/{stamp[:8]}/law/s3/aws4_request"
    text = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders={';'.join(names)}, Signature={made}"
    return SignedHead(key_id, "GET", "/bucket/key", "", headers, text)


async def test_a_right_signature_of_a_key_that_is_none_admits_nobody(world: World) -> None:
    """A key that never was, one of another use, and one that signs in another's name."""
    await world.person("ann", TOP)
    key_id, secret = world.signers["ann"]
    gate = world.house.gate
    assert gate.admit(signed_head(world, key_id, secret)).principal.name == "ann"
    bearer = split_key(world.keys["ann"]).id
    for id in ("never", bearer):
        with pytest.raises(Unauthenticated):
            gate.admit(signed_head(world, id, gate.directory.sigv4_secret(id, 0)))
    with pytest.raises(Unauthenticated):
        gate.admit(signed_head(world, key_id, secret, "never"))


async def test_all_that_is_frozen_is_read_however_much_it_is(world: World) -> None:
    await spilled.people(world)
    first = await spilled.spilled(world)
    second = await spilled.spilled(world, text=spilled.WORDS.replace("ninth", "tenth"))
    with patch.object(frozen, "PAGE", 1):
        for id in (first, second):
            assert (await spilled.contain(world, id)).json["data"]["state"] == "frozen"
        for id in (first, second):
            assert (await world.call("ann", "GET", f"/api/documents/{id}", acting=LOW)).status == 404


def test_what_a_request_and_what_is_held_were_made_from() -> None:
    text = dict.fromkeys(("class_id", "source", "target", "content", "leaves", "sanitiser", "reason"), "x")
    request = ReleaseRequest(kind="document", object="doc_1", requester="r", name="n", at=0, expires=1, **text)
    assert REQUEST.sources("rel_1", request) == (("document", "doc_1"),)
    held = HeldRecord("a.txt", "law", LOW, "", "digest", origin="file-1")
    assert HELD.sources("doc_1", held) == (("file", "file-1"),)
    assert HELD.sources("doc_1", msgspec.structs.replace(held, origin="file-1:2")) == ()


async def test_a_conflict_of_what_is_raised_is_told_in_the_callers_words(world: World) -> None:
    low = await at(world, SECRET)
    await low.commit(Put(NOTE, "old", Note("a", "t")))
    flow = await flow_of(world, bringer(world), Action("relabel", "document"), SECRET)
    hold = Hold("a.txt", "law", "digest", marks="text")
    with pytest.raises(Conflict) as told:
        await hold.raised(flow, label_of(world, TOP), b"bytes", Delete(NOTE, "old", expect=9))
    assert told.value.facts == {"what": f"{NOTE.name} old"}
    assert await (await at(world, TOP)).every(HELD) == []


def test_a_conflict_over_what_nobody_asked_for_names_its_kind_alone(world: World) -> None:
    rows, access = world.house.gate.rows, world.house.gate.classes.of(label_of(world, LOW))
    told = rows.told(Conflict(what="held hidden-name"), [(access, Put(NOTE, "mine", Note("a", "t")))])
    assert told.facts == {"what": "held"}
