"""What a region does with bundles: through its doors, from one region to another."""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from casemate.errors import Unavailable
from casemate.models.signing import SIGNATURE
from casemate.transfer.region import Content, Outgoing
from casemate.transfer.region.channel import MODEL_TYPE
from tests.laws.s3_operations import Hand
from tests.laws.world import World
from tests.models.weights import Signer, lay
from tests.transfer.regions import LOW, TEXT, Pair, a_document, a_pair, a_region, introduced

AT = "/api/transfer/channels"


def lived(law: Callable[[Pair], Awaitable[None]]) -> None:
    async def done() -> None:
        async with a_pair() as pair:
            await law(pair)

    asyncio.run(done())


def weights(tail: bytes = b"") -> bytes:
    header = json.dumps({"w": {"dtype": "U8", "shape": [4], "data_offsets": [0, 4]}}).encode()
    return struct.pack("<Q", len(header)) + header + b"\1\2\3\4" + tail


def a_model_of(files: dict[str, bytes], signer: str = "") -> Outgoing:
    """A model as it lies in a bundle."""
    about = {"name": "small", "described": {"vendor": "v", "tasks": ["chat"]}, "signer": signer}
    contents = [Content("about.json", json.dumps(about).encode())]
    contents += [Content(f"files/{path}", data) for path, data in sorted(files.items())]
    return Outgoing("model-0001", MODEL_TYPE, LOW, tuple(contents))


async def a_model(world: World, label: str, name: str = "small", signer: Signer | None = None) -> None:
    """A model whose one file lies in the region, and its signature."""
    folder = world.folder / "models" / "incoming" / ("ab" * 16)
    files = {"model.safetensors": weights()}
    lay(folder, files if signer is None else {**files, SIGNATURE: signer.sign(files)})
    body = {"name": name, "token": "ab" * 16, "signer": signer.pem.decode() if signer else ""}
    seen = await world.call("operator", "POST", "/api/models/import", body, label)
    assert seen.status == 201, seen.body


def test_a_document_rises_to_a_region_with_a_higher_floor() -> None:
    async def law(pair: Pair) -> None:
        id = await pair.document()
        sent, file = await pair.send(("document", id))
        assert sent.status == 201, sent.body
        assert TEXT not in file
        taken = await pair.take(file)
        assert (taken["verdict"], taken["rule"]) == ("accept", "accepted"), taken
        (document,) = await pair.come()
        assert document["label"] == pair.above
        read = await pair.high.call("user", "GET", f"/api/documents/{document['id']}", None, pair.above)
        assert TEXT.decode().split("\n\n")[0] in read.body.decode()
        came = await pair.high.call("user", "GET", f"/api/lineage/document/{document['id']}", None, pair.above)
        assert "transfer.bundle" in {node["kind"] for node in came.json["data"]["nodes"]}
        logged = await pair.low.call("releaser", "GET", "/api/ledger", None, pair.below)
        outcomes = [(each["entry"]["action"], each["entry"]["outcome"]) for each in logged.json["data"]]
        assert ("bundle.send", "lent") in outcomes

    lived(law)


def test_a_model_comes_registered_and_nobody_has_accredited_it() -> None:
    async def law(pair: Pair) -> None:
        await a_model(pair.low, pair.below)
        for name in ("small", "small@2"):
            _, file = await pair.send(("model", "small"))
            told = await pair.take(file)
            assert told["verdict"] == "accept", told
            if name == "small":
                (model,) = (await pair.high.call("operator", "GET", "/api/models", None, pair.above)).json["data"][-1:]
                assert (model["name"], model["accreditation"], model["usable"]) == ("small", "", False)
                body = {"model": "small"}
                seen = await pair.high.call("operator", "POST", "/api/models/verify", body, pair.above)
                assert seen.json["data"]["evidence"]["outcome"] == "whole"
        assert [m["known"] for b in await pair.bundles() for m in b["members"]] == [False, True]

    lived(law)


def test_the_signature_of_a_model_travels_and_is_verified_where_it_comes() -> None:
    async def law(pair: Pair) -> None:
        signer = Signer()
        await a_model(pair.low, pair.below, signer=signer)
        below = (await pair.low.call("operator", "GET", "/api/models", None, pair.below)).json["data"][-1]
        sent, file = await pair.send(("model", "small"))
        assert sent.status == 201, sent.body
        data = weights()
        signature = signer.sign({"model.safetensors": data})
        for files, key in (
            ({"model.safetensors": data[:-1] + b"!", SIGNATURE: signature}, signer.pem),
            ({"model.safetensors": data, SIGNATURE: signature}, Signer().pem),
            ({"model.safetensors": data, SIGNATURE: b"{}"}, signer.pem),
            ({"model.safetensors": data}, signer.pem),  # the signature is gone
            ({"model.safetensors": data, SIGNATURE: signature}, b""),
        ):
            forged = replace(a_model_of(files, key.decode()), name="forged")
            told = await pair.take(await pair.made([forged], sequence=1, previous=""))
            assert (told["verdict"], told["rule"], told["why"]) == ("quarantine", "unfit", "forged")
        assert (await pair.take(file))["verdict"] == "accept"
        above = (await pair.high.call("operator", "GET", "/api/models", None, pair.above)).json["data"][-1]
        assert above["name"] == "small"
        assert above["signed_by"] == below["signed_by"] != ""
        again = await pair.high.call("operator", "POST", "/api/models/verify", {"model": "small"}, pair.above)
        assert again.json["data"]["evidence"]["outcome"] == "whole"

    lived(law)


def test_an_object_comes_into_a_bucket_of_its_name_and_a_policy_is_proposed() -> None:
    async def law(pair: Pair) -> None:
        await Hand(pair.low, "user", pair.below).settled("plans", "a/b.txt")
        sent, file = await pair.send(("object", "plans/a/b.txt"), ("policy", "us"))
        assert sent.status == 201, sent.body
        told = await pair.take(file)
        assert told["verdict"] == "accept", told
        listed = await pair.high.call("user", "GET", "/api/buckets/plans/objects", None, pair.above)
        assert [each["key"] for each in listed.json["data"]["objects"]] == ["a/b.txt"]
        assert {member["kind"] for member in told["members"]} == {"bucket.object", "transfer.policy"}

    lived(law)


def test_what_lies_in_the_inbox_is_taken_by_the_loop() -> None:
    async def law(pair: Pair) -> None:
        _, file = await pair.send(("document", await pair.document()))
        inbox = pair.high.folder / "transfer" / "inbox"
        await pair.high.step("transfer.inbox")
        (inbox / "half.cmb").write_bytes(file[:200_000])
        (inbox / "whole.cmb").write_bytes(file)
        (inbox / "junk.cmb").write_bytes(b"junk" * 100_000)
        await pair.high.step("transfer.inbox")
        assert sorted(path.name for path in inbox.iterdir()) == ["half.cmb", "junk.cmb"]
        (bundle,) = await pair.bundles()
        assert (bundle["verdict"], bundle["by"]) == ("accept", "service:transfer")
        assert len(await pair.come()) == 1

    lived(law)


def test_what_the_other_region_may_not_have_stays() -> None:
    async def law() -> None:
        async with a_region("lowland", seed=1) as low, a_region("highland", seed=2) as high:
            above = high.house.gate.vault.region.floor.text
            seen = await high.call("officer", "POST", AT, {"name": "up", "source": "lowland"}, above)
            assert seen.status == 201
            card = (await high.call("officer", "GET", f"{AT}/up", None, above)).json["data"]["card"]
            body = {"name": "up", "card": {**card, "ceiling": LOW}}
            seen = await low.call("officer", "POST", AT, body, f"{LOW} + us:SECRET//REL=USA")
            assert seen.status == 403, seen.body
            assert seen.json["rule"] == "accreditation"

    asyncio.run(law())


@pytest.mark.parametrize("members", [(), (("document", "doc_none"),), (("secret", "x"),), (("policy", "us"),) * 2])
def test_what_cannot_be_sent_is_refused(members: tuple[tuple[str, str], ...]) -> None:
    async def law(pair: Pair) -> None:
        sent, _ = await pair.send(*members)
        assert sent.status in (400, 404)
        assert await pair.bundles(pair.low) == []

    lived(law)


def test_what_lies_lower_does_not_go_as_what_is_sent_here() -> None:
    """One bundle carries one access class."""

    async def law() -> None:
        async with a_region("lowland", seed=1) as low, a_region("highland", seed=2) as high:
            secret = f"{LOW} + us:SECRET//REL=USA"
            at = high.house.gate.vault.region.policies.parse(secret).text
            pair = Pair(low, high, LOW, LOW)
            id = await pair.document()
            seen = await high.call("officer", "POST", AT, {"name": "up", "source": "lowland"}, at)
            card = (await high.call("officer", "GET", f"{AT}/up", None, at)).json["data"]["card"]
            seen = await low.call("officer", "POST", AT, {"name": "up", "card": card}, at)
            assert seen.status == 201, seen.body
            body = {"members": [{"kind": "document", "id": id}]}
            seen = await low.call("releaser", "POST", f"{AT}/up/bundles", body, at)
            assert seen.status == 404

    asyncio.run(law())


def test_a_channel_is_trusted_only_where_what_comes_will_lie() -> None:
    async def law() -> None:
        async with a_region("lowland", seed=1) as low, a_region("highland", "us:SECRET", seed=2) as high:
            region = high.house.gate.vault.region
            top = region.policies.parse(f"{region.floor.text} + house:CONFIDENTIAL").text
            pair = await introduced(low, high, LOW, region.floor.text)
            told = (await low.call("officer", "GET", f"{AT}/up/introduction", None, LOW)).json["data"]
            again = await high.call("officer", "POST", f"{AT}/up/trust", told, pair.above)
            assert again.status == 409
            opened = await high.call("officer", "POST", AT, {"name": "top", "source": "lowland"}, top)
            assert opened.status == 201, opened.body
            seen = await high.call("officer", "POST", f"{AT}/top/trust", told, top)
            assert seen.status == 403, seen.body
            assert seen.json["rule"] == "no-write-down"
            opened = await high.call("officer", "POST", AT, {"name": "own", "source": "lowland"}, pair.above)
            for name, wrong in (("source", "x"), ("channel", "0" * 32), ("root", "{}"), ("label", "us:NEVER")):
                seen = await high.call("officer", "POST", f"{AT}/own/trust", {**told, name: wrong}, pair.above)
                assert seen.status == 400, (name, seen.body)

    asyncio.run(law())


class Broken:
    """A committer that fails once, before or after it has done what it was asked."""

    def __init__(self, port: Any, late: bool) -> None:
        self._port, self._late, self.left = port, late, 1

    async def commit(self, batch: Any) -> Any:
        if self.left and len(batch.puts) > 1:
            self.left -= 1
            if self._late:
                await self._port.commit(batch)
            raise Unavailable(what="committer")
        return await self._port.commit(batch)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._port, name)


def broken(world: World, late: bool) -> Callable[[], None]:
    """The committer breaks at the next commit of several rows; what mends it."""
    vault = world.house.gate.vault
    whole = vault.committer
    object.__setattr__(vault, "committer", Broken(whole, late))
    return lambda: object.__setattr__(vault, "committer", whole)


@pytest.mark.parametrize("late", [False, True])
def test_a_bundle_is_adopted_whole_or_not_at_all_wherever_it_breaks(late: bool) -> None:
    async def law(pair: Pair) -> None:
        await a_model(pair.low, pair.below)
        _, file = await pair.send(("document", await pair.document()), ("model", "small"))
        mend = broken(pair.high, late)
        seen = await pair.high.call("operator", "PUT", f"{AT}/up/bundles", file, pair.above)
        assert seen.status == 503
        mend()
        assert len(await pair.bundles()) == int(late)
        assert len(await pair.come()) == int(late)
        told = await pair.take(file)
        assert (told["verdict"], told["rule"]) == (("refuse", "seen") if late else ("accept", "accepted"))
        assert len(await pair.come()) == 1

    lived(law)


@pytest.mark.parametrize("late", [False, True])
def test_a_draft_goes_out_exactly_where_its_commit_is_there(late: bool) -> None:
    async def law(pair: Pair) -> None:
        id = await pair.document()
        mend = broken(pair.low, late)
        sent, _ = await pair.send(("document", id))
        assert sent.status == 503
        mend()
        folder = pair.low.folder / "transfer"
        assert len(list((folder / "draft").iterdir())) == 1
        assert not (folder / "outbox").exists()
        await pair.low.step("transfer.outbox")
        assert not list((folder / "draft").iterdir())
        assert len(list(folder.glob("outbox/*.cmb"))) == int(late)
        sent, file = await pair.send(("document", id))
        assert sent.json["data"]["sequence"] == 1 + late
        assert (await pair.take(file))["verdict"] == ("hold" if late else "accept")

    lived(law)


def test_who_does_not_see_a_channel_learns_nothing_of_it() -> None:
    async def law(pair: Pair) -> None:
        await pair.take(await pair.made([a_document()]))
        await pair.high.person("low", pair.above, ("operator", "releaser", "officer"))
        high = pair.high.house.gate.vault.region
        top = f"{high.floor.text} + house:CONFIDENTIAL"
        seen = await pair.high.call("officer", "POST", AT, {"name": "top", "source": "x"}, top)
        assert seen.status == 201, seen.body
        listed = await pair.high.call("low", "GET", AT, None, pair.above)
        assert [each["name"] for each in listed.json["data"]] == ["up"]
        for method, path, body in (
            ("GET", "", None),
            ("POST", "/skip", {"sequence": 1}),
            ("PUT", "/bundles", b"x"),
            ("POST", "/bundles", {"members": [{"kind": "policy", "id": "us"}]}),
        ):
            hidden = await pair.high.call("low", method, f"{AT}/top{path}", body, pair.above)
            never = await pair.high.call("low", method, f"{AT}/pot{path}", body, pair.above)
            assert hidden.status == never.status == 404
            assert hidden.body.replace(b"top", b"pot").split(b'"entry"')[0] == never.body.split(b'"entry"')[0]
        above = await pair.high.call("operator", "PUT", f"{AT}/up/bundles", b"x", top)
        assert above.status == 404  # it lies lower: what came would be adopted where the channel is not
        again = await pair.high.call("low", "POST", AT, {"name": "top", "source": "x"}, pair.above)
        assert again.status == 201  # a hidden name takes none away

    lived(law)
