"""Admission of somebody outside: the name that is shown, whom it is bound to, and what an authority signed of it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from casemate.access import BINDING, STATE, BindingRecord, Enrol, StateRecord, is_outside
from casemate.access.trust import NOBODY
from casemate.accounts import KeyRequest, PersonRequest, issue, open_console
from casemate.accounts.bindings import bind, bindings, unbind
from casemate.accounts.statements import install, installed
from casemate.clock import SECOND
from casemate.crypto import KeySigner, generate
from casemate.errors import Absent, BadInput, Conflict, Refused, Unauthenticated
from casemate.identity import Bearer, Session
from casemate.identity import certificate as certificates
from casemate.identity.outsider import Outsider
from casemate.objects import Put
from casemate.policy import Action
from tests.access.outside import (
    ANN,
    CLEARED,
    GRANT,
    ISSUER,
    LIST,
    admit,
    believe,
    bound,
    nobody,
    officer,
    person,
    put,
    shown,
    statement,
)
from tests.attacks.scene import LOW, flow_of, principal
from tests.crypto.authority import make
from tests.laws.world import World


async def test_a_bound_subject_is_the_principal(world: World) -> None:
    believe(world.house.gate)
    nobody(world)
    made = await bound(world)
    session = admit(world)
    assert (session.principal.id, session.principal.name, session.principal.roles) == (made.principal, "ann", {"user"})
    assert session.floor is session.ceiling is session.principal.clearance
    for other in ({"sub": "ben"}, {"iss": "https://other.test"}, {"aud": "x"}):
        with pytest.raises(Unauthenticated):
            admit(world, **other)
    assert [each.value for each in await bindings(await officer(world, LIST))] == [made]
    await unbind(await officer(world), made.id)
    nobody(world)
    with pytest.raises(Absent):
        await unbind(await officer(world), made.id)


async def test_a_sessions_id_is_of_the_token_and_tells_nothing_of_it(world: World) -> None:
    believe(world.house.gate)
    await bound(world)
    token = shown(world.house.gate)
    one, again = (world.house.gate.admit(Bearer(token)) for _ in range(2))
    assert one.id == again.id != admit(world, jti="other").id
    assert is_outside(one)
    assert len(one.id) == 44
    assert one.id[4:] not in token


async def test_what_a_token_claims_changes_nothing(world: World) -> None:
    believe(world.house.gate)
    await bound(world)
    claims = {
        "clearance": "us:TOP SECRET",
        "roles": ["officer"],
        "groups": ["officer"],
        "agencies": ["X"],
        "scope": "all",
    }
    plain, bold = admit(world), admit(world, **claims)
    assert (plain.principal, plain.floor, plain.ceiling) == (bold.principal, bold.floor, bold.ceiling)


async def test_floor_and_ceiling_of_a_binding(world: World) -> None:
    believe(world.house.gate)
    region = world.house.gate.vault.region
    await bound(world, msgspec.structs.replace(ANN, floor="us:UNCLASSIFIED", ceiling="us:CONFIDENTIAL"))
    session = admit(world)
    assert (session.floor, session.ceiling) == (region.label("us:UNCLASSIFIED"), region.reach("us:CONFIDENTIAL"))


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"ceiling": "us:TOP SECRET"}, Refused),
        ({"floor": "us:SECRET", "ceiling": "us:CONFIDENTIAL"}, BadInput),
        ({"scheme": "fingerprint"}, BadInput),
        ({"subject": ""}, BadInput),
        ({"certificate": "x"}, BadInput),
        ({"certificate": "x", "scheme": "", "issuer": "", "subject": ""}, BadInput),
    ],
    ids=str,
)
async def test_bindings_that_cannot_be(world: World, more: dict[str, str], error: type[Exception]) -> None:
    id = await person(world)
    with pytest.raises(error):
        await bind(await officer(world), id, msgspec.structs.replace(ANN, **more))


async def test_a_binding_is_of_one_and_not_above_the_officer(world: World) -> None:
    believe(world.house.gate)
    await bound(world)
    with pytest.raises(Conflict):
        await bind(await officer(world), await person(world, "ben"), ANN)
    with pytest.raises(Absent):
        await bind(await officer(world), "prn_nobody", ANN)
    low = await person(world, "low", "us:UNCLASSIFIED")
    acting = await flow_of(world, principal(world, "officer", LOW, "officer"), GRANT)
    with pytest.raises((Refused, Absent)):
        await bind(acting, low, ANN)


async def test_a_lower_clearance_counts_at_once(world: World) -> None:
    believe(world.house.gate)
    made = await bound(world, msgspec.structs.replace(ANN, ceiling="us:SECRET"))
    admit(world)
    from casemate.accounts import change_person

    await change_person(await officer(world), made.principal, PersonRequest("ann", "us:CONFIDENTIAL"))
    nobody(world)


async def test_a_binding_to_nobody_opens_nothing(world: World) -> None:
    believe(world.house.gate)
    await bound(world)
    found = world.house.gate.directory.outsiders
    flow = await officer(world)
    await flow.commit(Enrol(Put(BINDING, found.id(Outsider("oidc", ISSUER, "ann")), BindingRecord("prn_gone"))))
    nobody(world)


async def test_a_session_from_outside_makes_nothing_that_outlives_it(world: World) -> None:
    believe(world.house.gate)
    await bound(world)
    session = admit(world)
    flow = await world.house.gate.open(session, Action("issue", "key"))
    with pytest.raises(Refused, match="from-outside"):
        await issue(flow, KeyRequest())
    with pytest.raises(Refused, match="from-outside"):
        await open_console(flow, session.floor, session.ceiling, "en")


async def test_a_cookie_is_never_a_token(world: World) -> None:
    believe(world.house.gate)
    await bound(world)
    nobody(world, Bearer(shown(world.house.gate), "console"))


async def test_nobody_is_believed_until_somebody_is_named(world: World) -> None:
    gate = world.house.gate
    await bound(world)
    nobody(world)
    assert (NOBODY.provider(ISSUER), NOBODY.authorities(), NOBODY.anchors()) == (None, {}, None)
    made = make("ann", now=gate.vault.clock.now() / SECOND)
    nobody(world, certificates.shown(made.der))


# ---- attribute files ----------------------------------------------------------------------------------------------


async def test_an_attribute_file_says_what_somebody_may_see(world: World) -> None:
    gate = world.house.gate
    believe(gate)
    done = await put(world, CLEARED, msgspec.structs.replace(CLEARED, subject="ben", floor="us:UNCLASSIFIED"))
    assert (done.number, done.subjects) == (1, 2)
    assert await installed(await officer(world, LIST)) == [done]
    ann, ben = admit(world), admit(world, sub="ben")
    assert ann.principal.clearance is ann.ceiling is ann.floor is gate.vault.region.reach("us:SECRET")
    assert ben.floor is gate.vault.region.label("us:UNCLASSIFIED")
    assert ann.principal.id != ben.principal.id
    assert ann.principal.name.startswith("hq:ann ")
    assert ann.principal.roles == {"user"}
    with pytest.raises(Unauthenticated):
        admit(world, sub="eve")


async def test_the_next_file_takes_the_place_of_the_last(world: World) -> None:
    believe(world.house.gate)
    await put(world, CLEARED)
    for number in (1, 0):
        with pytest.raises((Conflict, BadInput)):
            await put(world, CLEARED, number=number or 1)
    await put(world, msgspec.structs.replace(CLEARED, subject="ben"), number=2)
    nobody(world)
    assert admit(world, sub="ben")


async def test_an_attribute_file_ends(world: World) -> None:
    believe(world.house.gate)
    await put(world, CLEARED, days=1)
    admit(world)
    world.clock.forward(86_400)
    nobody(world)


async def test_an_authority_whose_name_key_ceiling_or_role_is_taken_away(world: World) -> None:
    gate = world.house.gate
    believe(gate, roles=frozenset({"user", "auditor"}))
    await put(world, msgspec.structs.replace(CLEARED, roles=("user", "auditor")))
    assert admit(world).principal.roles == {"user", "auditor"}
    taken: tuple[dict[str, Any], ...] = (
        {"named": ()},
        {"named": ("hq2",)},
        {"signer": KeySigner(generate())},
        {"ceiling": gate.vault.region.reach("us:CONFIDENTIAL")},
        {"roles": frozenset({"user"})},
    )
    for less in taken:
        believe(gate, **{"roles": frozenset({"user", "auditor"}), **less})
        nobody(world)


@pytest.mark.parametrize(
    ("subject", "more", "error"),
    [
        ({}, {"region": "south"}, BadInput),
        ({}, {"authority": "other"}, BadInput),
        ({}, {"not_after": "tomorrow"}, BadInput),
        ({}, {"days": -1}, BadInput),
        ({}, {"days": 400}, BadInput),
        ({"clearance": "us:PURPLE"}, {}, BadInput),
        ({"clearance": "us:TOP SECRET//SI"}, {}, Refused),
        ({"roles": ("operator",)}, {}, Refused),
        ({"floor": "us:SECRET", "clearance": "us:CONFIDENTIAL"}, {}, BadInput),
    ],
    ids=str,
)
async def test_files_that_are_refused(
    world: World, subject: dict[str, Any], more: dict[str, Any], error: type[Exception]
) -> None:
    gate = world.house.gate
    believe(gate, ceiling=gate.vault.region.reach("us:SECRET"))
    with pytest.raises(error):
        await put(world, msgspec.structs.replace(CLEARED, **subject), **more)
    nobody(world)


async def test_an_unknown_authority_and_an_officer_who_acts_below(world: World) -> None:
    gate = world.house.gate
    believe(gate)
    with pytest.raises(Absent):
        await install(await officer(world), "nobody", statement(gate, CLEARED))
    low = await flow_of(world, principal(world, "officer", LOW, "officer"), GRANT)
    with pytest.raises(Refused):
        await install(low, "hq", statement(gate, CLEARED))


async def test_who_does_not_hold_our_agency_sees_nothing_here(world: World) -> None:
    believe(world.house.gate)
    await put(world, msgspec.structs.replace(CLEARED, agencies=()))
    nobody(world)


async def test_a_policy_that_is_not_listed_any_more(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from casemate.access.outsiders import Outsiders
    from casemate.errors import MarkingError

    believe(world.house.gate)
    await put(world, CLEARED)

    def unread(*_: object) -> None:
        raise MarkingError(marking="us:SECRET", why="gone")

    monkeypatch.setattr(Outsiders, "_label", unread)
    nobody(world)


async def test_a_binding_counts_before_an_attribute_file(world: World) -> None:
    believe(world.house.gate)
    await put(world, msgspec.structs.replace(CLEARED, clearance="us:CONFIDENTIAL"))
    assert admit(world).principal.name.startswith("hq:")
    await bound(world)
    assert admit(world).principal.name == "ann"


# ---- two people ---------------------------------------------------------------------------------------------------


async def test_where_two_are_asked_for_two_say_the_same(world: World) -> None:
    gate = world.house.gate
    believe(gate)
    id = await person(world)
    await person(world, "second", gate.vault.region.ceiling.text, ("officer",))
    await (await officer(world)).commit(Enrol(Put(STATE, "region", StateRecord(two_person=True))))
    found = gate.directory.named("second")
    assert found is not None

    async def second() -> Any:
        return await gate.open(Session("second", found, gate.vault.region.floor, found.clearance), GRANT)

    async def first() -> Any:
        return await officer(world)

    assert await bind(await first(), id, ANN) is None
    nobody(world)
    with pytest.raises(Refused, match="two-person"):
        await bind(await first(), id, ANN)
    assert await bind(await second(), id, msgspec.structs.replace(ANN, subject="eve")) is None, "another thing"
    assert await bind(await second(), id, ANN) is not None
    assert admit(world).principal.id == id
    with pytest.raises(Refused, match="self-grant"):
        await bind(await second(), found.id, msgspec.structs.replace(ANN, subject="me"))
    file = statement(gate, msgspec.structs.replace(CLEARED, subject="ben"))
    assert await install(await first(), "hq", file) is None
    assert (await install(await second(), "hq", file)) is not None
    assert admit(world, sub="ben")
