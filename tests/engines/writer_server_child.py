"""A writer process behind a socket: `python writer_server_child.py FOLDER`, until SIGTERM."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

from casemate.engines.sqlite import Limits, SqliteWriter
from casemate.engines.writer_socket import WriterServer


async def main() -> None:
    folder = Path(sys.argv[1])
    writer = SqliteWriter(folder / "data" / "records.db", Limits(low_water=0, ballast=0))
    server = WriterServer(folder / "run" / "writer.sock", writer)
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    await server.start()
    os.write(1, b"ready\n")
    await stopped.wait()
    await server.stop()
    writer.close()


asyncio.run(main())
