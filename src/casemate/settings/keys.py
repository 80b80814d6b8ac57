"""How the region's own key is kept."""

from __future__ import annotations

from typing import Literal

import msgspec

__all__ = ["KeySettings"]


class KeySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`profile`: the suite of a key that is made from now on, at `init` and by `casemate keys rotate`.

    `passphrase_file`: a file with the passphrase on its one line, mode 0600 and beneath the region's own folder where
    the path is not absolute, for a region that starts without a terminal. A systemd credential of the name
    `casemate-passphrase` needs no setting.
    """

    profile: Literal["hybrid", "cnsa2"] = "hybrid"
    passphrase_file: str = ""
