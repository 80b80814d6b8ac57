"""Folders of attempts on a cluster's shared file system: each belongs to the user that runs its label's jobs there.

The shim of such a job is no root: it claims, beats and records as that user. Users of two labels meet in no folder; the
region itself runs as root there, or as the one user that runs everything.
"""

from __future__ import annotations

import os
import pwd
import stat
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from casemate.access import Threads
from casemate.engines.job_folder import folder_at, opened
from casemate.engines.job_scratch import JobScratch
from casemate.errors import EngineFailed
from casemate.jobs.executor import Folder, Order

__all__ = ["OwnedScratch"]


class OwnedScratch(JobScratch):
    """Implements `jobs.executor.Scratch`. `owners`: the user of each domain by name, "" for the region's own."""

    def __init__(self, root: Path, owners: Mapping[str, str], threads: Threads | None = None) -> None:
        super().__init__(root, threads)
        self._owners = dict(owners)

    def _make(self, domain: str, token: str) -> Folder:
        owner = self._owner(domain)
        folder = super()._make(domain, token)
        if owner is not None:
            with ExitStack() as held:
                top = held.enter_context(opened(os.fspath(self._root)))
                os.fchmod(top, 0o711)  # through it, and nothing to be seen in it
                kind = held.enter_context(folder_at(top, domain))
                inner = held.enter_context(folder_at(kind, token))
                rooms = [held.enter_context(folder_at(inner, name)) for name in ("in", "work", "out", "log")]
                for one in (kind, inner, *rooms):
                    os.fchown(one, *owner)
        return folder

    def _order(self, order: Order) -> None:
        super()._order(order)
        self._give(order.domain, order.token, "order.json")

    def _carry(self, domain: str, former: str, token: str, path: str, most: int) -> bool:
        found, owner = super()._carry(domain, former, token, path, most), self._owner(domain)
        if owner is not None:
            with ExitStack() as held:
                _given(held.enter_context(folder_at(self._held(held, domain, token), "out")), owner)
        return found

    def _stop(self, domain: str, token: str, reason: str, grace_s: float) -> None:
        super()._stop(domain, token, reason, grace_s)
        self._give(domain, token, "stop")

    def _give(self, domain: str, token: str, name: str) -> None:
        owner = self._owner(domain)
        if owner is not None:
            with ExitStack() as held:
                os.chown(name, *owner, dir_fd=self._held(held, domain, token), follow_symlinks=False)

    def _owner(self, domain: str) -> tuple[int, int] | None:
        """User and group by number; None where they are this process's own. Raises EngineFailed."""
        try:
            name = self._owners[domain]
            found = pwd.getpwnam(name) if name else None
        except KeyError:
            why = "this machine does not know the user of the label (`labels`): make it, with one number everywhere"
            raise EngineFailed(cause="denied", engine="scratch", why=why) from None
        if found is None or found.pw_uid == os.geteuid():
            return None
        return found.pw_uid, found.pw_gid


def _given(folder: int, owner: tuple[int, int]) -> None:
    """All beneath a folder that this process alone has filled."""
    for name in os.listdir(folder):
        os.chown(name, *owner, dir_fd=folder, follow_symlinks=False)
        if stat.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
            with folder_at(folder, name) as inner:
                _given(inner, owner)
