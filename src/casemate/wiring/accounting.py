"""The meter of a process, and the loops that feed it and write what it has counted.

all, control    read the limits from the store, and put them into the snapshot
data, answer    go by the limits of the snapshot
every one       counts; it begins with what it had counted before, and writes usage down

The limits are shared among the data processes. The console's questions (control) and batches (answer) are counted
there, each beside a share as large as a data process's: what they use is never taken from the wires.
"""

from __future__ import annotations

from casemate.accounts import Books, Meter, PriceBook, Tally, limits_from_bytes, limits_to_bytes
from casemate.models import Answerer, Metered
from casemate.wiring.house import House, Role

__all__ = ["account", "metered"]

_BESIDE = {"control": 0, "answer": 1}


async def account(house: House, role: Role, worker: int = 0) -> Meter:
    """Give the house its meter. `worker` is the number of this process among the data processes."""
    gate = house.gate
    workers = house.settings.listen.data if house.settings.listen.processes == "split" else 1
    teller = workers + _BESIDE[role] if role in _BESIDE else worker
    run = gate.vault.entropy.draw(f"usage/run/{teller}", 8).hex()
    meter = house.meter = Meter(gate.vault.clock, gate.vault.region.policies, Tally(run, teller), worker, workers)
    books = Books(gate, meter)
    house.sections.add(
        "quotas",
        lambda: limits_to_bytes(books.limits),
        lambda raw: meter.understood(limits_from_bytes(raw)),
        meter.adopt,
    )
    if role in ("all", "control"):
        await books.read()
        house.loops.append(books.refreshing)
    await books.restore()
    house.loops.append(books.flushing)
    house.closers.append(books.close)
    return meter


def metered(house: House, answerer: Answerer) -> Answerer:
    """The answerer, with every chat within its quotas and counted."""
    assert house.meter is not None
    return Metered(answerer, house.meter, house.catalogue, PriceBook.parse(house.settings.prices))
