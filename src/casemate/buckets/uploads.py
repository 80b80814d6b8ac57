"""Uploads in parts: they lie at the label at which they were begun, and nothing of them is seen before the end."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import AsyncIterator, Sequence

from casemate.access import Flow
from casemate.buckets.edges import Edges, look, seams
from casemate.buckets.kinds import OBJECT, PART, UPLOAD, PartRecord, Said, UploadRecord
from casemate.buckets.located import writable
from casemate.buckets.names import HIGHEST_PART, said, whole_key
from casemate.buckets.objects import TRIES, Made, land, origin, own_label, parents_of
from casemate.buckets.order import Order
from casemate.buckets.pieces import LARGEST, joined, pour
from casemate.buckets.seen import Condition, NewObject, Part, Seen, Upload
from casemate.errors import Ambiguous, BadInput, BadPart, CasemateError, ConditionFailed, Conflict, TooLarge
from casemate.ids import fresh
from casemate.objects import Delete, Found, Put, Ref, Where
from casemate.policy import Refuse
from casemate.words import say

__all__ = ["LEAST", "abort", "begin", "complete", "kept_parts", "part", "upload_seen", "uploads_of"]

LEAST = 5 << 20
"""Bytes of every part but the last, as S3 asks for them."""
TOGETHER = 500


async def begin(flow: Flow, bucket: str, key: str, new: NewObject) -> str:
    whole_key(key, flow.session.language)
    told = said(flow, new)
    await own_label(flow, new)
    await writable(flow, bucket)
    vault = flow.gate.vault
    id = fresh("upl", vault.entropy, f"upload/{flow.access.id}/{flow.session.id}")
    record = UploadRecord(bucket, key, told, vault.clock.now(), flow.session.principal.name)
    await flow.commit(Put(UPLOAD, id, record, expect=0), facts={"bucket": bucket})
    return id


async def upload_seen(flow: Flow, id: str) -> Upload:
    return _told(await flow.read(UPLOAD, id))


async def uploads_of(flow: Flow, bucket: str) -> list[Upload]:
    found = [_told(each) for each in await flow.every(UPLOAD, Where((("bucket", bucket),)))]
    return sorted(found, key=_order)


async def part(flow: Flow, id: str, number: int, body: AsyncIterator[bytes], of: Seen | None = None) -> str:
    """A part that comes in while its upload ends is let go of."""
    if not 1 <= number <= HIGHEST_PART:
        raise BadInput(what=say("buckets.part", flow.session.language, most=HIGHEST_PART))
    await _own(flow, id)
    edges = Edges()
    poured = await pour(flow, edges.of(body))
    etag = poured.md5.hex()
    origins, now = () if of is None else (origin(of),), flow.gate.vault.clock.now()
    record = PartRecord(id, number, etag, poured.size, now, poured.pieces, origins, edges.first, edges.last)
    put = Put(PART, _place(id, number), record, parents_of(flow, origins))
    if Ref(PART.name, put.id, flow.access.id) in flow.barred(PART):
        raise Conflict(what=f"{id}/{number}")  # what is frozen there stays
    await flow.commit(put, facts={"upload": id, "bytes": poured.size})
    if not await flow.read_each(UPLOAD, id):
        await flow.commit(Delete(PART, put.id), facts={"upload": id})
        await flow.absent(UPLOAD, id)
    if not await _stands(flow, put):
        await flow.commit(Delete(PART, put.id), facts={"upload": id})
        raise Conflict(what=f"{id}/{number}")
    return etag


async def _stands(flow: Flow, put: Put) -> bool:
    """Whether a part has not been contained, nor what it is a copy of, while it came."""
    if not flow.contained():
        return True
    barred = flow.barred(OBJECT) | flow.barred(PART)
    if Ref(PART.name, put.id, flow.access.id) in barred or barred & set(put.parents):
        return False
    blobs = flow.gate.vault.blobs
    return all([await blobs.exists(flow.access.id, piece.blob) for piece in put.value.pieces])


async def kept_parts(flow: Flow, id: str) -> list[Part]:
    upload = await flow.read(UPLOAD, id)
    found = await _parts(flow, id, upload.ref.class_id)
    return [Part(n, found[n].value.etag, found[n].value.size, found[n].value.at) for n in sorted(found)]


async def complete(flow: Flow, order: Order, id: str, parts: Sequence[tuple[int, str]], condition: Condition) -> Seen:
    """The object and the end of the upload are one commit; rows of many parts are removed behind it.

    Raises Refused (`mark-above`) where parts bear a mark together: then the upload stays as it is.
    """
    upload = await _own(flow, id)
    found = await _parts(flow, id, flow.access.id)
    chosen = _chosen(flow, found, parts)
    size = sum(each.size for each in chosen)
    if size > LARGEST:
        raise TooLarge(what="object", limit=LARGEST)
    made = Made(
        said=upload.value.said,
        pieces=tuple(itertools.chain.from_iterable(each.pieces for each in chosen)),
        size=size,
        etag=joined([each.etag for each in chosen]),
        parts=len(chosen),
        lengths=tuple(each.size for each in chosen),
        origins=tuple(dict.fromkeys(itertools.chain.from_iterable(each.origins for each in chosen))),
    )
    await writable(flow, upload.value.bucket)
    for seam in seams(chosen):
        await look(flow, seam)  # each part was looked at as it came
    end = Delete(UPLOAD, id, expect=upload.version)
    seen = await _landed(flow, order, (upload.value.bucket, upload.value.key), made, condition, end)
    with contextlib.suppress(CasemateError):  # the object is there; what is left is removed by `stale`
        await _let_go(flow, id, sorted(found))
    return seen


async def _landed(flow: Flow, order: Order, at: tuple[str, str], made: Made, condition: Condition, end: Delete) -> Seen:
    """The object in its place, while its upload is there. Raises Absent where somebody else has ended that."""
    for _ in range(TRIES):
        try:
            return await land(flow, order, at, made, condition, end)
        except (Ambiguous, ConditionFailed):
            raise
        except Conflict:
            await flow.read(UPLOAD, end.id)
    raise Conflict(what="/".join(at))


async def abort(flow: Flow, id: str) -> None:
    upload = await _own(flow, id)
    found = await _parts(flow, id, flow.access.id)
    await flow.commit(Delete(UPLOAD, id, expect=upload.version), facts={"upload": id, "aborted": "yes"})
    await _let_go(flow, id, sorted(found))


async def _own(flow: Flow, id: str) -> Found[UploadRecord]:
    """The upload, where the flow acts at its label. Raises Absent, Refused."""
    found = await flow.read(UPLOAD, id)
    if found.ref.class_id != flow.access.id:
        await flow.refuse(Refuse("no-write-down", {"acting": flow.domain.text, "asked": found.label.text}))
    return found


async def _parts(flow: Flow, id: str, class_id: str) -> dict[int, Found[PartRecord]]:
    found = await flow.every(PART, Where((("upload", id),)))
    return {each.value.number: each for each in found if each.ref.class_id == class_id}


def _chosen(flow: Flow, found: dict[int, Found[PartRecord]], parts: Sequence[tuple[int, str]]) -> list[PartRecord]:
    language = flow.session.language
    numbers = [number for number, _ in parts]
    if not parts or numbers != sorted(set(numbers)):
        raise BadPart(number=0, why=say("buckets.order", language))
    for at, (number, etag) in enumerate(parts, 1):
        here = found.get(number)
        if here is None or here.value.etag != etag.strip('"').lower():
            raise BadPart(number=number, why=say("buckets.absent-part", language))
        if at < len(parts) and here.value.size < LEAST:
            raise BadPart(number=number, least=LEAST, why=say("buckets.small-part", language, least=LEAST))
    return [found[number].value for number in numbers]


async def _let_go(flow: Flow, id: str, numbers: Sequence[int]) -> None:
    for start in range(0, len(numbers), TOGETHER):
        some = numbers[start : start + TOGETHER]
        await flow.commit(*(Delete(PART, _place(id, n)) for n in some), facts={"upload": id, "parts": len(some)})


def _told(found: Found[UploadRecord]) -> Upload:
    value = found.value
    told: Said = value.said
    new = NewObject(told.media, dict(told.headers), dict(told.metadata), dict(told.tags), found.label.text)
    return Upload(found.id, value.bucket, value.key, found.label, new, value.at)


def _place(id: str, number: int) -> str:
    return f"{id}/{number:05d}"


def _order(upload: Upload) -> tuple[str, int, str]:
    return upload.key, upload.at, upload.id
