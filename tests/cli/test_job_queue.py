"""`casemate job queue`, `casemate job definition` and a quota of a principal, against a real region."""

from __future__ import annotations

from tests.cli.running import Up


def test_a_queue_is_made_shown_changed_and_forgotten(region: Up) -> None:
    words = ("--priority", "-5", "--max-share", "50", "--share", "ann=3", "--share", "bob=0.5", "--isolation", "L1")
    made = region.run("job", "queue", "create", "night", *words)
    assert (made.code, made.out.split()[0]) == (0, "night"), made
    assert "-5" in made.out
    assert "50 %" in made.out
    shown = region.run("job", "queue", "show", "night").out.splitlines()
    assert [line.split() for line in shown[1:]] == [["ann", "3"], ["bob", "0.5"]]
    changed = region.run("job", "queue", "update", "night", "--shut", "--max-share", "20", "--json").data
    assert (changed["enabled"], changed["max_share"], changed["priority"]) == (False, 20, -5)
    assert [line.split()[0] for line in region.run("job", "queue", "list").out.splitlines()] == ["default", "night"]
    refused = region.run("job", "submit", "--queue", "night", "--", "/bin/true")
    assert refused.code == 2
    for bad in (("update", "night"), ("update", "night", "--share", "ann"), ("create", "x", "--share", "ann=lots")):
        assert region.run("job", "queue", *bad).code == 2, bad
    assert region.run("job", "queue", "delete", "night").out.strip() == "night"
    assert region.run("job", "queue", "show", "night").code == 5


def test_a_definition_makes_jobs_until_it_is_retired(region: Up) -> None:
    file = region.place.path / "count.toml"
    file.write_text('command = ["/bin/echo", "Ref::word"]\n')
    assert region.run("job", "definition", "list").code == 0
    made = region.run("job", "definition", "add", "count", str(file), "--word", "word=here")
    assert (made.code, made.out.split()[0]) == (0, "count:1"), made
    shown = region.run("job", "definition", "show", "count").out
    assert "/bin/echo Ref::word" in shown
    assert "here" in shown
    id = region.run("job", "definition", "submit", "count", "--word", "word=there", "--key", "k").out.strip()
    assert region.run("job", "show", id, "--json").data["spec"]["command"] == ["/bin/echo", "there"]
    assert region.run("job", "definition", "submit", "count", "--word", "there").code == 2
    retired = region.run("job", "definition", "retire", "count:1")
    assert retired.out.strip() == "count:1", retired
    assert "retired" in region.run("job", "definition", "list").out
    assert region.run("job", "definition", "submit", "count:1").code == 2


def test_who_has_too_many_jobs_is_told_so(region: Up) -> None:
    owner = region.run("job", "submit", "--json", "--", "/bin/sleep", "60").data
    name = owner["person"]
    assert region.run("quota", "set", "--principal", name, "--jobs", "1", "--job-cpus", "2").code == 0
    refused = region.run("job", "submit", "--", "/bin/true")
    assert (refused.code, "jobs" in refused.err) == (9, True), refused
    refused = region.run("job", "submit", "--cpus", "3", "--", "/bin/true")
    assert (refused.code, "job_cpus" in refused.err) == (3, True), refused
    region.run("job", "cancel", owner["id"])
    assert region.run("quota", "set", "--principal", name, "--none").code == 0
