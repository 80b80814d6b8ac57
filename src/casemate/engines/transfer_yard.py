"""The files of bundles in a region's folder `transfer/`: what goes out, what comes in, what waits.

    draft/ID.cmb -> outbox/ID.cmb        incoming/N.cmb, inbox/*.cmb -> held/ID.cmb, quarantine/ID.cmb

Names are random or bundles' ids, sizes are padded, and the folder is the region's alone: what lies there tells nobody
more than a carrier may see. It must never judge a bundle, or leave anything of one on the disk unsealed.
"""

from __future__ import annotations

import asyncio
import errno
import os
import secrets
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import starmap
from pathlib import Path

from casemate.crypto import Keeper, KeySigner, Recipient, Signer
from casemate.engines.bundle_files import Source, area_of, digested, drafted, look, resigned, seal
from casemate.engines.files_publish import sync_folder
from casemate.engines.transfer_inside import Lying, Whole
from casemate.errors import Absent, BadInput, CasemateError, StorageFull, TooLarge
from casemate.transfer.bundle import (
    Approval,
    Content,
    Face,
    File,
    Frames,
    Guarded,
    Layout,
    Outside,
    Release,
    Role,
    Thing,
    content_of,
    digest_of,
    envelope_of,
    hint_of,
    make_metadata,
    planned,
    read_root,
    signed,
    wrapped_to,
)
from casemate.transfer.bundle.release import read_envelope
from casemate.transfer.region import LOST, Carried, Made, Opened, Packing, Place
from casemate.transfer.region import Content as Lent

__all__ = ["MEMORY", "FolderYard"]

MEMORY = 256 << 20
"""Bytes of one bundle that are held while it is written; what lies in files (models) is not counted."""
_PIECE = 1 << 20
_DAY = 86_400 * 1_000_000


class FolderYard:
    """`folder` is made where it is not there. Work is done in threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def pack(self, packing: Packing) -> Made:
        """The draft of a bundle. Raises BadInput, TooLarge, Conflict where a file was changed meanwhile."""
        with _room():
            return await asyncio.to_thread(self._packed, packing)

    def lying(self, name: str, contents: tuple[Lent, ...]) -> Carried:
        """The files of an object that is to go, read where they lie."""
        return Lying(name, contents)

    async def publish(self, bundle: str, signing: Sequence[tuple[Role, bytes]] = ()) -> None:
        """The draft is what goes out from now on, signed by these keys too. Raises StorageFull."""
        draft, out = self._at("draft") / f"{bundle}.cmb", self._at("outbox") / f"{bundle}.cmb"
        with suppress(FileNotFoundError), _room():
            await asyncio.to_thread(_signed_by, draft, signing)
            draft.replace(out)
            await asyncio.to_thread(sync_folder, out.parent)

    async def drafts(self) -> list[str]:
        """Whole drafts, by the ids of their bundles."""
        return sorted(path.stem for path in self._at("draft").glob("[!.]*.cmb"))

    async def discard(self, bundle: str) -> None:
        """Nothing is left of a draft."""
        (self._at("draft") / f"{bundle}.cmb").unlink(missing_ok=True)

    async def given(self, bundle: str) -> AsyncIterator[bytes]:
        """What went out. Raises Absent."""
        path = self._at("outbox") / f"{_hex(bundle)}.cmb"
        try:
            file = path.open("rb")
        except FileNotFoundError:
            raise Absent(kind="bundle", id=bundle) from None
        with file:
            while piece := await asyncio.to_thread(file.read, _PIECE):
                yield piece

    async def receive(self, pieces: AsyncIterator[bytes], limit: int) -> str:
        """Keep what comes; its name. Raises TooLarge, and what the pieces raise."""
        name = f"incoming/{secrets.token_hex(16)}.cmb"
        size = 0
        self._at("incoming")
        with _room(), drafted(self._folder / name) as descriptor:
            async for piece in pieces:
                size += len(piece)
                if size > limit:
                    raise TooLarge(what="bundle", limit=limit)
                await asyncio.to_thread(_write, descriptor, piece)
        return name

    async def dropped(self) -> list[str]:
        """What lies whole in the inbox: a file that is still being copied has not the size that it says."""
        return await asyncio.to_thread(self._whole)

    async def channel(self, name: str) -> str:
        """Which channel a file says it is of; "" where it is no bundle."""
        return await asyncio.to_thread(self._channel, name)

    async def open(self, name: str, keepers: Sequence[bytes]) -> Opened:
        """One pass over all of it. Raises Absent (`LOST`) where it lies there no more."""
        return await asyncio.to_thread(self._opened, name, keepers)

    async def keep(self, name: str, place: Place, id: str) -> str:
        """The file lies there too from now on."""
        kept = f"{place}/{_hex(id)}.cmb"
        (self._at(place) / f"{id}.cmb").hardlink_to(self._folder / name)
        await asyncio.to_thread(sync_folder, self._folder / place)
        return kept

    async def forget(self, name: str) -> None:
        """Its name goes; nothing happens where it is gone."""
        (self._folder / name).unlink(missing_ok=True)

    def swept(self) -> int:
        """What a process that was killed has left of what came in, before this one takes anything; how much."""
        left = [path for place in ("incoming", "draft") for path in self._at(place).glob(".*.part")]
        left += list(self._at("incoming").glob("*.cmb"))
        for path in left:
            path.unlink(missing_ok=True)
        return len(left)

    def _at(self, place: str) -> Path:
        folder = self._folder / place
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder

    def _whole(self) -> list[str]:
        found = []
        for path in sorted(self._at("inbox").glob("[!.]*.cmb")):
            with suppress(CasemateError, OSError):
                if path.is_file() and not path.is_symlink():
                    area_of(path)
                    found.append(f"inbox/{path.name}")
        return found

    def _channel(self, name: str) -> str:
        try:
            return area_of(self._folder / name)[0].face.channel.hex()
        except (CasemateError, OSError):
            return ""

    def _opened(self, name: str, keepers: Sequence[bytes]) -> Opened:
        path = self._folder / name
        keys = [Keeper(each) for each in keepers]
        try:
            found = look(path, keys)
        except FileNotFoundError:
            raise Absent(kind=LOST, id=name) from None
        return Whole(path, found.facts, found.outside, keys)

    def _packed(self, packing: Packing) -> Made:
        things, raw, sources = _things(packing)
        layout = _with(planned(things), raw)
        signer, roles = KeySigner(packing.signing), KeySigner(packing.roles)
        signers = (signer, *map(KeySigner, packing.former))
        release = envelope_of(_release(packing, layout), layout.subjects, signers)
        metadata = make_metadata(
            release,
            packing.sequence,
            packing.expires + _DAY,
            dict.fromkeys(("timestamp", "snapshot", "targets"), (roles,)),
        )
        content = content_of(layout, release, {**metadata, **_roots((packing.root, *packing.roots))})
        id, recipient = bytes.fromhex(packing.bundle), Recipient(packing.recipient)
        key = secrets.token_bytes(32)
        frames = Frames(key, id, content.size)
        path = self._at("draft") / f"{packing.bundle}.cmb"
        wrapped = ((hint_of(recipient), wrapped_to(recipient, key, id)),)
        seal(
            path,
            content,
            frames,
            sources,
            lambda digest: _faced(_face(packing, content, digest, wrapped), signers),
        )
        digest = read_envelope(release).digest
        return Made(path.stat().st_size, digest, dict(layout.subjects))


def _roots(several: Sequence[bytes]) -> dict[str, bytes]:
    """Roots as members of `metadata/`, each by its own version."""
    return {f"{read_root(raw).trust.version}.root.json": raw for raw in several}


def _faced(face: Face, signers: Sequence[Signer]) -> Outside:
    """The face with the signatures of all of these."""
    made = signed(face, signers[0], "signer")
    for each in signers[1:]:
        made = signed(face, each, "signer", made.signatures)
    return made


def _signed_by(path: Path, signing: Sequence[tuple[Role, bytes]]) -> None:
    """The bundle bears the signatures of these keys too; one that it bears already stays as it is."""
    if not signing:
        return
    before, _ = area_of(path)
    made = before
    for role, private in signing:
        signer = KeySigner(private)
        if signer.public not in {each.public for each in made.signatures}:
            made = signed(made.face, signer, role, made.signatures)
    if made is not before:
        resigned(path, made)


@contextmanager
def _room() -> Iterator[None]:
    """Raises StorageFull where the disk is."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFull(what="transfer") from None
        raise


def _write(descriptor: int, piece: bytes) -> None:
    view = memoryview(piece)
    while view:
        view = view[os.write(descriptor, view) :]


def _things(packing: Packing) -> tuple[list[Thing], dict[str, bytes], dict[str, Source]]:
    """The objects, what of them is held in memory, and what lies in files. Raises TooLarge."""
    raw: dict[str, bytes] = {}
    sources: dict[str, Source] = {}
    things: list[Thing] = []
    for each in packing.objects:
        files: list[File] = []
        for content in each.contents:
            if content.file is None:
                digest, size = digest_of(content.data), len(content.data)
                raw[digest] = content.data
            else:
                source = digested(content.file)
                digest, size = source.digest, source.size
                sources[digest] = source
            files.append(File(content.path, digest, size))
        inside, guards = tuple(sorted(files, key=lambda file: file.path)), tuple(starmap(Guarded, each.guards))
        things.append(Thing(each.name, each.type, inside, each.label, guards))
    if sum(map(len, raw.values())) > MEMORY:
        raise TooLarge(what="bundle", limit=MEMORY)
    return things, raw, sources


def _with(layout: Layout, raw: dict[str, bytes]) -> Layout:
    """The layout, in which what is held is no longer to be brought."""
    large = {digest: size for digest, size in layout.large.items() if digest not in raw}
    return replace(layout, small={**layout.small, **raw}, large=large)


def _release(packing: Packing, layout: Layout) -> Release:
    return Release(
        approvals=tuple(Approval(by, reference) for by, reference in packing.approvals),
        banner=packing.banner,
        bundle=packing.bundle,
        channel=packing.channel,
        destination=packing.destination,
        issued=packing.issued,
        label=packing.label,
        not_after=packing.expires,
        objects=layout.stated,
        previous=packing.previous,
        sequence=packing.sequence,
        source=packing.source,
    )


def _face(packing: Packing, content: Content, digest: bytes, wrapped: tuple[tuple[bytes, bytes], ...]) -> Face:
    return Face(
        id=bytes.fromhex(packing.bundle),
        channel=bytes.fromhex(packing.channel),
        sequence=packing.sequence,
        expires=packing.expires,
        size=content.size,
        frames=digest,
        inner=content.inner,
        profile="hybrid",
        banner=packing.banner,
        recipients=wrapped,
    )


def _hex(id: str) -> str:
    """An id as part of a file's name. Raises BadInput for anything else."""
    if not id or not set(id) <= set("0123456789abcdef"):
        raise BadInput(what="That is no id of a bundle.")
    return id
