"""A STIX 2.1 bundle: an indicator for each rule, with its author, and a sighting for each alert.

Written as the specification has it (OASIS STIX 2.1), without a library: identifiers are UUIDv5 of what they stand for,
so that the same run gives the same bundle.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from casemate_cyber.out.attack import techniques
from casemate_cyber.scan.alerts import Alert
from casemate_cyber.scan.correlate import seconds
from casemate_cyber.times import instant

SPACE = uuid.UUID("6f5f0f0e-8a4c-5a51-9d0b-0b7b9a2a7c11")
LARGEST = 999_999_999


def _id(kind: str, *parts: str) -> str:
    return f"{kind}--{uuid.uuid5(SPACE, chr(0).join((kind, *parts)))}"


def bundle(alerts: Iterable[Alert], most: int = 2000) -> dict[str, Any]:
    """The first `most` alerts as a bundle. An alert without a readable time stands at 1970, as STIX must have one."""
    objects: dict[str, dict[str, Any]] = {}
    us = _id("identity", "casemate-cyber")
    zero = instant(0.0)
    objects[us] = _object("identity", us, zero, name="Casemate, cyber-threat detection", identity_class="system")
    for number, alert in enumerate(alerts):
        if number >= most:
            break
        first, last = (instant(seconds(time) or 0.0) for time in (alert.first, alert.last))
        rule = _id("indicator", alert.rule)
        if rule not in objects:
            objects[rule] = _object(
                "indicator",
                rule,
                zero,
                name=alert.title,
                description=f"Sigma rule {alert.rule}. Author: {alert.author}. Detection Rule License 1.1.",
                pattern=f"title: {alert.title}\nid: {alert.rule}\nauthor: {alert.author}\n",
                pattern_type="sigma",
                valid_from=zero,
                created_by_ref=us,
                external_references=[
                    {"source_name": "mitre-attack", "external_id": technique} for technique in techniques(alert.tags)
                ]
                or [{"source_name": "sigma", "external_id": alert.rule}],
            )
        host = _id("infrastructure", alert.host)
        if alert.host and host not in objects:
            objects[host] = _object("infrastructure", host, zero, name=alert.host, created_by_ref=us)
        sighting = _id("sighting", alert.key)
        objects[sighting] = _object(
            "sighting",
            sighting,
            zero,
            first_seen=first,
            last_seen=max(first, last),
            count=min(alert.count, LARGEST),
            sighting_of_ref=rule,
            created_by_ref=us,
            where_sighted_refs=[us],
            description=f"{alert.host} {alert.user}".strip()
            + "".join(f"\n{f} = {v}  ({p})" for f, p, v in alert.why[:10]),
        )
    identifier = _id("bundle", *sorted(objects))
    return {"type": "bundle", "id": identifier, "objects": list(objects.values())}


def _object(kind: str, identifier: str, at: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "spec_version": "2.1", "id": identifier, "created": at, "modified": at, **more}
