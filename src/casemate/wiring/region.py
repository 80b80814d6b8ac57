"""A region opened in one process, by role: which rooms it has, which doors hang in its frame, which loops it runs.

all      everything in one process
data     the wires; knowledge is asked over run/answer.sock
answer   assistants and knowledge behind run/answer.sock
control  the native API, the console, the loops
writer   the one writer behind run/writer.sock
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from casemate.access import Gate, loops
from casemate.clock import Clock
from casemate.doors.frame import App, Table
from casemate.ids import Entropy
from casemate.store import Committer
from casemate.wiring.engines import catalogue, vault_of
from casemate.wiring.folder import Folder
from casemate.wiring.house import House, Role, hang, wires

if TYPE_CHECKING:
    from casemate.knowledge import Extractor

__all__ = ["House", "Role", "open_house"]


async def open_house(
    folder: Folder,
    role: Role = "all",
    clock: Clock | None = None,
    entropy: Entropy | None = None,
    durable: bool = True,
    extractor: Extractor | None = None,
) -> House:
    """The region of a folder in this process. Clock, entropy, `durable=False` and extractor are for laws alone."""
    settings = folder.settings()
    closers: list[Callable[[], Awaitable[None]]] = []
    committer = _committer(folder, role, durable, closers)
    vault = vault_of(folder, settings, committer, clock, entropy)
    gate = Gate(vault)
    models = catalogue(vault.region, settings, folder.keys)
    house = House(folder, settings, gate, models, App(gate, Table(()), ()), closers=closers, extractor=extractor)
    if role == "data":
        from casemate.wiring.relay import Relay

        house.answerer = Relay(folder.answer_socket)
        hang(house, wires(house, house.answerer))
    else:
        from casemate.wiring.rooms import furnish

        await furnish(house, role)
    if role in ("all", "control"):
        house.loops += loops(gate)
    return house


def _committer(folder: Folder, role: Role, durable: bool, closers: list[Callable[[], Awaitable[None]]]) -> Committer:
    if role == "all":
        from casemate.engines.sqlite import SqliteWriter

        writer = SqliteWriter(folder.records, durable=durable)

        async def close() -> None:
            writer.close()

        closers.append(close)
        return writer
    from casemate.engines.writer_socket import SocketCommitter

    remote = SocketCommitter(folder.writer_socket)
    closers.append(remote.close)
    return remote
