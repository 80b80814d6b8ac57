"""A sweep through a real region: eight points in their sandboxes, one of which fails, and one marked table of them."""

from __future__ import annotations

import csv
import json

from tests.cli.running import Up

PROGRAM = """
import json, os, sys
rate, kind = float(sys.argv[1]), sys.argv[2]
point = json.loads(os.environ["CASEMATE_POINT"])
assert point == {"rate": rate, "kind": kind} and os.environ["KIND"] == kind, (point, os.environ["KIND"])
if kind == "b c;d" and rate == 4:
    sys.exit(3)
text = json.dumps({"loss": rate * rate, "fine": True, "said": kind})
open(os.environ["CASEMATE_OUT"] + "/result.json", "w").write("[1" if kind == "a" and rate == 1 else text)
"""
SWEEP = {
    "job": {
        "command": ["python3", "-c", PROGRAM, "{rate}", "{kind}"],
        "env": {"KIND": "{kind}"},
        "name": "rates",
        "resources": {"memory_mb": 256},
    },
    "parameters": {"rate": {"from": 1, "to": 4, "steps": 4}, "kind": {"values": ["a", "b c;d"]}},
    "plot": {"x": "rate", "y": "loss", "colour": "kind"},
}


def test_a_sweep_of_eight_points_becomes_one_marked_table(region: Up) -> None:
    (region.place.path / "sweep.json").write_text(json.dumps(SWEEP))
    ran = region.run("sweep", "run", "sweep.json", "--follow", "--json")
    assert ran.data["state"] == "SUCCEEDED", ran
    id, label = ran.data["id"], ran.json["label"]
    told = region.run("sweep", "show", id, "--json")
    assert told.data["array"]["counts"] == {"SUCCEEDED": 7, "FAILED": 1}
    assert (told.data["points"], told.data["array"]["label"], told.json["label"]) == (8, label, label)
    assert "8 points" in region.run("sweep", "show", id).out
    assert region.run("sweep", "table", id).code == 0
    assert region.run("sweep", "table", id).code == 2  # nothing is written over
    text = (region.place.path / "table.csv").read_text()
    first, _, rest = text.partition("\n")
    assert first == f"# {told.json['marking']}"
    rows = list(csv.DictReader(rest.splitlines()))
    assert [row["index"] for row in rows] == [str(at) for at in range(8)]
    assert [row["state"] for row in rows] == ["SUCCEEDED"] * 7 + ["FAILED"]
    assert [row["problem"] for row in rows] == ["not JSON"] + [""] * 6 + ["no result"]
    assert [row["loss"] for row in rows] == ["", "1.0", "4.0", "4.0", "9.0", "9.0", "16.0", ""]
    assert (rows[3]["kind"], rows[3]["said"], rows[7]["exit"]) == ("b c;d", "b c;d", "3")
    assert told.json["marking"].encode() in (region.place.path / "table.parquet").read_bytes()
    picture = (region.place.path / "plot.svg").read_text()
    assert picture.count(f"{told.json['marking'].split()[-1]}</t") == 3  # title, and above and below
    assert "6 / 8" in picture
    lineage = region.run("lineage", f"job/{rows[1]['job']}", "--json").json
    assert id in json.dumps(lineage)  # what was made of a child is found from the child
    assert region.run("sweep", "show", id, "--label", "house:PUBLIC").code != 0
    assert region.run("sweep", "show", rows[1]["job"]).code == region.run("sweep", "show", "job_never").code != 0
