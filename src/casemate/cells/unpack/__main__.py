"""`python -I -m casemate.cells.unpack wheels|image SOURCE TREE`: 0 where the tree is whole, else one line why.

1: it cannot be unpacked; 69: this machine lacks a program that it takes.
"""

from __future__ import annotations

import os
import sys

from casemate.cells.unpack.image import image
from casemate.cells.unpack.sif import MISSING, Missing, is_sif, sif
from casemate.cells.unpack.tree import Tree, Unpackable
from casemate.cells.unpack.wheels import wheels

_PLACES = ("proc", "dev", "tmp", "in", "out", "job")
"""Where a sandbox mounts what is not the image's: it cannot make them in a tree that it may only read."""


def main(form: str, source: str, target: str) -> int:
    """Unpack into a folder that is made for it."""
    os.mkdir(target, 0o755)  # noqa: PTH102
    try:
        if form == "wheels":
            wheels(source, Tree(target))
        else:
            tree = Tree(target)
            if is_sif(source):
                sif(source, target, os.uname().machine)
            else:
                image(source, tree, os.uname().machine)
            for name in _PLACES:
                tree.folder(name)
    except Unpackable as error:
        sys.stderr.write(f"{error}\n")
        return MISSING if isinstance(error, Missing) else 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4]))
