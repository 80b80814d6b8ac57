"""Listeners of the settings, joined: a socket each, what gathers, and the bucket at the listener's label."""

from __future__ import annotations

from casemate.buckets import Place
from casemate.errors import MarkingError, Misconfigured
from casemate.missions.host import GATHER, Listening
from casemate.wiring.house import House, gatherer
from casemate.wiring.tls import receiving

__all__ = ["listening"]


def listening(house: House) -> None:
    """The listeners in the house. Raises Misconfigured for one whose label is none of this region, or which has no
    certificate to show."""
    from casemate.engines.syslog_door import SyslogDoor

    for name, told in house.settings.missions.listeners.items():
        try:
            label = house.gate.vault.region.label(told.label)
        except MarkingError as error:
            setting = f"missions.listeners.{name}.label"
            raise Misconfigured(setting=setting, why=str(error.facts.get("why", ""))) from None
        secure = None
        if told.tls:
            secure = receiving(house.folder, house.settings, told.client_ca, f"missions.listeners.{name}.client_ca")
            house.loops.append(secure.loop())
        records = told.write == "record"
        kind = (".jsonl", "application/jsonl") if records else (".log", "text/plain")
        one = Listening(
            house.gate,
            gatherer(house, GATHER, told.seconds),
            label,
            Place(told.bucket, told.prefix, *kind, (("casemate-listener", name),)),
            SyslogDoor(
                told.host,
                told.port,
                told.peers,
                told.udp,
                told.connections,
                secure.context if secure is not None else None,
            ),
            records,
            told.rate,
        )
        house.closers.append(one.stop)
        house.loops += one.loops()
