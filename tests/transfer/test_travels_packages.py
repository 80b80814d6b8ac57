"""Packages for job environments: what a bundle brings lies in the mirror, where a lock finds it, or nothing comes."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
import pytest

from casemate.crypto.sign import generate, public_of, sign
from casemate.jobs.packages import Carried
from casemate.transfer.region import Content, Outgoing
from casemate.transfer.region.channel import PACKAGE_TYPE
from tests.laws.world import World
from tests.transfer.regions import LOW, Pair, a_pair

WHEEL = "some_thing-1.0-py3-none-any.whl"
DEB = "libsolver5_5.2-1_amd64.deb"
BODY = b"a wheel of some bytes"


def digest(body: bytes = BODY) -> str:
    return hashlib.sha256(body).hexdigest()


async def bring(world: World, label: str, name: str = WHEEL, body: bytes = BODY, signature: str = "") -> None:
    asked = {"sums": f"{digest(body)}  {name}\n", "signature": signature}
    told = await world.call("operator", "POST", "/api/packages", asked, label)
    assert told.status == 201, told.body
    target = f"/api/packages/{name}?list={told.json['data']['list']}"
    seen = await world.call("operator", "PUT", target, body, label)
    assert seen.status == 201, seen.body


def a_package(body: bytes = BODY, stated: str = "", name: str = WHEEL, **more: str) -> Outgoing:
    """A package as it lies in a bundle, whose digest may be stated as another."""
    told = msgspec.json.encode(Carried(name, stated or digest(body), **more))
    return Outgoing("package-1", PACKAGE_TYPE, LOW, (Content("about.json", told), Content("content", body)))


async def mirrored(pair: Pair) -> list[dict[str, Any]]:
    return list((await pair.high.call("user", "GET", "/api/packages", None, pair.above)).json["data"])


async def test_a_wheel_rises_and_a_lock_finds_it_in_the_mirror() -> None:
    async with a_pair() as pair:
        await bring(pair.low, pair.below)
        await bring(pair.low, pair.below, DEB, b"!<arch>\n")
        sent, file = await pair.send(("package", WHEEL), ("package", DEB))
        assert sent.status == 201, sent.body
        told = await pair.take(file)
        assert told["verdict"] == "accept", told
        assert [(one["name"], one["sha256"], one["label"]) for one in await mirrored(pair)] == [
            (DEB, digest(b"!<arch>\n"), pair.above),
            (WHEEL, digest(), pair.above),
        ]
        assert {one["key"] for one in await mirrored(pair)} == {told["id"]}  # the bundle's word: nobody signed a list
        lock = {"name": "tools", "lock": f"some-thing==1.0 --hash=sha256:{digest()}\n"}
        made = await pair.high.call("user", "POST", "/api/environments", lock, pair.above)
        assert made.status == 201, made.body
        given = await pair.high.call("user", "GET", f"/api/packages/{DEB}/file", None, pair.above)
        assert b"".join(given.pieces) == b"!<arch>\n"
        came = await pair.high.call("user", "GET", f"/api/lineage/package/{WHEEL}", None, pair.above)
        assert "transfer.bundle" in {node["kind"] for node in came.json["data"]["nodes"]}


@pytest.mark.parametrize(
    "outgoing",
    [
        a_package(stated=digest(b"another wheel")),
        a_package(sums=f"{digest(b'another wheel')}  {WHEEL}\n"),
        a_package(sums="no list"),
        a_package(name="setup.py"),
        a_package(name="../some_thing-1.0-py3-none-any.whl"),
        Outgoing("package-1", PACKAGE_TYPE, LOW, (Content("content", BODY),)),
        Outgoing("package-1", PACKAGE_TYPE, LOW, a_package().contents[:1]),
    ],
    ids=["digest", "list", "no-list", "name", "path", "unstated", "empty"],
)
async def test_a_wheel_that_is_not_what_is_stated_does_not_come_and_nothing_with_it(outgoing: Outgoing) -> None:
    async with a_pair() as pair:
        told = await pair.take(await pair.made([outgoing]))
        assert (told["verdict"], told["rule"]) == ("quarantine", "unfit"), told
        assert await mirrored(pair) == []


async def test_another_wheel_of_a_name_does_not_replace_the_one_that_is_there() -> None:
    async with a_pair() as pair:
        assert (await pair.take(await pair.made([a_package()])))["verdict"] == "accept"
        after = {"sequence": 2, "previous": (await pair.state()).previous}
        again = await pair.take(await pair.made([a_package(b"another")], **after))
        assert (again["verdict"], again["rule"]) == ("quarantine", "unfit")
        assert [one["sha256"] for one in await mirrored(pair)] == [digest()]


async def test_where_the_settings_name_keys_a_bundle_alone_is_no_signature_of_a_list() -> None:
    private = generate()
    sums = f"{digest()}  {WHEEL}\n"
    signed = a_package(sums=sums, signature=sign(private, sums.encode()).hex())
    stranger = a_package(sums=sums, signature=sign(generate(), sums.encode()).hex())
    more = f'[jobs]\npackage_keys = ["{public_of(private).hex()}"]\n'
    async with a_pair(more=more) as pair:
        for outgoing in (stranger, a_package()):
            told = await pair.take(await pair.made([outgoing]))
            assert (told["verdict"], told["rule"]) == ("quarantine", "unfit")
        assert await mirrored(pair) == []
        assert (await pair.take(await pair.made([signed])))["verdict"] == "accept"
        [one] = await mirrored(pair)
        assert one["key"] not in ("", (await pair.bundles())[-1]["id"])


async def test_a_package_that_is_none_is_not_sent() -> None:
    async with a_pair() as pair:
        sent, _ = await pair.send(("package", WHEEL))
        assert sent.status == 404
