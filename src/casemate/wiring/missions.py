"""Missions that run by themselves, joined: what lies at a source, the sinks of the settings, and the two loops."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path

from casemate.access import Ceiling, Flow
from casemate.buckets import Buckets, Condition
from casemate.datasets import Datasets
from casemate.errors import ConditionFailed, MarkingError, Misconfigured, TooLarge
from casemate.jobs import Jobs
from casemate.labels import Label
from casemate.missions.host import Lying, Missions, Notices, Outlet, Sink, Watching
from casemate.settings.missions import SinkSettings
from casemate.wiring.house import House

__all__ = ["MissionSpool", "watching"]

_PAGE = 500


@dataclass(frozen=True, slots=True)
class MissionSpool:
    """Implements `missions.host.Spool`: objects below a prefix of a bucket, or a dataset as it was last recorded."""

    buckets: Buckets
    datasets: Datasets

    async def lying(self, flow: Flow, source: str, most: int) -> list[Lying]:
        scheme, _, place = source.partition(":")
        if scheme == "dataset":
            found = await self.datasets.named(flow, place)
            value = found.value
            said = f"{found.ref.class_id} {value.root} {value.under} {value.at} {value.files} {value.size}"
            return [Lying(source, said)]
        bucket, _, prefix = place.partition("/")
        told, after = list[Lying](), ""
        while True:
            page = await self.buckets.listed(flow, bucket, prefix, "", after, _PAGE)
            told += [
                Lying(f"object:{bucket}/{one.key}", f"{one.class_id} {one.etag} {one.size}")
                for one in page.objects
                if not one.others  # of two that neither is above the other none can be read
            ]
            if len(told) > most:
                raise TooLarge(what=source[:200], limit=most)
            if page.next is None:
                return told
            after = page.next

    async def clear(self, flow: Flow, lying: Lying) -> None:
        class_id, etag, _ = lying.said.split(" ")
        bucket, _, key = lying.source.removeprefix("object:").partition("/")
        if class_id == flow.access.id:  # what lies lower is for those below to remove
            with contextlib.suppress(ConditionFailed):  # another lies there by now
                await self.buckets.remove(flow, bucket, key, Condition(if_match=(etag,)))


def watching(house: House, jobs: Jobs, datasets: Datasets) -> None:
    """The loops in the house. Raises Misconfigured for a sink that cannot be."""
    patience = None if house.extractor else 0.5
    spool = MissionSpool(house.buckets, datasets)
    runs = Watching(house.gate, Missions(jobs), spool, patience)
    sinks = {name: _sink(house, name, told) for name, told in house.settings.missions.sinks.items()}
    notices = Notices(house.gate, sinks, house.settings.region.name, patience)
    house.closers += [runs.stop, notices.stop]
    house.loops += [*runs.loops(), *notices.loops()]


def _sink(house: House, name: str, told: SinkSettings) -> Sink:
    from casemate.engines.notice_sinks import FolderSink, HookSink

    setting = f"missions.sinks.{name}"
    ceiling = Ceiling(name, _label(house, f"{setting}.accreditation", told.accreditation), outside=True)
    known = _label(house, f"{setting}.announces", told.announces) if told.announces else None
    if told.folder:
        return Sink(ceiling, known, FolderSink(Path(told.folder), house.gate.threads))
    try:
        hook = HookSink(name, told.url, house.folder.path / told.ca_file if told.ca_file else None)
    except ValueError as error:
        raise Misconfigured(setting=f"{setting}.url", why=str(error)) from None

    async def close() -> None:
        hook.close()

    house.closers.append(close)
    outlet: Outlet = hook
    return Sink(ceiling, known, outlet)


def _label(house: House, setting: str, text: str) -> Label:
    try:
        return house.gate.vault.region.reach(text)
    except MarkingError as error:
        raise Misconfigured(setting=setting, why=str(error.facts.get("why", ""))) from None
