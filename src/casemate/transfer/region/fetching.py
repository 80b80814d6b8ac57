"""Whether a channel may be fetched over a way that goes both ways: an officer's word, and its price in bits."""

from __future__ import annotations

import math

import msgspec
from msgspec.structs import replace

from casemate.access import Flow
from casemate.accounts import agreed
from casemate.errors import BadInput
from casemate.objects import Put
from casemate.transfer.region.channel import CHANNEL, ChannelRecord, Fetching
from casemate.transfer.region.office import named
from casemate.transfer.timetable import Timetable

__all__ = ["accredit_fetching"]


async def accredit_fetching(flow: Flow, name: str, timetable: Timetable | None) -> ChannelRecord | None:
    """What comes by this channel may be fetched by that timetable; by none, where it is None.

    None where a second officer has to say the same. The record says who it was and how many bits in a day it may tell
    the other side. Raises Absent, BadInput for a channel that sends.
    """
    found = await named(flow, name)
    if found.value.side != "received":
        raise BadInput(what="What is sent is not fetched here.")
    what = msgspec.json.encode(timetable).decode()
    agreement = await agreed(flow, f"fetch {name} {found.version} {what}")
    if agreement is None:
        return None
    who, now = flow.session.principal.name, flow.gate.vault.clock.now()
    after = replace(found.value, fetching=Fetching(timetable, who, now) if timetable is not None else None)
    facts: dict[str, str | int] = {"channel": name, "accreditor": who, "fetching": "no"}
    if timetable is not None:
        bits = math.ceil(timetable.bits_per_day)
        facts |= {"fetching": "yes", "every": timetable.every, "step": timetable.step, "bits-per-day": bits}
    await flow.commit(Put(CHANNEL, name, after, expect=found.version), *agreement, facts=facts)
    return after
