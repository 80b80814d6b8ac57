"""Environments by digest: a locked set of wheels, an image, or a tree of the site: what a job runs in.

    wheels:NAME   wheels of the region's own mirror, exactly those that a lock names
    image:NAME    an archive that `docker save` or an OCI tool wrote, or a SIF image of Apptainer
    site:NAME     modules and Spack trees of the machine, as they stand ([jobs.sites.NAME])

An environment lies at the label at which it was made and never changes: its digest is over the names and the SHA-384
of its files. A job holds the digest; what is not visible any more when it is dispatched, it does not get.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import msgspec

from casemate.access import Flow
from casemate.errors import Absent, BadInput, Conflict, Damaged
from casemate.jobs.lock import Pinned, pinned
from casemate.jobs.packages import PACKAGE, PIECE, Mirror, Package, normal
from casemate.labels import Label
from casemate.objects import Delete, Found, Kind, Put, Ref, Where

__all__ = ["ENVIRONMENT", "Chosen", "Environment", "EnvironmentRequest", "Environments", "File", "Site", "digest_of"]

Form = Literal["wheels", "image", "site"]
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_DIGEST = re.compile(r"[0-9a-f]{96}")
MISSING = 20
"""Lines of a lock of which it is told at once that the mirror lacks them."""
LOCK = 1 << 20
IMAGE, SIF = "image.tar", "image.sif"
_SIF = slice(32, 42)  # where a SIF image says that it is one


class EnvironmentRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`lock`: requirements as `pip-compile --generate-hashes` writes them."""

    name: str
    lock: str


class File(msgspec.Struct, frozen=True):
    """A wheel, or the archive of an image. `digest`: SHA-384, hexadecimal; `pieces`: blobs of the class, in order."""

    name: str
    size: int
    digest: str
    pieces: tuple[str, ...]


class Environment(msgspec.Struct, frozen=True):
    """`digest`: as `digest_of` makes it. `at` in microseconds."""

    name: str
    form: Literal["wheels", "image"]
    digest: str
    files: tuple[File, ...]
    added_by: str = ""
    at: int = 0


ENVIRONMENT = Kind(
    "environment",
    Environment,
    indexed=("digest",),
    blobs=lambda value: [piece for file in value.files for piece in file.pieces],
)


@dataclass(frozen=True, slots=True)
class Site:
    """A tree of the machine that the settings name, and the label of what lies there. `paths`: where programs are."""

    path: str
    label: Label
    paths: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a job runs in. `text`: with the digest. `found`: where it is the region's own. `site`: where it stands."""

    text: str
    found: Found[Environment] | None = None
    site: Site | None = None

    @property
    def refs(self) -> tuple[Ref, ...]:
        """What becomes a parent of the job."""
        return () if self.found is None else (self.found.ref,)


@dataclass(slots=True)
class Environments:
    """`sites`: those of the settings. `program`: what unpacks, file by file. `tried`, `why`, `used`: by class and text,
    how often an unpacking was given up and for what, and by token when a tree was last asked for (seconds of the
    process' clock)."""

    sites: Mapping[str, Site] = field(default_factory=dict)
    program: Mapping[str, bytes] = field(default_factory=dict)
    mirror: Mirror = field(default_factory=Mirror)
    tried: dict[tuple[str, str], int] = field(default_factory=dict)
    why: dict[tuple[str, str], str] = field(default_factory=dict)
    begun: dict[str, float] = field(default_factory=dict)
    used: dict[str, float] = field(default_factory=dict)

    async def add(self, flow: Flow, request: EnvironmentRequest) -> Found[Environment]:
        """An environment of the wheels that a lock names, at the acting label; the same again is what is there.

        Raises BadInput, naming all that the mirror lacks; Conflict where another has the name.
        """
        own = await flow.read_each(ENVIRONMENT, request.name[:128])
        if not own:
            await self._free(flow, request.name)
        if len(request.lock) > LOCK:
            raise BadInput(what=f"A lock has at most {LOCK} characters.")
        mirror: dict[str, list[Found[Package]]] = {}
        for found in await flow.every(PACKAGE):
            mirror.setdefault(found.value.project, []).append(found)
        chosen = _chosen(pinned(request.lock), mirror)
        files: list[File] = []
        for package in chosen:
            value, pieces = package.value, list[str]()
            digest, weak = hashlib.sha384(), hashlib.sha256()
            for piece in value.pieces:
                data = await flow.blob(package.ref.class_id, piece)
                digest.update(data)
                weak.update(data)
                if not own:
                    pieces.append(await flow.pour(data))
            if weak.hexdigest() != value.sha256:
                raise Damaged(what=f"package {value.name}")
            files.append(File(value.name, value.size, digest.hexdigest(), tuple(pieces)))
        if own:
            same = [one for one in own if (one.value.form, one.value.digest) == ("wheels", digest_of(files))]
            if len(same) < len(own):
                raise Conflict(what=f"Environment {request.name}")
            return await self.named(flow, request.name)
        return await self._made(flow, request.name, "wheels", files, tuple(each.ref for each in chosen))

    async def add_image(self, flow: Flow, name: str, incoming: AsyncIterator[bytes]) -> Found[Environment]:
        """An environment of an archive as it arrives, at the acting label. Raises BadInput, Conflict."""
        await self._free(flow, name)
        digest, size, pieces, waiting, begins = hashlib.sha384(), 0, list[str](), bytearray(), b""
        async for data in incoming:
            digest.update(data)
            size += len(data)
            begins = begins if len(begins) >= _SIF.stop else begins + data[: _SIF.stop]
            waiting += data
            while len(waiting) >= PIECE:
                pieces.append(await flow.pour(bytes(waiting[:PIECE])))
                del waiting[:PIECE]
        if waiting:
            pieces.append(await flow.pour(bytes(waiting)))
        if not size:
            raise BadInput(what="The archive is empty.")
        kind = SIF if begins[_SIF] == b"SIF_MAGIC\0" else IMAGE
        return await self._made(flow, name, "image", [File(kind, size, digest.hexdigest(), tuple(pieces))], ())

    async def every(self, flow: Flow) -> list[Found[Environment]]:
        """The visible ones that are the region's own, by name."""
        return sorted(await flow.every(ENVIRONMENT), key=lambda found: (found.id, found.label.text))

    def standing(self, flow: Flow) -> list[tuple[str, Site]]:
        """The visible trees of the site, by name."""
        return sorted((name, site) for name, site in self.sites.items() if site.label <= flow.acting)

    async def named(self, flow: Flow, name: str) -> Found[Environment]:
        """The visible one of that name or digest. Raises Absent."""
        found = await flow.every(ENVIRONMENT, Where((("digest", name),))) if _DIGEST.fullmatch(name) else []
        found = found or list(await flow.read_each(ENVIRONMENT, name[:128]))
        if not found:
            await flow.absent(ENVIRONMENT, name[:128])
        top = next((one for one in found if one.ref.class_id == flow.access.id), found[0])
        flow.use(top.ref)
        return top

    async def remove(self, flow: Flow, name: str) -> str:
        """Forget the one that lies at the acting label. What runs in it runs on; what waits for it fails. Absent."""
        own = [one for one in await flow.read_each(ENVIRONMENT, name[:128]) if one.ref.class_id == flow.access.id]
        if not own:
            await flow.absent(ENVIRONMENT, name[:128])
        await flow.commit(Delete(ENVIRONMENT, own[0].id, own[0].version), facts={"environment": own[0].id})
        return own[0].id

    async def look(self, flow: Flow, text: str) -> Chosen:
        """What a job asks for, as the flow sees it now. Raises Absent, Damaged."""
        form, _, name = text.partition(":")
        if form == "site":
            site = self.sites.get(name)
            if site is None or not site.label <= flow.acting:
                raise Absent(kind=ENVIRONMENT.name, id=name)
            return Chosen(text, site=site)
        found = await self.named(flow, name)
        if found.value.form != form:
            raise Absent(kind=ENVIRONMENT.name, id=name)
        if digest_of(found.value.files) != found.value.digest:
            raise Damaged(what="environment")
        return Chosen(f"{form}:{found.value.digest}", found)

    async def _free(self, flow: Flow, name: str) -> None:
        if not _NAME.fullmatch(name):
            raise BadInput(what="An environment's name has 1 to 64 letters, digits, '.', '-' and '_'.")
        own = Ref(ENVIRONMENT.name, name, flow.access.id)
        if await flow.read_each(ENVIRONMENT, name) or own in flow.barred(ENVIRONMENT):
            raise Conflict(what=f"Environment {name}")

    async def _made(
        self, flow: Flow, name: str, form: Literal["wheels", "image"], files: Sequence[File], parents: tuple[Ref, ...]
    ) -> Found[Environment]:
        value = Environment(
            name=name,
            form=form,
            digest=digest_of(files),
            files=tuple(sorted(files, key=lambda one: one.name)),
            added_by=flow.session.principal.name,
            at=flow.gate.vault.clock.now(),
        )
        await flow.commit(Put(ENVIRONMENT, name, value, parents, expect=0), facts={"environment": name})
        return await self.named(flow, name)


def digest_of(files: Sequence[File]) -> str:
    """SHA-384, hexadecimal, over `NAME NUL DIGEST NEWLINE` of every file in the order of their names."""
    told = hashlib.sha384(b"casemate environment\0")
    for file in sorted(files, key=lambda one: one.name):
        told.update(f"{file.name}\0{file.digest}\n".encode())
    return told.hexdigest()


def _chosen(lock: Sequence[Pinned], mirror: Mapping[str, Sequence[Found[Package]]]) -> list[Found[Package]]:
    """A wheel for each line. Raises BadInput, which says of each line what is missing, of 20 at most."""
    chosen, missing = list[Found[Package]](), list[str]()
    for each in lock:
        try:
            chosen.append(_fitting(each, mirror.get(each.name, ())))
        except BadInput as error:
            missing.append(str(error.facts["what"]))
    if missing:
        more = [f"And {len(missing) - MISSING} more."] if len(missing) > MISSING else []
        raise BadInput(what=" ".join((*missing[:MISSING], *more)))
    return chosen


def _fitting(asked: Pinned, known: Sequence[Found[Package]]) -> Found[Package]:
    """The one wheel of the mirror that a line of the lock names. Raises BadInput."""
    of_version = [one for one in known if normal(one.value.version) == normal(asked.version)]
    fitting = {one.value.sha256: one for one in of_version if one.value.sha256 in asked.hashes}
    if not fitting:
        if of_version:
            why = "its wheel in the mirror has another digest than the lock names"
        else:
            why = "the mirror has no wheel of it (`casemate packages import FOLDER`)"
        raise BadInput(what=f"{asked.text}: {why}.")
    if len(fitting) > 1:
        names = ", ".join(sorted(one.value.name for one in fitting.values())[:4])
        raise BadInput(what=f"{asked.text}: several wheels of the mirror fit: {names}. Name the digest of one.")
    return next(iter(fitting.values()))
