"""A mission for tests: parameters of every type, one role, all kinds of parts in its report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from casemate.missions import (
    Chart,
    Check,
    Checks,
    Citation,
    Context,
    Figures,
    Mission,
    Need,
    NoModel,
    Output,
    Picture,
    Report,
    Result,
    Role,
    Series,
    Shown,
    Table,
    Text,
    parameter,
)


@dataclass(frozen=True)
class Parameters:
    many: int = parameter(2, low=1, high=9, en="How many.", fr="Combien.")
    rate: float = parameter(0.5, unit="m/s", low=0, en="A rate.", fr="Un taux.")
    kind: Literal["plain", "deep"] = parameter("plain", choices=("plain", "deep"), en="A kind.", fr="Un genre.")
    quick: bool = parameter(False, en="Quick.", fr="Vite.")
    steps: tuple[float, ...] = parameter((1.0, 2.0), high=9, en="Steps.", fr="Pas.")


class Toy(Mission[Parameters]):
    name = "toy"
    version = "1"
    titles: ClassVar = {"en": "A toy", "fr": "Un jouet"}
    about: ClassVar = {"en": "Counts lines.", "fr": "Compte des lignes."}
    parameters = Parameters
    roles = (Role("rows", ("txt",), many=True, en="Lines.", fr="Des lignes."),)
    outputs = (Output("lines", "table"), Output("count", "figure"), Output("note", "file"))
    stands_on = (Citation("pytest", "https://pytest.org", "MIT"), Citation("Nothing", "none", "CC0-1.0"))

    def need(self, parameters: Parameters, sizes: Mapping[str, int]) -> Need:
        return Need(memory_mb=100 * parameters.many + sum(sizes.values()) // (1 << 20))

    def run(self, context: Context[Parameters]) -> Result:
        lines = [line for path in context.inputs["rows"] for line in path.read_text().splitlines()]
        context.progress(1, 1, "read")
        try:
            said = context.generate("What?")
        except NoModel as none:
            said = f"none: {none}"
        (context.scratch / "gone").write_text("x")
        note = context.scratch / "note"
        note.write_text(f"{said} {context.seed}")
        rows = [(number, line, number / 2, number % 2 == 0, None) for number, line in enumerate(lines)]
        table = Table(("n", "line", "half", "even", "empty"), rows)
        return Result({"lines": table}, {"count": len(lines), "nan": float("nan")}, {"note": note})

    def report(self, context: Context[Parameters], result: Result) -> Report:
        x = (1.0, 2.0, 3.0)
        series = (Series("a", x, (1.0, float("nan"), 9.0), (0.5, 1.0, 8.0), (2.0, 3.0, 10.0)), Series("b", x, x))
        words = (Series("a", ("p", "q"), (3.0, -4.0)), Series("b", ("p", "q"), (1.0, 2.0)))
        return Report(
            "A <toy>",
            [
                Text("One.\n\n<b>Two.</b>", "Words"),
                Figures(result.figures, "Numbers"),
                Shown(result.tables["lines"], "Lines", most=2),
                Checks([Check("count", "the file", True, "2 = 2"), Check("rate", "<i>none</i>", False)]),
                Picture("<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "Drawn"),
                Chart("lines", series, "L", "s", "m"),
                Chart("bands", series, "F"),
                Chart("bars", words, "B"),
                Chart("bars", (Series("n", x, (1.0, 10.0, 100.0)),), log=True),
                Chart("scatter", series, "<S>", log=True),
                Chart("heat", rows=("r", "s"), columns=("c", "d"), values=((1.0, 2.0), (float("nan"), 4.0))),
            ],
        )


toy = Toy()
nothing = 3
