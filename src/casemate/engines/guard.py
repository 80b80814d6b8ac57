"""The guard over files: each side in a child of its own, fenced; what either of them does not answer for is held.

    file ──▶ [extract, for a PDF] ──▶ make ──▶ canonical ──▶ check ──▶ the same? ──▶ Verdict

Of safetensors a child gets the header alone: the data crosses as it is, and only its length is compared. A child that
crashes, runs out of time or memory, or answers with something else, is a verdict too: held, with that rule.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from casemate.engines.cell import CPU, MEMORY, TIME, Cells, Program
from casemate.engines.extractor import CellExtractor
from casemate.engines.sandbox import Limits, Sandbox
from casemate.errors import Damaged, EngineFailed, Refused, Unreadable
from casemate.transfer.guard import Direction, Format, Verdict, format_of, held, may_cross, profile_of

__all__ = ["CellGuard", "Looked"]

_PIECE = 1 << 20
_ENDINGS = {TIME: "guard-time", CPU: "guard-time", MEMORY: "guard-memory"}


@dataclass(frozen=True, slots=True)
class _Request:
    format: str
    direction: str
    data: bytes
    schema: bytes
    rest: int


@dataclass(frozen=True, slots=True)
class _Answer:
    data: bytes = b""
    rule: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Looked:
    """The verdict, the canonical bytes where they agree, and where in the file what follows them begins.

    `follows` is 0 but for safetensors, whose data is not copied here.
    """

    verdict: Verdict
    canonical: bytes = b""
    follows: int = 0


class CellGuard:
    """Holds nothing and keeps nothing: a child per side and object, or per side and domain.

    Raises SandboxMissing where none can be fenced.
    """

    def __init__(self, sandbox: Sandbox, limits: Limits | None = None, deadline: float = 120.0) -> None:
        limits = limits or Limits(memory=2 << 30, cpu=90)
        self._make, self._check = (
            Cells(sandbox, Program(f"guard-{side}", "casemate.cells.guard", (), limits, (side,), deadline))
            for side in ("make", "check")
        )
        self._extractor = CellExtractor(sandbox, limits, deadline, recogniser=lambda: None)

    async def look(self, path: Path, direction: Direction, format: Format | None, schema: bytes = b"") -> Looked:
        """What the guard says of a file. `format` None: the one that its name claims. Raises OSError."""
        profile = profile_of(direction)
        asked = format or "unknown"
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            first = file.read(512)
            try:
                asked = format or format_of(path.name, first)
                may_cross(asked, first, profile)
                if asked != "safetensors" and size > profile.size:
                    raise held("guard-size", f"{profile.size:,} bytes")
            except Refused as error:
                return _held(asked, direction, error)
            head = first + _needed(file, first, asked, size, profile.header)
            looked = await self.judge(path.name, asked, direction, head, size, schema)
            if not looked.verdict.agrees or asked != "safetensors":
                return looked
            digest, length = _digest(looked.canonical, file, len(head))
        verdict = Verdict(asked, direction, True, "", "", digest, length, changed=looked.verdict.changed)
        return Looked(verdict, looked.canonical, len(head))

    async def judge(
        self,
        name: str,
        asked: Format,
        direction: Direction,
        head: bytes,
        size: int,
        schema: bytes = b"",
        domain: str | None = None,
    ) -> Looked:
        """What the guard says of bytes: `head` is all of a file, of safetensors its header, and so are the digest and
        the canonical bytes. `size`: of the whole file. `domain`: whose children look at it, None for two of its own.
        """
        profile = profile_of(direction)
        try:
            may_cross(asked, head[:512], profile)
            if len(head) > profile.size:
                raise held("guard-size", f"{profile.size:,} bytes")
            if asked == "pdf":
                return await self._pdf(name, head, direction)
            canonical, agree = await self._both(asked, direction, head, schema, size - len(head), domain)
        except Refused as error:
            return _held(asked, direction, error)
        if not agree:
            return Looked(Verdict(asked, direction, agrees=False, rule="guard-differs"))
        digest, length = hashlib.sha512(canonical).hexdigest(), len(canonical)
        verdict = Verdict(asked, direction, True, "", "", digest, length, changed=canonical != head)
        return Looked(verdict, canonical)

    def keep(self, looked: Looked, path: Path, output: Path) -> None:
        """The canonical bytes as a new file, its digest counted once more as it is written.

        Raises Damaged where the file is no longer what was looked at; OSError where there is an output already.
        """
        descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as made, path.open("rb") as file:
            made.write(looked.canonical)
            digest, _ = _digest(looked.canonical, file, looked.follows, made)
        if digest != looked.verdict.digest:
            output.unlink()
            raise Damaged(what=str(path))

    async def close(self) -> None:
        """End the children."""
        for each in (self._make, self._check, self._extractor):
            await each.close()

    async def _pdf(self, name: str, data: bytes, direction: Direction) -> Looked:
        """Its text, as text; of what else it holds nothing crosses."""
        try:
            found = await self._extractor.extract(f"{Path(name).stem}.pdf", data)
        except Unreadable:
            return Looked(Verdict("pdf", direction, agrees=False, rule="guard-structure", why="it cannot be read"))
        paragraphs = [each.text for part in found.parts for page in part.pages for each in page]
        raw = "\n\n".join(paragraphs).encode("utf-8", "replace") + b"\n"
        canonical, agree = await self._both("text", direction, raw, b"", 0)
        if not agree:
            return Looked(Verdict("text", direction, agrees=False, rule="guard-differs"))
        digest = hashlib.sha512(canonical).hexdigest()
        return Looked(Verdict("text", direction, True, "", "", digest, len(canonical), changed=True), canonical)

    async def _both(
        self, format: str, direction: Direction, data: bytes, schema: bytes, rest: int, domain: str | None = None
    ) -> tuple[bytes, bool]:
        """The canonical bytes, and whether both sides came to them. Raises Refused."""
        made = await self._ask(self._make, _Request(format, direction, data, schema, rest), domain)
        again = await self._ask(self._check, _Request(format, direction, made, schema, rest), domain)
        return made, made == again

    async def _ask(self, side: Cells, request: _Request, domain: str | None) -> bytes:
        try:
            answer = await side.ask(request, _Answer, domain=domain)
        except EngineFailed as error:
            raise held(_ENDINGS.get(str(error.facts.get("ending")), "guard-crash")) from None
        except Unreadable:
            raise held("guard-structure", "it is nested too deeply") from None
        if answer.rule:
            raise held(answer.rule, answer.why)
        return answer.data


def _held(format: str, direction: Direction, error: Refused) -> Looked:
    rule, why = str(error.facts["rule"]), str(error.facts.get("why", ""))
    return Looked(Verdict(format, direction, agrees=False, rule=rule, why=why))


def _needed(file: BinaryIO, first: bytes, format: str, size: int, header: int) -> bytes:
    """What a child has to see beyond the first bytes: all of it; of safetensors no more than the header."""
    if format != "safetensors":
        return file.read(max(0, size - len(first)))
    said = int.from_bytes(first[:8], "little") if len(first) >= 8 else 0
    return file.read(max(0, min(said, header) + 8 - len(first)))


def _digest(canonical: bytes, file: BinaryIO, follows: int, copy: BinaryIO | None = None) -> tuple[str, int]:
    """SHA-512 and length of the canonical bytes and of what follows them in the file; into `copy` as well."""
    digest, length = hashlib.sha512(canonical), len(canonical)
    if follows:
        file.seek(follows)
        while piece := file.read(_PIECE):
            digest.update(piece)
            length += len(piece)
            if copy is not None:
                copy.write(piece)
    return digest.hexdigest(), length
