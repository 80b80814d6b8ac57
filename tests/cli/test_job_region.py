"""A job through a real region, in both process forms: it runs in its sandbox, and what it leaves comes back."""

from __future__ import annotations

from tests.cli.running import Up


def test_a_job_runs_and_what_it_leaves_comes_back(region: Up) -> None:
    ran = region.run("job", "run", "--name", "first", "--", "/bin/sh", "-c", "echo hi; echo x > /out/a; exit 3")
    assert (ran.code, ran.out) == (3, "hi\n"), ran
    ran = region.run("job", "run", "--json", "--", "/bin/sh", "-c", "echo x > /out/a")
    assert ran.data["state"] == "SUCCEEDED"
    id, label = ran.data["id"], ran.json["label"]
    assert [each["id"] for each in region.run("job", "list", "--all", "--state", "SUCCEEDED", "--json").data] == [id]
    assert region.run("job", "artefact", id, "out/a", "--to", "left.txt").code == 0
    assert (region.place.path / "left.txt").read_text() == "x\n"
    assert region.run("job", "artefact", id, "out/a", "--to", "left.txt").code == 2
    assert region.run("job", "show", id).out.count("out/a") == 1
    assert region.run("lineage", f"job/{id}").code == 0
    low = region.run("job", "list", "--all", "--label", "house:PUBLIC", "--json").data
    assert (low, label != "") == ([], True)
    child = region.run("job", "submit", "--follow", "--array", "3", "--", "/bin/true")
    array = child.out.strip()
    assert region.run("job", "logs", f"{array}:1").code == 0
    assert region.run("job", "array", array, "-f", "--json").data["counts"] == {"SUCCEEDED": 3}
    assert region.run("job", "retry", id).out.strip().startswith("job_")
