"""docs/wires.md says what the wires do: every route stands in it once, and what it calls refused is refused so."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.docs import wires
from tests.docs.wires import Row
from tests.doors.batch.hand import signed as signed_for_batch
from tests.doors.bedrock.signing import signed
from tests.doors.s3.signing import error
from tests.doors.s3.signing import signed as signed_for_s3
from tests.doors.wired import Got, Wired, wired

STATES = {"supported", "partly", "refused"}


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wired]:
    with wired(tmp_path_factory.mktemp("region")) as found:
        yield found


def refused() -> list[tuple[str, str, Row]]:
    """Each wire, route and row of what is refused, below its alias too."""
    return [
        (wire, f"{method} {prefix}{path}", row)
        for wire in wires.WIRES
        for row in wires.rows(wire)
        if row.state == "refused"
        for method, path in (route.split() for route in row.routes)
        for prefix in dict.fromkeys(("", wires.ALIASES[wire]))
    ]


def sent(region: Wired, wire: str, route: str) -> Got:
    """What a caller with a key gets there."""
    method, path = route.split()
    path = re.sub(r"\{[^}]*\}", "x", path)
    if wire == "s3":
        path = re.sub(r"\|[^&]*", "", path)  # any one of them
        key = region.key(client="boto3")
        return region.send(method, path, b"", signed_for_s3(region, key, method, path).items())
    body = b"{}" if method in {"POST", "PUT", "PATCH"} else b""
    if wire == "batch":
        key = region.key(client="boto3")
        return region.send(method, path, body, signed_for_batch(region, key, method, path, body).items())
    if wire == "bedrock":
        key = region.key(client="boto3")
        return region.send(method, path, body, signed(region, key, method, path, body).items())
    _, secret = region.key()
    named = [("authorization", f"Bearer {secret}"), ("content-type", "application/json")]
    if wire == "anthropic":
        named.append(("anthropic-version", "2023-06-01"))
    return region.send(method, path, body, named)


def code(wire: str, got: Got) -> str:
    """The error's name in the brackets of its protocol."""
    if wire in ("bedrock", "batch"):
        return got.headers.get("x-amzn-errortype", "")
    if wire == "s3":
        return error(got)[1]
    if wire == "hec":
        return str(got.json["text"])
    return str(got.json.get("error", {}).get("code", ""))


@pytest.mark.parametrize("wire", wires.WIRES)
def test_every_route_stands_in_one_row_and_its_alias_beside_it(wire: str) -> None:
    told = Counter(route for row in wires.rows(wire) for route in row.routes)
    assert max(told.values()) == 1
    alias = wires.ALIASES[wire]
    declared = wires.routes(wire)
    below = {route.replace(f" {alias}/", " /", 1) for route in declared if alias and f" {alias}/" in route}
    own = {route for route in declared if not alias or f" {alias}/" not in route}
    assert own <= set(told)
    assert not alias or below == own


@pytest.mark.parametrize("wire", wires.WIRES)
def test_what_is_supported_has_a_route(wire: str) -> None:
    declared = set(wires.routes(wire))
    for row in wires.rows(wire):
        assert row.state in STATES
        assert row.state == "refused" or set(row.routes) <= declared, row.name
        assert (row.state == "refused") == bool(row.status and row.error), row.name


@pytest.mark.parametrize(("wire", "route", "row"), refused(), ids=lambda each: each if isinstance(each, str) else "")
def test_what_is_refused_is_refused_as_it_says(region: Wired, wire: str, route: str, row: Row) -> None:
    got = sent(region, wire, route)
    assert (got.status, code(wire, got)) == (row.status, row.error)


def test_each_row_of_bedrock_is_an_operation_of_its_description() -> None:
    known = wires.described()
    assert {row.name: [wires.blank(route) for route in row.routes] for row in wires.rows("bedrock")} == {
        row.name: [known[row.name]] for row in wires.rows("bedrock")
    }


def test_no_other_operation_of_bedrock_is_here(region: Wired) -> None:
    known = wires.described()
    assert len(wires.elsewhere()) > 50
    for name in wires.elsewhere():
        got = sent(region, "bedrock", known[name].replace("{}", "x"))
        assert got.status == 404, f"{name}: {got.status}"


def test_a_route_that_no_row_names_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wires, "routes", lambda _wire: ["POST /v1/new"])
    with pytest.raises(AssertionError):
        test_every_route_stands_in_one_row_and_its_alias_beside_it("openai")
