"""What the release door does with kinds, parts and keys; who may is tested with the policy, and attacks with them."""

from __future__ import annotations

from typing import Any

import pytest

from casemate.access import PlainText, Releasable, ReleaseAsk, ReleaseDoor
from casemate.access.release import MOST
from casemate.access.release_batch import land
from casemate.accounts.approval_keys import LISTED
from casemate.assistants import RELEASABLE
from casemate.identity import Bearer
from casemate.labels import Label, Policies
from casemate.objects import Put
from casemate.policy import Action, Refuse
from casemate.transfer.dispatch import OutwardGuard
from tests.attacks.releasing import TEXT, answer, approve, ask, asked, below, both, carry, key, offered, people
from tests.attacks.scene import LOW, SECRET, TOP, bring, flow_of, label_of
from tests.laws.access_worlds import NOTE, Note
from tests.laws.world import World

DOCUMENT = (
    b"SECRET//NOFORN\n\n(S//NF) The pier is closed.\n\n(S//NF) Ferries leave at dawn from the other side.\n\n"
    b"(U) The harbour has a pier.\n\nSECRET//NOFORN\n"
)
REQUEST = Action("request", "release")


async def flow(world: World, who: str = "ann", action: Action = REQUEST, label: str = SECRET) -> Any:
    return await flow_of(world, world.house.gate.admit(Bearer(world.keys[who])), action, label)


async def passages(world: World, id: str, label: str, who: str = "ann") -> list[dict[str, Any]]:
    seen = await world.call(who, "GET", f"/api/documents/{id}", acting=label)
    return seen.json["data"]["passages"] if seen.status == 200 else []


async def test_one_passage_comes_down(world: World) -> None:
    """It is read again below, as a document of its own: marks are words by then, and all of it lies at the target."""
    await people(world)
    id = (await bring(world, "ann", DOCUMENT, SECRET)).json["data"]["id"]
    secret = [p for p in await passages(world, id, SECRET) if p["label"] == SECRET]
    body = {
        "kind": "document.part",
        "id": id,
        "part": secret[-1]["id"],
        "label": SECRET,
        "to": LOW,
        "reason": "ferries",
    }
    seen = await world.call("ann", "POST", "/api/releases", body, SECRET)
    assert seen.status == 201, seen.body
    request = seen.json["data"]["id"]
    shown = (await world.call("ben", "GET", f"/api/releases/{request}", acting=SECRET)).json["data"]
    assert shown["text"] == secret[-1]["text"]
    assert shown["statement"]["object"].endswith(f"#{secret[-1]['id']}")
    await both(world, request)
    before = {d["id"] for d in (await world.call("ann", "GET", "/api/documents", acting=LOW)).json["data"]["documents"]}
    assert (await carry(world, request)).status == 200
    waiting = (await world.call("ann", "GET", "/api/documents", acting=LOW)).json["data"]["waiting"]
    assert [each["added_by"] for each in waiting] == ["service:release"]
    await world.step("knowledge.ingest")
    after = (await world.call("ann", "GET", "/api/documents", acting=LOW)).json["data"]
    [new] = [d for d in after["documents"] if d["id"] not in before]
    assert (new["base"], new["added_by"], new["label"]) == ("released", "service:release", LOW)
    assert id not in str(new)
    assert [p["text"] for p in await passages(world, new["id"], LOW)] == [secret[-1]["text"]]
    found = await world.call("ann", "GET", "/api/search?q=ferries+dawn", acting=LOW)
    assert [hit["document"] for hit in found.json["data"]] == [new["id"]]


async def test_the_whole_of_a_part_is_its_passages_under_their_headings(world: World) -> None:
    await people(world)
    id = (await bring(world, "ann", DOCUMENT, SECRET)).json["data"]["id"]
    body = {"kind": "document.part", "id": id, "label": SECRET, "to": LOW, "reason": "ferries"}
    request = (await world.call("ann", "POST", "/api/releases", body, SECRET)).json["data"]["id"]
    text = (await world.call("ben", "GET", f"/api/releases/{request}", acting=SECRET)).json["data"]["text"]
    for passage in await passages(world, id, SECRET):
        assert (passage["text"] in text) == (passage["label"] == SECRET)


async def test_what_is_not_there_or_not_to_be_told_apart(world: World) -> None:
    await people(world)
    id = (await bring(world, "ann", DOCUMENT, SECRET)).json["data"]["id"]
    body = {"kind": "document.part", "to": LOW, "reason": "x"}
    for said in ({"id": "doc_never"}, {"id": id, "part": "psg_never", "label": SECRET}, {"id": id, "label": TOP}):
        assert (await world.call("ann", "POST", "/api/releases", {**body, **said}, SECRET)).status == 404, said
    several = await world.call("ann", "POST", "/api/releases", {**body, "id": id}, SECRET)
    assert several.status == 400
    kept_id = await answer(world)
    assert (await ask(world, kept_id, part="half")).status == 404


async def test_a_room_cannot_let_its_object_below_bear_anything_of_above(world: World) -> None:
    """Not an id of its choice, and no parents."""
    await people(world)
    request = await asked(world)
    await both(world, request)
    above = await flow(world, "ann", Action("carry", "release"))
    gate = world.house.gate
    door = ReleaseDoor(gate, OutwardGuard(), (RELEASABLE,))
    viewed = await door.view(above, request)
    for bad in (
        Releasable(NOTE, lambda value, part: "x", lambda new: Put(NOTE, "mine", Note("a", "b")), "x"),
        Releasable(
            NOTE, lambda value, part: "x", lambda new: Put(NOTE, new.id, Note("a", "b"), (viewed.request.ref,)), "x"
        ),
    ):
        with pytest.raises(ValueError, match="its own identifier"):
            await land(above, gate, bad, viewed.request, viewed.request, "x", viewed.approvals)
    assert await below(world) == []


class Changes:
    """A sanitiser that does not give the same answer twice, as one would after another version of it."""

    name = "text-1"

    def __init__(self) -> None:
        self.times = 0

    def clean(self, text: str, target: Label, policies: Policies) -> Any:
        self.times += 1
        found = PlainText().clean(text + str(self.times), target, policies)
        return found if self.times < 4 else Refuse("release-mark")


async def test_what_would_leave_is_exactly_what_was_shown(world: World) -> None:
    await people(world)
    above, kept_id = await flow(world), await answer(world)
    door = ReleaseDoor(world.house.gate, OutwardGuard(), (RELEASABLE,), (Changes(),))
    request = (await door.ask(above, ReleaseAsk("answer", kept_id, LOW, "why"))).id
    assert (await door.view(above, request)).text == ""
    carrying = await flow(world, "ann", Action("carry", "release"))
    for _ in range(2):
        with pytest.raises(Exception, match="release-changed"):
            await door.carry(carrying, request)


async def test_a_kind_or_a_sanitiser_that_is_gone_releases_nothing(world: World) -> None:
    await people(world)
    request = await asked(world)
    await both(world, request)
    carrying = await flow(world, "ann", Action("carry", "release"))
    for door in (
        ReleaseDoor(world.house.gate, OutwardGuard(), ()),
        ReleaseDoor(world.house.gate, OutwardGuard(), (RELEASABLE,), (_named("other"),)),
    ):
        with pytest.raises(Exception, match="release-changed"):
            await door.carry(carrying, request)
    assert ReleaseDoor(world.house.gate, OutwardGuard(), (RELEASABLE,)).kinds == ("answer",)


def _named(name: str) -> Any:
    class Other(PlainText):
        pass

    Other.name = name
    return Other()


async def test_too_much_at_once_stays(world: World) -> None:
    await people(world)
    huge = Releasable(RELEASABLE.kind, lambda value, part: "x" * (MOST + 1), RELEASABLE.made, "ans")
    door = ReleaseDoor(world.house.gate, OutwardGuard(), (huge,))
    with pytest.raises(Exception, match="release-sanitiser"):
        await door.ask(await flow(world), ReleaseAsk("answer", await answer(world), LOW, "why"))


async def test_two_carry_it_out_at_the_same_moment(world: World) -> None:
    """Whoever comes second finds it done; somebody else's change in between is a conflict."""
    await people(world)
    request = await asked(world)
    await both(world, request)
    gate, door = world.house.gate, ReleaseDoor(world.house.gate, OutwardGuard(), (RELEASABLE,))
    above = await flow(world, "ann", Action("carry", "release"))
    viewed = await door.view(above, request)
    source = (await above.read_each(RELEASABLE.kind, viewed.request.value.object))[0]
    first = await door.carry(above, request)
    await land(above, gate, RELEASABLE, viewed.request, source, TEXT, viewed.approvals)
    assert await door.carry(above, request) == first
    assert len(await below(world)) == 1
    other = await asked(world, text=TEXT + " 2")
    stale = await door.view(above, other)
    await both(world, other)
    with pytest.raises(Exception, match="conflict"):
        await land(above, gate, RELEASABLE, stale.request, source, TEXT, ())
    assert len(await below(world)) == 1


@pytest.mark.parametrize("why", ["x" * 501, "a\u202eb"])
async def test_a_no_has_a_reason_that_can_be_read(world: World, why: str) -> None:
    await people(world)
    request = await asked(world)
    assert (await world.call("ben", "POST", f"/api/releases/{request}/refuse", {"why": why}, SECRET)).status == 400


async def test_a_request_is_looked_at_from_above_and_changed_at_its_own_label_alone(world: World) -> None:
    await people(world)
    await world.person("high", TOP, ("releaser",))
    request = await asked(world)
    assert (await world.call("high", "GET", f"/api/releases/{request}", acting=TOP)).status == 200
    assert (await world.call("high", "POST", f"/api/releases/{request}/refuse", {}, TOP)).status == 404
    assert (await world.call("high", "POST", f"/api/releases/{request}/refuse", {}, SECRET)).status == 200


async def keys_of(world: World, who: str, label: str = SECRET) -> list[dict[str, Any]]:
    seen = await world.call(who, "GET", "/api/release-keys", acting=label)
    return [each["key"] for each in seen.json["data"]]


async def test_keys_are_listed_to_their_owner_and_to_officers(world: World) -> None:
    await people(world)
    [own] = await keys_of(world, "ben")
    assert (own["name"], own["state"], own["lowest"], own["registered_by"]) == ("ben", "registered", LOW, "owner")
    assert sorted(each["name"] for each in await keys_of(world, "dan")) == ["ben", "carl"]
    [carls] = await keys_of(world, "carl")
    assert (await world.call("ben", "DELETE", f"/api/release-keys/{carls['id']}", acting=SECRET)).status == 404
    assert (await world.call("dan", "DELETE", f"/api/release-keys/{carls['id']}", acting=TOP)).status == 404
    assert (await world.call("dan", "DELETE", f"/api/release-keys/{carls['id']}", acting=SECRET)).status == 200
    assert await keys_of(world, "carl") == []


async def test_what_an_officer_may_say_of_a_key(world: World) -> None:
    await people(world)
    await world.person("eve", SECRET, ("releaser",))
    id = await offered(world, "eve")
    target = f"/api/release-keys/{id}/register"
    for said, status in (
        ({"lowest": TOP}, 403),
        ({"lowest": LOW, "days": 0}, 400),
        ({"lowest": LOW, "days": 367}, 400),
        ({"lowest": LOW, "speaks": ["NAVY"]}, 400),
        ({"lowest": LOW}, 200),
        ({"lowest": LOW}, 409),
    ):
        assert (await world.call("dan", "POST", target, said, SECRET)).status == status, said
    listed = await (await flow(world, "dan", Action("keys", "release"))).every(LISTED)
    assert {each.label for each in listed} == {label_of(world, SECRET)}


async def test_a_key_takes_two_officers_where_clearances_do(world: World) -> None:
    await people(world)
    await world.person("eve", SECRET, ("releaser",))
    assert (await world.call("owner", "POST", "/api/region/two-person")).status == 200
    id = await offered(world, "eve")
    target, said = f"/api/release-keys/{id}/register", {"lowest": LOW}
    assert (await world.call("dan", "POST", target, said, SECRET)).status == 202
    request = await asked(world)
    assert (await approve(world, "eve", request)).json["rule"] == "release-key"
    assert (await world.call("dan", "POST", target, said, SECRET)).json["rule"] == "two-person"
    assert (await world.call("owner", "POST", target, {**said, "days": 1}, SECRET)).status == 202
    assert (await world.call("owner", "POST", target, said, SECRET)).status == 200
    assert (await approve(world, "eve", request)).status == 201


async def test_a_key_can_be_made_anew_after_it_was_revoked(world: World) -> None:
    await people(world)
    old = (await keys_of(world, "ben"))[0]["id"]
    assert (await world.call("ben", "DELETE", f"/api/release-keys/{old}", acting=SECRET)).status == 200
    new = await key(world, "ben")
    assert [each["id"] for each in await keys_of(world, "ben")] == [new]
