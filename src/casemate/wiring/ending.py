"""The one end that a process of the region brings about itself: where the disk did not say whether it wrote.

After a failed sync the kernel may call the next one a success though what was written before it is gone. So nobody is
told anything more by that process: no receipt, no refusal, no last checkpoint. Whoever waits on a socket sees it close,
and a batch that has a key is sent again to the process that follows; what is on the disk, that one reads.
"""

from __future__ import annotations

import os
import sys

__all__ = ["NOT_SYNCED", "not_synced"]

NOT_SYNCED = 74  # EX_IOERR of sysexits.h


def not_synced(what: str) -> None:
    """Say it, and end this process at once; callable in any thread. `casemate up` starts it again."""
    told = f"casemate: the disk did not sync {what}: this process ends; a later sync could promise what is lost.\n"
    os.write(sys.stderr.fileno(), told.encode())
    os._exit(NOT_SYNCED)
