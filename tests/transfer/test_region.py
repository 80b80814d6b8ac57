"""What a region does with bundles: through its doors, from one region to another."""

from __future__ import annotations

import asyncio

from tests.transfer.regions import TEXT, a_pair


def test_a_document_rises_to_a_region_with_a_higher_floor() -> None:
    async def law() -> None:
        async with a_pair() as pair:
            id = await pair.document()
            sent, file = await pair.send(("document", id))
            assert sent.status == 201, sent.body
            taken = await pair.take(file)
            assert (taken["verdict"], taken["rule"]) == ("accept", "accepted"), taken
            (document,) = await pair.come()
            assert document["label"] == pair.above
            read = await pair.high.call("user", "GET", f"/api/documents/{document['id']}", None, pair.above)
            assert TEXT.decode().split("\n\n")[0] in read.body.decode()

    asyncio.run(law())
