"""Volumes on the command line: cut, lost, told over the telephone, made again, joined disc by disc."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from casemate.cli import main
from casemate.cli.bundle_volumes import MEDIA, _bytes
from casemate.crypto import KeySigner, generate
from casemate.crypto.locked import Work, lock
from casemate.errors import BadInput

CONTENT = random.Random(1).randbytes(50_000)
BANNER = ("--banner", "UNCLASSIFIED")


def run(*words: object, stdin: str = "", **env: str) -> Result:
    return CliRunner().invoke(main, ["bundle", *map(str, words)], input=stdin, env={"LANG": "en_GB", **env})


def data(result: Result) -> Any:
    return json.loads(result.stdout)["data"]


@pytest.fixture
def cut(tmp_path: Path) -> list[Path]:
    """Five volumes, of which any three give the file back."""
    (tmp_path / "plans.bin").write_bytes(CONTENT)
    (tmp_path / "out").mkdir()
    made = run("split", tmp_path / "plans.bin", "--output", tmp_path / "out", "--count", 5, "--parity", 2, *BANNER)
    assert made.exit_code == 0, made.output
    assert "any 3 of 5" in made.stderr
    assert "plans" not in made.stdout
    return [Path(line) for line in made.stdout.split()]


def test_a_lost_disc_is_told_made_again_and_the_file_comes_back(cut: list[Path], tmp_path: Path) -> None:
    back = tmp_path / "back.bin"
    first = run("join", cut[0], "--output", back)
    assert first.exit_code == 7
    assert "1.  " in first.stdout
    short = run("join", cut[3], "--output", back, "--json")
    problem = json.loads(short.stdout)["problem"]
    assert problem["slug"] == "volumes-missing"
    assert "1 more are needed: 2." in problem["detail"]
    gap = data(run("gaps", back, "--json"))
    assert gap["wanted"] == [2]
    assert gap["code"] in problem["remedy"]
    told = run("gaps", back, LANG="fr_FR").stdout
    assert "il faut encore 1 des 5 volumes" in told
    assert sum(word in told for word in ("zéro", "un", "deux", "trois", "quatre")) >= 2
    asked = run("gaps", "--code", gap["code"].lower())
    assert "these are asked for: 2." in asked.stdout

    for path in cut:
        path.unlink()
    again = run("split", tmp_path / "plans.bin", "--output", tmp_path / "out", "--again", gap["code"], *BANNER)
    assert again.stdout.split() == [str(cut[1])]
    done = run("join", tmp_path / "out", "--output", back, "--json")
    assert done.exit_code == 0, done.output
    assert data(done)["size"] == len(CONTENT)
    assert back.read_bytes() == CONTENT
    assert not list(tmp_path.glob("*.joining"))


def test_another_file_is_not_what_the_code_asks_for(cut: list[Path], tmp_path: Path) -> None:
    run("join", *cut[:2], "--output", tmp_path / "back")
    code = data(run("gaps", tmp_path / "back", "--json"))["code"]
    (tmp_path / "plans.bin").write_bytes(CONTENT[:-1] + b"?")
    refused = run("split", tmp_path / "plans.bin", "--output", tmp_path / "out", "--again", code, *BANNER)
    assert refused.exit_code == 2
    assert "not the file" in refused.stderr
    wrong = code[:-1] + ("0" if code[-1] != "0" else "1")
    misheard = run("split", tmp_path / "plans.bin", "--output", tmp_path / "out", "--again", wrong, *BANNER)
    assert "Group 5 " in misheard.stderr


def test_each_volume_is_checked_by_itself(cut: list[Path], tmp_path: Path) -> None:
    good = run("check", tmp_path / "out")
    assert good.exit_code == 0
    assert good.stdout.count("whole. Volume") == 5
    raw = cut[1].read_bytes()
    cut[1].write_bytes(raw[:3000] + bytes([raw[3000] ^ 1]) + raw[3001:])
    (tmp_path / "out" / "odd.cmv").write_bytes(b"nothing")
    (tmp_path / "out" / "link.cmv").symlink_to(cut[0])
    bad = run("check", tmp_path / "out")
    assert bad.exit_code == 10
    assert "frame 0 of volume 2 is damaged" in bad.stdout
    rows = {Path(row["file"]).name: row for row in data(run("check", tmp_path / "out", "--json"))}
    assert [rows[name]["faults"][0]["part"] for name in ("odd.cmv", "link.cmv")] == ["head", "link"]
    assert rows[cut[0].name]["whole"]
    assert rows[cut[0].name]["banner"] == "UNCLASSIFIED"
    joined = run("join", tmp_path / "out", "--output", tmp_path / "back")
    assert joined.exit_code == 0
    assert "frame 0 of volume 2 is damaged" in joined.stderr
    assert (tmp_path / "back").read_bytes() == CONTENT


def test_a_set_is_signed_and_asked_for_its_signer(tmp_path: Path) -> None:
    key = generate("hybrid")
    (tmp_path / "own.key").write_bytes(lock(key, "a lantern", Work(memory=10)))
    (tmp_path / "own.key").chmod(0o600)
    (tmp_path / "own.pub").write_text(KeySigner(key).public.hex() + "\n")
    (tmp_path / "other.pub").write_bytes(KeySigner(generate()).public)
    (tmp_path / "plan").write_bytes(CONTENT)
    words = ("split", tmp_path / "plan", "--output", tmp_path, "--count", 2, *BANNER, "--sign-with")
    assert run(*words, tmp_path / "own.key", stdin="another\n").exit_code == 2
    made = run(*words, tmp_path / "own.key", stdin="a lantern\n")
    assert made.exit_code == 0, made.output
    told = data(run("check", tmp_path, "--json"))
    assert {row["signer"] for row in told} == {KeySigner(key).key_id}
    assert run("join", tmp_path, "--output", tmp_path / "back", "--signer", tmp_path / "other.pub").exit_code == 2
    assert run("join", tmp_path, "--output", tmp_path / "back", "--signer", tmp_path / "plan").exit_code == 2
    assert run("join", tmp_path, "--output", tmp_path / "back", "--signer", tmp_path / "own.pub").exit_code == 0
    (tmp_path / "own.key").chmod(0o644)
    assert "own.key" in run(*words, tmp_path / "own.key").stderr


def test_volumes_fit_a_medium_and_bear_the_id_of_a_bundle(tmp_path: Path) -> None:
    (tmp_path / "plan").write_bytes(CONTENT)
    id = "0123456789abcdef0123456789ABCDEF"
    made = run("split", tmp_path / "plan", "--output", tmp_path, "--size", "24kB", "--id", id, *BANNER, "--json")
    files = [Path(each) for each in data(made)["files"]]
    assert len(files) == data(made)["need"] + 1 > 3
    assert all(path.stat().st_size <= 24_000 for path in files)
    assert data(run("check", files[0], "--json"))[0]["carried"] == id.lower()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--count", 3, "--size", "1MB"), "one of --size"),
        ((), "one of --size"),
        (("--size", "much"), "no size"),
        (("--size", "1XB"), "no size"),
        (("--count", 3, "--id", "12"), "32 hexadecimal"),
        (("--count", 3, "--parity", 3), "volumes"),
        (("--size", "1kB"), "larger"),
        (("--again", "nonsense"), "Group 1 "),
    ],
)
def test_what_cannot_be_split_is_said(words: tuple[object, ...], told: str, tmp_path: Path) -> None:
    (tmp_path / "plan").write_bytes(CONTENT)
    refused = run("split", tmp_path / "plan", "--output", tmp_path, *BANNER, *words)
    assert refused.exit_code == 2
    assert told in refused.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["plan"]


def test_what_cannot_be_joined_is_said(cut: list[Path], tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for words in (
        ("join", tmp_path / "empty", "--output", tmp_path / "back"),
        ("gaps",),
        ("gaps", tmp_path / "back", "--code", "00000"),
        ("gaps", tmp_path / "back"),
        ("check", tmp_path / "empty"),
    ):
        assert run(*words).exit_code == 2, words
    assert run("join", *cut, "--output", cut[0]).exit_code == 6
    run("join", *cut[:2], "--output", tmp_path / "back")
    assert run("join", *cut[2:], "--output", tmp_path / "back").exit_code == 0


def test_a_join_that_lacks_nothing_more_says_so(cut: list[Path], tmp_path: Path) -> None:
    from casemate.wiring.volumes import Join

    with Join(tmp_path / "back") as work:
        work.take(cut)
    assert "nothing is missing" in run("gaps", tmp_path / "back").stdout
    assert data(run("gaps", tmp_path / "back", "--json"))["code"] == ""
    assert run("join", "--output", tmp_path / "back").exit_code == 0


def test_sizes_are_read_as_they_are_written_on_media() -> None:
    assert [_bytes(told) for told in ("650MB", "4.3 GB", "25GiB", "2tib", "7")] == [
        650_000_000,
        4_300_000_000,
        25 << 30,
        2 << 40,
        7,
    ]
    assert _bytes("DVD") == MEDIA["dvd"]
    assert _bytes("") == 0
    with pytest.raises(BadInput):
        _bytes("1.2345MB")
