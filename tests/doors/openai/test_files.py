"""Files: theirs who brought them, at the label at which they were brought."""

from __future__ import annotations

import json

import pytest

from casemate.models import files
from tests.doors.openai.asking import call
from tests.doors.openai.bringing import BOUNDARY, bring, form, line
from tests.doors.wired import OPEN, SECRET, Got, Wired


def test_brought_listed_read_and_removed(region: Wired) -> None:
    _, key = region.key(OPEN, SECRET)
    data = line() + b"\n"
    got = bring(region, data, key, name="a/b/in.jsonl")
    assert got.status == 200
    id = got.json["id"]
    assert id.startswith("file-")
    assert (got.json["object"], got.json["bytes"], got.json["filename"]) == ("file", len(data), "in.jsonl")
    assert (got.json["purpose"], got.json["status"]) == ("batch", "processed")
    assert call(region, "GET", f"/v1/files/{id}", key=key).json == got.json
    assert id in [one["id"] for one in call(region, "GET", "/v1/files", key=key).json["data"]]
    read = call(region, "GET", f"/openai/v1/files/{id}/content", key=key)
    assert (read.body, read.headers["content-type"]) == (data, "application/octet-stream")
    assert read.headers["x-content-type-options"] == "nosniff"
    gone = call(region, "DELETE", f"/v1/files/{id}", key=key)
    assert gone.json == {"id": id, "object": "file", "deleted": True}
    for method, path in (("GET", ""), ("GET", "/content"), ("DELETE", "")):
        assert call(region, method, f"/v1/files/{id}{path}", key=key).status == 404


def test_pages(region: Wired) -> None:
    _, key = region.key(OPEN, SECRET, name="pages")
    ids = []
    for name in "abc":
        region.clock.forward(1)
        ids.append(bring(region, b"x", key, name=name, purpose="user_data").json["id"])

    def page(query: str) -> tuple[list[str], bool]:
        got = call(region, "GET", f"/v1/files{query}", key=key)
        assert got.status == 200, got.body
        return [one["id"] for one in got.json["data"]], got.json["has_more"]

    assert page("") == (ids[::-1], False)
    assert page("?order=asc&limit=2") == (ids[:2], True)
    assert page(f"?limit=1&after={ids[2]}") == ([ids[1]], True)
    assert page("?after=file-none") == ([], False)
    assert page("?purpose=batch") == ([], False)
    for bad in ("?limit=0", "?limit=x", "?limit=99999", "?order=up"):
        assert call(region, "GET", f"/v1/files{bad}", key=key).status == 400


def test_anothers_file_is_as_absent_as_none(region: Wired) -> None:
    id = bring(region, b"x", region.key(OPEN, SECRET)[1]).json["id"]
    _, other = region.key(OPEN, SECRET, name="other")
    for method, path in (("GET", ""), ("GET", "/content"), ("DELETE", "")):
        hidden = call(region, method, f"/v1/files/{id}{path}", key=other)
        never = call(region, method, f"/v1/files/file-never{path}", key=other)
        assert (hidden.status, never.status) == (404, 404)
        assert _bare(hidden, id) == _bare(never, "file-never")
    assert call(region, "GET", "/v1/files", key=other).json["data"] == []


def _bare(got: Got, id: str) -> str:
    """A problem without its entry and without what was asked for."""
    return json.dumps(got.json).replace(got.json["error"]["entry"], "").replace(id, "")


def test_a_file_lies_where_it_was_brought(region: Wired) -> None:
    _, key = region.key(OPEN, SECRET)
    low = [("Casemate-Acting-Label", OPEN)]
    id = bring(region, b"x", key, headers=low).json["id"]
    above = bring(region, b"y", key).json["id"]
    assert call(region, "GET", f"/v1/files/{id}", key=key).status == 200
    assert call(region, "GET", f"/v1/files/{above}", key=key, headers=low).status == 404
    down = call(region, "DELETE", f"/v1/files/{id}", key=key)
    assert (down.status, down.json["error"]["rule"]) == (403, "no-write-down")
    assert call(region, "DELETE", f"/v1/files/{id}", key=key, headers=low).status == 200


MARKED = {
    "on a line": b"First.\n(TS//SI//NF) What of it?\n",
    "as a banner": b"TOP SECRET//SI//NOFORN\n\nWhat of it?\n",
    "in a request": line(model="m", messages=[{"role": "user", "content": "First.\n(TS//SI//NF) What of it?"}]),
    "beyond the first piece": b"x" * (1 << 20) + b"\n(TS//SI//NF) What of it?\n",
    "after what is no JSON": b"{x\n(TS//SI//NF) What of it?\n",
}


@pytest.mark.parametrize("data", MARKED.values(), ids=MARKED)
def test_a_mark_above_is_not_kept(region: Wired, data: bytes) -> None:
    got = bring(region, data)
    assert (got.status, got.json["error"]["rule"]) == (403, "mark-above")


@pytest.mark.parametrize(
    ("body", "media"),
    [
        (form(("a", b"x"), purpose="fine-tune"), ""),
        (form(("a", b"x")), ""),
        (form(("a", b"x"), ("b", b"y"), purpose="batch"), ""),
        (form(purpose="batch"), ""),
        (form(("n" * 300, b"x"), purpose="batch"), ""),
        (b"no form", ""),
        (b"{}", "application/json"),
    ],
)
def test_what_is_no_file(region: Wired, body: bytes, media: str) -> None:
    headers = [("Content-Type", media or f"multipart/form-data; boundary={BOUNDARY}")]
    got = call(region, "POST", "/v1/files", body, headers=headers)
    assert (got.status, got.json["error"]["code"]) == (400, "malformed")


def test_there_is_an_end_to_them(region: Wired, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "FILES", 1)
    _, key = region.key(OPEN, SECRET, name="many")
    assert bring(region, b"x", key).status == 200
    assert bring(region, b"y", key).status == 400
    assert bring(region, b"y", key, headers=[("Casemate-Acting-Label", OPEN)]).status == 200
