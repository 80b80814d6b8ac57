"""The fault list of a one-way transfer, as far as adoption meets it: each row is a test that bears its number."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from casemate.crypto import generate
from casemate.transfer.region import Content, Outgoing
from casemate.transfer.region.channel import DOCUMENT_TYPE, MODEL_TYPE, OBJECT_TYPE, POLICY_TYPE
from tests.laws.long import leave
from tests.transfer.regions import DAY, LOW, TEXT, Pair, a_document, a_pair, introduced

AT = "/api/transfer/channels/up"


def lived(law: Callable[[Pair], Awaitable[None]]) -> None:
    async def done() -> None:
        async with a_pair() as pair:
            await law(pair)

    asyncio.run(done())


async def nothing(pair: Pair) -> None:
    """Nothing of a bundle is there, in whatever state."""
    listed = await pair.high.call("user", "GET", "/api/documents", None, pair.above)
    assert not any(listed.json["data"].values())
    assert not (await pair.high.call("user", "GET", "/api/buckets", None, pair.above)).json["data"]
    assert (await pair.state()).sequence == 0


ODD: list[tuple[str, str, dict[str, bytes]]] = [
    ("name", DOCUMENT_TYPE, {"about.json": b'{"name":"../../etc\\n","base":"law"}', "content": TEXT}),
    ("base", DOCUMENT_TYPE, {"about.json": b'{"name":"a.txt","base":"../x"}', "content": TEXT}),
    ("more", DOCUMENT_TYPE, {"about.json": b'{"name":"a.txt","base":"law","label":"us:SECRET"}', "content": TEXT}),
    ("bare", DOCUMENT_TYPE, {"about.json": b'{"name":"a.txt","base":"law"}'}),
    ("bucket", OBJECT_TYPE, {"about.json": b'{"bucket":"../up","key":"k","said":{"media":"a/b"}}', "content": TEXT}),
    ("about", OBJECT_TYPE, {"about.json": b"[]", "content": TEXT}),
    ("model", MODEL_TYPE, {"about.json": b'{"name":"../m","described":{}}', "files/a.gguf": TEXT}),
    ("pickle", MODEL_TYPE, {"about.json": b'{"name":"m","described":{}}', "files/a.bin": b"\x80\x04K\x01."}),
    ("policy", POLICY_TYPE, {"policy.toml": b"name = 1"}),
    ("type", "application/vnd.other", {"a": TEXT}),
]


def test_row_19_a_name_that_leads_elsewhere_is_put_aside_and_nothing_of_its_bundle_adopted() -> None:
    async def law(pair: Pair) -> None:
        for name, type, files in ODD:
            contents = tuple(Content(path, data) for path, data in sorted(files.items()))
            told = await pair.take(await pair.made([a_document(), Outgoing(name, type, LOW, contents)]))
            assert (told["verdict"], told["rule"]) == ("quarantine", "unfit"), name
            await nothing(pair)
        models = pair.high.folder / "models"
        assert not list(models.glob("*/*.gguf"))

    lived(law)


def test_row_21_what_comes_too_early_waits_and_the_gap_is_named() -> None:
    async def law(pair: Pair) -> None:
        files = [
            (await pair.send(("document", await pair.document(TEXT + b"%d" % n, f"{n}.txt"))))[1] for n in range(3)
        ]
        third = await pair.take(files[2])
        assert (third["verdict"], third["rule"], third["gap"]) == ("hold", "gap", [1, 2])
        assert (await pair.take(files[2]))["id"] == third["id"]  # twice is once
        assert (await pair.take(files[1]))["gap"] == [1, 1]
        (channel,) = (await pair.high.call("operator", "GET", "/api/transfer/channels", None, pair.above)).json["data"]
        assert (channel["gap"], channel["waiting"]) == ([1, 1], [2, 3])
        assert (await pair.take(files[0]))["verdict"] == "accept"
        assert [(b["sequence"], b["verdict"]) for b in await pair.bundles()] == [(n, "accept") for n in (1, 2, 3)]
        assert len(await pair.come()) == 3
        assert not list((pair.high.folder / "transfer" / "held").iterdir())

    lived(law)


def test_row_21_what_never_comes_is_given_up_by_two_people() -> None:
    async def law(pair: Pair) -> None:
        files = [
            (await pair.send(("document", await pair.document(TEXT + b"%d" % n, f"{n}.txt"))))[1] for n in range(2)
        ]
        assert (await pair.take(files[1]))["verdict"] == "hold"

        async def skip(who: str, sequence: int) -> Any:
            return await pair.high.call(who, "POST", f"{AT}/skip", {"sequence": sequence}, pair.above)

        assert (await skip("officer", 2)).status == 400  # what came is not given up
        assert (await skip("officer", 1)).status == 200
        again = await skip("officer", 1)
        assert again.status == 403, again.body
        assert again.json["rule"] == "two-person"
        assert not await pair.come()
        assert (await skip("second", 1)).json["data"]["sequence"] == 2
        (bundle,) = [each for each in await pair.bundles() if each["verdict"] == "accept"]
        assert bundle["alarms"] == ["gap-skipped"]
        assert len(await pair.come()) == 1
        assert (await pair.take(files[0]))["rule"] == "rollback"

    lived(law)


def test_row_22_an_old_bundle_is_refused() -> None:
    async def law(pair: Pair) -> None:
        files = [
            (await pair.send(("document", await pair.document(TEXT + b"%d" % n, f"{n}.txt"))))[1] for n in range(2)
        ]
        for file in files:
            assert (await pair.take(file))["verdict"] == "accept"
        assert (await pair.take(files[1]))["rule"] == "seen"
        assert (await pair.take(files[0]))["rule"] == "rollback"
        assert len(await pair.come()) == 2

    lived(law)


def test_row_23_what_is_too_old_is_refused_and_what_is_there_is_used() -> None:
    async def law(pair: Pair) -> None:
        _, first = await pair.send(("document", await pair.document()))
        _, late = await pair.send(("document", await pair.document(TEXT + b"!", "late.txt")))
        assert (await pair.take(first))["verdict"] == "accept"
        pair.high.clock.forward(390 * DAY / 1_000_000)
        assert (await pair.drop(late)).rule == "expired"
        await pair.high.step("knowledge.ingest")
        listed = await pair.high.call("owner", "GET", "/api/documents", None, pair.above)
        assert len(listed.json["data"]["documents"]) == 1

    lived(law)


def test_row_24_parts_of_two_bundles_are_none() -> None:
    async def law(pair: Pair) -> None:
        one, other = await pair.made([a_document()]), await pair.made([a_document("other.txt", TEXT + b"!")])
        for file, rule in (
            (one[:131_072] + other[131_072:], "frames"),
            (one[:-1] + bytes([one[-1] ^ 1]), "frames"),
            (one[:-1], "bounds"),
            (one + b"\0", "bounds"),
            (one[:200] + bytes([one[200] ^ 1]) + one[201:], "signature"),
        ):
            told = await pair.take(file)
            assert (told["verdict"], told["rule"]) == ("refuse", rule)
        await nothing(pair)

    lived(law)


def test_row_25_a_key_that_nobody_trusts_signs_nothing() -> None:
    async def law(pair: Pair) -> None:
        for changes, rule in (
            ({"signing": generate("hybrid")}, "threshold"),
            ({"roles": generate("cnsa2")}, "metadata"),
        ):
            told = await pair.take(await pair.made([a_document()], **changes))
            assert (told["verdict"], told["rule"]) == ("refuse", rule)
        await nothing(pair)

    lived(law)


def test_row_26_a_clock_that_is_two_years_off_raises_an_alarm_and_the_sequence_decides() -> None:
    async def law(pair: Pair) -> None:
        _, first = await pair.send(("document", await pair.document()))
        _, second = await pair.send(("document", await pair.document(TEXT + b"!", "second.txt")))
        assert (await pair.take(first))["verdict"] == "accept"
        pair.high.clock.forward(730 * DAY / 1_000_000)
        told = await pair.drop(second)
        assert (told.verdict, told.sequence) == ("accept", 2)
        assert "clock-ahead" in told.alarms

    lived(law)


@pytest.mark.parametrize(
    ("label", "rule"),
    [
        (None, "label-missing"),
        ("agency=EXERCISE + us:SECRET//REL=USA", "label-high"),
        ("agency=EXERCISE + mars:RED", "label-unknown"),
        ("EXERCISE", "label-unknown"),
    ],
)
def test_row_27_a_label_that_lies_is_put_aside(label: str | None, rule: str) -> None:
    async def law(pair: Pair) -> None:
        told = await pair.take(await pair.made([a_document(label=label)]))
        assert (told["verdict"], told["rule"]) == ("quarantine", rule)
        await nothing(pair)
        assert len(list((pair.high.folder / "transfer" / "quarantine").iterdir())) == 1

    lived(law)


def test_row_32_the_same_object_is_stored_once_and_recorded_twice() -> None:
    async def law(pair: Pair) -> None:
        id = await pair.document()
        for known in (False, True):
            sent, file = await pair.send(("document", id))
            told = await pair.take(file)
            assert [member["known"] for member in told["members"]] == [known]
            assert len(await pair.come()) == 1
        assert len(await pair.bundles()) == 2
        ids = {member["id"] for bundle in await pair.bundles() for member in bundle["members"]}
        assert len(ids) == 1
        assert sent.status == 201

    lived(law)


@pytest.mark.parametrize("first", ["up", "top"])
def test_row_34_what_came_in_one_class_is_unknown_in_another(first: str) -> None:
    """The very same object by two channels: each class stores it for itself, and says nothing of the other."""

    async def law(pair: Pair) -> None:
        more = " + house:CONFIDENTIAL"
        policies = pair.high.house.gate.vault.region.policies
        below, above = (policies.parse(label + more).text for label in (pair.below, pair.above))
        top = await introduced(pair.low, pair.high, below, above, "top")
        for each in (pair, top) if first == "up" else (top, pair):
            for known in (False, True):
                state = await each.state()
                next_ = {"sequence": state.sequence + 1, "previous": state.previous}
                told = await each.take(await each.made([a_document(label=each.below)], **next_))
                assert [member["known"] for member in told["members"]] == [known], told
                seen = await each.bundles()
                assert {one["channel"] for one in seen} <= ({"up"} if each is pair else {"up", "top"})

    lived(law)


KILLS, TENTH = 200, 20


def regions_killed(seeds: int, first: int) -> int:
    """Half of them while a bundle is made, half while one is taken; how many died on the way."""
    kills = 0
    for side in ("send", "take"):
        line = [sys.executable, "-m", "tests.transfer.killed", side, str(seeds // 2), str(first)]
        done = subprocess.run(line, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])
        assert done.returncode == 0, done.stderr
        kills += int(done.stdout)
    return kills


def test_row_17_a_region_that_is_killed_has_sent_or_taken_a_bundle_whole_or_not_at_all() -> None:
    seed = random.SystemRandom().randrange(1 << 30)
    print(f"\nseed {seed}: {TENTH} of {KILLS}")
    assert regions_killed(TENTH, seed) == TENTH


@pytest.mark.long
def test_row_17_a_region_killed_200_times_on_both_sides() -> None:
    seed = random.SystemRandom().randrange(1 << 30)
    leave("transfer_kills", seeds=KILLS, kills=regions_killed(KILLS, seed), halves=0, seed=seed)
