"""The region's own mirror of packages: wheels that somebody brought, each as a list said that it is.

    SHA256SUMS (signed) -> listed -> each wheel compared with it as it arrives -> a package at the acting label

Whose signature counts, the settings say ([jobs] package_keys). Where they name nobody, an unsigned list is taken at the
region's floor alone, and it is told; above it, and wherever a key is named, what nobody has signed is refused.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

import msgspec

from casemate.access import Flow
from casemate.crypto.sign import key_id, verify
from casemate.errors import BadInput, Conflict
from casemate.objects import Found, Kind, Put
from casemate.policy import Refuse

__all__ = ["PACKAGE", "PACKAGE_LIST", "ListRequest", "Mirror", "Package", "PackageList", "normal"]

LONGEST = 1 << 20
PIECE = 8 << 20
_WHEEL = re.compile(
    r"([A-Za-z0-9](?:[A-Za-z0-9._]*[A-Za-z0-9])?)-([A-Za-z0-9][A-Za-z0-9.!+_]*)(?:-[0-9][A-Za-z0-9_.]*)?"
    r"-[A-Za-z0-9_.]+-[A-Za-z0-9_.]+-[A-Za-z0-9_.]+\.whl"
)
_SUM = re.compile(r"([0-9a-f]{64}) [ *]([^/\0]{1,255})")


class ListRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`sums`: lines of `sha256sum`. `signature`: Ed25519 over its bytes, hexadecimal; "" for none."""

    sums: str
    signature: str = ""


class PackageList(msgspec.Struct, frozen=True):
    """What may be brought: names and their SHA-256. `key`: who signed it, "" for nobody."""

    sums: dict[str, str]
    key: str = ""
    added_by: str = ""
    at: int = 0


class Package(msgspec.Struct, frozen=True):
    """A wheel. `project`: its name as packages are compared. `sha256` hexadecimal; `key`: whose list named it."""

    name: str
    project: str
    version: str
    size: int
    sha256: str
    pieces: tuple[str, ...]
    key: str = ""
    added_by: str = ""
    at: int = 0


PACKAGE = Kind("package", Package, indexed=("project",), blobs=lambda value: list(value.pieces))
PACKAGE_LIST = Kind("package_list", PackageList)


def normal(name: str) -> str:
    """A name or a version as it is compared (names: PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


@dataclass(frozen=True, slots=True)
class Mirror:
    """`keys`: public keys whose signature counts."""

    keys: tuple[bytes, ...] = ()

    async def listed(self, flow: Flow, request: ListRequest) -> tuple[str, PackageList]:
        """Take a list at the acting label; its id. Raises BadInput, Refused (`package-signature`)."""
        raw = request.sums.encode()
        if len(raw) > LONGEST:
            raise BadInput(what=f"A list of packages has at most {LONGEST} bytes.")
        sums: dict[str, str] = {}
        for line in request.sums.splitlines():
            match = _SUM.fullmatch(line)
            if match is None or sums.setdefault(match[2], match[1]) != match[1]:
                raise BadInput(what="SHA256SUMS has a line `DIGEST  NAME` for each file, as sha256sum writes it.")
        signer = self._signer(raw, request.signature)
        floor = flow.gate.vault.region.floor
        if not signer and (self.keys or request.signature or flow.acting is not floor):
            await flow.refuse(Refuse("package-signature", {"acting": flow.acting.text}))
        id = hashlib.sha384(raw + b"\0" + signer.encode()).hexdigest()
        value = PackageList(sums, signer, flow.session.principal.name, flow.gate.vault.clock.now())
        for found in await flow.read_each(PACKAGE_LIST, id):
            if found.ref.class_id == flow.access.id:
                return id, found.value
        await flow.commit(Put(PACKAGE_LIST, id, value, expect=0), facts={"packages": len(sums)})
        return id, value

    async def bring(self, flow: Flow, listed: str, name: str, incoming: AsyncIterator[bytes]) -> Found[Package]:
        """A wheel as it arrives; one that is there already stays. Raises Absent, BadInput, Conflict."""
        match = _WHEEL.fullmatch(name)
        if match is None:
            raise BadInput(what=f"{name[:128]!r} is no name of a wheel.")
        told = await flow.read(PACKAGE_LIST, listed[:128])
        expected = told.value.sums.get(name)
        if told.ref.class_id != flow.access.id or expected is None:
            raise BadInput(what=f"The list does not name {name}.")
        digest, size, pieces, waiting = hashlib.sha256(), 0, tuple[str, ...](), bytearray()
        async for data in incoming:
            digest.update(data)
            size += len(data)
            waiting += data
            while len(waiting) >= PIECE:
                pieces += (await flow.pour(bytes(waiting[:PIECE])),)
                del waiting[:PIECE]
        if waiting:
            pieces += (await flow.pour(bytes(waiting)),)
        if digest.hexdigest() != expected:
            raise BadInput(what=f"{name} is not the file that the list names.")
        for found in await flow.read_each(PACKAGE, name):
            if found.value.sha256 == expected and found.ref.class_id == flow.access.id:
                return found
            if found.value.sha256 != expected:
                raise Conflict(what=f"Package {name}")
        value = Package(
            name=name,
            project=normal(match[1]),
            version=match[2],
            size=size,
            sha256=expected,
            pieces=pieces,
            key=told.value.key,
            added_by=flow.session.principal.name,
            at=flow.gate.vault.clock.now(),
        )
        await flow.commit(Put(PACKAGE, name, value, expect=0), facts={"package": name})
        return next(one for one in await flow.read_each(PACKAGE, name) if one.ref.class_id == flow.access.id)

    async def every(self, flow: Flow) -> list[Found[Package]]:
        """The visible ones, by name."""
        return sorted(await flow.every(PACKAGE), key=lambda found: (found.id, found.label.text))

    def _signer(self, raw: bytes, signature: str) -> str:
        """The key of the settings that has signed it, or ""."""
        try:
            signed = bytes.fromhex(signature)
        except ValueError:
            return ""
        return next((key_id(key) for key in self.keys if verify(key, raw, signed)), "")
