"""How the rooms' own things travel: documents, objects of buckets, imported models, policies.

What is said of a thing stands beside its files in `about.json`, bounded and read as strictly as a request. Where it
comes, its own room still decides: a document waits to be read, a model to be accredited, a policy to be listed.
"""

from __future__ import annotations

import hashlib
import secrets
import shutil
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from casemate.access import HELD, Flow, HeldRecord, Region
from casemate.buckets.kinds import BUCKET, OBJECT, BucketRecord, ObjectRecord, Piece, Said, place
from casemate.buckets.names import named as bucket_named
from casemate.buckets.names import whole_key
from casemate.buckets.order import noted
from casemate.errors import Absent, BadInput, Conflict, Misconfigured, TooLarge
from casemate.ids import fresh
from casemate.knowledge.base import named as base_named
from casemate.knowledge.documents.bring import NAME_LIMIT
from casemate.knowledge.documents.described import Attribute, checked
from casemate.knowledge.documents.document import DOCUMENT, key_of, opened
from casemate.labels.policyfile import read_policy
from casemate.models.record import MODEL, Described, EngineSpec, ModelRecord, folder_of, proposed
from casemate.models.record import checked as model_checked
from casemate.models.registry import Registry, here
from casemate.models.signing import SIGNATURE
from casemate.models.weights import runs, taken_in
from casemate.objects import Change, Found, Put, Ref
from casemate.transfer.region import Arrived, Cargo, Carried, Content, Gathered, Landed, Shown, Through
from casemate.transfer.region.channel import (
    DOCUMENT_TYPE,
    MODEL_TYPE,
    OBJECT_TYPE,
    POLICY_TYPE,
    PROPOSED,
    ProposedRecord,
)

__all__ = ["cargo_of", "named_there"]

ABOUT, CONTENT, POLICY = "about.json", "content", "policy.toml"
PIECE = 8 << 20
LARGEST = 64 << 20
T = TypeVar("T")


def cargo_of(folder: Path, registry: Registry) -> tuple[Cargo, ...]:
    """All that travels. `folder`: the region's."""
    return _Documents(), _Objects(), _Models(folder / "models", registry), _Policies(folder / "policies")


class _About(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Of a document. `by`: who brought it there."""

    name: str
    base: str
    attributes: dict[str, Attribute] = {}
    by: str = ""


class _AboutObject(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    bucket: str
    key: str
    said: Said


class _AboutModel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`signer`: the key under which its files are signed (PEM), as whoever imported it first has named it."""

    name: str
    described: Described
    signer: str = ""


async def _about(arrived: Carried, type: type[T]) -> T:
    """What is said of it. Raises BadInput."""
    try:
        return msgspec.json.decode(await arrived.read(ABOUT), type=type)
    except (KeyError, msgspec.MsgspecError, UnicodeDecodeError):
        raise BadInput(what=ABOUT) from None


async def _content(arrived: Arrived, path: str = CONTENT) -> bytes:
    if path not in arrived.files:
        raise BadInput(what=path)
    return await arrived.read(path)


def named_there(by: Through, name: str) -> str:
    """Somebody of the region that sent it, as he is called here: no name here has a colon. Raises BadInput."""
    if not name.isprintable() or len(name) > NAME_LIMIT:
        raise BadInput(what="by")
    return f"{by.source}:{name}"


def _now(name: str, arrived: Arrived) -> str:
    """The name of what lands: of a PDF a guard has made its text."""
    return f"{name}.txt" if name.lower().endswith(".pdf") and arrived.formats.get(CONTENT) == "text" else name


def _own(flow: Flow, found: Sequence[Found[T]]) -> Found[T] | None:
    """The one of the flow's own class: what travels in a bundle is of one class."""
    return next((each for each in found if each.ref.class_id == flow.access.id), None)


class _Documents:
    kind, type, asks = "document", DOCUMENT_TYPE, False

    async def gather(self, flow: Flow, id: str) -> Gathered:
        """The file as it was brought, with what its bringer said of it."""
        whole, _ = await opened(flow, id[:64])
        if whole is None or whole.ref.class_id != flow.access.id or not whole.value.source:
            return await flow.absent(DOCUMENT, id[:64])
        value = whole.value
        about = _About(value.name, value.base, value.attributes, value.added_by[:NAME_LIMIT])
        data = await flow.blob(flow.access.id, value.source)
        contents = (Content(ABOUT, msgspec.json.encode(about)), Content(CONTENT, data))
        return Gathered(whole.ref, value.title or value.name, contents)

    async def shown(self, carried: Carried) -> Sequence[Shown]:
        return (Shown(CONTENT, (await _about(carried, _About)).name),)

    async def arrive(self, flow: Flow, arrived: Arrived, bundle: Ref, by: Through) -> Landed:
        """A file that waits to be read, all of it at the label at which it came: its marks are words of it by now.

        It is attributed to whoever brought it below, under a name that nobody here can have.
        """
        about = await _about(arrived, _About)
        if not about.name.isprintable() or not 0 < len(about.name) <= NAME_LIMIT:
            raise BadInput(what="name")
        base_named(about.base)
        data = await _content(arrived)
        label = flow.acting.text
        held = HeldRecord(
            name=_now(about.name, arrived),
            base=about.base,
            floor=label,
            blob=await flow.pour(data),
            digest=key_of(about.base, label, f"text\x00{bundle.id}", data),
            stated=label,
            marks="text",
            principal=named_there(by, about.by),
            at=flow.gate.vault.clock.now(),
            origin=bundle.id,
            attributes=checked(about.attributes, "en"),
        )
        id = fresh("doc", flow.gate.vault.entropy, f"held/{flow.access.id}/{flow.session.id}")
        ref = Ref(HELD.name, id, flow.access.id)
        return Landed(ref, (Put(HELD, id, held, (bundle,), expect=0),))

    async def there(self, flow: Flow, id: str, mark: str) -> bool:
        del mark
        refs = [each.ref for each in await flow.read_each(HELD, id)]
        refs += [each.ref for each in await flow.read_each(DOCUMENT, id)]
        return any(ref.class_id == flow.access.id for ref in refs)


class _Objects:
    kind, type, asks = "object", OBJECT_TYPE, False

    async def gather(self, flow: Flow, id: str) -> Gathered:
        """`id`: bucket/key. Raises TooLarge."""
        found = _own(flow, await flow.read_each(OBJECT, id))
        if found is None:
            return await flow.absent(OBJECT, id[:200])
        value = found.value
        if value.size > LARGEST:
            raise TooLarge(what="object", limit=LARGEST)
        data = b"".join([await flow.blob(flow.access.id, piece.blob) for piece in value.pieces])
        about = _AboutObject(value.bucket, value.key, value.said)
        contents = (Content(ABOUT, msgspec.json.encode(about)), Content(CONTENT, data))
        return Gathered(found.ref, id, contents)

    async def shown(self, carried: Carried) -> Sequence[Shown]:
        return (Shown(CONTENT, (await _about(carried, _AboutObject)).key),)

    async def arrive(self, flow: Flow, arrived: Arrived, bundle: Ref, by: Through) -> Landed:
        """The object in a bucket of that name; one that is not there is made."""
        del by
        about = await _about(arrived, _AboutObject)
        bucket_named(about.bucket, "en")
        whole_key(about.key, "en")
        data = await _content(arrived)
        pieces = [data[at : at + PIECE] for at in range(0, len(data), PIECE)]
        etag = hashlib.md5(data, usedforsecurity=False).hexdigest()
        record = ObjectRecord(
            bucket=about.bucket,
            key=_now(about.key, arrived),
            etag=etag,
            size=len(data),
            said=about.said,
            at=flow.gate.vault.clock.now(),
            pieces=tuple([Piece(await flow.pour(piece), len(piece)) for piece in pieces]),
            by=flow.session.principal.name,
        )
        return await self._landed(flow, record, bundle)

    async def _landed(self, flow: Flow, record: ObjectRecord, bundle: Ref) -> Landed:
        id = place(record.bucket, record.key)
        ref = Ref(OBJECT.name, id, flow.access.id)
        if ref in flow.barred(OBJECT):
            raise Conflict(what=id)
        before = _own(flow, await flow.read_each(OBJECT, id))
        changes: list[Change] = [Put(OBJECT, id, record, (bundle,), expect=before.version if before else 0)]
        if before is None:
            changes.append(noted(record.bucket, record.key, there=True))
        buckets = await flow.read_each(BUCKET, record.bucket)
        if not any(not each.value.gone for each in buckets):
            changes.append(_bucket(flow, record, _own(flow, buckets)))
        return Landed(ref, changes, record.etag)

    async def there(self, flow: Flow, id: str, mark: str) -> bool:
        found = _own(flow, await flow.read_each(OBJECT, id))
        return found is not None and found.value.etag == mark


def _bucket(flow: Flow, record: ObjectRecord, before: Found[BucketRecord] | None) -> Put:
    ceiling = flow.gate.vault.region.ceiling.with_needs(flow.acting.needs)
    made = BucketRecord(record.bucket, ceiling.text, record.at, record.by)
    return Put(BUCKET, record.bucket, made, expect=before.version if before else 0)


class _Models:
    kind, type, asks = "model", MODEL_TYPE, False

    def __init__(self, folder: Path, registry: Registry) -> None:
        self._folder = folder
        self._registry = registry

    async def gather(self, flow: Flow, id: str) -> Gathered:
        """The files of an imported model, and how it was described and who signed them."""
        found = await here(flow, id[:200])
        value = found.value
        if not value.files or value.retired:
            raise BadInput(what="Only models whose files were imported travel.")
        top = self._folder / folder_of(found.label, value.name)
        if value.signed_by and not value.signer:
            raise BadInput(what="The key of this model's signer was not kept; import it again, and it travels signed.")
        files = [Content(f"files/{one.path}", file=top / one.path) for one in value.files]
        about = _AboutModel(value.name, value.described, value.signer)
        return Gathered(found.ref, value.name, (Content(ABOUT, msgspec.json.encode(about)), *files))

    async def shown(self, carried: Carried) -> Sequence[Shown]:
        """Its files land as they came: their digests and a signature over them hold what they are.

        The signature itself is looked at by whoever verifies it.
        """
        paths = [path for path in carried.files if path.startswith("files/") and path != f"files/{SIGNATURE}"]
        return [Shown(path, path, remade=False) for path in paths]

    async def arrive(self, flow: Flow, arrived: Arrived, bundle: Ref, by: Through) -> Landed:
        """A model that nobody may use before an officer accredits it; its files are looked at like any import, and so
        is the signature over them: one that does not hold, or is no more there, is no model.
        """
        about = await _about(arrived, _AboutModel)
        model_checked(about.name, about.described, EngineSpec(), "en")
        token = secrets.token_hex(16)
        try:
            for path in arrived.files:
                if path.startswith("files/"):
                    await arrived.copy(path, self._folder / "incoming" / token / path.removeprefix("files/"))
            weights = await flow.beside(taken_in, self._registry.incoming(token, "en"), about.signer, "en")
            name = await self._settled(flow, token, about.name, str(by.sequence))
        except BaseException:
            await flow.beside(_removed, self._folder / "incoming" / token)
            raise
        engine = runs(name, weights)
        record = ModelRecord(
            name=name,
            described=about.described,
            engine=engine,
            proposed=proposed(flow.gate.vault.region, engine).text,
            formats=weights.formats,
            files=weights.files,
            signed_by=weights.signed_by,
            signer=weights.signer,
            bom=weights.bom,
            registered_by=flow.session.principal.name,
            at=flow.gate.vault.clock.now(),
        )

        async def known() -> None:
            self._registry.put(flow.access.label, record)

        async def undone() -> None:
            await flow.beside(_removed, self._folder / folder_of(flow.access.label, name))

        ref = Ref(MODEL.name, name, flow.access.id)
        return Landed(ref, (Put(MODEL, name, record, (bundle,), expect=0),), after=known, undo=undone)

    async def _settled(self, flow: Flow, token: str, name: str, place: str) -> str:
        """Under its own name, where nobody bears it: neither a record, nor files that one who was killed has left."""
        for one in (name, f"{name}@{place}", f"{name}@{place}-{token[:8]}"):
            if await flow.read_each(MODEL, one):
                continue
            try:
                await flow.beside(self._registry.settle, token, flow.access.label, one)
            except Conflict:
                continue
            return one
        raise BadInput(what="name")

    async def there(self, flow: Flow, id: str, mark: str) -> bool:
        del mark
        found = _own(flow, await flow.read_each(MODEL, id))
        return found is not None and not found.value.retired


def _removed(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


class _Policies:
    kind, type, asks = "policy", POLICY_TYPE, False

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def gather(self, flow: Flow, id: str) -> Gathered:
        """A policy that this region lists, by its name."""
        region: Region = flow.gate.vault.region
        if id not in region.policies.names:
            raise Absent(kind=PROPOSED.name, id=id[:64])
        own = self._folder / f"{id}.toml"
        packaged: Any = resources.files("casemate.labels").joinpath("policies", f"{id}.toml")
        text = (own if own.is_file() else packaged).read_text("utf-8")
        ref = Ref(PROPOSED.name, id, flow.access.id)
        return Gathered(ref, id, (Content(POLICY, text.encode()),))

    async def shown(self, carried: Carried) -> Sequence[Shown]:
        """Words: whoever proposes it reads all of it."""
        del carried
        return (Shown(POLICY, f"{POLICY}.txt"),)

    async def arrive(self, flow: Flow, arrived: Arrived, bundle: Ref, by: Through) -> Landed:
        """A proposal: the region lists it once an officer has put it into its settings."""
        del by
        try:
            text = (await _content(arrived, POLICY)).decode()
            policy = read_policy(text, POLICY)
        except (Misconfigured, UnicodeDecodeError):
            raise BadInput(what=POLICY) from None
        id = f"{policy.name}-{bundle.id}"
        record = ProposedRecord(policy.name, text, bundle.id, flow.gate.vault.clock.now())
        return Landed(Ref(PROPOSED.name, id, flow.access.id), (Put(PROPOSED, id, record, (bundle,), expect=0),))

    async def there(self, flow: Flow, id: str, mark: str) -> bool:
        del mark
        return _own(flow, await flow.read_each(PROPOSED, id)) is not None
