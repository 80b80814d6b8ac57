"""Certificates at the gate, and names outside in the snapshot that a data process stands on."""

from __future__ import annotations

from unittest.mock import patch

import msgspec
import pytest

from casemate.access import outsiders
from casemate.accounts.bindings import BindingRequest, bind, unbind
from casemate.clock import SECOND
from casemate.crypto.chain import Anchors
from casemate.identity import Bearer
from casemate.identity import certificate as certificates
from casemate.identity.attributes import Subject
from tests.access.outside import (
    ANN,
    CLEARED,
    OTHER,
    admit,
    believe,
    bound,
    nobody,
    officer,
    put,
)
from tests.crypto.authority import make, revoked
from tests.laws.world import World

# ---- certificates -------------------------------------------------------------------------------------------------


async def test_a_certificate_is_whom_it_is_bound_to(world: World) -> None:
    gate = world.house.gate
    now = gate.vault.clock.now() / SECOND
    root = make("root", now=now, ca=True)
    ann, stranger = make("ann", root, now=now), make("ann", make("root", now=now, ca=True), now=now)
    believe(gate, chain=Anchors(root.pem))
    credential = certificates.shown(ann.der)
    nobody(world, credential)
    made = await bound(world, BindingRequest(certificate=ann.pem.decode()))
    session = gate.admit(credential)
    assert (session.principal.name, session.id[:4], made.scheme) == ("ann", "crt_", "fingerprint")
    assert gate.admit(credential).id == session.id
    nobody(world, certificates.shown(stranger.der))
    nobody(world, certificates.shown(make("ann", root, now=now).der))
    believe(gate, chain=Anchors(root.pem, revoked(root, now=now)))
    assert gate.admit(credential)
    believe(gate, chain=Anchors(root.pem, revoked(root, ann, now=now)))
    nobody(world, credential)
    believe(gate, chain=Anchors(root.pem))
    world.clock.forward(31 * 86_400)
    nobody(world, credential)


async def test_a_certificate_by_its_names_or_an_attribute_file(world: World) -> None:
    gate = world.house.gate
    now = gate.vault.clock.now() / SECOND
    root = make("root", now=now, ca=True)
    believe(gate, chain=Anchors(root.pem))
    by_name = BindingRequest(scheme="certificate", issuer="CN=root", subject="CN=ann")
    await bound(world, by_name)
    assert gate.admit(certificates.shown(make("ann", root, now=now).der)).principal.name == "ann"
    await put(world, Subject("CN=root", "CN=ben", "us:SECRET", ("EXERCISE",), scheme="certificate"))
    assert gate.admit(certificates.shown(make("ben", root, now=now).der)).principal.name.startswith("hq:CN=ben")
    nobody(world, certificates.shown(make("x" * 2 + "\x85", root, now=now).der))


# ---- the snapshot -------------------------------------------------------------------------------------------------


async def test_a_data_process_knows_names_from_the_snapshot_alone(world: World) -> None:
    gate = world.house.gate
    believe(gate)
    made = await bound(world)
    await put(world, msgspec.structs.replace(CLEARED, subject="ben"))
    found = gate.directory.outsiders
    with patch.object(outsiders, "PAGE", 1):
        await bind(await officer(world), made.principal, msgspec.structs.replace(ANN, subject="third"))
        raw = found.write()
    assert len(found.read(raw).bindings) == 2
    assert b"ann" not in raw, "names are keyed digests"
    await unbind(await officer(world), made.id)
    nobody(world)
    found.take(found.read(raw))
    assert admit(world).principal.name == "ann"
    assert admit(world, sub="ben").principal.name.startswith("hq:")
    with pytest.raises(msgspec.DecodeError):
        found.read(b"\xc1")


async def test_another_issuers_subject_of_the_same_name_is_somebody_else(world: World) -> None:
    gate = world.house.gate
    from casemate.identity import jwks, token
    from tests.identity.provider import AUDIENCE

    found = believe(gate)
    other = token.Provider(OTHER.issuer, AUDIENCE, jwks.parse(OTHER.jwks()))
    found.known[OTHER.issuer] = other
    await bound(world)
    nobody(world, Bearer(OTHER.token(gate.vault.clock.now() / SECOND)))
