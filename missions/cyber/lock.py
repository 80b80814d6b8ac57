"""Pin the mission's packages: `python missions/cyber/lock.py`, in an environment with pip-tools."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
OPTIONS = ("--quiet", "--generate-hashes", "--strip-extras", "--allow-unsafe", "--no-header", "--no-annotate")
SILENT = ("--no-emit-index-url", "--no-emit-find-links", "--no-emit-trusted-host", "--no-emit-options")


def main() -> None:
    """Each .in into a .txt of exact versions and digests; the second holds what the first has not."""
    kept: set[str] = set()
    for name in ("requirements", "requirements-test"):
        target = HERE / f"{name}.txt"
        command = [sys.executable, "-m", "piptools", "compile", *OPTIONS, *SILENT, f"{name}.in", "-o", str(target)]
        subprocess.run(command, cwd=HERE, check=True)
        blocks = re.findall(r"^[A-Za-z0-9].*(?:\n    .*)*", target.read_text(), re.MULTILINE)
        own = [block for block in blocks if block.split("==")[0] not in kept]
        kept |= {block.split("==")[0] for block in own}
        head = f"# Made by lock.py from {name}.in; do not edit. Install with --no-deps --require-hashes.\n"
        target.write_text(head + "\n".join(own) + "\n")


if __name__ == "__main__":
    main()
