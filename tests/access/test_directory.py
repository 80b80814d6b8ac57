"""Admission: what is shown, and that nothing is told about what was not."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import pytest

from casemate.access import (
    CREDENTIAL,
    PRINCIPAL,
    STATE,
    CredentialRecord,
    Enrol,
    PrincipalRecord,
    StateRecord,
    records,
)
from casemate.accounts import KeyRequest, issue, revoke
from casemate.clock import SECOND, iso
from casemate.errors import Conflict, Damaged, Expired, Skewed, Unauthenticated
from casemate.identity import Bearer, Peer, Signed, digest_of, make_key
from casemate.identity.sigv4 import Authorization, signature
from casemate.objects import Delete, Put
from casemate.policy import Action
from tests.access.damage import with_rows
from tests.attacks.scene import LOW, SECRET, TOP, flow_of, label_of, principal
from tests.laws.world import World

ADD = Action("add", "principal")


async def enrol(world: World, *changes: Put | Delete) -> None:
    """Change the directory alone, as an officer's room would."""
    flow = await flow_of(world, principal(world, "officer", TOP, "officer"), ADD)
    await flow.commit(*(Enrol(change) for change in changes))


async def somebody(world: World, id: str = "prn_ann", clearance: str = SECRET, **more: Any) -> None:
    await enrol(world, Put(PRINCIPAL, id, PrincipalRecord("ann", clearance, ("user",), **more)))


def credential(world: World, ceiling: str = SECRET, **more: Any) -> CredentialRecord:
    made = {
        "principal": "prn_ann",
        "use": "api",
        "digest": digest_of(KEY.secret),
        "floor": LOW,
        "ceiling": ceiling,
        "expires": world.clock.now() + 60 * SECOND,
        **more,
    }
    return CredentialRecord(**made)


KEY = make_key(bytes(range(48)))
OTHER = make_key(bytes(range(1, 49)))


async def test_a_key_gives_its_owner_between_its_labels(world: World) -> None:
    await somebody(world)
    await enrol(world, Put(CREDENTIAL, KEY.id, credential(world, language="fr")))
    session = world.house.gate.admit(Bearer(KEY.text))
    assert (session.id, session.principal.id, session.principal.name) == (KEY.id, "prn_ann", "ann")
    assert (session.floor, session.ceiling) == (label_of(world, LOW), label_of(world, SECRET))
    assert (session.language, session.principal.roles) == ("fr", {"user"})


async def test_unknown_wrong_revoked_and_misused_keys_look_alike(world: World) -> None:
    await somebody(world)
    await enrol(world, Put(CREDENTIAL, KEY.id, credential(world)))
    wrong = Bearer(f"cm_{KEY.id}_{OTHER.secret}")
    shown = [Bearer(OTHER.text), wrong, Bearer(KEY.text, "console"), Bearer("cm_a_b"), Bearer("nonsense"), Bearer("")]
    for bearer in shown:
        with pytest.raises(Unauthenticated) as told:
            world.house.gate.admit(bearer)
        assert (type(told.value), told.value.facts) == (Unauthenticated, {})
    world.house.gate.admit(Bearer(KEY.text))
    await enrol(world, Delete(CREDENTIAL, KEY.id))
    with pytest.raises(Unauthenticated):
        world.house.gate.admit(Bearer(KEY.text))


async def test_a_key_lives_until_its_end_and_not_at_it(world: World) -> None:
    await somebody(world)
    await enrol(world, Put(CREDENTIAL, KEY.id, credential(world)))
    world.clock.forward(59.999999)
    world.house.gate.admit(Bearer(KEY.text))
    world.clock.forward(0.000001)
    with pytest.raises(Expired):
        world.house.gate.admit(Bearer(KEY.text))
    with pytest.raises(Unauthenticated) as told:
        world.house.gate.admit(Bearer(f"cm_{KEY.id}_{OTHER.secret}"))
    assert not isinstance(told.value, Expired)


async def test_a_key_above_what_its_owner_may_see_by_now_opens_nothing(world: World) -> None:
    await somebody(world)
    await enrol(world, Put(CREDENTIAL, KEY.id, credential(world)))
    await somebody(world, clearance=LOW)
    with pytest.raises(Unauthenticated):
        world.house.gate.admit(Bearer(KEY.text))
    await somebody(world, clearance=TOP)
    world.house.gate.admit(Bearer(KEY.text))
    await enrol(world, Delete(PRINCIPAL, "prn_ann"))
    with pytest.raises(Unauthenticated):
        world.house.gate.admit(Bearer(KEY.text))


async def test_a_key_whose_floor_is_above_its_ceiling_opens_nothing(world: World) -> None:
    await somebody(world)
    await enrol(world, Put(CREDENTIAL, KEY.id, credential(world, LOW, floor=SECRET)))
    with pytest.raises(Unauthenticated):
        world.house.gate.admit(Bearer(KEY.text))


async def test_a_console_session_is_worth_nothing_without_the_key_that_opened_it(world: World) -> None:
    await somebody(world)
    console = credential(world, use="console", under=OTHER.id)
    await enrol(world, Put(CREDENTIAL, KEY.id, console), Put(CREDENTIAL, OTHER.id, credential(world)))
    world.house.gate.admit(Bearer(KEY.text, "console"))
    await enrol(world, Delete(CREDENTIAL, OTHER.id))
    with pytest.raises(Unauthenticated):
        world.house.gate.admit(Bearer(KEY.text, "console"))


async def test_a_local_user_is_who_the_kernel_says(world: World) -> None:
    await somebody(world, uid="1000")
    session = world.house.gate.admit(Peer(1000, "fr"))
    assert (session.id, session.principal.name, session.language) == ("uid1000", "ann", "fr")
    assert (session.floor, session.ceiling) == (label_of(world, LOW), label_of(world, SECRET))
    for uid in (1001, 100, 10000, -1):
        with pytest.raises(Unauthenticated):
            world.house.gate.admit(Peer(uid))
    owner = world.house.gate.admit(Peer(0))
    assert owner.ceiling is owner.principal.clearance is world.house.gate.vault.region.ceiling


async def test_nobody_is_found_by_having_no_name_or_user(world: World) -> None:
    await somebody(world)
    found = world.house.gate.directory
    assert (found.local(""), found.named("")) == (None, None)
    assert (found.named("ann").id, found.principal("prn_ann").name) == ("prn_ann", "ann")
    assert (found.named("Ann"), found.principal("prn_x"), found.credential("x")) == (None, None, None)


async def test_the_truth_of_admission_is_scanned_by_no_request(world: World) -> None:
    await somebody(world)
    gate = world.house.gate
    owner = gate.admit(Peer(0))
    flow = await flow_of(world, owner, Action("list", "principal"))
    assert gate.directory.access.id not in {access.id for access in flow.classes()}
    assert await flow.every(PRINCIPAL) == []
    assert await flow.every(CREDENTIAL) == []


async def test_two_people_are_asked_for_once_that_is_said(world: World) -> None:
    found = world.house.gate.directory
    assert not found.two_person()
    await enrol(world, Put(STATE, "region", StateRecord()))
    assert not found.two_person()
    await enrol(world, Put(STATE, "region", StateRecord(two_person=True)))
    assert found.two_person()


async def test_holders_of_a_role_are_counted_over_all_pages(world: World) -> None:
    for number in range(7):
        roles = ("user", "officer") if number % 2 else ("user",)
        await enrol(world, Put(PRINCIPAL, f"prn_{number}", PrincipalRecord(f"p{number}", SECRET, roles)))
    with patch.object(records, "PAGE", 3):
        found = world.house.gate.directory
        assert (found.holders("officer"), found.holders("user"), found.holders("releaser")) == (4, 8, 0)


async def test_a_name_and_a_user_are_taken_once(world: World) -> None:
    found = world.house.gate.directory
    await enrol(world, *found.taken("prn_ann", "ann", "7"))
    for name, uid in (("ann", ""), ("ben", "7")):
        with pytest.raises(Conflict):
            await enrol(world, *found.taken("prn_ben", name, uid))
    await enrol(world, *found.taken("prn_ben", "ben", ""), *found.taken("prn_eve", "7", "8"))


async def test_a_directory_that_was_changed_admits_nobody(world: World) -> None:
    await somebody(world)
    await enrol(world, Put(CREDENTIAL, KEY.id, credential(world)))
    with with_rows(world, CREDENTIAL.name), pytest.raises(Damaged):
        world.house.gate.admit(Bearer(KEY.text))


def signed(world: World, key_id: str, secret: str, body: bytes = b"{}", later: int = 0) -> Signed:
    """A request signed `later` seconds after the region's clock."""
    stamp = iso(world.clock.now() + later * SECOND)[:19].replace("-", "").replace(":", "") + "Z"
    headers = (("host", "region.test"), ("x-amz-date", stamp))
    auth = Authorization(key_id, stamp[:8], "law", "bedrock", ("host", "x-amz-date"), "")
    plain = Signed(key_id, "POST", "/model/x/converse", "", headers, body, "")
    value = f"Credential={key_id}/{stamp[:8]}/law/bedrock/aws4_request, SignedHeaders=host;x-amz-date, "
    value += f"Signature={signature(plain, auth, secret)}"
    return Signed(key_id, "POST", "/model/x/converse", "", headers, body, f"AWS4-HMAC-SHA256 {value}")


async def aws_key(world: World) -> tuple[str, str]:
    owner = world.house.gate.admit(Peer(0))
    key, secret = await issue(await flow_of(world, owner, Action("issue", "key")), KeyRequest("boto3", LOW, SECRET))
    return key.id, secret


async def test_a_signed_request_is_its_signers(world: World) -> None:
    id, secret = await aws_key(world)
    session = world.house.gate.admit(signed(world, id, secret))
    assert (session.id, session.principal.name, session.ceiling.text) == (id, "owner", SECRET)
    assert len(secret) == 40
    assert secret not in repr(world.house.gate.directory.credential(id))


async def test_a_signature_that_does_not_fit_is_nobodys(world: World) -> None:
    id, secret = await aws_key(world)
    right = signed(world, id, secret)
    changed = Signed(id, "POST", right.raw_path, "", right.headers, b"{ }", right.authorization)
    for shown in (signed(world, id, secret[:-1] + "x"), signed(world, "CMKNOBODY", secret), changed):
        with pytest.raises(Unauthenticated):
            world.house.gate.admit(shown)
    with pytest.raises(Skewed):
        world.house.gate.admit(signed(world, id, secret, later=301))
    world.house.gate.admit(signed(world, id, secret, later=-300))


async def test_the_secret_that_a_sealer_would_derive_for_nobody_opens_nothing(world: World) -> None:
    """Nor does it open an api key: what is derived is believed of SigV4 keys alone."""
    gate = world.house.gate
    await somebody(world)
    await enrol(world, Put(CREDENTIAL, KEY.id, credential(world, generation=1)))
    for id, generation in (("CMKNOBODY", 0), (KEY.id, 1)):
        with pytest.raises(Unauthenticated):
            gate.admit(signed(world, id, gate.directory.sigv4_secret(id, generation)))


async def test_an_expired_and_a_revoked_signing_key(world: World) -> None:
    id, secret = await aws_key(world)
    owner = world.house.gate.admit(Peer(0))
    world.clock.forward(91 * 86_400)
    with pytest.raises(Expired):
        world.house.gate.admit(signed(world, id, secret))
    await revoke(await flow_of(world, owner, Action("revoke", "key")), id)
    with pytest.raises(Unauthenticated) as told:
        world.house.gate.admit(signed(world, id, secret))
    assert not isinstance(told.value, Expired)
