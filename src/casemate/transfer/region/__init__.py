"""What a region does with bundles: channels, what leaves by them, what comes and where it lies.

Everything goes through the gate: what leaves is lent to the region that takes it, decided and recorded first; what
comes is adopted in one commit at a label that is never below its own. What must never happen: that half of a bundle is
visible, or that a number, a gap or a name of one class is known in another.
"""

from __future__ import annotations

from casemate.transfer.region.arrive import Arrivals
from casemate.transfer.region.cargo import Alarming, Arrived, Cargo, Content, Gathered, Landed, Through
from casemate.transfer.region.channel import BUNDLE, CHANNEL, BundleRecord, ChannelRecord, MemberRecord
from casemate.transfer.region.leave import Departures, Wanted
from casemate.transfer.region.office import (
    Card,
    Introduction,
    channels,
    introduction,
    named,
    open_received,
    open_sent,
    permit,
    skip,
    trust,
)
from casemate.transfer.region.requests import requests, settle
from casemate.transfer.region.yard import Made, Opened, Outgoing, Packing, Place, Yard

__all__ = [
    "BUNDLE",
    "CHANNEL",
    "Alarming",
    "Arrivals",
    "Arrived",
    "BundleRecord",
    "Card",
    "Cargo",
    "ChannelRecord",
    "Content",
    "Departures",
    "Gathered",
    "Introduction",
    "Landed",
    "Made",
    "MemberRecord",
    "Opened",
    "Outgoing",
    "Packing",
    "Place",
    "Through",
    "Wanted",
    "Yard",
    "channels",
    "introduction",
    "named",
    "open_received",
    "open_sent",
    "permit",
    "requests",
    "settle",
    "skip",
    "trust",
]
