"""What a data process holds in memory: the wires and the gate, and none of what answers questions."""

from __future__ import annotations

import subprocess
import sys

FORBIDDEN = ("casemate.assistants", "casemate.knowledge", "numpy", "starlette", "jinja2", "onnxruntime", "tokenizers")

PROGRAM = """
import asyncio, sys, tempfile
from pathlib import Path
from casemate.wiring import Folder, open_house
from casemate.engines.sqlite import SqliteWriter

async def main():
    folder = Folder(Path(tempfile.mkdtemp()) / "region")
    for part in (folder.data, folder.keys, folder.run):
        part.mkdir(parents=True)
    folder.settings_file.write_text("[region]\\nname = 'loaded'\\n")
    writer = SqliteWriter(folder.records)
    house = await open_house(folder, "data")
    assert house.app.table.routes
    print("\\n".join(sorted(sys.modules)))
    await house.close()
    writer.close()

asyncio.run(main())
"""


def test_a_data_process_holds_no_knowledge() -> None:
    """Neither directly nor by what it imports."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    loaded = done.stdout.split()
    assert "casemate.doors.openai" in loaded
    assert [name for name in loaded if name.startswith(FORBIDDEN)] == []
