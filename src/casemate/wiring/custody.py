"""What custody is told of every kind that the region stores: each room says it of its own, and the rooms beside custody
have it said here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from casemate.access import Flow
from casemate.assistants.traced import TRACED as OF_ASSISTANTS
from casemate.buckets.kinds import (
    BUCKET,
    CHANGE,
    KEYS,
    MAP,
    OBJECT,
    PART,
    UPLOAD,
    ChangeRecord,
    ObjectRecord,
    Origin,
    PartRecord,
    Piece,
    UploadRecord,
    place,
)
from casemate.buckets.objects import parents_of
from casemate.custody.below import TRACED as OF_WHAT_IS_BELOW
from casemate.custody.kinds import Kinds, Link, Onto, Traced, Untraced, always
from casemate.datasets import Root
from casemate.datasets.dataset import DATASET, Dataset
from casemate.datasets.tree import packed, unpacked
from casemate.ids import fresh
from casemate.jobs import JOB, JOB_KEY
from casemate.jobs.changes import parents_of as read_by
from casemate.jobs.environment import ENVIRONMENT
from casemate.jobs.kept import JOB_PLACE
from casemate.jobs.limits import JOB_TURN
from casemate.jobs.nodes import JOB_NODE
from casemate.jobs.packages import PACKAGE, PACKAGE_LIST
from casemate.jobs.queues import JOB_DEFINITION, JOB_QUEUE
from casemate.jobs.shares import JOB_USE
from casemate.knowledge.traced import TRACED as OF_KNOWLEDGE
from casemate.labels import AccessClass
from casemate.missions.host import ANNOUNCED, FINDING, MISSION, NOTICE, WATCH, Finding, Notice, Watch
from casemate.missions.host.findings import found_by
from casemate.missions.host.watches import parents_of as watch_of
from casemate.models.traced import TRACED as OF_MODELS
from casemate.objects import Change, Found, Put, Ref, Where
from casemate.transfer.dispatch import DISPATCH
from casemate.transfer.region.channel import BUNDLE, CHANNEL, PROPOSED, REQUEST, TAKEN

__all__ = ["kinds"]


def kinds(roots: Mapping[str, Root] | None = None) -> Kinds:
    """All of them. A kind that stands nowhere here fails `tests/custody/test_kinds.py`. `roots`: of datasets."""
    known = dict(roots or {})

    def outside(flow: Flow, value: Dataset) -> str:
        root = known.get(value.root)
        return f"{root.path}/{value.under}" if root is not None and root.label <= flow.acting else ""

    in_place = Traced(
        DATASET,
        title=lambda one: one.title or one.name,
        fixed=True,
        goes=True,
        touched=True,
        outside=outside,
        bare=_bare,
        named=True,
    )
    return Kinds.of(*OF_WHAT_IS_BELOW, *OF_MODELS, *OF_KNOWLEDGE, *OF_ASSISTANTS, *BESIDE, in_place)


async def _raised(flow: Flow, onto: Onto, found: Found[ObjectRecord]) -> list[Put]:
    """The object under its own key; where another lies there already, under one that tells where it came from."""
    value, key = found.value, found.value.key
    if any(each.ref.class_id == onto.access.id for each in await flow.read_each(OBJECT, found.id)):
        short = key.encode()[:960].decode(errors="ignore")
        key = f"{short}~{fresh('obj', flow.gate.vault.entropy, f'raise/{onto.access.id}/{found.id}')}"
    pieces = [
        Piece(await onto.pour(await flow.blob(found.ref.class_id, each.blob)), each.size) for each in value.pieces
    ]
    change = Put(CHANGE, place(value.bucket, key), ChangeRecord(value.bucket, key, there=True))
    origins = tuple(_raised_too(flow, onto, each) for each in value.origins)
    raised = replace(value, key=key, pieces=tuple(pieces), origins=origins)
    return [Put(OBJECT, place(value.bucket, key), raised, parents_of(flow, origins), expect=0), change]


def _raised_too(flow: Flow, onto: Onto, origin: Origin) -> Origin:
    """Where a source lies from now on: what is contained is raised as well."""
    low = flow.gate.classes.by_id(origin.class_id)
    if onto.true <= low.label or Ref(OBJECT.name, origin.id, origin.class_id) not in flow.barred(OBJECT):
        return origin
    return Origin(origin.id, flow.gate.classes.of(low.label | onto.true).id)


def _made_of(flow: Flow, value: ObjectRecord | PartRecord) -> tuple[Ref, ...]:
    return parents_of(flow, value.origins)


async def _under_way(flow: Flow, found: Found[ObjectRecord]) -> list[Found[UploadRecord]]:
    """What is being uploaded to the place of an object, in its class."""
    bucket, _, key = found.id.partition("/")
    several = await flow.every(UPLOAD, Where((("bucket", bucket),)))
    return [each for each in several if each.ref.class_id == found.ref.class_id and each.value.key == key]


def _bare(raw: bytes) -> bytes:
    """A part of a manifest as it was before digests were taken: each of its versions says the same names."""
    try:
        items = unpacked(raw)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return b""
    return packed([replace(item, digest=b"") for item in items])


def _set_upon(flow: Flow, value: Watch) -> tuple[Ref, ...]:
    del flow
    return watch_of(value)


def _found(flow: Flow, value: Finding) -> tuple[Ref, ...]:
    del flow
    return found_by(value)


def _noticed(flow: Flow, value: Notice) -> tuple[Ref, ...]:
    return (Ref(JOB.name, value.job, flow.access.id),)


async def _out_of_order(flow: Flow, access: AccessClass, going: Sequence[Found[Any]]) -> tuple[list[Change], list[str]]:
    """The keys of these objects leave the order of their buckets."""
    del flow, access
    keys = [(one.value.bucket, one.value.key) for one in going if one.ref.kind == OBJECT.name]
    return [Put(CHANGE, place(*each), ChangeRecord(*each, there=False)) for each in keys], []


BESIDE: tuple[Traced | Untraced, ...] = (
    Traced(
        OBJECT,
        title=lambda one: f"{one.bucket}/{one.key}",
        raised=_raised,
        take_out=_out_of_order,
        parents=_made_of,
        touched=True,
        beside=_under_way,
        named=True,
    ),
    Traced(UPLOAD, title=lambda one: f"{one.bucket}/{one.key}", fixed=True, goes=True, touched=True),
    Traced(PART, (Link(UPLOAD.name, "upload"),), parents=_made_of, fixed=True, goes=True, touched=True, named=True),
    Traced(DISPATCH, title=lambda one: one.purpose, words=lambda one: (one.text,)),
    Untraced(BUCKET, "a place, with its floor and ceiling"),
    Untraced(CHANGE, "a key that has come or gone, to be sorted in"),
    Untraced(MAP, "the order of keys"),
    Untraced(KEYS, "the order of keys"),
    Traced(JOB, (Link(JOB.name, "parent"),), title=lambda one: one.name, parents=read_by, touched=True),
    Untraced(JOB_USE, "how much of the machine each owner has used of late"),
    Untraced(JOB_TURN, "how often somebody with a limit has asked for jobs"),
    Untraced(JOB_KEY, "that a key was used, and for which job"),
    Traced(JOB_DEFINITION, title=lambda one: f"{one.name}:{one.revision}", named=True),
    Traced(ENVIRONMENT, title=lambda one: one.name, fixed=True, goes=True, touched=True, named=True),
    Traced(MISSION, title=lambda one: one.name, fixed=True, goes=True, touched=True, named=True),
    Traced(WATCH, title=lambda one: one.name, parents=_set_upon, fixed=True, goes=True, touched=True),
    Traced(NOTICE, (Link(JOB.name, "job"),), title=lambda one: one.name, parents=_noticed, touched=True),
    Traced(
        FINDING,
        (Link(JOB.name, "run"),),
        title=lambda one: one.key,
        words=lambda one: (one.text,),
        made=always,
        parents=_found,
        touched=True,
    ),
    Untraced(ANNOUNCED, "when a sink was last told that there is something"),
    Traced(PACKAGE, title=lambda one: one.name, fixed=True, goes=True, touched=True, named=True),
    Untraced(PACKAGE_LIST, "names and digests of what may be brought, and who signed them"),
    Untraced(CHANNEL, "a way between two regions, with its keys and how far it has come"),
    Traced(BUNDLE, title=lambda one: f"{one.channel} {one.sequence}", fixed=True),
    Untraced(TAKEN, "where an object lies whose digest has come once"),
    Traced(PROPOSED, (Link(BUNDLE.name),), title=lambda one: one.name, fixed=True, goes=True),
    Traced(
        REQUEST,
        (Link(BUNDLE.name),),
        title=lambda one: one.by,
        words=lambda one: (one.text,),
        fixed=True,
        goes=True,
        touched=True,
    ),
    Untraced(JOB_QUEUE, "a place, with its floor and priority"),
    Untraced(JOB_NODE, "which label a machine holds, and what was done to it"),
    Untraced(JOB_PLACE, "the folder of an attempt of which an output stays where it lies"),
)
