"""What the two worlds do at the release door, short of carrying anything out: that is meant to be seen below.

Everything before it is not: requests, statements, approvals, refusals, keys. No case carries one out, for nobody here
holds two registered keys; that nothing but the released object then comes down is tests/attacks/test_release.py.
"""

from __future__ import annotations

import random
from urllib.parse import urlencode

from casemate.identity.approval import sign_offer
from tests.laws.console_operations import browse
from tests.laws.operations import AT, Doing, operation, sentence
from tests.laws.world import Seen, World

ONE = "/api/releases/{id}"


@operation(("POST", "/api/releases"), ("GET", "/api/releases"), ("GET", ONE), ("POST", f"{ONE}/refuse"))
def ask_for_release(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    """Keep an answer, ask that it goes down, look at it, and perhaps take it back."""
    text, to, days = sentence(rng), rng.choice(AT), rng.choice((1, 7, 0))
    ends, known = rng.random(), rng.random() < 0.9

    async def do(world: World) -> Seen:
        await world.call(who, "POST", "/api/answers", {"text": text}, label)
        kept = await world.call(who, "GET", "/api/answers", acting=label)
        own = [each["id"] for each in kept.json["data"] if each["label"] == label] if kept.status == 200 else []
        body = {
            "kind": "answer",
            "id": own[-1] if own and known else "ans_never",
            "to": to,
            "reason": "law",
            "days": days,
        }
        asked = await world.call(who, "POST", "/api/releases", body, label)
        if asked.status != 201 or ends < 0.3:
            return asked if ends < 0.5 else await world.call(who, "GET", "/api/releases", acting=label)
        id = asked.json["data"]["id"]
        if ends < 0.6:
            return await world.call(who, "GET", f"/api/releases/{id}", acting=label)
        return await world.call(who, "POST", f"/api/releases/{id}/refuse", {"why": "law"}, label)

    return do, ""


@operation(
    ("GET", "/api/releases"), ("GET", ONE), ("POST", f"{ONE}/approve"), ("POST", f"{ONE}/refuse"),
    ("POST", f"{ONE}/carry"), ("GET", "/api/release-keys"), ("POST", "/api/release-keys"),
    ("DELETE", "/api/release-keys/{id}"), roles=("releaser",),
)  # fmt: skip
def releasers_deed(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    """Look at what waits, sign it with a key that nobody has registered, say no, try to carry it out; keys."""
    private, deed = rng.randbytes(32), rng.choice(("show", "approve", "refuse", "carry", "offer", "revoke", "keys"))

    async def do(world: World) -> Seen:
        listed = await world.call(who, "GET", "/api/releases", acting=label)
        waiting = listed.json["data"]["requests"] if listed.status == 200 else []
        id = waiting[0]["id"] if waiting else "rel_never"
        if deed == "show":
            return await world.call(who, "GET", f"/api/releases/{id}", acting=label)
        if deed == "offer":
            public, proof = sign_offer("law", who, private)
            return await world.call(who, "POST", "/api/release-keys", {"public": public, "proof": proof}, label)
        if deed in ("keys", "revoke"):
            found = await world.call(who, "GET", "/api/release-keys", acting=label)
            if deed == "keys" or found.status != 200 or not found.json["data"]:
                return found
            key = found.json["data"][0]["key"]["id"]
            return await world.call(who, "DELETE", f"/api/release-keys/{key}", acting=label)
        body = {"approve": {"key": "ed25519-none", "signature": "00"}, "refuse": {"why": "law"}}.get(deed)
        return await world.call(who, "POST", f"/api/releases/{id}/{deed}", body, label)

    return do, ""


@operation(("GET", "/api/release-keys"), ("POST", "/api/release-keys/{id}/register"), roles=("officer",))
def registers_keys(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    lowest, does = rng.choice(AT), rng.random() < 0.6

    async def do(world: World) -> Seen:
        found = await world.call(who, "GET", "/api/release-keys", acting=label)
        listed = found.json["data"] if found.status == 200 else []
        if not does:
            return found
        id = listed[0]["key"]["id"] if listed else "ed25519-never"
        return await world.call(who, "POST", f"/api/release-keys/{id}/register", {"lowest": lowest}, label)

    return do, ""


@operation(("GET", "/api/release-quota"), ("PUT", "/api/release-quota"), roles=("officer",))
def says_how_much_may_leave(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    """A day's quota of one class; what is set or used up above is never seen below."""
    count, size, sets = rng.randrange(3), rng.choice((0, 40, 4_000)), rng.random() < 0.6

    async def do(world: World) -> Seen:
        if sets:
            return await world.call(who, "PUT", "/api/release-quota", {"count": count, "size": size}, label)
        return await world.call(who, "GET", "/api/release-quota", acting=label)

    return do, ""


@operation(("GET", "/api/dispatches"), ("POST", "/api/dispatches"))
def keeps_dispatches(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    purpose, text = rng.choice(("gap-code", "job-request")), sentence(rng)
    keeps = rng.random() < 0.6

    async def do(world: World) -> Seen:
        if keeps:
            return await world.call(who, "POST", "/api/dispatches", {"purpose": purpose, "text": text}, label)
        return await world.call(who, "GET", "/api/dispatches", acting=label)

    return do, ""


@operation(
    ("GET", "/releases"), ("GET", "/releases.json"), ("POST", "/releases"), ("GET", "/releases/{id}"),
    ("GET", "/releases/{id}/statement"), ("POST", "/releases/{id}/approve"), ("POST", "/releases/{id}/refuse"),
    ("POST", "/releases/{id}/carry"), ("POST", "/release-keys/{id}/register"), ("POST", "/release-keys/{id}/revoke"),
    ("POST", "/release-quota"),
)  # fmt: skip
def releases_in_console(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    never = "/releases/rel_never"
    method, target, form = rng.choice(
        (
            ("GET", "/releases", None),
            ("GET", "/releases.json", None),
            ("POST", "/releases", {"kind": "answer", "object": "ans_never", "to": rng.choice(AT), "reason": "law"}),
            ("GET", never, None),
            ("GET", f"{never}.json", None),
            ("GET", f"{never}/statement", None),
            ("POST", f"{never}/approve", {"line": "a b"}),
            ("POST", f"{never}/refuse", {"why": "law"}),
            ("POST", f"{never}/carry", {}),
            ("POST", "/release-keys/ed25519-never/register", {"lowest": rng.choice(AT)}),
            ("POST", "/release-keys/ed25519-never/revoke", {}),
            ("POST", "/release-quota", {"count": "1", "size": "40"}),
        )
    )
    return browse(method, target, form)(who, label), ""


@operation(("POST", "/api/policy/try"), ("GET", "/policy"), ("GET", "/policy.json"))
def try_policy(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    """Who could read a label, or a document that exists in either world or never did."""
    return _tried(rng, who, label), ""


@operation(("POST", "/api/policy/try"), roles=("officer",))
def try_policy_as_officer(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    return _tried(rng, who, label), ""


def _tried(rng: random.Random, who: str, label: str) -> Doing:
    asked, need, place, page = rng.choice(AT), rng.choice(("", "A", "A|B", "&")), rng.random(), rng.random() < 0.3
    clearance = rng.choice(("", "", *AT))

    async def do(world: World) -> Seen:
        known = sorted(world.prints)
        id = known[int(place * 2 * len(known))] if known and place < 0.45 else "doc_never" if place < 0.5 else ""
        said = {"id": id} if id else {"label": asked, "need": need}
        said |= {"clearance": clearance}
        if page:
            return await browse("GET", f"/policy{rng_end}?{urlencode(said)}", None)(who, label)(world)
        return await world.call(who, "POST", "/api/policy/try", said, label)

    rng_end = rng.choice(("", ".json"))
    return do
