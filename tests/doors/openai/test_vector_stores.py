"""Vector stores: bases of the visible world, made and changed by whoever made them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.doors.openai.storing import LOW, SECRET, STORES, TOP, clients
from tests.laws.world import Seen

DAY = 24 * 3600


def bare(seen: Seen, id: str) -> str:
    """A problem without its entry and without what was asked for."""
    entry = seen.json["error"]["entry"]
    return seen.body.decode().replace(entry, "").replace(id, "")


async def test_made_looked_up_changed_and_removed() -> None:
    async with clients("ann") as [ann]:
        expiry = {"anchor": "last_active_at", "days": 2}
        made = await ann.post(STORES, name="Harbour", metadata={"a": "b"}, expires_after=expiry)
        id, at = made["id"], made["created_at"]
        assert id.startswith("vs_")
        assert made == {
            "id": id,
            "object": "vector_store",
            "created_at": at,
            "name": "Harbour",
            "usage_bytes": 0,
            "file_counts": {"in_progress": 0, "completed": 0, "failed": 0, "cancelled": 0, "total": 0},
            "status": "completed",
            "expires_after": expiry,
            "expires_at": at + 2 * DAY,
            "last_active_at": at,
            "metadata": {"a": "b"},
            "label": LOW,
        }
        assert await ann.get(f"{STORES}/{id}") == made
        renamed = await ann.post(f"{STORES}/{id}", name="Port")
        assert renamed == made | {"name": "Port"}
        plain = await ann.post(f"{STORES}/{id}", expires_after=None, metadata=None)
        assert (plain["expires_after"], plain["expires_at"], plain["metadata"]) == (None, None, {})
        gone = await ann.got("DELETE", f"/openai{STORES}/{id}")
        assert gone == {"id": id, "object": "vector_store.deleted", "deleted": True}
        assert (await ann.call("GET", f"{STORES}/{id}")).status == 404


async def test_a_store_without_a_name_is_called_by_its_id() -> None:
    async with clients("ann") as [ann]:
        made = await ann.post(STORES)
        assert (made["name"], made["metadata"], made["expires_at"]) == (made["id"], {}, None)


async def test_pages() -> None:
    async with clients("ann") as [ann]:
        ids = []
        for name in "abcd":
            ann.world.clock.forward(1)
            ids.append(await ann.store(name=name))

        async def page(query: str) -> tuple[list[str], bool]:
            told = await ann.get(f"{STORES}{query}")
            data = [one["id"] for one in told["data"]]
            assert (told["first_id"], told["last_id"]) == ((data[0], data[-1]) if data else (None, None))
            return data, told["has_more"]

        assert await page("") == (ids[::-1], False)
        assert await page("?order=asc&limit=2") == (ids[:2], True)
        assert await page(f"?order=asc&limit=2&after={ids[1]}") == (ids[2:], False)
        assert await page(f"?order=asc&limit=2&before={ids[3]}") == (ids[1:3], True)
        assert await page(f"?order=asc&before={ids[1]}") == (ids[:1], False)
        assert await page("?before=vs_none") == ([], False)
        assert await page(f"?order=asc&after={ids[0]}&before={ids[3]}") == (ids[1:3], False)
        for bad in ("?limit=101", "?limit=0", "?order=up"):
            assert (await ann.call("GET", f"{STORES}{bad}")).status == 400


@pytest.mark.parametrize(
    "body",
    [
        {"name": "x" * 201},
        {"description": "what it is"},
        {"metadata": {str(n): "x" for n in range(17)}},
        {"metadata": {"k" * 65: "x"}},
        {"metadata": {"k": "x" * 513}},
        {"expires_after": {"anchor": "created_at", "days": 1}},
        {"expires_after": {"anchor": "last_active_at", "days": 0}},
        {"expires_after": {"anchor": "last_active_at", "days": 366}},
        {"file_ids": [f"file-{n}" for n in range(501)]},
        {"chunking_strategy": {"type": "by_page"}},
        {"chunking_strategy": {"type": "static"}},
        {"chunking_strategy": {"type": "static", "static": {"max_chunk_size_tokens": 99, "chunk_overlap_tokens": 0}}},
        {
            "chunking_strategy": {
                "type": "static",
                "static": {"max_chunk_size_tokens": 100, "chunk_overlap_tokens": 51},
            }
        },
        {"name": 3},
    ],
)
async def test_what_is_refused(body: dict[str, Any]) -> None:
    async with clients("ann") as [ann]:
        assert (await ann.call("POST", STORES, body)).status == 400
        assert (await ann.get(STORES))["data"] == []


async def test_a_store_with_its_first_files() -> None:
    async with clients("ann") as [ann]:
        files = [await ann.file("The ferry sails."), await ann.file("The pier is long.", "pier.txt")]
        static = {"type": "static", "static": {"max_chunk_size_tokens": 800, "chunk_overlap_tokens": 400}}
        made = await ann.post(STORES, name="x", file_ids=[*files, files[0]], chunking_strategy=static)
        assert (made["status"], made["file_counts"]["in_progress"]) == ("in_progress", 2)
        await ann.read()
        ready = await ann.get(f"{STORES}/{made['id']}")
        assert (ready["status"], ready["file_counts"]["completed"]) == ("completed", 2)
        assert ready["usage_bytes"] > 0
        nobodys = await ann.call("POST", STORES, {"file_ids": ["file-never"]})
        assert nobodys.status == 404


async def test_only_whoever_made_it_changes_or_removes_it() -> None:
    async with clients("ann", "bob") as [ann, bob]:
        id = await ann.store(name="Harbour")
        assert (await bob.get(f"{STORES}/{id}"))["name"] == "Harbour", "bases are the region's"
        for method, body in (("POST", {"name": "Mine"}), ("DELETE", None)):
            anothers = await bob.call(method, f"{STORES}/{id}", body)
            never = await bob.call(method, f"{STORES}/vs_never", body)
            assert (anothers.status, never.status) == (404, 404)
            assert bare(anothers, id) == bare(never, "vs_never")
        assert (await ann.get(f"{STORES}/{id}"))["name"] == "Harbour"


async def test_what_others_brought_stays_when_a_store_is_removed() -> None:
    async with clients("ann", "bob") as [ann, bob]:
        id = await ann.store(name="Harbour")
        mine = await ann.brought(id, "The ferry sails.")
        his = await bob.brought(id, "The pier is long.")
        waits = await ann.file("The fog is thick.")
        await ann.post(f"{STORES}/{id}/files", file_id=waits)
        await ann.got("DELETE", f"{STORES}/{id}")
        await ann.read()
        left = await bob.get(f"{STORES}/{id}/files")
        assert [one["id"] for one in left["data"]] == [his]
        assert mine not in str(left)
        assert (await bob.get(f"{STORES}/{id}"))["name"] == id, "nobody says what it is called any more"
        assert (await ann.call("DELETE", f"{STORES}/{id}")).status == 404, "nothing of it is hers"


async def test_a_store_above_is_as_absent_as_none() -> None:
    async with clients("ann", "bob") as [ann, bob]:
        high = await ann.at(SECRET).store(name="Harbour")
        above = ann.at(TOP)
        assert (await above.get(f"{STORES}/{high}"))["label"] == SECRET
        file = await ann.file("x")
        deeds: tuple[tuple[str, str, Any], ...] = (
            ("GET", "", None),
            ("POST", "", {"name": "x"}),
            ("DELETE", "", None),
            ("GET", "/files", None),
            ("POST", "/files", {"file_id": file}),
            ("POST", "/file_batches", {"file_ids": [file]}),
            ("POST", "/search", {"query": "x"}),
        )
        for who in (ann, bob):
            assert (await who.get(STORES))["data"] == []
            for method, more, body in deeds:
                hidden = await who.call(method, f"{STORES}/{high}{more}", body)
                never = await who.call(method, f"{STORES}/vs_never{more}", body)
                assert (hidden.status, never.status) == (404, 404), (method, more)
                assert bare(hidden, high) == bare(never, "vs_never")
        for method, body in (("POST", {"name": "x"}), ("DELETE", None)):
            down = await above.call(method, f"{STORES}/{high}", body)
            assert down.status == 403
            assert down.json["error"]["rule"] == "no-write-down"


async def test_counts_are_of_what_is_visible() -> None:
    async with clients("ann") as [ann]:
        id = await ann.store(name="Harbour")
        await ann.brought(id, "The ferry sails.")
        low = await ann.get(f"{STORES}/{id}")
        ann.world.clock.forward(100)
        await ann.at(SECRET).brought(id, "The convoy leaves at dawn.")
        assert await ann.get(f"{STORES}/{id}") == low
        high = await ann.at(SECRET).get(f"{STORES}/{id}")
        assert high["file_counts"]["completed"] == 2
        assert high["usage_bytes"] > low["usage_bytes"]
        assert high["last_active_at"] == low["last_active_at"] + 100


async def test_a_base_that_was_made_by_another_door_is_a_store() -> None:
    async with clients("ann") as [ann]:
        added = await ann.call("POST", "/api/documents?name=a.txt&base=port&label=" + LOW, b"The ferry sails.")
        assert added.status == 202
        await ann.read()
        assert [one["id"] for one in (await ann.get(STORES))["data"]] == ["port"]
        [file] = (await ann.get(f"{STORES}/port/files"))["data"]
        assert (file["id"], file["status"]) == (added.json["data"]["id"], "completed")
        assert (await ann.call("POST", f"{STORES}/port", {"name": "x"})).status == 404, "nobody has made it"
        assert (await ann.call("GET", f"{STORES}/all")).status == 404
        assert (await ann.got("DELETE", f"{STORES}/port"))["deleted"], "what is in it is hers"
        assert (await ann.get(STORES))["data"] == []


async def test_what_has_not_been_used_for_long_is_not_searched() -> None:
    async with clients("ann") as [ann]:
        expiry = {"anchor": "last_active_at", "days": 1}
        id = await ann.store(name="Harbour", expires_after=expiry)
        await ann.brought(id, "The ferry sails.")
        assert len(await ann.found(id, "ferry")) == 1
        ann.world.clock.forward(DAY)
        assert (await ann.get(f"{STORES}/{id}"))["status"] == "expired"
        refused = await ann.call("POST", f"{STORES}/{id}/search", {"query": "ferry"})
        assert refused.status == 400
        await ann.post(f"{STORES}/{id}", expires_after=expiry | {"days": 7})
        assert len(await ann.found(id, "ferry")) == 1


async def test_a_mark_in_a_name_counts() -> None:
    async with clients("ann") as [ann]:
        assert (await ann.call("POST", STORES, {"name": "(TS//SI//NF) The convoy"})).status == 403
        assert (await ann.get(STORES))["data"] == []
