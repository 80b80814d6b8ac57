"""`python -m casemate.cells.table`: reads $CASEMATE_IN/sweep, writes table.parquet, table.csv and plot.svg.

`sweep.json` is the region's: points, states, parameters, marking and plot; `results/INDEX` are the tasks'. Ends with 1
where the plot names a column that is not there; the tables are written before that.
"""

from __future__ import annotations

import csv
import io
import json
import os
import sys
from pathlib import Path

from casemate.cells.table.plot import plot
from casemate.cells.table.rows import LARGEST, Cell, columns, result, spoken
from casemate.reports.parquet import parquet

__all__ = ["main"]


def main(given: Path, out: Path) -> int:
    """0 where everything has been written."""
    told = json.loads((given / "sweep.json").read_bytes())
    results = [_read(given / "results" / str(row["index"]), row["result"]) for row in told["rows"]]
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


def _read(path: Path, state: str) -> tuple[dict[str, Cell], str]:
    """What a task left. `state`: "" where there is a file, else why there is none, as the region says it."""
    if state:
        return {}, state
    with path.open("rb") as file:
        return result(file.read(LARGEST + 1))


if __name__ == "__main__":
    sys.exit(main(Path(os.environ["CASEMATE_IN"], "sweep"), Path(os.environ["CASEMATE_OUT"])))
