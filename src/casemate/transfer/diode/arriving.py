"""An object on its way in: which of its blocks lie on the disk, how far it is verified, and what stops it.

    receiving -> published       every block lay there, and SHA-512 over all of them was the manifest's
        |  ^
        v  |
      stopped                    the disk is full, or it is refused; where it may, the next manifest tries again

Nothing is visible before it is whole and verified. The digest follows the blocks as they come, so that a large object
is not read again at its end; what came out of order, or lies there from before a restart, is read back in small steps.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from casemate.clock import SECOND
from casemate.errors import BadInput, StorageFull, Unavailable
from casemate.transfer.diode.link import Spool
from casemate.transfer.diode.message import Manifest
from casemate.transfer.diode.padding import LENGTH, true_length

__all__ = ["RETRY", "Arriving"]

RETRY = 30 * SECOND
"""So long a transfer that the disk stopped is left alone."""
Alarm = Callable[[str, int], None]


class Arriving:
    """One object. `alarm` is told of what goes wrong with it: a slug, and its sequence."""

    def __init__(self, manifest: Manifest, sender: bytes, spool: Spool, alarm: Alarm) -> None:
        self.manifest = manifest
        self.sender = sender
        self.stopped = ""
        self.published = False
        self._spool = spool
        self._alarm = alarm
        self._stopped_at = 0
        self.have = bytearray(manifest.blocks)
        self._fresh()

    def begin(self, now: int) -> None:
        """Make room for it, and count what lies there already."""
        try:
            self.have = self._spool.begin(self.manifest)
        except Unavailable as error:
            self._stop(error, now)

    @property
    def missing(self) -> int:
        return self.have.count(0)

    def gaps(self) -> list[int]:
        """The blocks that are not here."""
        return [index for index, here in enumerate(self.have) if not here]

    def wants(self, index: int) -> bool:
        return not self.published and not self.stopped and not self.have[index]

    def write(self, index: int, data: bytes, now: int) -> None:
        """A restored block."""
        if not self.wants(index) or len(data) != self.manifest.block_size(index):
            return None
        try:
            self._spool.write(self.manifest, index, data)
        except Unavailable as error:
            return self._stop(error, now)
        self.have[index] = 1
        if index == self._hashed:
            self._digest.update(data)
            self._hashed += 1
        return None

    def again(self, now: int) -> None:
        """Its manifest came again: a transfer that was stopped by the disk is tried once more."""
        if self.stopped in (StorageFull.slug, Unavailable.slug) and now - self._stopped_at >= RETRY:
            self.stopped = ""
            self.begin(now)

    def verify(self, steps: int, now: int) -> bool:
        """Follow the blocks that lie there, so many of them; whether there was anything to do."""
        if self.stopped or self.published:
            return False
        began = self._hashed
        try:
            while steps and self._hashed < len(self.have) and self.have[self._hashed]:
                self._digest.update(self._spool.read(self.manifest, self._hashed))
                self._hashed += 1
                steps -= 1
            if self._hashed == len(self.have):
                self._finish()
                return True
        except Unavailable as error:
            self._stop(error, now)
        return self._hashed > began

    def _finish(self) -> None:
        manifest = self.manifest
        last = self._spool.read(manifest, manifest.blocks - 1)
        try:
            length = true_length(manifest.size, last[-LENGTH:])
        except BadInput:
            length = -1
        if self._digest.digest() != manifest.sha512 or length < 0:
            self._alarm("mismatch", manifest.sequence)
            self._spool.forget(manifest)
            self.have = self._spool.begin(manifest)
            self._fresh()
            return
        self._spool.publish(manifest, self.sender, length)
        self.published = True

    def _fresh(self) -> None:
        self._hashed = 0
        self._digest = hashlib.sha512()

    def _stop(self, error: Unavailable, now: int) -> None:
        self.stopped = error.slug
        self._stopped_at = now
        self._fresh()
        self._alarm(error.slug, self.manifest.sequence)
