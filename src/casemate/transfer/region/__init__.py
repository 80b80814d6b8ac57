"""What a region does with bundles: channels, what leaves by them, what comes and where it lies.

Everything goes through the gate: what leaves is lent to the region that takes it, decided and recorded first; what
comes is adopted in one commit at a label that is never below its own. What must never happen: that half of a bundle is
visible, or that a number, a gap or a name of one class is known in another.
"""

from __future__ import annotations

from casemate.transfer.region.arrive import Arrivals
from casemate.transfer.region.cargo import (
    Alarming,
    Arrived,
    Cargo,
    Carried,
    Content,
    Gathered,
    Landed,
    Shown,
    Through,
)
from casemate.transfer.region.channel import BUNDLE, CHANNEL, BundleRecord, ChannelRecord, MemberRecord
from casemate.transfer.region.fetching import accredit_fetching
from casemate.transfer.region.inspect import GuardProfile, Guards, Inspected, Looking
from casemate.transfer.region.keys import Keys, keys_of, renew_card, renew_root, revoke, rotate
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
from casemate.transfer.region.quarantine import Quarantine, Retention
from casemate.transfer.region.requests import requests, settle
from casemate.transfer.region.yard import LOST, Made, Opened, Outgoing, Packing, Place, Yard

__all__ = [
    "BUNDLE",
    "CHANNEL",
    "LOST",
    "Alarming",
    "Arrivals",
    "Arrived",
    "BundleRecord",
    "Card",
    "Cargo",
    "Carried",
    "ChannelRecord",
    "Content",
    "Departures",
    "Gathered",
    "GuardProfile",
    "Guards",
    "Inspected",
    "Introduction",
    "Keys",
    "Landed",
    "Looking",
    "Made",
    "MemberRecord",
    "Opened",
    "Outgoing",
    "Packing",
    "Place",
    "Quarantine",
    "Retention",
    "Shown",
    "Through",
    "Wanted",
    "Yard",
    "accredit_fetching",
    "channels",
    "introduction",
    "keys_of",
    "named",
    "open_received",
    "open_sent",
    "permit",
    "renew_card",
    "renew_root",
    "requests",
    "revoke",
    "rotate",
    "settle",
    "skip",
    "trust",
]
