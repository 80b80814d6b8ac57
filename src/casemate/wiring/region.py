"""A region opened in one process, by role: which rooms it has, which doors hang in its frame, which loops it runs.

all      everything in one process
data     the wires; knowledge is asked over run/answer.sock; who may come in is read in the snapshot alone
answer   assistants and knowledge behind run/answer.sock; the snapshot as well
control  the native API, the console, the loops; it publishes the snapshot
writer   the one writer behind run/writer.sock
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from casemate.access import Gate, destroyed, loops, quarantine
from casemate.clock import Clock
from casemate.doors.frame import App, Table
from casemate.ids import Entropy
from casemate.models import Gateway, Preference
from casemate.settings import Settings
from casemate.store import Committer, Journal
from casemate.wiring.accounting import account, metered
from casemate.wiring.engines import catalogue, share_of, vault_of
from casemate.wiring.folder import Folder
from casemate.wiring.house import House, Role, hang, wires
from casemate.wiring.inspection import inspection_of
from casemate.wiring.keys import signing_key
from casemate.wiring.registry import enlist
from casemate.wiring.shipping import near, shipping
from casemate.wiring.snapshot import join, sections_of
from casemate.wiring.store import writer_of
from casemate.wiring.telemetry import observe
from casemate.wiring.veto import veto_of

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
    worker: int = 0,
    private: tuple[bytes, ...] = (),
) -> House:
    """The region of a folder in this process. Clock, entropy, `durable=False` and extractor are for laws alone.

    `worker`: the number of this process among the data processes. `private`: the region's keys, where they are locked.
    """
    settings = folder.settings()
    closers: list[Callable[[], Awaitable[None]]] = []
    signing = signing_key(folder, settings, private) if durable and role == "all" else b""
    committer, journal, increment = await _record(folder, settings, role, durable, closers, signing)
    vault = vault_of(folder, settings, committer, clock, entropy, journal, private, durable)
    gate = Gate(vault)
    closers.insert(0, gate.threads.close)  # last of all
    gate.veto = veto_of(folder.path, settings.cedar)
    models = catalogue(vault.region, settings, folder.keys)
    closers.append(models.close)
    house = House(folder, settings, gate, models, App(gate, Table(()), ()), closers=closers, extractor=extractor)
    if increment is not None:
        from casemate.wiring.backup import Far

        house.backing = Far(folder, settings, increment, private)
    routing = settings.routing
    preference = Preference(frozenset(routing.denied), routing.inside_first)
    house.gateway = gateway = Gateway(models, preference, inspection_of(settings.inspect))
    house.sections = sections_of(house, role)  # a room adds its own to them below
    house.records = await enlist(house, role)
    if role == "data":
        from casemate.wiring.embedding import embedder_of, offer
        from casemate.wiring.jobs import seen_jobs
        from casemate.wiring.relay import Near, Relay
        from casemate.wiring.shelf import FarShelf

        offer(house, embedder_of(house))
        await account(house, role, worker)
        house.answerer = metered(house, Near(gateway, Relay(folder.answer_socket)))
        house.shelf = FarShelf(folder.answer_socket)
        hang(house, wires(house, house.answerer, seen_jobs(house)))
    else:
        from casemate.wiring.rooms import furnish

        await furnish(house, role)
    house.loops += quarantine.loops(gate)
    if role in ("all", "control"):
        from casemate.wiring import keys_url

        house.loops += [*loops(gate), *destroyed.loops(gate), *keys_url.loops(folder, settings)]
    try:
        observe(house, role, worker)
        await join(house, role, durable)
    except BaseException:
        await house.close()
        raise
    return house


async def _record(
    folder: Folder,
    settings: Settings,
    role: Role,
    durable: bool,
    closers: list[Callable[[], Awaitable[None]]],
    signing: bytes,
) -> tuple[Committer, Journal | None, Callable[[bool], Awaitable[None]] | None]:
    """What makes batches durable, what makes entries durable that come alone, and what makes an increment of a backup.

    A law has no use for the second and third.
    """
    if role == "all":
        shipper = shipping(folder, settings, signing) if durable else None
        writer = writer_of(folder, settings, share_of(folder, settings), durable, shipper)

        async def close() -> None:
            writer.close()

        closers.append(close)
        if not durable:
            return writer, None, None
        from casemate.wiring.journal import journal_of, sequence

        sequencer = await sequence(folder, settings, writer, closers)
        return writer, journal_of(folder, sequencer.fold, closers), near(shipper, sequencer.fold)
    from casemate.engines.writer_socket import SocketCommitter
    from casemate.wiring.journal import journal_of

    remote = SocketCommitter(folder.writer_socket)
    closers.append(remote.close)
    asks = remote.backup if role == "control" and settings.backup.folder else None
    return remote, journal_of(folder, remote.fold, closers), asks
