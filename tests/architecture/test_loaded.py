"""What a data process holds in memory: the wires and the gate, and none of what answers questions."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.laws.world import World

FORBIDDEN = ("casemate.assistants", "casemate.knowledge", "numpy", "starlette", "jinja2", "onnxruntime", "tokenizers")

PROGRAM = """
import asyncio, sys
from pathlib import Path
from casemate.wiring import Folder, open_house

async def main():
    house = await open_house(Folder(Path(sys.argv[1])), "data")
    assert house.app.table.routes
    print("\\n".join(sorted(sys.modules)))
    await house.close()

asyncio.run(main())
"""


async def test_a_data_process_holds_no_knowledge(world: World) -> None:
    """Neither directly nor by what it imports."""
    await world.step("snapshot.publish")
    loaded = loaded_in(world.folder)
    assert "casemate.doors.openai" in loaded
    assert [name for name in loaded if name.startswith(FORBIDDEN)] == []


def loaded_in(folder: Path) -> list[str]:
    done = subprocess.run([sys.executable, "-c", PROGRAM, folder], capture_output=True, text=True, check=True)
    return done.stdout.split()
