"""A person at a terminal in a job, through a real region, in both process forms."""

from __future__ import annotations

import json
import signal

from tests.cli.person import at_terminal
from tests.cli.running import Place, Up, running, until

SHELL = ("job", "shell", "--", "/bin/sh", "-i")


def test_a_person_works_in_a_terminal_of_a_jobs_sandbox(region: Up) -> None:
    with at_terminal(region.place, *SHELL) as person:
        person.sees("\x1b]2;RESTRICTED + TOP SECRET")
        person.sees("$ ")
        person.type("stty size; echo pid-$$; tty\r")
        person.sees("30 100")
        person.size(41, 77)
        person.process.send_signal(signal.SIGWINCH)
        person.type("sleep 0.3; stty size\r")
        person.sees("41 77")
        person.type("sh -c 'echo begun-$((3+4)); exec sleep 300'\r")
        person.sees("begun-7")
        person.type("\x03")
        person.type("echo code-$?\r")
        person.sees("code-130")
        person.type("cat /etc/shadow; printf '\\033]2;fake\\007\\033]52;c;?\\007seen-%d' 7; exit 5\r")
        person.sees("seen-7")
        assert person.ended() == 5
        assert person.as_before
        assert b"TOP SECRET" in person.screen
        assert b"]2;fake\x07" not in person.screen.replace(b"]2;fake\\007", b"")
    told = region.run("job", "list", "--all", "--state", "FAILED", "--json").data
    [id] = [one["id"] for one in told if one["exit"] == 5]
    log = region.run("job", "logs", id).out
    assert "code-130" in log
    entries = region.run("ledger", "list", "--json").out
    assert "job.attach" in entries
    assert "code-130" not in entries


def test_a_person_leaves_and_comes_back_and_another_takes_over(region: Up) -> None:
    id = region.run("job", "shell", "--detach", "--", "/bin/sh", "-i").out.strip()
    with at_terminal(region.place, "job", "shell", "--attach", id) as person:
        person.sees("$ ")
        person.type("held=kept-7; echo first\r")
        person.sees("first\r\n")
        person.type("\x1dd")
        assert person.ended() == 0
        assert b"--attach" in person.screen
        assert person.as_before
    with at_terminal(region.place, "job", "shell", "--attach", id) as person:
        person.sees("first")
        person.type("echo $held\r")
        person.sees("kept-7")
        with at_terminal(region.place, "job", "shell", "--attach", id) as other:
            other.sees("kept-7")
            assert person.ended() == 0
            assert b"from elsewhere" in person.screen
            other.type("exit\r")
            assert other.ended() == 0


def test_a_killed_command_leaves_the_terminal_as_it_was(region: Up) -> None:
    with at_terminal(region.place, *SHELL) as person:
        person.sees("$ ")
        assert not person.as_before
        person.process.send_signal(signal.SIGTERM)
        assert person.ended() == 143
        assert person.as_before
    for job in region.run("job", "list", "--json").data:
        region.run("job", "cancel", job["id"])


def test_what_comes_from_a_file_is_typed(region: Up) -> None:
    ran = region.run("job", "shell", "--json", "--", "/bin/sh", stdin="echo sum-$((3+4))\nexit 6\n")
    assert ran.code == 6, ran
    told = json.loads(ran.out)["data"]
    assert "sum-7" in told["text"]
    quick = region.run("job", "shell", "--", "/bin/true")
    assert quick.code == 0, quick


def test_nobody_working_in_it_ends_it(region: Up) -> None:
    ran = region.run("job", "shell", "--idle", "1s", "--", "/bin/sleep", "300")
    assert ran.code in (129, 143), ran
    assert "nobody worked in it" in ran.err


def test_a_job_that_is_no_terminal_has_none(region: Up) -> None:
    id = region.run("job", "submit", "--", "/bin/sleep", "60").out.strip()
    refused = region.run("job", "shell", "--attach", id)
    assert (refused.code, "no shell" in refused.err) == (2, True), refused
    region.run("job", "cancel", id)


def test_the_region_starts_anew_while_somebody_works(place: Place) -> None:
    place.init()
    with running(place) as up:
        id = up.run("job", "shell", "--detach", "--", "/bin/sh", "-i").out.strip()
        person = at_terminal(place, "job", "shell", "--attach", id)
        visitor = person.__enter__()
        visitor.sees("$ ")
        visitor.type("held=kept-7; echo one\r")
        visitor.sees("one\r\n")
    with running(place) as up:
        visitor.type("echo $held\r")
        visitor.sees("kept-7\r\n")
        visitor.type("exit 4\r")
        assert visitor.ended() == 4
        person.__exit__(None, None, None)
        until(lambda: up.run("job", "show", id, "--json").data["open"] is False)
