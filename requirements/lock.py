"""Pin everything: `make lock` turns each .in beside this file into a .txt of exact versions and file digests.

A package of LEFT_OUT is dropped where a region would get it, and so is whatever only it needs;
docs/decisions/0002-dependencies.md says why.
No index is written into the files: whoever installs chooses where packages come from, and the digests decide.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).parent
LEFT_OUT = {"run": {"huggingface-hub", "urllib3"}}
NOWHERE = {"huggingface-hub"}
OPTIONS = ("--quiet", "--generate-hashes", "--strip-extras", "--allow-unsafe", "--no-header")
SILENT = ("--no-emit-index-url", "--no-emit-find-links", "--no-emit-trusted-host", "--no-emit-options")
HEADER = "# Made by `make lock` from {name}.in; do not edit. Install with --no-deps --require-hashes.\n"

Blocks = dict[str, list[str]]


def main() -> None:
    """Lock the sets in order: a later one is held to the earlier ones' versions, but for Ray's, which stands alone, and
    those of each mission, which have environments of their own."""
    for name in ("run", "build", "test", "ray"):
        lock(HERE, name, ("run", "build") if name == "test" else ())
    for mission in sorted(path.parent for path in (HERE.parent / "missions").glob("*/requirements.in")):
        lock(mission, "requirements", ())
        lock(mission, "requirements-test", ("requirements",))


def lock(folder: Path, name: str, before: Sequence[str]) -> None:
    """One .in into its .txt, without what the sets before it hold."""
    blocks = parse(compiled(folder, name))
    held = {package for other in before for package in parse((folder / f"{other}.txt").read_text())}
    wanted = needed(blocks, LEFT_OUT.get(name, NOWHERE)) - held
    kept = {package: block for package, block in blocks.items() if package in wanted}
    lines = [line for block in kept.values() for line in block if not line.lstrip().startswith("#")]
    (folder / f"{name}.txt").write_text(HEADER.format(name=name) + "\n".join(lines) + "\n")
    sys.stdout.write(f"{folder.name}/{name}.txt: {len(kept)} packages\n")


def compiled(folder: Path, name: str) -> str:
    """What pip-compile makes of one .in, with its `# via` notes."""
    with tempfile.TemporaryDirectory() as room:
        target = Path(room) / f"{name}.txt"
        command = [sys.executable, "-m", "piptools", "compile", *OPTIONS, *SILENT, f"{name}.in", "-o", str(target)]
        subprocess.run(command, cwd=folder, check=True)
        return target.read_text()


def parse(text: str) -> Blocks:
    """Package name to its lines: the pin, its digests, the notes on who needs it."""
    blocks: Blocks = {}
    for line in text.splitlines():
        pin = re.match(r"([A-Za-z0-9._-]+)(\[[^]]*\])?==", line)
        if pin:
            blocks[pin.group(1).lower().replace("_", "-")] = current = [line]
        elif blocks and line.startswith(" "):
            current.append(line)
    return blocks


def needed(blocks: Blocks, left_out: set[str]) -> set[str]:
    """What is still reached from the .in when nothing passes through what is left out."""
    callers = {
        package: set(re.findall(r"#(?: via|  ) +(-r \S+|[^\s#]+)", "\n".join(b))) for package, b in blocks.items()
    }
    reached: set[str] = set()
    while True:
        more = {
            package
            for package, via in callers.items()
            if package not in left_out and any(who.startswith("-r ") or who in reached for who in via)
        } - reached
        if not more:
            return reached
        reached |= more


if __name__ == "__main__":
    main()
