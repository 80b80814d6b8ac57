"""The whole way down at the command line: each of its people runs his own commands against one region."""

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
from tests.laws.mission_operations import found

TEXT = "The pier is open again. Ferries leave at dawn."
Run = Callable[..., Result]


@pytest.fixture(scope="module")
def region() -> Iterator[Live]:
    with a_live_region() as live:
        for name in ("ben", "carl"):
            live.run(live.world.person(name, SECRET, ("releaser",)))
        yield live


@pytest.fixture
def run(region: Live, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """A command of somebody's: over TCP with his key in the place of the local socket."""
    monkeypatch.chdir(tmp_path)

    def do(who: str, *words: str, stdin: str = "", room: str = "release") -> Result:
        monkeypatch.setattr(
            talking.Talk, "client", lambda talk: remote(region.address, region.world.keys[who], talk.marked)
        )
        return CliRunner().invoke(main, [room, *words], input=stdin)

    return do


def data(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout.splitlines()[-1])["data"]


def test_ask_look_approve_and_carry(region: Live, run: Run) -> None:
    label = region.world.house.gate.vault.region.reach(SECRET).text
    for name in ("ben", "carl"):
        assert run(name, "key", "--output", f"{name}.key", stdin=f"{name}'s phrase\n").exit_code == 0
        id = data(run(name, "offer", "--key", f"{name}.key", "--json", stdin=f"{name}'s phrase\n"))["id"]
        assert "offered" in run(name, "keys").stdout
        assert run("auditor", "register", "ed25519-never", "--lowest", "UNCLASSIFIED").exit_code == 5
        assert run("auditor", "register", id, "--lowest", "UNCLASSIFIED").exit_code == 0
    kept = region.run(region.world.call("analyst", "POST", "/api/answers", {"text": TEXT}, label))
    assert kept.status == 201
    answers = region.run(region.world.call("analyst", "GET", "/api/answers", acting=label)).json["data"]
    wanted = ("request", "answer", answers[0]["id"], "--to", "UNCLASSIFIED", "--reason", "for the ferries")
    request = data(run("analyst", *wanted, "--json"))["id"]
    assert "for the ferries" in run("ben", "list").stdout
    assert TEXT in run("ben", "show", request).stdout
    early = run("analyst", "carry", request)
    assert early.exit_code == 3
    assert run("ben", "approve", request, "--key", "ben.key", stdin="n\n").exit_code == 130
    wrong = run("ben", "approve", request, "--key", "ben.key", "--yes", stdin="another phrase\n")
    assert wrong.exit_code == 2
    for name in ("ben", "carl"):
        done = run(name, "approve", request, "--key", f"{name}.key", stdin=f"y\n{name}'s phrase\n")
        assert done.exit_code == 0, done.output
        assert TEXT in done.stdout
        assert "phrase" not in done.output.replace("Passphrase", "")
    carried = run("analyst", "carry", request)
    assert carried.exit_code == 0
    assert carried.stdout.startswith("answer/ans_")
    assert "carried out" in run("analyst", "list").stdout
    assert run("analyst", "refuse", request).exit_code == 6


def test_no_and_a_key_that_is_revoked(region: Live, run: Run) -> None:
    label = region.world.house.gate.vault.region.reach(SECRET).text
    region.run(region.world.call("analyst", "POST", "/api/answers", {"text": f"{TEXT} Twice."}, label))
    answers = region.run(region.world.call("analyst", "GET", "/api/answers", acting=label)).json["data"]
    kept = next(each["id"] for each in answers if each["answer"]["text"].endswith("Twice."))
    wanted = ("request", "answer", kept, "--to", "UNCLASSIFIED", "--reason", "again")
    request = data(run("analyst", *wanted, "--json"))["id"]
    assert "refused" in run("ben", "refuse", request, "--reason", "not yet").stdout
    assert "not yet" in run("analyst", "show", request).stdout
    assert run("ben", "key", "--output", "new.key", "--bare").exit_code == 0
    id = data(run("ben", "offer", "--key", "new.key", "--json"))["id"]
    assert run("ben", "revoke", id).exit_code == 0
    assert id not in run("ben", "keys").stdout
    Path("new.key").chmod(0o640)
    assert run("ben", "offer", "--key", "new.key").exit_code == 2


def test_a_finding_of_a_run_is_kept_without_its_rule_and_asked_down(region: Live, run: Run) -> None:
    label = region.world.house.gate.vault.region.reach(SECRET).text
    line = {"key": "a1", "saw": {"host": "ws1", "file": "a LONG rule.log"}}
    assert "No finding" in run("analyst", "findings", room="mission").stdout
    region.run(found(region.world, "analyst", "job_alerts", label, line))
    kept = data(run("analyst", "finding", "job_alerts", "a1", "--json", room="mission"))
    assert kept["finding"]["text"] == "host: ws1"
    assert run("analyst", "finding", "job_alerts", "never", room="mission").exit_code == 5
    assert "host: ws1" in run("analyst", "findings", room="mission").stdout
    wanted = ("request", "finding", kept["id"], "--to", "UNCLASSIFIED", "--reason", "for the watch below")
    request = data(run("analyst", *wanted, "--json"))["id"]
    assert run("analyst", "show", request).stdout.splitlines()[-1] == "host: ws1"
    assert run("analyst", "refuse", request).exit_code == 0
