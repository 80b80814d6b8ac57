"""Where S3 and the console have one address: a signed request is S3's whatever its bucket is called, others are not."""

from __future__ import annotations

import pytest

from tests.attacks.scene import SECRET
from tests.laws.s3_operations import Hand
from tests.laws.world import World

HTML = ("accept", "text/html")


@pytest.mark.parametrize("name", ["ask", "buckets", "documents", "api", "static"])
async def test_a_bucket_may_be_called_as_a_page_is(world: World, name: str) -> None:
    await world.person("ann", SECRET)
    hand = Hand(world, "ann", SECRET)
    before = await world.call("ann", "GET", f"/{name}", acting=SECRET, headers=(HTML,))
    assert (await hand.look("PUT", f"/{name}", accept="text/html")).status == 200
    assert (await hand.write("PUT", f"/{name}/stream", body=b"kept")).status == 200
    assert (await hand.look("GET", f"/{name}/stream", accept="text/html")).body == b"kept"
    assert b"<Key>stream</Key>" in (await hand.look("GET", f"/{name}", accept="text/html")).body
    page = await world.call("ann", "GET", f"/{name}", acting=SECRET, headers=(HTML,))
    assert page.status == before.status
    assert page.header("content-type") == before.header("content-type") != "application/xml"
    assert b"ListBucketResult" not in page.body
    below = await world.call("ann", "GET", f"/{name}/stream", acting=SECRET, headers=(HTML,))
    assert b"kept" not in below.body
    assert (await hand.write("DELETE", f"/{name}/stream")).status == 204
    assert (await hand.look("DELETE", f"/{name}")).status == 204
    assert (await world.call("ann", "GET", f"/{name}", acting=SECRET, headers=(HTML,))).status == before.status


async def test_the_pages_themselves_are_there(world: World) -> None:
    """Else the others would show nothing."""
    await world.person("ann", SECRET)
    for name in ("ask", "buckets", "documents"):
        page = await world.call("ann", "GET", f"/{name}", acting=SECRET, headers=(HTML,))
        assert (page.status, page.header("content-type").partition(";")[0]) == (200, "text/html")


async def test_a_wrong_signature_is_refused_by_s3_and_shows_no_page(world: World) -> None:
    await world.person("ann", SECRET)
    world.signers["ann"] = (world.signers["ann"][0], "x" * 40)
    refused = await Hand(world, "ann", SECRET).look("GET", "/buckets", accept="text/html")
    assert (refused.status, refused.header("content-type")) == (403, "application/xml")
    assert b"SignatureDoesNotMatch" in refused.body
