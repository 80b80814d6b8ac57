"""`python -m casemate.cells.table`: reads $CASEMATE_IN/sweep, writes table.parquet, table.csv and plot.svg.

`sweep.json` is the region's: points, states, parameters, marking and plot; `results/CHILD` are the tasks'. Of a sweep
that was made again, `earlier0` and so on beside it are what was there before, the newest first: of each point the first
result that is there counts. Ends with 1 where the plot names a column that is not there; the tables are written before.
"""

from __future__ import annotations

import csv
import io
import json
import os
import sys
from pathlib import Path
from typing import Any

from casemate.cells.table.plot import plot
from casemate.cells.table.rows import LARGEST, Cell, columns, result, spoken
from casemate.reports.parquet import parquet

__all__ = ["main"]

_EARLIER = "earlier"


def main(given: Path, out: Path) -> int:
    """0 where everything has been written."""
    told, results = _whole([given, *sorted(given.parent.glob(f"{_EARLIER}[0-9]"))])
    table = columns(told, results)
    marking = told["marking"]
    said = [("casemate.label", told["label"]), ("casemate.marking", marking), ("casemate.sweep", told["sweep"])]
    (out / "table.parquet").write_bytes(parquet(table, said))
    text = io.StringIO()
    text.write(f"# {' '.join(marking.split())}\n")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([name for name, _, _ in table])
    writer.writerows(zip(*([spoken(cell) for cell in cells] for _, _, cells in table), strict=True))
    (out / "table.csv").write_text(text.getvalue(), encoding="utf-8", newline="")
    drawn = told["plot"]
    if drawn:
        try:
            picture = plot(table, drawn["x"], drawn["y"], drawn["colour"], told["logs"], marking)
        except KeyError as error:
            sys.stderr.write(f"The plot names a column that no result has: {str(error)[:200]}\n")
            return 1
        (out / "plot.svg").write_text(picture, encoding="utf-8", newline="")
    return 0


def _whole(folders: list[Path]) -> tuple[dict[str, Any], list[tuple[dict[str, Cell], str]]]:
    """What the newest is told, with the rows of all by index, and their results."""
    told: dict[str, Any] = {}
    found: dict[int, tuple[dict[str, Any], tuple[dict[str, Cell], str]]] = {}
    for folder in folders:
        each = json.loads((folder / "sweep.json").read_bytes())
        told = told or each
        for row in each["rows"]:
            left = _read(folder / "results" / str(row.get("left", row["index"])), row["result"])
            if row["index"] not in found or (found[row["index"]][1][1] and not left[1]):
                found[row["index"]] = row, left
    rows = [found[index] for index in sorted(found)]
    return {**told, "rows": [row for row, _ in rows]}, [left for _, left in rows]


def _read(path: Path, state: str) -> tuple[dict[str, Cell], str]:
    """What a task left. `state`: "" where there is a file, else why there is none, as the region says it."""
    if state:
        return {}, state
    with path.open("rb") as file:
        return result(file.read(LARGEST + 1))


if __name__ == "__main__":
    sys.exit(main(Path(os.environ["CASEMATE_IN"], "sweep"), Path(os.environ["CASEMATE_OUT"])))
