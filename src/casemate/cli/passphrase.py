"""A passphrase from whoever sits at the terminal, never from the command line."""

from __future__ import annotations

import getpass
import sys

from casemate.cli.tongue import t
from casemate.errors import BadInput

__all__ = ["passphrase"]


def passphrase(twice: bool = False) -> str:
    """Without an echo, else the first line of standard input. Raises BadInput where it is empty or said differently."""
    if not sys.stdin.isatty():
        said = sys.stdin.readline().rstrip("\n")
    else:
        said = getpass.getpass(t("keys.passphrase") + " ")
        if twice and getpass.getpass(t("keys.again") + " ") != said:
            raise BadInput(what=t("keys.differ"))
    if not said:
        raise BadInput(what=t("keys.empty"))
    return said
