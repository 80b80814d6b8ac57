"""An environment becomes a tree in the scratch folder, once for each class and digest, by a program in the sandbox.

    asked for -> folder with the files and the program -> an attempt of the shim, at the job's own label and level
        -> out/tree, which every job of the class that wants it sees, and may not write

The attempt's folder is the cache: plain while jobs use it, removed once none has for a day. What unpacks is fenced like
any other job, since what it reads was written by others. Nothing here waits: whoever is told None asks again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from time import monotonic
from typing import Literal

from casemate.access import Flow
from casemate.errors import CasemateError, Damaged, EngineFailed, StorageFull
from casemate.jobs.environment import ENVIRONMENT, Chosen, Environments
from casemate.jobs.executor import Executor, Mount, Order, Scratch
from casemate.jobs.job import Resources
from casemate.labels import Labelled

__all__ = ["DAY", "TRIES", "Standing", "Unusable", "keeping", "prepare", "token_of"]

DAY = 86_400.0
TRIES = 3
MISSING = 69
"""What the program that unpacks ends with where its machine has no unsquashfs."""
AGAIN = 30.0
"""Seconds after which an unpacking that nobody has taken up is looked for at its engine."""
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
INSIDE = "/env"
Level = Literal["L1", "L2", "L3"]
_PROGRAM = (
    "import os, sys; given = os.environ['CASEMATE_IN']; sys.path.insert(0, given + '/unpack'); "
    "from casemate.cells.unpack.__main__ import main; "
    "sys.exit(main(sys.argv[1], given + '/environment', os.environ['CASEMATE_OUT'] + '/tree'))"
)


class Unusable(Exception):
    """The environment cannot be made a tree: the job fails before it has begun. `reason`: what the job then says."""

    def __init__(self, reason: str = "ENVIRONMENT") -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Standing:
    """An environment as an order names it: what is mounted, the root that takes the machine's place, and variables."""

    mounts: tuple[Mount, ...] = ()
    rootfs: str = ""
    env: dict[str, str] = field(default_factory=dict)


async def prepare(
    flow: Flow,
    known: Environments,
    at: tuple[Executor, Scratch],
    chosen: Chosen,
    level: Level,
    clock: Callable[[], float] = monotonic,
) -> Standing | None:
    """What the order is to say; None while it is being unpacked. Raises Unusable, EngineFailed, StorageFull."""
    if chosen.site is not None:
        site = chosen.site
        paths = [one if one.startswith("/") else f"{site.path}/{one}" for one in site.paths]
        return Standing((Mount(site.path, site.path),), "", {"PATH": ":".join((*paths, PATH)), **site.env})
    executor, scratch = at
    domain, now = flow.access.id, clock()
    tried = known.tried.get((domain, chosen.text), 0)
    if tried >= TRIES:
        raise Unusable(known.why.get((domain, chosen.text), "ENVIRONMENT"))
    token = token_of(domain, chosen.text, tried)
    known.used[token] = now
    told = await scratch.collected(domain, token)
    if told.recorded and told.exit == 0 and not told.signal and not told.reason:
        return _standing(f"{await _path(scratch, domain, token)}/tree", chosen.text, level)
    if told.recorded or (told.claimed and not told.alive):
        known.tried[(domain, chosen.text)] = tried + 1
        await scratch.remove(domain, token)
        if told.exit == MISSING:  # another node may have it: whoever comes next tries again
            known.why[(domain, chosen.text)] = "UNSQUASHFS"
            raise Unusable("UNSQUASHFS")
        if told.recorded:  # it says no, and would again
            known.tried[(domain, chosen.text)] = TRIES
            raise Unusable
        return None
    if told.claimed or now - known.begun.get(token, -AGAIN) < AGAIN or await _coming(executor, domain, token):
        return None
    try:
        await _begin(flow, known, executor, scratch, chosen, level, token)
    except (EngineFailed, StorageFull):
        raise
    except CasemateError:
        await scratch.remove(domain, token)
        raise Unusable from None
    known.begun[token] = now
    return None


def token_of(domain: str, text: str, tried: int) -> str:
    """Under what the folder of an environment lies: the same one after a restart."""
    return hashlib.sha384(f"casemate environment\0{domain}\0{text}\0{tried}".encode()).hexdigest()[:32]


async def keeping(flow: Flow, known: Environments, live: Iterable[str], now: float) -> set[str]:
    """The tokens of trees that stay: those that jobs run in now (`live`, as texts), or have been asked for in a day."""
    domain, kept = flow.access.id, set[str]()
    used = set(live)
    rest = {f"{one.value.form}:{one.value.digest}" for one in await flow.every(ENVIRONMENT)} - used
    for text in used:
        tokens = [token_of(domain, text, tried) for tried in range(TRIES)]
        known.used.update(dict.fromkeys(tokens, now))
        kept.update(tokens)
    for text in rest:
        tokens = [token_of(domain, text, tried) for tried in range(TRIES)]
        kept.update(token for token in tokens if now - known.used.setdefault(token, now) < DAY)
    return kept


async def _coming(executor: Executor, domain: str, token: str) -> bool:
    """Whether an engine still has it, from before this process began."""
    natives = list(await executor.find(domain, token))
    told = await executor.poll(domain, natives) if natives else {}
    return any(one.state in ("waiting", "running") for one in told.values())


async def _path(scratch: Scratch, domain: str, token: str) -> str:
    return (await scratch.make(domain, token)).outputs


async def _begin(
    flow: Flow, known: Environments, executor: Executor, scratch: Scratch, chosen: Chosen, level: Level, token: str
) -> None:
    """Its folder, filled; then the engine has it. Raises Damaged, Refused, Absent, StorageFull, EngineFailed."""
    assert chosen.found is not None  # what stands on the machine is not unpacked
    found, domain, ceiling = chosen.found, flow.access.id, executor.ceiling
    await scratch.remove(domain, token)
    folder = await scratch.make(domain, token)
    for name, body in known.program.items():
        await scratch.fill(folder, f"unpack/{name}", body)
    size = 0
    for file in found.value.files:
        digest = hashlib.sha384()
        size += file.size
        name = f"environment/{file.name}" if found.value.form == "wheels" else "environment"
        for blob in file.pieces:
            piece = await flow.blob(found.ref.class_id, blob)
            digest.update(piece)
            await scratch.fill(folder, name, await flow.lend(Labelled(flow.acting, piece), ceiling))
        if digest.hexdigest() != file.digest:
            raise Damaged(what="environment")
    room = min(1 << 17, 1024 + 16 * (size >> 20))
    order = Order(
        token=token,
        attempt=1,
        domain=domain,
        folder=folder.path,
        command=("python3", "-I", "-S", "-c", _PROGRAM, found.value.form),
        env={},
        resources=Resources(memory_mb=2048, disk_mb=room, processes=64),
        level=level,
    )
    await scratch.order(folder, order)
    await executor.submit(order)


def _standing(tree: str, text: str, level: Level) -> Standing:
    if text.startswith("image:"):
        return Standing(rootfs=tree)
    at = tree if level == "L1" else INSIDE  # in L1 there are no mounts: what may be read is where it lies
    return Standing((Mount(tree, at),), "", {"PATH": f"{at}/bin:{PATH}", "PYTHONPATH": f"{at}/lib"})
