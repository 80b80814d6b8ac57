"""`casemate bundle`: two sides, a folder each, and what is carried between them."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from casemate.cli import main
from casemate.cli.bundle_look import EXITS
from casemate.clock import SystemClock
from casemate.crypto import KeySigner
from casemate.transfer.verdict import ALARMS, RULES
from casemate.wiring import bundles
from casemate.words import say

SAID = "a passphrase\n"


def run(*words: object, code: int = 0, said: str = "", **env: str) -> Result:
    found = CliRunner().invoke(
        main, [str(word) for word in words], env={"LANG": "en_GB", **env}, input=said, catch_exceptions=False
    )
    assert found.exit_code == code, found.output
    return found


def told(*words: object, code: int = 0, said: str = "") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run(*words, "--json", code=code, said=said).stdout)
    return found


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A channel with two files to send, a signer, an approver and a receiver."""
    folder = tmp_path_factory.mktemp("sides")
    with contextlib.chdir(folder):
        _found()
    return folder


@pytest.fixture
def sides(founded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, to stand in."""
    shutil.copytree(founded, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _found() -> None:
    run("bundle", "key", "--output", "ann", "--bare")
    run("bundle", "key", "--output", "bob", "--bare")
    run("bundle", "key", "--use", "receive", "--output", "high", "--bare")
    asked = ["--source", "low", "--destination", "high", "--label", "us:SECRET//NOFORN"]
    asked += ["--recipient", "high.pub", "--signer", "ann.pub", "--approver", "bob.pub", "--approvals", "1"]
    run("bundle", "channel", "channel", *asked, "--bare")
    Path("card.txt").write_text("a card")
    Path("model/part").mkdir(parents=True)
    Path("model/weights").write_bytes(os.urandom(5000))
    Path("model/part/empty").write_bytes(b"")


def create(name: str, *more: str, code: int = 0) -> Result:
    words = ["bundle", "create", "card.txt", "model", "--channel", "channel", "--key", "ann", "--output", name]
    return run(*words, *more, code=code)


def test_from_one_side_to_the_other(sides: Path) -> None:
    create("1.cmb", "--mark", "card.txt=us:CONFIDENTIAL//NOFORN")
    state = ("--state", "channel/state.json")
    assert run("bundle", "verify", "1.cmb", *state, "--key", "high", code=3).stdout.startswith("refuse  threshold")
    run("bundle", "approve", "1.cmb", "--key", "bob", said="n\n", code=130)
    run("bundle", "approve", "1.cmb", "--key", "bob", "--yes")
    run("bundle", "approve", "1.cmb", "--key", "bob", "--yes", code=6)
    assert run("bundle", "verify", "1.cmb", *state, code=10).stdout.startswith("hold  sealed")
    opened = told("bundle", "open", "1.cmb", "out", *state, "--key", "high", "--save")
    assert (opened["data"]["rule"], opened["marking"]) == ("accepted", "SECRET//NOFORN")
    assert Path("out/files/model/weights").read_bytes() == Path("model/weights").read_bytes()
    assert Path("out/files/model/part/empty").read_bytes() == b""
    run("bundle", "open", "1.cmb", "out", *state, "--key", "high", code=6)
    assert told("bundle", "open", "1.cmb", "two", *state, "--key", "high", code=3)["data"]["rule"] == "seen"
    assert not Path("two").exists()
    create("2.cmb")
    create("2.cmb", code=6)
    create("3.cmb")
    for name in ("2.cmb", "3.cmb"):
        run("bundle", "approve", name, "--key", "bob", "--yes")
    waits = told("bundle", "verify", "3.cmb", *state, "--key", "high", "--save", code=10)["data"]
    assert (waits["rule"], waits["gap"]) == ("gap", [2, 2])
    assert json.loads(Path("channel/state.json").read_bytes())["pending"] == [3]
    run("bundle", "verify", "2.cmb", *state, "--key", "high", "--save")
    assert run("bundle", "verify", "3.cmb", *state, "--key", "high", "--save").stdout.startswith("accept")
    assert json.loads(Path("channel/state.json").read_bytes())["sequence"] == 3


def test_two_that_are_made_at_once_never_get_one_number(sides: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first stands still once it has read what came last, until the second has read it too, or waits for it."""
    whole, read, both = bundles.planned, threading.Event(), threading.Event()

    def second() -> None:
        read.wait(60)
        one = bundles.Given(Path("card.txt"), "card.txt", "us:SECRET//NOFORN")
        signer = KeySigner(Path("ann").read_bytes())
        bundles.create(Path("channel"), [one], Path("2.cmb"), signer, Path.read_bytes, SystemClock().now(), 90)

    def planned(things: Any) -> Any:
        if read.is_set():
            both.set()
        else:
            read.set()
            both.wait(2)
        return whole(things)

    monkeypatch.setattr(bundles, "planned", planned)
    thread = threading.Thread(target=second)
    thread.start()
    create("1.cmb")
    thread.join()
    faces = [told("bundle", "explain", name)["data"] for name in ("1.cmb", "2.cmb")]
    assert sorted(face["sequence"] for face in faces) == [1, 2]
    assert json.loads(Path("channel/sent.json").read_bytes())["sequence"] == 2


def test_a_number_is_given_before_the_file_that_bears_it_and_taken_back_where_there_is_none(
    sides: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, seen = bundles.bundle_files.seal, list[int]()

    def last() -> int:
        return int(json.loads(Path("channel/sent.json").read_bytes())["sequence"])

    def seal(path: Path, content: Any, frames: Any, sources: Any, face: Any) -> None:
        def shown(digest: bytes) -> Any:
            outside = face(digest)
            seen.append(last())
            if len(seen) == 1:
                raise OSError(28, "no room")
            return outside

        whole(path, content, frames, sources, shown)

    monkeypatch.setattr(bundles.bundle_files, "seal", seal)
    create("1.cmb", code=2)
    assert (seen, last(), Path("1.cmb").exists()) == ([1], 0, False)
    create("1.cmb")
    assert (seen, last()) == ([1, 1], 1)


def test_a_bundle_says_its_own_banner_to_its_volumes(sides: Path) -> None:
    create("1.cmb")
    Path("out").mkdir()
    split = ("bundle", "split", "1.cmb", "--output", "out", "--count", "3")
    assert told(*split)["marking"] == "SECRET//NOFORN"
    volumes = sorted(Path("out").iterdir())
    checked = told("bundle", "check", "out")["data"]
    carried = told("bundle", "explain", "1.cmb")["data"]["bundle"]
    assert {(each["banner"], each["carried"]) for each in checked} == {("SECRET//NOFORN", carried)}
    volumes[1].unlink()
    run("bundle", "join", "out", "--output", "back.cmb")
    assert Path("back.cmb").read_bytes() == Path("1.cmb").read_bytes()
    for more in (("--banner", "UNCLASSIFIED"), ("--id", "0" * 32)):
        assert "says its banner and its id itself" in run(*split, *more, code=2).stderr
    assert "--banner" in run("bundle", "split", "card.txt", "--output", "out", "--count", "3", code=2).stderr


def test_what_a_carrier_is_told_names_nothing_inside(sides: Path) -> None:
    create("1.cmb")
    said = run("bundle", "explain", "1.cmb").stdout
    assert said.startswith("SECRET//NOFORN: number 1 of the channel")
    assert "cannot be told without the key" in said
    words = re.sub(r"hybrid-[a-z2-7]{16}", "", said)  # what a key is called may spell anything
    for hidden in ("card", "model", "weights", "low", "high", "CONFIDENTIAL"):
        assert hidden not in words
        if len(hidden) > 4:  # three letters stand by chance in one of a hundred files
            assert hidden.encode() not in Path("1.cmb").read_bytes()
    inner = told("bundle", "explain", "1.cmb", "--key", "high")
    assert [each["name"] for each in sorted(inner["data"]["inside"]["objects"], key=named)] == ["card.txt", "model"]
    assert inner["label"] == inner["data"]["inside"]["label"]
    known = run("bundle", "explain", "1.cmb", "--key", "high", LANG="fr_FR").stdout
    assert "de low vers high" in known
    run("bundle", "key", "--use", "receive", "--output", "other", "--bare", "--profile", "cnsa2")
    assert "not sealed for this key" in run("bundle", "explain", "1.cmb", "--key", "other").stdout
    raw = bytearray(Path("1.cmb").read_bytes())
    raw[-1] ^= 1
    Path("1.cmb").write_bytes(raw)
    assert "NOT THOSE THAT WERE SIGNED" in run("bundle", "explain", "1.cmb", "--key", "high").stdout


def named(each: dict[str, Any]) -> str:
    return str(each["name"])


def test_the_bundles_of_a_folder(sides: Path) -> None:
    create("1.cmb")
    create("2.cmb")
    Path("3.cmb").write_bytes(b"no bundle")
    found = run("bundle", "list", ".")
    assert [line.split()[2] for line in found.stdout.splitlines()] == ["1", "2"]
    assert "3.cmb is no bundle" in found.stderr
    data = told("bundle", "list", "1.cmb", "3.cmb")
    assert (len(data["data"]["bundles"]), data["data"]["unread"], data["marking"]) == (1, ["3.cmb"], "SECRET//NOFORN")
    run("bundle", "list", "3.cmb", code=10)
    run("bundle", "verify", "3.cmb", "--state", "channel/state.json", code=3)
    run("bundle", "explain", "3.cmb", code=10)


def test_a_second_signer_and_guards(sides: Path) -> None:
    run("bundle", "key", "--output", "cid", "--bare")
    create("1.cmb")
    run("bundle", "sign", "1.cmb", "--key", "cid")
    run("bundle", "approve", "1.cmb", "--key", "bob", "--yes")
    state = json.loads(Path("channel/state.json").read_bytes())
    state["guard"] = "each"
    Path("each.json").write_text(json.dumps(state, sort_keys=True, separators=(",", ":")))
    asked = ("bundle", "verify", "1.cmb", "--state", "each.json", "--key", "high", "--guards", "guards.json")
    Path("guards.json").write_text("{}")
    assert told(*asked, code=EXITS["quarantine"])["data"]["rule"] == "guard-missing"
    objects = told("bundle", "explain", "1.cmb", "--key", "high")["data"]["inside"]["objects"]
    seen = {each["digest"]: {"digest": each["digest"], "guard": "text", "verdict": "agree"} for each in objects}
    Path("guards.json").write_text(json.dumps(seen))
    assert told(*asked)["data"]["rule"] == "accepted"
    Path("guards.json").write_text('{"a":1}')
    run(*asked, code=10)


def test_keys_are_rotated_by_a_bundle_and_recovered_from_without_one(sides: Path) -> None:
    state = ("--state", "channel/state.json")
    run("bundle", "key", "--output", "cid", "--bare")
    root = told("bundle", "rotate", "channel", "--signer", "cid.pub")["data"]["root"]
    run("bundle", "rotate", "channel", "--signer", "cid.pub", "--signatures", "2", code=2)
    create("1.cmb")
    run("bundle", "approve", "1.cmb", "--key", "bob", "--yes")
    before = Path("channel/state.json").read_bytes()
    run("bundle", "verify", "1.cmb", *state, "--key", "high", "--save")  # signed by those before, it brings the new
    create("2.cmb")
    assert run("bundle", "verify", "2.cmb", *state, "--key", "high", code=3).stdout.startswith("refuse  threshold")
    run("bundle", "sign", "2.cmb", "--key", "cid")
    assert "release-signature" in run("bundle", "verify", "2.cmb", *state, "--key", "high", code=3).stdout
    Path("channel/state.json").write_bytes(before)
    name = told("bundle", "explain", "1.cmb")["data"]["signatures"][0]["key"]
    run("bundle", "trust", *state, "--revoke", name)
    assert "key-revoked" in run("bundle", "verify", "1.cmb", *state, code=3).stdout
    assert told("bundle", "trust", *state, "--root", root)["data"] == {"version": 2, "revoked": [name]}
    Path("old.json").write_bytes(Path(root).read_bytes()[:-1])
    run("bundle", "trust", *state, "--root", "old.json", code=10)


def test_what_cannot_be_is_refused_in_words(sides: Path) -> None:
    create("1.cmb", "--label", "us:TOP SECRET//NOFORN", code=2)
    create("1.cmb", "--mark", "nobody=us:SECRET", code=2)
    create("1.cmb", "--label", "no such marking", code=2)
    assert not list(Path().glob("*.cmb"))
    assert json.loads(Path("channel/sent.json").read_bytes())["sequence"] == 0
    Path("model/link").symlink_to("/etc/hostname")
    create("1.cmb", code=2)
    Path("model/link").unlink()
    Path("bad name!").write_text("x")
    run("bundle", "create", "bad name!", "--channel", "channel", "--key", "ann", "--output", "1.cmb", code=2)
    run("bundle", "key", "--output", "ann", "--bare", code=6)
    Path("free").touch()
    run("bundle", "key", "--output", "free", "--bare", code=6)
    same = ["--source", "a", "--destination", "b", "--recipient", "high.pub", "--signer", "ann.pub", "--bare"]
    run("bundle", "channel", "channel", "--label", "us:SECRET", *same, code=6)
    run("bundle", "channel", "new", "--label", "us:SECRET", "--ceiling", "us:CONFIDENTIAL", *same, code=2)
    run("bundle", "channel", "new", "--label", "us:SECRET", "--signatures", "2", *same, code=2)
    run("bundle", "channel", "new", "--label", "us:SECRET", "--profile", "cnsa2", *same, code=2)
    run("bundle", "channel", "new", "--label", "us:SECRET", *same, "--signer", "free", code=2)
    assert not Path("new").exists()
    Path("long").write_bytes(b"0" * (65 << 10))
    run("bundle", "sign", "card.txt", "--key", "long", code=2)
    run("bundle", "channel", "new", "--label", "us:SECRET", *same, "--approver", "long", code=2)


def test_keys_that_are_locked_ask_for_their_passphrases(sides: Path) -> None:
    run("bundle", "key", "--output", "dan", said=SAID)
    asked = ["--source", "low", "--destination", "high", "--label", "us:SECRET", "--recipient", "high.pub"]
    run("bundle", "channel", "locked", *asked, "--signer", "dan.pub", said=SAID)
    words = ("bundle", "create", "card.txt", "--channel", "locked", "--key", "dan", "--output", "1.cmb")
    run(*words, said=SAID + "another\n", code=2)
    assert not Path("1.cmb").exists()
    run(*words, said=SAID + SAID)
    assert (
        told("bundle", "verify", "1.cmb", "--state", "locked/state.json", "--key", "high")["data"]["rule"] == "accepted"
    )


@pytest.mark.parametrize("mode", [0o640, 0o604])
def test_a_private_key_that_others_may_open_is_refused(sides: Path, mode: int) -> None:
    Path("ann").chmod(mode)
    run("bundle", "create", "card.txt", "--channel", "channel", "--key", "ann", "--output", "1.cmb", code=2)
    assert not Path("1.cmb").exists()


def test_every_rule_and_alarm_has_words() -> None:
    for language in ("en", "fr"):
        for rule in RULES:
            assert say(f"cli.bundle.rule.{rule}", language, first=1, last=2)
        for alarm in ALARMS:
            assert say(f"cli.bundle.alarm.{alarm}", language)
