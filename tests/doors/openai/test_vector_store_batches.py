"""Batches of files into a vector store."""

from __future__ import annotations

from typing import Any

import pytest

from tests.doors.openai.storing import SECRET, STORES, clients


async def test_begun_looked_at_and_done() -> None:
    async with clients("ann") as [ann]:
        store = await ann.store()
        path = f"{STORES}/{store}/file_batches"
        files = [await ann.file("The ferry sails.", "a.txt"), await ann.file("", "b.txt")]
        begun = await ann.post(path, file_ids=files, attributes={"port": "Sable"}, chunking_strategy={"type": "auto"})
        counts = {"in_progress": 2, "completed": 0, "failed": 0, "cancelled": 0, "total": 2}
        assert begun == {
            "id": begun["id"],
            "object": "vector_store.files_batch",
            "created_at": begun["created_at"],
            "vector_store_id": store,
            "status": "in_progress",
            "file_counts": counts,
        }
        assert begun["id"].startswith("vsfb_")
        await ann.read()
        done = await ann.get(f"{path}/{begun['id']}")
        assert done == begun | {
            "status": "completed",
            "file_counts": counts | {"in_progress": 0, "completed": 1, "failed": 1},
        }
        listed = await ann.get(f"{path}/{begun['id']}/files?filter=completed")
        assert [one["id"] for one in listed["data"]] == files[:1]
        assert listed["data"][0]["attributes"] == {"port": "Sable"}
        await ann.got("DELETE", f"{STORES}/{store}/files/{files[0]}")
        assert (await ann.get(f"{path}/{begun['id']}"))["file_counts"]["total"] == 1


async def test_each_file_with_its_own_attributes() -> None:
    async with clients("ann") as [ann]:
        store = await ann.store()
        one, other = [await ann.file(f"The ferry {n} sails.") for n in range(2)]
        files = [{"file_id": one, "attributes": {"n": 1}}, {"file_id": other}]
        begun = await ann.post(f"{STORES}/{store}/file_batches", files=files)
        told = await ann.get(f"{STORES}/{store}/file_batches/{begun['id']}/files")
        assert {file["id"]: file["attributes"] for file in told["data"]} == {one: {"n": 1}, other: {}}


async def test_cancelling_takes_back_what_waits() -> None:
    async with clients("ann") as [ann]:
        store = await ann.store()
        path = f"{STORES}/{store}/file_batches"
        read = await ann.brought(store, "The ferry sails.")
        waits = await ann.file("The pier is long.")
        begun = await ann.post(path, file_ids=[read, waits])
        cancelled = await ann.got("POST", f"{path}/{begun['id']}/cancel")
        counts = {"in_progress": 0, "completed": 1, "failed": 0, "cancelled": 1, "total": 2}
        assert (cancelled["status"], cancelled["file_counts"]) == ("cancelled", counts)
        assert await ann.got("POST", f"{path}/{begun['id']}/cancel") == cancelled
        [told] = (await ann.get(f"{path}/{begun['id']}/files?filter=cancelled"))["data"]
        assert (told["id"], told["status"]) == (waits, "cancelled")
        await ann.read()
        assert await ann.found(store, "pier") == []
        assert len(await ann.found(store, "ferry")) == 1


async def test_a_batch_is_its_owners_and_lies_where_it_was_begun() -> None:
    async with clients("ann", "bob") as [ann, bob]:
        store, other = await ann.store(), await ann.store()
        path = f"{STORES}/{store}/file_batches"
        begun = await ann.post(path, file_ids=[await ann.file("The ferry sails.")])
        for who, base in ((bob, store), (ann, other)):
            for method, more in (("GET", ""), ("GET", "/files"), ("POST", "/cancel")):
                there = f"{STORES}/{base}/file_batches"
                assert (await who.call(method, f"{there}/{begun['id']}{more}")).status == 404
                assert (await who.call(method, f"{there}/vsfb_never{more}")).status == 404
        assert (await ann.at(SECRET).get(f"{path}/{begun['id']}"))["status"] == "in_progress"
        down = await ann.at(SECRET).call("POST", f"{path}/{begun['id']}/cancel")
        assert (down.status, down.json["error"]["rule"]) == (403, "no-write-down")
        assert (await ann.get(f"{path}/{begun['id']}"))["file_counts"]["in_progress"] == 1, "nothing was taken back"


async def test_none_is_brought_where_one_is_not_there() -> None:
    async with clients("ann") as [ann]:
        store = await ann.store()
        files = [await ann.file("The ferry sails."), "file-never"]
        assert (await ann.call("POST", f"{STORES}/{store}/file_batches", {"file_ids": files})).status == 404
        assert (await ann.get(f"{STORES}/{store}/files"))["data"] == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"file_ids": []},
        {"files": []},
        {"file_ids": ["file-a"], "files": [{"file_id": "file-b"}]},
        {"file_ids": [f"file-{n}" for n in range(501)]},
        {"file_ids": ["file-a"], "attributes": {"k": []}},
        {"files": [{"file_id": "file-a", "chunking_strategy": {"type": "none"}}]},
        {"file_ids": ["file-a"], "priority": 1},
    ],
)
async def test_what_is_refused(body: dict[str, Any]) -> None:
    async with clients("ann") as [ann]:
        store = await ann.store()
        assert (await ann.call("POST", f"{STORES}/{store}/file_batches", body)).status == 400
