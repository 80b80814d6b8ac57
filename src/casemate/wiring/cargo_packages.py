"""How packages for the environments of jobs travel: the file, its digest, and the signed list that named it.

It must never let a package into a mirror that is not the file which its bundle states, or for which the mirror's own
rule of signatures does not hold.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from casemate.access import Flow
from casemate.errors import BadInput, TooLarge
from casemate.jobs.packages import PACKAGE, PACKAGE_LIST, Carried, Mirror
from casemate.objects import Ref
from casemate.transfer.region import Arrived, Content, Gathered, Landed, Shown, Through
from casemate.transfer.region import Carried as Files
from casemate.transfer.region.channel import PACKAGE_TYPE

__all__ = ["Packages"]

ABOUT, CONTENT = "about.json", "content"
LARGEST = 256 << 20


class Packages:
    """`mirror`: the region's, with its rule of signatures."""

    kind, type, asks = "package", PACKAGE_TYPE, False

    def __init__(self, mirror: Mirror) -> None:
        self._mirror = mirror

    async def gather(self, flow: Flow, id: str) -> Gathered:
        """A wheel or a Debian package of the mirror, by its file name. Raises TooLarge."""
        own = [each for each in await flow.read_each(PACKAGE, id[:256]) if each.ref.class_id == flow.access.id]
        if not own:
            return await flow.absent(PACKAGE, id[:256])
        value = own[0].value
        if value.size > LARGEST:
            raise TooLarge(what="package", limit=LARGEST)
        told = Carried(value.name, value.sha256)
        for each in await flow.read_each(PACKAGE_LIST, value.listed) if value.listed else ():
            if each.ref.class_id == flow.access.id and each.value.text:
                told = Carried(value.name, value.sha256, each.value.text, each.value.signature)
        data = b"".join([await flow.blob(flow.access.id, piece) for piece in value.pieces])
        contents = (Content(ABOUT, msgspec.json.encode(told)), Content(CONTENT, data))
        return Gathered(own[0].ref, value.name, contents)

    async def shown(self, carried: Files) -> Sequence[Shown]:
        """It lands as it came: its digest, and the list that names it, hold what it is."""
        return (Shown(CONTENT, (await _told(carried)).name, remade=False),)

    async def arrive(self, flow: Flow, arrived: Arrived, bundle: Ref, by: Through) -> Landed:
        """In the mirror, where locks find it. Raises BadInput."""
        del by
        told = await _told(arrived)
        if CONTENT not in arrived.files:
            raise BadInput(what=CONTENT)
        changes = await self._mirror.carried(flow, told, bundle, arrived.pieces(CONTENT))
        return Landed(Ref(PACKAGE.name, told.name, flow.access.id), changes, told.sha256)

    async def there(self, flow: Flow, id: str, mark: str) -> bool:
        """Whether that very file lies in the flow's own class."""
        found = [each for each in await flow.read_each(PACKAGE, id) if each.ref.class_id == flow.access.id]
        return bool(found) and found[0].value.sha256 == mark


async def _told(carried: Files) -> Carried:
    """What its bundle says of it. Raises BadInput."""
    try:
        return msgspec.json.decode(await carried.read(ABOUT), type=Carried)
    except (KeyError, msgspec.MsgspecError, UnicodeDecodeError):
        raise BadInput(what=ABOUT) from None
