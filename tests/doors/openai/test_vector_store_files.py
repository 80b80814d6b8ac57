"""Files in a vector store: brought at the acting label, read in the background, described and taken away again."""

from __future__ import annotations

from typing import Any

import pytest

from tests.doors.openai.storing import LOW, SECRET, STORES, TOP, clients


async def test_brought_read_described_and_taken_away() -> None:
    async with clients("ann") as [ann]:
        store = await ann.store()
        path = f"{STORES}/{store}/files"
        file = await ann.file("The ferry sails.", "ferry.txt")
        told = {"port": "Sable", "year": 2026, "draft": False}
        waits = await ann.post(path, file_id=file, attributes=told)
        assert waits == {
            "id": file,
            "object": "vector_store.file",
            "created_at": waits["created_at"],
            "usage_bytes": 0,
            "vector_store_id": store,
            "status": "in_progress",
            "last_error": None,
            "attributes": told,
            "chunking_strategy": {"type": "other", "passages": "structure"},
            "label": LOW,
        }
        assert await ann.get(f"{path}/{file}") == waits
        assert (await ann.get(f"{path}/{file}/content"))["data"] == []
        await ann.read()
        ready = await ann.get(f"{path}/{file}")
        assert ready == waits | {"status": "completed", "usage_bytes": ready["usage_bytes"]}
        assert ready["usage_bytes"] > 0
        assert await ann.get(f"{path}/{file}/content") == {
            "object": "vector_store.file_content.page",
            "data": [{"type": "text", "text": "The ferry sails."}],
            "has_more": False,
            "next_page": None,
            "file_id": file,
            "filename": "ferry.txt",
            "attributes": told,
        }
        assert (await ann.post(f"{path}/{file}", attributes={"port": "Noir"}))["attributes"] == {"port": "Noir"}
        assert (await ann.post(f"{path}/{file}", attributes=None))["attributes"] == {}
        gone = await ann.got("DELETE", f"{path}/{file}")
        assert gone == {"id": file, "object": "vector_store.file.deleted", "deleted": True}
        for method, more in (("GET", ""), ("GET", "/content"), ("DELETE", "")):
            assert (await ann.call(method, f"{path}/{file}{more}")).status == 404
        assert (await ann.get(f"/v1/files/{file}"))["filename"] == "ferry.txt", "the file itself stays"
        assert await ann.found(store, "ferry") == []


async def test_what_is_there_already_is_described_anew() -> None:
    async with clients("ann") as [ann]:
        store = await ann.store()
        file = await ann.brought(store, "The ferry sails.", attributes={"port": "Sable"})
        again = await ann.post(f"{STORES}/{store}/files", file_id=file, attributes={"port": "Noir"})
        same = await ann.post(f"{STORES}/{store}/files", file_id=file, attributes={"port": "Noir"})
        assert again == same
        assert (again["status"], again["attributes"]) == ("completed", {"port": "Noir"})
        assert len((await ann.get(f"{STORES}/{store}/files"))["data"]) == 1
        [hit] = await ann.found(store, "ferry", filters={"type": "eq", "key": "port", "value": "Noir"})
        assert (hit["file_id"], hit["attributes"]) == (file, {"port": "Noir"})


async def test_a_file_that_was_taken_away_may_come_back() -> None:
    async with clients("ann") as [ann]:
        store = await ann.store()
        file = await ann.brought(store, "The ferry sails.")
        await ann.got("DELETE", f"{STORES}/{store}/files/{file}")
        assert (await ann.post(f"{STORES}/{store}/files", file_id=file))["status"] == "in_progress"
        await ann.read()
        assert len(await ann.found(store, "ferry")) == 1


async def test_the_same_bytes_of_two_files_are_two_files() -> None:
    async with clients("ann") as [ann]:
        store = await ann.store()
        one, other = [await ann.brought(store, "The ferry sails.", name) for name in ("a.txt", "b.txt")]
        assert {file["id"] for file in (await ann.get(f"{STORES}/{store}/files"))["data"]} == {one, other}


async def test_pages_and_states() -> None:
    async with clients("ann") as [ann]:
        store = await ann.store()
        path = f"{STORES}/{store}/files"
        files = []
        for name in ("a.txt", "b.txt"):
            files.append(await ann.brought(store, f"The ferry {name} sails.", name))
            ann.world.clock.forward(1)
        ann.world.clock.forward(1)
        late = await ann.file("The pier is long.")
        await ann.post(path, file_id=late)

        async def page(query: str) -> list[str]:
            return [one["id"] for one in (await ann.get(f"{path}{query}"))["data"]]

        assert await page("?order=asc") == [*files, late]
        assert await page("?limit=1") == [late]
        assert await page(f"?limit=1&after={late}") == [files[1]]
        assert await page("?filter=in_progress") == [late]
        assert await page("?filter=completed&order=asc") == files
        assert await page("?filter=failed") == await page("?filter=cancelled") == []
        assert (await ann.call("GET", f"{path}?filter=lost")).status == 400


async def test_what_cannot_be_used_has_failed_and_says_why() -> None:
    async with clients("ann") as [ann]:
        store = await ann.store()
        file = await ann.brought(store, "")
        found = await ann.get(f"{STORES}/{store}/files/{file}")
        assert found["status"] == "failed"
        assert found["last_error"]["code"] == "unsupported_file"
        assert "no text" in found["last_error"]["message"]
        assert (await ann.get(f"{STORES}/{store}"))["file_counts"]["failed"] == 1
        assert (await ann.get(f"{STORES}/{store}/files/{file}/content"))["data"] == []
        again = await ann.post(f"{STORES}/{store}/files", file_id=file)
        assert again["status"] == "in_progress", "what lies in quarantine is read again"


async def test_marks_in_dispute_are_told_as_an_invalid_file() -> None:
    async with clients("ann") as [ann]:
        disputed = b"UNCLASSIFIED\n\nOne.\n\n(S//NF) Two.\n\nUNCLASSIFIED"
        await ann.at(SECRET).call("POST", "/api/documents?name=a.txt&base=port", disputed)
        await ann.read()
        [found] = (await ann.at(SECRET).get(f"{STORES}/port/files?filter=failed"))["data"]
        assert found["last_error"]["code"] == "invalid_file"
        assert "portion mark" in found["last_error"]["message"]
        assert (await ann.call("GET", f"{STORES}/port")).status == 404


async def test_marks_are_read_and_never_below_the_label_of_the_file() -> None:
    """A file of SECRET is brought at SECRET or above; its portion that says (U) lies at SECRET still."""
    async with clients("ann") as [ann]:
        secret = ann.at(SECRET)
        store = await ann.store(name="Harbour")
        text = "SECRET//NOFORN\n\n(U) The ferry sails.\n\n(S//NF) The convoy leaves.\n\nSECRET//NOFORN"
        file = await secret.brought(store, text)
        assert (await secret.get(f"{STORES}/{store}/files/{file}"))["status"] == "completed"
        assert len(await secret.found(store, "ferry convoy")) == 2
        assert await ann.found(store, "ferry convoy") == [], "nothing of the file lies below it"
        assert (await ann.call("GET", f"{STORES}/{store}/files/{file}")).status == 404


async def test_a_file_below_brought_above_lies_above() -> None:
    async with clients("ann") as [ann]:
        store, file = await ann.store(), await ann.file("The ferry sails.")
        secret = ann.at(SECRET)
        await secret.post(f"{STORES}/{store}/files", file_id=file)
        await ann.read()
        [hit] = await secret.found(store, "ferry")
        assert hit["label"] == SECRET
        assert await ann.found(store, "ferry") == []


async def test_a_file_above_does_not_exist_below() -> None:
    async with clients("ann") as [ann]:
        store, file = await ann.store(), await ann.at(SECRET).file("The convoy leaves.")
        hidden = await ann.call("POST", f"{STORES}/{store}/files", {"file_id": file})
        never = await ann.call("POST", f"{STORES}/{store}/files", {"file_id": "file-never"})
        assert (hidden.status, never.status) == (404, 404)
        assert (await ann.get(f"{STORES}/{store}/files"))["data"] == []


async def test_anothers_file_is_neither_brought_nor_changed() -> None:
    async with clients("ann", "bob") as [ann, bob]:
        store = await ann.store()
        file = await ann.file("The ferry sails.")
        assert (await bob.call("POST", f"{STORES}/{store}/files", {"file_id": file})).status == 404
        held = await ann.brought(store, "The pier is long.")
        path = f"{STORES}/{store}/files/{held}"
        assert (await bob.get(path))["status"] == "completed", "what lies in a base is seen by all who act there"
        assert (await bob.call("DELETE", path)).status == 404
        assert (await bob.call("POST", path, {"attributes": {"x": "y"}})).status == 404
        assert len(await bob.found(store, "pier")) == 1


async def test_what_lies_below_is_not_taken_away_from_above() -> None:
    async with clients("ann") as [ann]:
        store = await ann.store()
        file = await ann.brought(store, "The ferry sails.")
        down = await ann.at(TOP).call("DELETE", f"{STORES}/{store}/files/{file}")
        assert (down.status, down.json["error"]["rule"]) == (403, "no-write-down")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"file_id": "FILE", "attributes": {"k": None}},
        {"file_id": "FILE", "attributes": {"k": ["x"]}},
        {"file_id": "FILE", "attributes": {"": "x"}},
        {"file_id": "FILE", "attributes": {"k" * 65: "x"}},
        {"file_id": "FILE", "attributes": {"k": "x" * 513}},
        {"file_id": "FILE", "attributes": {str(n): n for n in range(17)}},
        {"file_id": "FILE", "chunking_strategy": {"type": "none"}},
        {"file_id": "FILE", "model": "x"},
    ],
)
async def test_what_is_refused(body: dict[str, Any]) -> None:
    async with clients("ann") as [ann]:
        store, file = await ann.store(), await ann.file("The ferry sails.")
        asked = {name: file if value == "FILE" else value for name, value in body.items()}
        assert (await ann.call("POST", f"{STORES}/{store}/files", asked)).status == 400
        assert (await ann.get(f"{STORES}/{store}/files"))["data"] == []


async def test_a_document_that_is_visible_only_in_part_is_told_by_its_part() -> None:
    """What waits for its owner to state a label is in progress; of a marked document the low part is a file below."""
    async with clients("ann") as [ann]:
        high = ann.at(SECRET)
        text = b"SECRET//NOFORN\n\n(U) The ferry sails.\n\n(S//NF) The convoy leaves.\n\nSECRET//NOFORN"
        added = await high.call("POST", "/api/documents?name=hidden.txt&base=port", text)
        unmarked = await high.call("POST", "/api/documents?name=b.txt&base=port", b"The pier is long.")
        assert (added.status, unmarked.status) == (202, 202)
        await ann.read()
        [whole] = (await high.get(f"{STORES}/port/files?filter=completed"))["data"]
        [waits] = (await high.get(f"{STORES}/port/files?filter=in_progress"))["data"]
        assert waits["id"] == unmarked.json["data"]["id"]
        [part] = (await ann.get(f"{STORES}/port/files"))["data"]
        assert part["id"] == whole["id"]
        assert 0 < part["usage_bytes"] < whole["usage_bytes"]
        content = await ann.get(f"{STORES}/port/files/{part['id']}/content")
        assert [one["text"] for one in content["data"]] == ["The ferry sails."]
        assert "hidden" not in content["filename"], "who named the file knew all of it"
        assert len((await high.get(f"{STORES}/port/files/{part['id']}/content"))["data"]) == 2
        [hit] = await ann.found("port", "ferry")
        assert (hit["file_id"], hit["filename"]) == (part["id"], content["filename"])
