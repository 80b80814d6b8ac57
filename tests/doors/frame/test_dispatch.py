"""The way through the frame: what is looked at, recorded and told, and what the client's leaving does."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from casemate.access import Gate
from casemate.doors.frame import Route, Table, dispatch
from casemate.errors import StorageFull
from casemate.policy import Action
from tests.attacks.scene import LOW, SECRET, TOP, kept, log
from tests.doors.frame.toys import TOY, echo, streams, talk, toys
from tests.laws.world import Seen, World

NOBODY = ("127.0.0.1", 1)
OWNER = ("peer", 0)


async def said(world: World, method: str, target: str, *args: Any, acting: str = SECRET, **more: Any) -> Seen:
    """By the owner on the local socket, at a label."""
    headers = (*more.pop("headers", ()), ("casemate-acting-label", acting))
    return await talk(toys(world), method, target, *args, headers=headers, client=OWNER, **more)


async def test_every_response_bears_its_marking_label_and_entry(world: World) -> None:
    seen = await said(world, "GET", "/toy/echo/x")
    assert (seen.status, seen.header("casemate-marking"), seen.header("casemate-label")) == (
        200,
        "SECRET//NOFORN",
        SECRET,
    )
    assert seen.header("casemate-ledger") == log(world, SECRET)[-1].id
    assert (seen.header("cache-control"), seen.header("content-length")) == ("no-store", str(len(seen.body)))


async def test_a_route_may_say_how_it_is_cached(world: World) -> None:
    async def kept(call: Any) -> Any:
        told = await echo(call)
        told.headers = (("Cache-Control", "max-age=1"),)
        return told

    app = toys(world, Route("GET", "/toy/kept", "toy", Action("read", "session"), kept))
    seen = await talk(app, "GET", "/toy/kept", client=OWNER)
    assert [value for name, value in seen.headers if name == "cache-control"] == ["max-age=1"]


async def test_a_head_is_a_get_without_its_body(world: World) -> None:
    get, head = await said(world, "GET", "/toy/echo/x"), await said(world, "HEAD", "/toy/echo/x")
    assert (head.status, head.body) == (get.status, b"")
    assert head.header("content-length") == get.header("content-length")
    missing = await said(world, "HEAD", "/toy/nothing")
    assert (missing.status, missing.body) == (404, b"")
    assert (await said(world, "HEAD", "/toy/say")).status == 404, "a HEAD of what is no GET"


async def test_paths_as_they_were_sent(world: World) -> None:
    assert (await said(world, "GET", "/toy/echo/a%2Fb")).json["path"] == {"id": "a/b"}
    assert (await said(world, "GET", "/toy/rest/a%2Fb/c")).json["path"] == {"rest": "a/b/c"}
    for path in ("/toy/echo", "/toy/echo/a/b", "/toy/echo/a%2Fb/c", "/toy", "/toy/say/more"):
        assert (await said(world, "GET", path)).status == 404, path


async def test_a_path_that_nobody_serves_is_recorded_of_a_stranger_too(world: World) -> None:
    """Nobody is admitted for it, so that it tells nothing of a key that is shown there."""
    ceiling = world.house.gate.vault.region.ceiling.text
    seen = await said(world, "GET", "/toy/nothing")
    assert (seen.status, seen.json["slug"], seen.header("casemate-label")) == (404, "absent", LOW)
    last = log(world, ceiling)[-1]
    assert (last.id, last.action, last.facts["id"]) == (seen.header("casemate-ledger"), "page.read", "/toy/nothing")
    long = await said(world, "GET", "/toy/" + "x" * 5000)
    assert len(str(log(world, ceiling)[-1].facts["id"])) == 200
    assert long.status == 404


async def test_whoever_shows_nothing_is_not_read(world: World) -> None:
    seen = await talk(toys(world), "POST", "/toy/say", b'{"text": "x"}')
    assert (seen.status, seen.json["slug"]) == (401, "unauthenticated")
    assert seen.header("casemate-label") == LOW


async def test_what_is_taken_is_of_its_shape(world: World) -> None:
    good = await said(world, "POST", "/toy/say", b'{"text": "x", "count": 2}')
    assert good.json["body"] == {"text": "x", "count": 2}
    for body in (b"", b"{", b"[]", b'{"text": 7}', b'{"count": 1}', b'"\xff"', b'{"text": "\xff"}', b"[" * 100):
        bad = await said(world, "POST", "/toy/say", body)
        assert (bad.status, bad.json["slug"]) == (400, "malformed"), body
        assert log(world, SECRET)[-1].id == bad.header("casemate-ledger")


async def test_what_lies_too_deep_is_refused(world: World) -> None:
    app = toys(world, Route("POST", "/toy/any", "toy", Action("read", "session"), echo, takes=Any))
    seen = await talk(app, "POST", "/toy/any", b"[" * 100_000, client=OWNER)
    assert (seen.status, seen.json["slug"]) == (400, "malformed")


async def test_a_form_is_the_object_that_a_program_would_send(world: World) -> None:
    form = (("content-type", "application/x-www-form-urlencoded; charset=utf-8"),)
    seen = await said(world, "POST", "/toy/say", b"text=a%0D%0Ab+c", headers=form)
    assert seen.json["body"]["text"] == "a\nb c"
    for body in (b"text=%FF", b"text=\xff", b"&".join(b"a=b" for _ in range(101)) + b"&text=x"):
        limit = await said(world, "POST", "/toy/say", body[:99] if len(body) < 100 else body, headers=form)
        assert limit.status in (400, 413)


@pytest.mark.parametrize("declared", ["101", "99999999999999999999", "1" * 30])
async def test_a_body_that_says_it_is_too_large_is_not_read(world: World, declared: str) -> None:
    seen = await said(world, "POST", "/toy/say", b"x", headers=(("content-length", declared),))
    assert (seen.status, seen.json["slug"]) == (413, "too-large")


@pytest.mark.parametrize("declared", ["100", "many", "-5", "", "٣"])
async def test_a_body_that_is_too_large_is_not_read_on(world: World, declared: str) -> None:
    headers = (("content-length", declared),) if declared.isascii() else ()
    seen = await said(world, "POST", "/toy/say", [b"x" * 60, b"x" * 60, b"never"], headers=headers)
    assert (seen.status, seen.json["slug"]) == (413, "too-large")
    whole = await said(world, "POST", "/toy/say", [b'{"text": "', b"x" * 80, b'"}'])
    assert whole.status == 200


async def test_a_query_has_a_bound_and_may_bear_marks(world: World) -> None:
    many = await said(world, "GET", "/toy/echo/x?" + "&".join(f"a{n}=1" for n in range(101)))
    assert (many.status, many.json["slug"]) == (400, "malformed")
    assert (await said(world, "GET", "/toy/echo/x?a=1&a=2&b=")).json["query"] == {"a": "2", "b": ""}
    assert (await said(world, "GET", "/toy/seek?q=(S//NF)+fever")).json["floor"] == SECRET
    above = await said(world, "GET", "/toy/seek?q=(TS//SI//NF)+fever")
    assert (above.status, above.json["rule"], above.header("toy-rule")) == (403, "mark-above", "mark-above")


async def test_marks_in_a_body_are_looked_at(world: World) -> None:
    assert (await said(world, "POST", "/toy/say", b'{"text": "(S//NF) fever"}')).json["floor"] == SECRET
    bad = await said(world, "POST", "/toy/say", b'{"text": "(S//BANANA) fever"}')
    assert (bad.status, bad.json["rule"]) == (403, "mark-unreadable")


@pytest.mark.parametrize("how", ["header", "query"])
async def test_the_acting_label_is_chosen_by_header_or_query(world: World, how: str) -> None:
    for label, status in ((LOW, 200), ("SECRET//NOFORN", 200), ("BANANA", 400), ("agency=OTHER", 403)):
        headers = (("casemate-acting-label", label),) if how == "header" else ()
        target = "/toy/echo/x" + (f"?acting={label.replace(' ', '+').replace('=', '%3D')}" if how == "query" else "")
        seen = await talk(toys(world), "GET", target, headers=headers, client=OWNER)
        assert seen.status == status, label
    assert (await talk(toys(world), "GET", "/toy/echo/x", client=OWNER)).json["acting"] == log_ceiling(world)


def log_ceiling(world: World) -> str:
    return str(world.house.gate.vault.region.ceiling.text)


async def test_labels_are_told_as_markings_and_recorded_as_labels(world: World) -> None:
    await world.person("ann", SECRET)
    headers = (("authorization", f"Bearer {world.keys['ann']}"), ("casemate-acting-label", "TOP SECRET//SI//NOFORN"))
    seen = await talk(toys(world), "GET", "/toy/echo/x", headers=headers)
    assert "TOP SECRET//SI//NOFORN" in seen.json["detail"]
    assert "agency=" not in seen.json["detail"]
    assert str(log(world, SECRET)[-1].facts["acting"]).startswith("agency=EXERCISE + us:TOP SECRET")


async def test_what_is_public_has_no_session_and_leaves_no_entry(world: World) -> None:
    ceiling = log_ceiling(world)
    before = {label: len(log(world, label)) for label in (LOW, SECRET, ceiling)}
    headers = (("casemate-acting-label", TOP), ("accept-language", "fr"))
    seen = await talk(toys(world), "POST", "/toy/open", b'{"text": "x"}', headers=headers, client=OWNER)
    assert (seen.json["acting"], seen.json["who"], seen.json["language"]) == (LOW, "stranger", "fr")
    assert (seen.header("casemate-label"), seen.header("casemate-ledger")) == (LOW, "")
    bad = await talk(toys(world), "POST", "/toy/open", b"{")
    assert (bad.status, bad.header("casemate-ledger")) == (400, "")
    assert {label: len(log(world, label)) for label in before} == before


async def test_a_begin_and_an_end(world: World) -> None:
    seen = await said(world, "POST", "/toy/stream", b"asked")
    assert (seen.status, seen.pieces) == (200, (b"onetwo", b""))
    begin, end = log(world, SECRET)[-2:]
    assert (begin.outcome, end.outcome, end.ref, end.facts) == ("begin", "complete", begin.id, {"toy": 1})
    assert seen.header("casemate-ledger") == begin.id
    assert begin.facts["operation"] == "POST /toy/stream"


@pytest.mark.parametrize(("target", "slug"), [("/toy/fails", "engine-failed"), ("/toy/breaks", "internal")])
async def test_what_fails_in_the_middle_is_said_in_the_stream(
    world: World, target: str, slug: str, capsys: pytest.CaptureFixture[str]
) -> None:
    seen = await said(world, "POST", target)
    assert (seen.status, seen.pieces) == (200, (b"one", b"broken: " + slug.encode()))
    end = log(world, SECRET)[-1]
    assert (end.outcome, end.facts["error"], end.ref) == ("failed", slug, seen.header("casemate-ledger"))
    assert "hidden" not in capsys.readouterr().err
    assert not world.house.gate.running


async def test_a_defect_is_told_by_its_place_alone(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    seen = await said(world, "POST", "/toy/broken", b"asked")
    assert (seen.status, seen.json["slug"]) == (500, "internal")
    assert b"what a caller wrote" not in seen.body
    err = capsys.readouterr().err
    assert "ValueError at" in err
    assert "toys.py" in err
    assert "what a caller wrote" not in err
    begin, end = log(world, SECRET)[-2:]
    assert (begin.outcome, end.outcome, end.ref) == ("begin", "failed", begin.id)


async def test_a_client_that_leaves_before_its_body_is_whole(world: World) -> None:
    seen = await said(world, "POST", "/toy/say", b'{"text":', leaves="before")
    assert (seen.status, seen.json["slug"]) == (400, "malformed")


@pytest.mark.parametrize(("target", "leaves"), [("/toy/waits", "after"), ("/toy/hangs", "during")])
async def test_a_client_that_leaves_stops_the_work(world: World, target: str, leaves: str) -> None:
    await asyncio.wait_for(said(world, "POST", target, leaves=leaves), 10)
    begin, end = log(world, SECRET)[-2:]
    assert (end.outcome, end.ref) == ("cancelled", begin.id)
    assert not world.house.gate.running


@pytest.mark.parametrize("target", ["/toy/waits", "/toy/hangs"])
async def test_a_process_that_stops_ends_what_began(world: World, target: str) -> None:
    work = asyncio.ensure_future(said(world, "POST", target))
    await asyncio.wait((work,), timeout=0.2)
    assert world.house.gate.running
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    begin, end = log(world, SECRET)[-2:]
    assert (end.outcome, end.ref) == ("cancelled", begin.id)
    assert not world.house.gate.running


async def test_what_cannot_be_recorded_is_still_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(*_: object, **__: object) -> str:
        raise StorageFull

    def unwritten(*_: object, **__: object) -> tuple[str, asyncio.Future[None]]:
        ticket: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        ticket.set_exception(StorageFull())
        return "ent_never", ticket

    monkeypatch.setattr(Gate, "record", full)
    monkeypatch.setattr(Gate, "append", unwritten)
    for client in (OWNER, NOBODY):
        seen = await talk(toys(world), "GET", "/toy/echo/x", client=client)
        assert (seen.status, seen.header("casemate-ledger")) == (507 if client == OWNER else 401, "")


async def test_what_is_kept_of_a_long_stream_has_a_bound(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "KEPT", 5)
    app = toys(
        world, Route("POST", "/toy/long", "toy", Action("ask", "answer"), streams(b"four", b"four", b"x"), asks=True)
    )
    seen = await talk(app, "POST", "/toy/long", client=OWNER)
    assert seen.body == b"fourfourx"
    assert kept(world, log_ceiling(world)).endswith(b"\nfourf")


async def test_other_scopes_are_nobodys_business(world: World) -> None:
    async def never(*_: object) -> Any:
        raise AssertionError("spoken to")

    await toys(world)({"type": "lifespan"}, never, never)
    await toys(world)({"type": "websocket"}, never, never)


async def test_a_problem_is_told_in_the_callers_protocol(world: World) -> None:
    """Where no route fits: by the longest prefix, else by the credential that is shown, else by the widest."""
    app = world.house.app
    cases = (
        ("/api/none", (), "application/problem+json"),
        ("/v1/none", (), "application/json"),
        ("/model/x/none", (), "application/json"),
        ("/none", (), "application/problem+json"),
        ("/none", (("accept", "text/html"),), "text/html"),
        ("/none", (("authorization", "AWS4-HMAC-SHA256 nonsense"),), "application/json"),
    )
    for path, headers, media in cases:
        seen = await talk(app, "GET", path, headers=(("host", "region.test"), *headers))
        assert seen.status == 404, path
        assert seen.header("content-type").startswith(media), (path, seen.header("content-type"))


def test_two_routes_of_one_name_are_a_defect() -> None:
    route = Route("GET", "/toy", "toy", Action("read", "session"), echo)
    with pytest.raises(ValueError, match="two routes"):
        Table([route, route])
    assert TOY.page is None
