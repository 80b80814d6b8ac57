"""The region's own mirror of packages: wheels that somebody brought, each as a list said that it is.

    SHA256SUMS (signed) -> listed -> each wheel compared with it as it arrives -> a package at the acting label
    a bundle            -> carried: the same, with its list where one came, and the digest that the bundle states

A Debian package is a file of the mirror like a wheel; no lock names one. Whose signature counts, the settings say
([jobs] package_keys). Where they name nobody, an unsigned list is taken at the region's floor alone, and it is told;
above it, and wherever a key is named, what nobody has signed is refused. A bundle's signature stands for a list's only
where no key is named.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

import msgspec

from casemate.access import Flow
from casemate.crypto.sign import key_id, verify
from casemate.errors import BadInput, Conflict
from casemate.objects import Change, Found, Kind, Put, Ref
from casemate.policy import Refuse

__all__ = ["PACKAGE", "PACKAGE_LIST", "Carried", "ListRequest", "Mirror", "Package", "PackageList", "normal"]

LONGEST = 1 << 20
PIECE = 8 << 20
_WHEEL = re.compile(
    r"([A-Za-z0-9](?:[A-Za-z0-9._]*[A-Za-z0-9])?)-([A-Za-z0-9][A-Za-z0-9.!+_]*)(?:-[0-9][A-Za-z0-9_.]*)?"
    r"-[A-Za-z0-9_.]+-[A-Za-z0-9_.]+-[A-Za-z0-9_.]+\.whl"
)
_DEB = re.compile(r"([a-z0-9][a-z0-9+.-]+)_([0-9][A-Za-z0-9.+:~-]*)_[a-z0-9-]+\.deb")
_SUM: Final = re.compile(r"([0-9a-f]{64}) [ *]([^/\0]{1,255})")


class ListRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`sums`: lines of `sha256sum`. `signature`: Ed25519 over its bytes, hexadecimal; "" for none."""

    sums: str
    signature: str = ""


class PackageList(msgspec.Struct, frozen=True):
    """What may be brought: names and their SHA-256. `key`: who signed it, "" for nobody.

    `text` and `signature`: as they came, so that whoever gets a package by a bundle can check them again.
    """

    sums: dict[str, str]
    key: str = ""
    added_by: str = ""
    at: int = 0
    text: str = ""
    signature: str = ""


class Package(msgspec.Struct, frozen=True):
    """A wheel, or a Debian package. `project`: a wheel's name as packages are compared, "" of what is none.

    `sha256` hexadecimal; `key`: whose list named it, or the bundle that did; `listed`: the list's id;
    `bundle`: by which it came.
    """

    name: str
    project: str
    version: str
    size: int
    sha256: str
    pieces: tuple[str, ...]
    key: str = ""
    added_by: str = ""
    at: int = 0
    listed: str = ""
    bundle: str = ""


class Carried(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A package as a bundle states it: its name, its SHA-256, and the list that it came by, where there was one."""

    name: str
    sha256: str
    sums: str = ""
    signature: str = ""


PACKAGE = Kind(
    "package",
    Package,
    indexed=("project",),
    sources=lambda _id, value: (("transfer.bundle", value.bundle),) if value.bundle else (),
    blobs=lambda value: list(value.pieces),
)
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
        id, value = self._read(flow, request.sums, request.signature)
        floor = flow.gate.vault.region.floor
        if not value.key and (self.keys or request.signature or flow.acting is not floor):
            await flow.refuse(Refuse("package-signature", {"acting": flow.acting.text}))
        for found in await flow.read_each(PACKAGE_LIST, id):
            if found.ref.class_id == flow.access.id:
                return id, found.value
        await flow.commit(Put(PACKAGE_LIST, id, value, expect=0), facts={"packages": len(value.sums)})
        return id, value

    async def bring(self, flow: Flow, listed: str, name: str, incoming: AsyncIterator[bytes]) -> Found[Package]:
        """A package as it arrives; one that is there already stays. Raises Absent, BadInput, Conflict."""
        project, version = _named(name)
        told = await flow.read(PACKAGE_LIST, listed[:128])
        expected = told.value.sums.get(name)
        if told.ref.class_id != flow.access.id or expected is None:
            raise BadInput(what=f"The list does not name {name}.")
        size, pieces = await _poured(flow, name, expected, incoming)
        for found in await flow.read_each(PACKAGE, name):
            if found.value.sha256 == expected and found.ref.class_id == flow.access.id:
                return found
            if found.value.sha256 != expected:
                raise Conflict(what=f"Package {name}")
        by, at = flow.session.principal.name, flow.gate.vault.clock.now()
        value = Package(name, project, version, size, expected, pieces, told.value.key, by, at, told.id)
        await flow.commit(Put(PACKAGE, name, value, expect=0), facts={"package": name})
        return next(one for one in await flow.read_each(PACKAGE, name) if one.ref.class_id == flow.access.id)

    async def carried(self, flow: Flow, told: Carried, bundle: Ref, incoming: AsyncIterator[bytes]) -> list[Change]:
        """What a package that came by a bundle changes; nothing where it is there already.

        Raises BadInput: it is not the file that was stated, another one has its name, or the settings name keys and
        none of them has signed its list.
        """
        project, version = _named(told.name)
        changes: list[Change] = []
        key, listed = bundle.id, ""
        if told.sums:
            listed, value = self._read(flow, told.sums, told.signature)
            key = value.key or key
            if value.sums.get(told.name) != told.sha256:
                raise BadInput(what=f"The list does not name {told.name} as it came.")
            if not any(one.ref.class_id == flow.access.id for one in await flow.read_each(PACKAGE_LIST, listed)):
                changes.append(Put(PACKAGE_LIST, listed, value, expect=0))
        if self.keys and key == bundle.id:
            raise BadInput(what=f"No key of the settings has signed the list of {told.name}.")
        size, pieces = await _poured(flow, told.name, told.sha256, incoming)
        for found in await flow.read_each(PACKAGE, told.name):
            if found.value.sha256 != told.sha256:
                raise BadInput(what=f"Another package has the name {told.name}.")
            if found.ref.class_id == flow.access.id:
                return []
        if Ref(PACKAGE.name, told.name, flow.access.id) in flow.barred(PACKAGE):
            raise BadInput(what=told.name)
        by, at = flow.session.principal.name, flow.gate.vault.clock.now()
        package = Package(told.name, project, version, size, told.sha256, pieces, key, by, at, listed, bundle.id)
        return [*changes, Put(PACKAGE, told.name, package, (bundle,), expect=0)]

    async def every(self, flow: Flow) -> list[Found[Package]]:
        """The visible ones, by name."""
        return sorted(await flow.every(PACKAGE), key=lambda found: (found.id, found.label.text))

    def _read(self, flow: Flow, sums: str, signature: str) -> tuple[str, PackageList]:
        """A list and its id. Raises BadInput."""
        raw = sums.encode()
        if len(raw) > LONGEST:
            raise BadInput(what=f"A list of packages has at most {LONGEST} bytes.")
        named: dict[str, str] = {}
        for line in sums.splitlines():
            match = _SUM.fullmatch(line)
            if match is None or named.setdefault(match[2], match[1]) != match[1]:
                raise BadInput(what="SHA256SUMS has a line `DIGEST  NAME` for each file, as sha256sum writes it.")
        signer = self._signer(raw, signature)
        by, at = flow.session.principal.name, flow.gate.vault.clock.now()
        id = hashlib.sha384(raw + b"\0" + signer.encode()).hexdigest()
        return id, PackageList(named, signer, by, at, sums, signature if signer else "")

    def _signer(self, raw: bytes, signature: str) -> str:
        """The key of the settings that has signed it, or ""."""
        try:
            signed = bytes.fromhex(signature)
        except ValueError:
            return ""
        return next((key_id(key) for key in self.keys if verify(key, raw, signed)), "")


def _named(name: str) -> tuple[str, str]:
    """Project and version of a file's name. Raises BadInput for one that is neither a wheel's nor a package's."""
    wheel, deb = _WHEEL.fullmatch(name), _DEB.fullmatch(name)
    if wheel is not None:
        return normal(wheel[1]), wheel[2]
    if deb is None:
        raise BadInput(what=f"{name[:128]!r} is no name of a wheel or of a Debian package.")
    return "", deb[2]


async def _poured(flow: Flow, name: str, expected: str, incoming: AsyncIterator[bytes]) -> tuple[int, tuple[str, ...]]:
    """Size and blobs of what arrives. Raises BadInput where it is not what was stated."""
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
    return size, pieces
