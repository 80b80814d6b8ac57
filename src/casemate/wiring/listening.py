"""Listeners of the settings, joined: a socket each, what gathers, and the bucket at the listener's label."""

from __future__ import annotations

from casemate.buckets import Place
from casemate.errors import MarkingError, Misconfigured
from casemate.missions.host import GATHER, Listening
from casemate.wiring.house import House, gatherer

__all__ = ["listening"]


def listening(house: House) -> None:
    """The listeners in the house. Raises Misconfigured for one whose label is none of this region."""
    from casemate.engines.syslog_door import SyslogDoor

    for name, told in house.settings.missions.listeners.items():
        try:
            label = house.gate.vault.region.label(told.label)
        except MarkingError as error:
            setting = f"missions.listeners.{name}.label"
            raise Misconfigured(setting=setting, why=str(error.facts.get("why", ""))) from None
        records = told.write == "record"
        kind = (".jsonl", "application/jsonl") if records else (".log", "text/plain")
        one = Listening(
            house.gate,
            gatherer(house, GATHER, told.seconds),
            label,
            Place(told.bucket, told.prefix, *kind, (("casemate-listener", name),)),
            SyslogDoor(told.host, told.port, told.peers, told.udp, told.connections),
            records,
            told.rate,
        )
        house.closers.append(one.stop)
        house.loops += one.loops()
