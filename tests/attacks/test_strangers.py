"""Whoever is not known here: what is read of him, what he is told, and where it is recorded."""

from __future__ import annotations

from typing import Any

from casemate.identity import Bearer
from tests.attacks.scene import LOW, SECRET, label_of, log, scene
from tests.laws.world import World


def test_the_body_of_a_stranger_is_not_read() -> None:
    """64 MiB for every connection that somebody opens, before anybody asked who he is."""

    async def do(world: World) -> None:
        read = 0

        async def receive() -> dict[str, Any]:
            nonlocal read
            read += 1
            return {"type": "http.request", "body": b"x" * 1024, "more_body": read < 100}

        told: list[dict[str, Any]] = []

        async def send(message: dict[str, Any]) -> None:
            told.append(message)

        for target in ("/api/documents", "/v1/chat/completions", "/documents"):
            for headers in ([], [(b"authorization", b"Bearer cm_a_b")]):
                told.clear()
                scope = {
                    "type": "http",
                    "method": "POST",
                    "path": target,
                    "query_string": b"name=a.txt",
                    "headers": [(b"host", b"x"), *headers],
                    "client": ("127.0.0.1", 1),
                }
                await world.house.app(scope, receive, send)
                assert told[0]["status"] in (303, 401)
        assert read == 0

    scene(do)


def test_a_failed_sign_in_is_recorded_above_and_holds_no_secret() -> None:
    async def do(world: World) -> None:
        await world.person("analyst", SECRET)
        world.keys["wrong"] = world.keys["analyst"][:-4] + "aaaa"
        seen = await world.call("wrong", "GET", "/api/session", acting=SECRET)
        assert seen.status == 401
        assert seen.header("casemate-ledger")
        assert log(world, LOW) == []
        last = log(world, world.house.gate.vault.region.ceiling.text)[-1]
        assert (last.principal, last.outcome) == ("stranger", "unauthenticated")
        assert "aaaa" not in str(last)

    scene(do)


def test_what_is_public_acts_in_nobodys_name() -> None:
    """A principal who is called `visitor` does not find the acts of those who have not signed in among his own."""

    async def do(world: World) -> None:
        await world.person("visitor", LOW)
        seen = await world.call("nobody", "GET", f"/sign-in?acting={SECRET.replace(' ', '%20').replace('+', '%2B')}")
        assert seen.status != 403
        mine = await world.call("visitor", "GET", "/api/ledger", acting=LOW)
        assert mine.json["data"] == []

    scene(do)


def test_a_key_opens_nothing_else() -> None:
    """A key is no cookie, a cookie is no key, and neither signs."""

    async def do(world: World) -> None:
        await world.person("analyst", SECRET)
        key = world.keys["analyst"]
        gate = world.house.gate
        assert gate.admit(Bearer(key)).ceiling is label_of(world, SECRET)
        as_cookie = await world.call("", "GET", "/api/session", headers=(("cookie", f"casemate={key}"),))
        assert as_cookie.status == 401
        id, _ = world.signers["analyst"]
        as_bearer = await world.call("", "GET", "/api/session", headers=(("authorization", f"Bearer cm_{id}_"),))
        assert as_bearer.status == 401
        claimed = await world.call("", "GET", "/api/session", headers=(("x-forwarded-for", "peer"),))
        assert claimed.status == 401

    scene(do)
