"""Channels and bundles at the command line: both ends in one region, each of its people with commands of his own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from casemate.cli import talk as talking
from casemate.cli.client import remote
from casemate.cli.root import main
from tests.console.live import Live, a_live_region
from tests.console.visitor import SECRET

Run = Callable[..., Result]


@pytest.fixture(scope="module")
def region() -> Iterator[Live]:
    with a_live_region() as live:
        for name, roles in (("olga", ("officer",)), ("ben", ("releaser",)), ("otto", ("operator",))):
            live.run(live.world.person(name, SECRET, roles))
        yield live


@pytest.fixture
def run(region: Live, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """A command of somebody's: over TCP with his key in the place of the local socket."""
    monkeypatch.chdir(tmp_path)

    def do(who: str, *words: str) -> Result:
        monkeypatch.setattr(
            talking.Talk, "client", lambda talk: remote(region.address, region.world.keys[who], talk.marked)
        )
        return CliRunner().invoke(main, list(words))

    return do


def data(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout.splitlines()[-1])["data"]


def test_both_ends_a_bundle_and_what_became_of_it(region: Live, run: Run) -> None:
    own = region.world.house.gate.vault.region.name
    assert "No channel" in run("otto", "channel", "list").stdout
    assert run("olga", "channel", "receive", "back", "--source", own, "--output", "card").exit_code == 0
    assert "not introduced yet" in run("otto", "channel", "list").stdout
    sent = run("olga", "channel", "send", "out", "card", "--output", "told")
    assert sent.exit_code == 0, sent.output
    assert run("olga", "channel", "trust", "never", "told").exit_code == 5
    assert run("olga", "channel", "trust", "back", "told").exit_code == 0
    for name, text in (("list", "[]"), ("none", "{"), ("long", " " * (3 << 20))):
        Path(name).write_text(text)
        assert run("olga", "channel", "trust", "back", name).exit_code == 2
    told = data(run("ben", "bundle", "send", "out", "--policy", "us", "--json"))
    file = f"{told['bundle']}.cmb"
    assert Path(file).stat().st_size == told["size"]
    assert run("ben", "bundle", "send", "out", "--policy", "us", "--output", "two").exit_code == 0
    early = run("otto", "bundle", "import", "two")
    assert early.exit_code == 3
    assert "held" in early.stdout
    assert "1 to 1 missing" in run("otto", "channel", "list").stdout
    assert run("olga", "channel", "skip", "back", "2").exit_code == 2
    assert run("otto", "bundle", "import", file).exit_code == 0
    assert run("otto", "bundle", "import", file).exit_code == 3
    log = run("otto", "channel", "log").stdout
    assert [word in log for word in ("sent", "adopted", "refused", "rollback", "missing")] == [*[True] * 4, False]
    assert run("olga", "channel", "skip", "back", "1").exit_code == 2


def test_keys_and_people_of_a_channel(region: Live, run: Run) -> None:
    own = region.world.house.gate.vault.region.name
    assert run("olga", "channel", "receive", "in", "--source", own, "--output", "card2").exit_code == 0
    people = ("--signatures", "1", "--approvals", "1")
    assert run("olga", "channel", "send", "by", "card2", "--output", "told2", *people).exit_code == 0
    assert run("olga", "channel", "trust", "in", "told2").exit_code == 0
    waits = run("ben", "bundle", "send", "by", "--policy", "us", "--json")
    told = data(waits)
    assert told["verdict"] == "waiting"
    assert not Path(f"{told['bundle']}.cmb").exists()
    assert run("ben", "bundle", "send", "by", "--policy", "us").exit_code == 6
    assert run("ben", "channel", "sign", told["bundle"]).exit_code == 6
    assert run("ben", "channel", "approve", told["bundle"]).exit_code == 3
    assert run("otto", "channel", "fetch", told["bundle"]).exit_code == 5
    assert run("olga", "channel", "approve", told["bundle"]).exit_code == 0
    assert run("otto", "channel", "fetch", told["bundle"], "--output", "b").exit_code == 0
    assert run("otto", "bundle", "import", "b").exit_code == 0
    again = data(run("ben", "bundle", "send", "by", "--policy", "us", "--json"))
    assert run("ben", "channel", "withdraw", again["id"]).exit_code == 0
    assert run("ben", "channel", "withdraw", "never").exit_code == 5
    assert run("olga", "channel", "rotate", "in", "--output", "card3").exit_code == 0
    assert run("olga", "channel", "renew", "by", "card3").exit_code == 0
    shown = run("otto", "channel", "show", "in").stdout
    assert run("otto", "diode", "push", "by", "drop", "--once").exit_code == 2
    for folder in ("drop", "in"):
        Path(folder).mkdir()
    assert run("otto", "diode", "push", "by", "drop", "--once").exit_code == 0
    (laid,) = Path("drop").iterdir()
    assert laid.name == "000000000001.cmb"
    where = ("in", "drop", "--inbox", "in", "--memory", "memory", "--slots", "2")
    alone = run("otto", "diode", "fetch", *where)
    assert alone.exit_code == 3
    assert "accredited" in alone.output
    assert not Path("memory").exists()
    often = ("--every", "1", "--step", "1073741824", "--window", "900")
    said = run("olga", "channel", "fetching", "in", *often)
    assert "934379.9 bits in a day at most, accredited by olga" in said.stdout
    assert run("olga", "channel", "fetching", "by").exit_code == 2
    fetched = run("otto", "diode", "fetch", *where)
    assert fetched.exit_code == 0, fetched.output
    assert "accredited by olga" in fetched.stdout
    (whole,) = Path("in").iterdir()
    assert whole.read_bytes() == laid.read_bytes()
    assert run("olga", "channel", "fetching", "in", "--never").exit_code == 0
    assert run("otto", "diode", "fetch", *where).exit_code == 3
    older = next(line for line in shown.splitlines() if line.startswith("opens")).split()[2]
    assert run("olga", "channel", "revoke", "in", older).exit_code == 0
    assert run("olga", "channel", "rotate", "by", "--revoke", "--output", "told3").exit_code == 0
    asked = run("olga", "channel", "renew", "in", "told3")
    assert asked.exit_code == 0
    assert "second" in asked.stdout
    assert run("olga", "channel", "renew", "in", "told3").exit_code == 3
    assert "root 1" in run("otto", "channel", "show", "in").stdout
    assert "root 2" in run("otto", "channel", "show", "by").stdout


def test_a_file_that_is_no_bundle_and_a_channel_that_is_none(run: Run) -> None:
    Path("junk").write_bytes(b"junk" * 100_000)
    assert run("otto", "bundle", "import", "junk").exit_code != 0
    assert run("ben", "bundle", "send", "never", "--policy", "us").exit_code == 5
