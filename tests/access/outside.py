"""Somebody outside, for tests of admission: a provider, an attribute authority and certificates that are believed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from casemate.access import Authority
from casemate.accounts import PersonRequest, add_person
from casemate.accounts.bindings import Binding, BindingRequest, bind
from casemate.accounts.statements import install
from casemate.clock import SECOND, iso
from casemate.crypto import KeySigner, generate
from casemate.crypto.chain import Anchors
from casemate.errors import Unauthenticated
from casemate.identity import Bearer, Peer, Session, attributes, jwks, token
from casemate.identity.attributes import Statement, Subject
from casemate.labels import Label
from casemate.policy import Action
from tests.attacks.scene import label_of
from tests.identity.provider import AUDIENCE, ISSUER, Provider
from tests.laws.world import World

GRANT, LIST = Action("grant", "principal"), Action("list", "principal")
ANN = BindingRequest(scheme="oidc", issuer=ISSUER, subject="ann")
CLEARED = Subject(ISSUER, "ann", "us:SECRET", ("EXERCISE",))
SIGNER = KeySigner(generate())
RIGHT, OTHER = Provider(), Provider("https://other.test")


@dataclass
class Believed:
    """The Trust port with everything in memory."""

    ceiling: Label
    chain: Anchors | None = None
    roles: frozenset[str] = frozenset({"user"})
    signer: KeySigner = SIGNER
    known: dict[str, token.Provider] = field(
        default_factory=lambda: {
            ISSUER: token.Provider(ISSUER, AUDIENCE, jwks.parse(RIGHT.jwks()), frozenset({"RS256", "ES256"}))
        }
    )
    named: tuple[str, ...] = ("hq",)

    def provider(self, issuer: str) -> token.Provider | None:
        return self.known.get(issuer)

    def authorities(self) -> Mapping[str, Authority]:
        key = attributes.authority_key(attributes.public_text(self.signer))
        print_ = attributes.fingerprint(key)
        return {name: Authority(name, key, print_, self.ceiling, self.roles) for name in self.named}

    def anchors(self) -> Anchors | None:
        return self.chain


def believe(gate: Any, **more: Any) -> Believed:
    """From now on that gate believes these, and nobody else."""
    found = Believed(more.pop("ceiling", gate.vault.region.ceiling), **more)
    object.__setattr__(gate.vault, "trust", found)
    return found


def shown(gate: Any, **claims: Any) -> str:
    """A right token of this moment."""
    return RIGHT.token(gate.vault.clock.now() / SECOND, **claims)


def statement(gate: Any, *subjects: Subject, days: float = 30, **more: Any) -> bytes:
    """A signed attribute file for that region."""
    end = iso(gate.vault.clock.now() + int(days * 86_400 * SECOND))
    fields = {"authority": "hq", "region": gate.vault.region.name, "number": 1, "not_after": end, **more}
    return attributes.sign(Statement(subjects=subjects, **fields), SIGNER)


async def officer(world: World, action: Action = GRANT, label: str = "") -> Any:
    owner = world.house.gate.admit(Peer(0))
    return await world.house.gate.open(owner, action, label_of(world, label) if label else None)


async def person(
    world: World, name: str = "ann", clearance: str = "us:SECRET", roles: tuple[str, ...] = ("user",)
) -> str:
    made = await add_person(await officer(world, Action("add", "principal")), PersonRequest(name, clearance, roles))
    assert made is not None
    return made.id


async def bound(world: World, request: BindingRequest = ANN) -> Binding:
    made = await bind(await officer(world), await person(world), request)
    assert made is not None
    return made


def admit(world: World, **claims: Any) -> Session:
    return world.house.gate.admit(Bearer(shown(world.house.gate, **claims)))


def nobody(world: World, credential: Any = None) -> None:
    with pytest.raises(Unauthenticated) as told:
        world.house.gate.admit(credential or Bearer(shown(world.house.gate)))
    assert (type(told.value), told.value.facts) == (Unauthenticated, {})


async def put(world: World, *subjects: Subject, **more: Any) -> Any:
    return await install(await officer(world), "hq", statement(world.house.gate, *subjects, **more))
