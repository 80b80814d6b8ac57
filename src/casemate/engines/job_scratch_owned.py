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
from casemate.jobs.executor import Folder

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

    def _carry(self, domain: str, former: str, token: str, path: str, most: int) -> bool:
        found, owner = super()._carry(domain, former, token, path, most), self._owner(domain)
        if owner is not None:
            with ExitStack() as held:
                _given(held.enter_context(folder_at(self._held(held, domain, token), "out")), owner)
        return found

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
    """All of ours beneath a folder of his. What he has laid there himself is his already, or it is a second name of
    something that is not: that stays as it is."""
    for name in os.listdir(folder):
        held = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
        try:
            told = os.fstat(held)
            folded = stat.S_ISDIR(told.st_mode)
            if told.st_uid == os.geteuid() and (folded or (stat.S_ISREG(told.st_mode) and told.st_nlink == 1)):
                os.chown(f"/proc/self/fd/{held}", *owner)
            if folded:
                with folder_at(held, ".") as inner:
                    _given(inner, owner)
        finally:
            os.close(held)
