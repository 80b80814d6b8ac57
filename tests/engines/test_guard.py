"""The guard over files, each side a fenced child: what a child does not answer for is held, whatever became of it."""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from casemate.cells import guard as cell
from casemate.engines.cell import Cells, Program
from casemate.engines.guard import CellGuard, Looked
from casemate.engines.sandbox import Limits, Sandbox, support
from casemate.errors import Damaged, SandboxMissing
from tests.cells.made import pdf
from tests.transfer.guard import samples

pytestmark = pytest.mark.skipif(bool(support().why), reason=f"no sandbox here: {support().why}")
TABLE = b'{"is":"table","columns":[{"name":"a","of":{"is":"integer"}}]}'
HEAD = "from casemate.cells.serve import serve\n\n\n"
FAILS = {
    "guard-crash": "import os\nos._exit(3)\n",
    "guard-time": "while True:\n    pass\n",
    "guard-memory": f"{HEAD}def fails(_):\n    raise MemoryError\n\n\nserve(dict, fails)\n",
    "guard-structure": f"{HEAD}def fails(_):\n    raise RecursionError\n\n\nserve(dict, fails)\n",
    "guard-differs": f"{HEAD}serve(dict, lambda _: {{'data': b'other'}})\n",
}


def guarded(do: Callable[[CellGuard, Sandbox], Awaitable[Any]]) -> Any:
    async def go() -> Any:
        sandbox = Sandbox()
        guard = CellGuard(sandbox)
        try:
            return await do(guard, sandbox)
        finally:
            await guard.close()
            sandbox.close()

    return asyncio.run(go())


def look(path: Path, direction: Any = "in", format: Any = None, schema: bytes = b"") -> Looked:
    found: Looked = guarded(lambda guard, _: guard.look(path, direction, format, schema))
    return found


def test_files_of_each_format_cross(tmp_path: Path) -> None:
    """All in one guard; weights are not copied into a child, and what is kept has the digest that was told."""
    (tmp_path / "a.txt").write_bytes(b"one\r\ntwo")
    (tmp_path / "a.csv").write_bytes(b"a\r\n007\r\n")
    (tmp_path / "a.png").write_bytes(samples.picture(random.Random(1), 3, 3, 2)[0])
    (tmp_path / "tokenizer.json").write_bytes(samples.TOKENIZER)
    data = random.Random(2).randbytes(3_000_000)
    header = {"a": {"dtype": "U8", "shape": [len(data)], "data_offsets": [0, len(data)]}}
    (tmp_path / "a.safetensors").write_bytes(samples.tensors(header, data))

    files = sorted(tmp_path.iterdir())

    async def do(guard: CellGuard, _: Sandbox) -> None:
        for file in files:
            looked = await guard.look(file, "in", None, TABLE if file.suffix == ".csv" else b"")
            assert looked.verdict.agrees, (file, looked.verdict)
            assert len(looked.canonical) < 20_000
            out = tmp_path / f"{file.name}.out"
            guard.keep(looked, file, out)
            made = out.read_bytes()
            assert hashlib.sha512(made).hexdigest() == looked.verdict.digest
            assert len(made) == looked.verdict.size
            with pytest.raises(FileExistsError):
                guard.keep(looked, file, out)
            if file.suffix == ".safetensors":
                assert made.endswith(data)
                file.write_bytes(file.read_bytes()[:-1] + b"\0")
                with pytest.raises(Damaged):
                    guard.keep(looked, file, tmp_path / "changed")
                assert not (tmp_path / "changed").exists()

    guarded(do)


def test_what_is_refused_before_any_child_is_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*_: Any, **__: Any) -> Any:
        raise AssertionError

    monkeypatch.setattr(Cells, "ask", never)
    for name, raw, direction, rule in (
        ("a.bin", b"weights", "in", "guard-pickle"),
        ("a.txt", b"PK\x03\x04", "in", "guard-archive"),
        ("a.png", b"text", "in", "guard-structure"),
        ("a.safetensors", b"", "out", "guard-outward"),
        ("a.txt", b"a" * (1 << 20) + b"a", "out", "guard-size"),
        ("a.unknown", b"a", "in", "guard-format"),
    ):
        (tmp_path / name).write_bytes(raw)
        verdict = look(tmp_path / name, direction).verdict
        assert (verdict.agrees, verdict.rule) == (False, rule)


@pytest.mark.parametrize(
    ("rule", "side"), [*((rule, "_check") for rule in FAILS), ("guard-crash", "_make"), ("guard-time", "_make")]
)
def test_fault_29_a_child_that_crashes_hangs_or_lies_holds_the_file(tmp_path: Path, rule: str, side: str) -> None:
    (tmp_path / "a.txt").write_bytes(b"words")
    program = tmp_path / "program.py"
    program.write_text(FAILS[rule])

    async def do(guard: CellGuard, sandbox: Sandbox) -> Looked:
        short = Program("guard", str(program), (), Limits(cpu=30), (), 2.0)
        setattr(guard, side, Cells(sandbox, short))
        return await guard.look(tmp_path / "a.txt", "in", None)

    looked: Looked = guarded(do)
    assert (looked.verdict.agrees, looked.verdict.rule, looked.canonical) == (False, rule, b"")


def test_without_a_sandbox_nothing_is_parsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def none(*_: Any, **__: Any) -> Any:
        raise SandboxMissing(why="test")

    monkeypatch.setattr(Sandbox, "spawn", none)
    (tmp_path / "a.txt").write_bytes(b"words")
    with pytest.raises(SandboxMissing):
        look(tmp_path / "a.txt")


def test_of_a_pdf_its_text_crosses(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(pdf([[(50, 700, 12, "The pier is open.")]]))
    looked = look(tmp_path / "a.pdf")
    assert (looked.verdict.format, looked.verdict.agrees, looked.verdict.changed) == ("text", True, True)
    assert looked.canonical.strip() == b"The pier is open."
    (tmp_path / "b.pdf").write_bytes(b"%PDF-1.7\nnothing")
    assert look(tmp_path / "b.pdf").verdict.rule == "guard-structure"


def test_the_cell_answers_with_bytes_or_with_a_rule() -> None:
    good = cell.make(cell.Request("csv", "in", b"a\r\n7\r\n", TABLE))
    assert good == cell.Answer(b"a\n7\n") == cell.check(cell.Request("csv", "in", good.data, TABLE))
    assert cell.make(cell.Request("text", "in", b"\xff")).rule == "guard-encoding"
    assert cell.check(cell.Request("text", "in", b"\xff")).rule == "guard-encoding"
    assert cell.make(cell.Request("text", "in", b"PK\x03\x04")).rule == "guard-archive"
