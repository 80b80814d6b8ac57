"""A bundle of one large file, written and judged, beside one SHA-512 pass over the same bytes and `tar | zstd | age`.

- export: sealed into 1 MiB frames, one digest over them, synced (in memory, where the folder is one in memory); the
  digests of the files are known beforehand. verify: digested, opened, every blob digested again, judged.
- Rounds of all of them take turns, and the fastest of each counts. Ratios are of wall time; beside them the CPU time.
- age is the program `age` where there is one, else pyrage (the same format in Rust); the file is random bytes, as
  weights nearly are, which zstd -3 passes through fast.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

MB = 1_000_000
ROUNDS = 3


def measure(folder: Path, size: int) -> dict[str, object]:
    """`size` in MiB."""
    made = folder / "weights.bin"
    with made.open("wb") as file:
        for _ in range(size):
            file.write(os.urandom(1 << 20))
    world = _World(folder, made)
    peer, how = _age(folder, made)
    steps: dict[str, Callable[[], object]] = {
        "sha512": lambda: _hashed(made),
        "export": world.export,
        "verify": world.verify,
    }
    if peer is not None:
        steps["age"] = peer
    wall, cpu = dict.fromkeys(steps, float("inf")), dict.fromkeys(steps, float("inf"))
    for _ in range(ROUNDS):
        for name, step in steps.items():
            begun, spent = time.perf_counter(), _spent()
            step()
            wall[name] = min(wall[name], time.perf_counter() - begun)
            cpu[name] = min(cpu[name], _spent() - spent)
    total = made.stat().st_size / MB
    return {
        "ratios": {
            "export_vs_sha512": wall["sha512"] / wall["export"],
            "verify_vs_sha512": wall["sha512"] / wall["verify"],
            "export_vs_age": wall["age"] / wall["export"] if peer is not None else None,
        },
        "figures": {
            "sha512_mb_per_s": total / wall["sha512"],
            "export_mb_per_s": total / wall["export"],
            "verify_mb_per_s": total / wall["verify"],
            "sha512_mb_per_cpu_s": total / cpu["sha512"],
            "export_mb_per_cpu_s": total / cpu["export"],
            "verify_mb_per_cpu_s": total / cpu["verify"],
            **({"age_mb_per_cpu_s": total / cpu["age"]} if peer is not None else {}),
            "rss_mb": _rss(folder, made),
        },
        "against": f"one SHA-512 pass over the same {size} MiB; {how}",
    }


class _World:
    """A channel, and one bundle of it that is written again and again."""

    def __init__(self, folder: Path, made: Path) -> None:
        from casemate.crypto import Keeper, KeySigner, generate, generate_keeper
        from casemate.wiring.bundle_channel import Order, found
        from casemate.wiring.bundles import Given, state_in

        self._folder, self._made = folder, made
        private = generate("hybrid")
        self._signer = KeySigner(private)
        self._keeper = Keeper(generate_keeper())
        order = Order(
            "low",
            "high",
            "us:SECRET",
            "bottom",
            "us:SECRET",
            ("us",),
            "hybrid",
            (self._keeper.recipient.public,),
            (self._signer.public,),
            (),
            (1, 0),
        )
        self._now = time.time_ns() // 1000
        found(folder / "channel", order, "", self._now)
        self._state = state_in(folder / "channel" / "state.json")
        self._given = [Given(made, "weights", "us:SECRET")]
        self._known = {made: f"sha512:{_hashed(made)}"}

    def export(self) -> None:
        from casemate.wiring.bundles import create

        output = self._folder / "1.cmb"
        output.unlink(missing_ok=True)
        (self._folder / "channel" / "sent.json").write_bytes(b'{"previous":"","sequence":0}')
        create(
            self._folder / "channel",
            self._given,
            output,
            self._signer,
            Path.read_bytes,
            self._now,
            90,
            known=self._known,
        )

    def verify(self) -> None:
        from casemate.wiring.bundles import judge

        _, verdict = judge(self._folder / "1.cmb", self._state, self._now, [self._keeper])
        if verdict.state != "accept":
            raise AssertionError(verdict)


def _hashed(path: Path) -> str:
    with path.open("rb", buffering=0) as file:
        return hashlib.file_digest(file, "sha512").hexdigest()


def _age(folder: Path, made: Path) -> tuple[Callable[[], object] | None, str]:
    """`tar | zstd | age` to a file, by what is there."""
    output = folder / "peer.age"
    tarred = ["tar", "-C", str(folder), "-cf", "-", made.name]
    if shutil.which("age") and shutil.which("age-keygen") and shutil.which("zstd"):
        said = subprocess.run(["age-keygen"], capture_output=True, text=True, check=True)
        recipient = said.stderr.strip().rpartition(" ")[2]
        sealed = ["age", "-r", recipient, "-o", str(output)]
        return lambda: _piped(tarred, ["zstd", "-3", "-q", "-c"], sealed), "tar | zstd -3 | age"
    if importlib.util.find_spec("pyrage") is None or not shutil.which("zstd"):
        return None, "no age at hand"
    program = (
        "import sys, pyrage\n"
        "key = pyrage.x25519.Identity.generate().to_public()\n"
        "with open(sys.argv[1], 'wb') as out:\n"
        "    pyrage.encrypt_io(sys.stdin.buffer, out, [key])\n"
    )
    sealed = [sys.executable, "-c", program, str(output)]
    return lambda: _piped(tarred, ["zstd", "-3", "-q", "-c"], sealed), "tar | zstd -3 | pyrage"


def _piped(*commands: list[str]) -> None:
    running: list[subprocess.Popen[bytes]] = []
    for number, command in enumerate(commands):
        last = number == len(commands) - 1
        before = running[-1].stdout if running else None
        running.append(subprocess.Popen(command, stdin=before, stdout=None if last else subprocess.PIPE))
        if before is not None:
            before.close()
    if any(each.wait() for each in running):
        raise AssertionError(commands)


def _spent() -> float:
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def _rss(folder: Path, made: Path) -> float:
    """The most memory that a process took which wrote the bundle and judged it, in MB."""
    (folder / "again").mkdir()
    program = (
        "import sys, resource\n"
        "from pathlib import Path\n"
        "from bench.transfer_bundle import _World\n"
        "world = _World(Path(sys.argv[1]), Path(sys.argv[2]))\n"
        "world.export(); world.verify()\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\n"
    )
    command = [sys.executable, "-c", program, str(folder / "again"), str(made)]
    said = subprocess.run(command, capture_output=True, text=True, check=True)
    shutil.rmtree(folder / "again")
    return int(said.stdout) * 1024 / MB
