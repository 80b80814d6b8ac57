"""Attacks by token: forged ones have one face, and a right one is whom the region says, whatever it claims."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from casemate.access import audit
from casemate.accounts.bindings import BindingRequest, bind
from casemate.clock import SECOND
from casemate.policy import Action
from tests.access.outside import ISSUER, OTHER, RIGHT, believe, shown
from tests.doors.wired import HIGH, OPEN, SECRET, Got, Wired, wired
from tests.identity.provider import forged

NOW = 1_790_000_000
NAMES = sorted(set(forged(RIGHT, OTHER, NOW)) - {"not ASCII"})  # a header is latin-1; the gate's test has that one


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wired]:
    with wired(tmp_path_factory.mktemp("tokens")) as found:
        believe(found.gate)
        found.key()

        async def binding() -> None:
            flow = await found.gate.open(found.owner(), Action("grant", "principal"), found.region.ceiling)
            user = found.gate.directory.named("user")
            assert user is not None
            request = BindingRequest(scheme="oidc", issuer=ISSUER, subject="ann", floor=OPEN, ceiling=SECRET)
            assert await bind(flow, user.id, request) is not None

        asyncio.run(binding())
        yield found


def show(region: Wired, secret: str, *more: tuple[str, str]) -> Got:
    return region.send("GET", "/v1/models", b"", [("authorization", f"Bearer {secret}"), *more])


def face(got: Got) -> tuple[int, str, list[tuple[str, str]]]:
    """All that a caller sees, but for the number of its entry and the date."""
    plain = {name: re.sub(r"ent_\w+", "ent", value) for name, value in got.headers.items() if name != "date"}
    return got.status, re.sub(r"ent_\w+", "ent", got.body.decode()), sorted(plain.items())


@pytest.mark.parametrize("name", NAMES)
def test_forged_tokens_have_the_face_of_a_key_that_nobody_knows(region: Wired, name: str) -> None:
    unknown = face(show(region, "cm_unknown_unknown"))
    assert unknown[0] == 401
    told = show(region, forged(RIGHT, OTHER, region.clock.now() / SECOND)[name])
    assert face(told) == unknown
    assert told.headers["casemate-ledger"].startswith("ent_")


def test_a_right_token_of_somebody_unknown_has_that_face_too(region: Wired) -> None:
    assert face(show(region, shown(region.gate, sub="eve"))) == face(show(region, "cm_unknown_unknown"))


@pytest.mark.parametrize(
    "claims",
    [
        {"clearance": HIGH, "roles": ["officer", "auditor"]},
        {"label": "TOP SECRET", "agencies": ["EXERCISE", "OTHER"], "groups": ["admin"]},
        {"scope": "casemate:officer", "realm_access": {"roles": ["officer"]}, "acr": "TS", "entitlements": [HIGH]},
    ],
    ids=str,
)
def test_a_claim_of_clearance_changes_nothing(region: Wired, claims: dict[str, object]) -> None:
    plain, bold = show(region, shown(region.gate)), show(region, shown(region.gate, **claims))
    assert (plain.status, plain.body) == (bold.status, bold.body)
    assert plain.headers["casemate-label"] == bold.headers["casemate-label"] == region.clearance(SECRET).text
    above = show(region, shown(region.gate, **claims), ("casemate-acting-label", HIGH))
    assert above.status == 403


def test_two_credentials_that_differ_are_nobodys(region: Wired) -> None:
    token, (_, key) = shown(region.gate), region.key()
    assert show(region, token).status == 200
    assert show(region, token, ("x-api-key", key)).status == 401
    assert show(region, key, ("x-api-key", token)).status == 401
    assert show(region, key, ("x-api-key", key)).status == 200
    assert region.send("GET", "/v1/models", b"", [("x-api-key", token)]).status == 200


def test_no_record_and_no_answer_holds_the_token(region: Wired) -> None:
    token = shown(region.gate, jti="to be looked for")
    got = show(region, token)
    assert token not in got.body.decode() + str(got.headers)

    async def read() -> str:
        flow = await region.gate.open(region.owner(), Action("read", "ledger"), region.region.ceiling)
        return repr([seen.entry for seen in audit.entries(flow)])

    told = asyncio.run(read())
    assert not any(part in told for part in token.split("."))


def test_a_region_that_names_no_provider_believes_no_token(tmp_path: Path) -> None:
    with wired(tmp_path) as other:
        assert face(show(other, shown(other.gate))) == face(show(other, "cm_unknown_unknown"))
