"""The S3 wire, by whoever wants something else removed, kept, told or run than what was asked for."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from types import FrameType

from casemate.doors.s3.xml import read
from tests.attacks.scene import LOW, SECRET, TOP, scene
from tests.laws.s3_operations import ask
from tests.laws.world import Seen, World

BUCKET = "/plans"


async def put(world: World, key: str, body: bytes = b"words", label: str = LOW, **more: str) -> Seen:
    headers = {"x-amz-meta-casemate-label": label, **{name.replace("_", "-"): said for name, said in more.items()}}
    return await ask(world, "ann", "PUT", f"{BUCKET}/{key}", None, body, headers)


async def got(world: World, key: str, query: Mapping[str, str] | None = None, label: str = LOW) -> Seen:
    return await ask(world, "ann", "GET", f"{BUCKET}/{key}", query, b"", {"casemate-acting-label": label})


async def begun(world: World) -> None:
    await world.person("ann", TOP)
    made = await ask(world, "ann", "PUT", BUCKET, None, b"", {"x-amz-meta-casemate-floor": LOW})
    assert made.status == 200, made.body


async def delete_many(world: World, document: str) -> Seen:
    return await ask(
        world, "ann", "POST", BUCKET, {"delete": ""}, document.encode(), {"x-amz-meta-casemate-label": LOW}
    )


def test_removing_a_key_with_a_space_removes_no_other() -> None:
    """Keys of a document were stripped: `plan ` took `plan` away."""

    async def do(world: World) -> None:
        await begun(world)
        assert (await put(world, "plan")).status == 200
        seen = await delete_many(world, "<Delete><Object><Key>plan </Key></Object></Delete>")
        assert seen.status == 200
        assert (await got(world, "plan")).status == 200
        assert b"<Key>plan </Key>" in seen.body

    scene(do)


def test_removing_a_version_that_is_none_removes_nothing() -> None:
    """A version in a document was passed over, and what lies there now was removed in its place."""

    async def do(world: World) -> None:
        await begun(world)
        assert (await put(world, "plan")).status == 200
        seen = await delete_many(
            world, "<Delete><Object><Key>plan</Key><VersionId>3sL4kqtJlcpXroDTDmJ</VersionId></Object></Delete>"
        )
        assert b"<Code>NotImplemented</Code>" in seen.body
        assert (await got(world, "plan")).status == 200
        seen = await delete_many(world, "<Delete><Object><Key>plan</Key><VersionId>null</VersionId></Object></Delete>")
        assert b"<Deleted>" in seen.body

    scene(do)


def test_an_object_runs_nothing_in_the_consoles_origin() -> None:
    """A presigned link to a page, opened by an officer, ran with the console's cookie."""

    async def do(world: World) -> None:
        await begun(world)
        await put(world, "page", b"<script>alert(1)</script>", content_type="text/html")
        await put(world, "large", b"<script>1</script>" * 30_000, content_type="image/svg+xml")
        for key, query in (("page", {}), ("large", {}), ("page", {"response-content-type": "text/html"})):
            seen = await got(world, key, query)
            assert seen.status == 200
            assert "sandbox" in seen.header("content-security-policy")
            assert seen.header("x-content-type-options") == "nosniff"

    scene(do)


def test_what_an_answer_is_told_to_say_breaks_none() -> None:
    """A media type that no header can hold left the client without an answer."""

    async def do(world: World) -> None:
        await begun(world)
        await put(world, "plan")
        for name in ("content-type", "content-disposition"):
            seen = await got(world, "plan", {f"response-{name}": "text/€"})
            assert seen.status == 200
            assert seen.body == b"words"
        seen = await ask(world, "ann", "GET", "/", {"max-buckets": "000000001" + "0" * 5000})
        assert seen.status == 400

    scene(do)


def test_a_range_that_is_none_copies_nothing_else() -> None:
    """What could not be read as a range was a copy of the whole."""

    async def do(world: World) -> None:
        await begun(world)
        await put(world, "plan", b"0123456789")
        begins = await ask(
            world, "ann", "POST", f"{BUCKET}/new", {"uploads": ""}, b"", {"x-amz-meta-casemate-label": LOW}
        )
        id = re.search(rb"<UploadId>(.*?)</UploadId>", begins.body)
        assert id is not None
        for asked in ("bytes=3-1", "3-5", "bytes=3-", "bytes=0-99"):
            seen = await ask(
                world,
                "ann",
                "PUT",
                f"{BUCKET}/new",
                {"partNumber": "1", "uploadId": id[1].decode()},
                b"",
                {"x-amz-copy-source": "/plans/plan", "x-amz-copy-source-range": asked},
            )
            assert seen.status in (400, 416), asked

    scene(do)


def test_marks_in_what_is_said_beside_are_looked_for() -> None:
    async def do(world: World) -> None:
        await begun(world)
        mark = "TOP SECRET//SI"
        for name in ("x-amz-meta-title", "content-disposition", "content-language", "cache-control"):
            assert (await put(world, "plan", b"words", LOW, **{name: mark})).status == 403, name
        assert (await put(world, "plan", x_amz_tagging="a=TOP%20SECRET%2F%2FSI")).status == 403
        assert (await put(world, "plan", mark.encode())).status == 403
        assert (await put(world, "plan", mark.encode(), label=SECRET)).status == 403

    scene(do)


def test_a_documents_lines_cost_as_much_as_they_are_long() -> None:
    """Each line's end was a piece, and each piece copied all before it: 4 MiB of them held everybody up for minutes."""
    pieces = 0

    def counted(frame: FrameType, event: str, arg: object) -> None:
        nonlocal pieces
        pieces += event == "call" and frame.f_code.co_name == "characters"

    for inner in (b"\n" * (1 << 20), b"&#10;" * (1 << 18), b"a\r\n" * (1 << 18)):
        sys.setprofile(counted)
        try:
            root = read(b"<Delete>" + inner + b"<Quiet> true </Quiet></Delete>", "Delete", "en")
        finally:
            sys.setprofile(None)
        assert root.one("Quiet") == "true"
        assert root.exactly("Quiet") == " true "
    assert pieces < 200


def test_what_is_to_be_removed_beside_an_object_is_not_the_object() -> None:
    """S3 keeps more beside an object than we do; removing that must never remove what is there."""

    async def do(world: World) -> None:
        await begun(world)
        assert (await put(world, "plan")).status == 200
        for field in ("acl", "annotation", "legal-hold", "retention", "torrent"):
            seen = await ask(
                world, "ann", "DELETE", f"{BUCKET}/plan", {field: ""}, b"", {"x-amz-meta-casemate-label": LOW}
            )
            assert (seen.status, b"NotImplemented" in seen.body) == (501, True), field
        assert (await got(world, "plan")).status == 200

    scene(do)
