"""A job: what was asked for, where it stands, and every attempt that was made at it.

The names are those of AWS Batch, and of PSI/J where that has none. A job lies at the acting label of whoever submitted
it; everything that it reads is dominated by that label, and everything that it writes carries it. A value here is never
changed: `life` makes the next one of it.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from casemate.jobs.space import Space
from casemate.objects import Kind

__all__ = [
    "JOB",
    "JOB_KEY",
    "After",
    "Array",
    "Artefact",
    "Attempt",
    "Checkpoint",
    "Evaluate",
    "Input",
    "Interactive",
    "Job",
    "JobKey",
    "Output",
    "Plot",
    "Replica",
    "Resources",
    "Retry",
    "Service",
    "Serving",
    "Spec",
    "State",
    "Sweep",
    "Usage",
]

State = Literal["SUBMITTED", "PENDING", "RUNNABLE", "STARTING", "RUNNING", "SUCCEEDED", "FAILED", "CANCELLED"]
AttemptState = Literal["intent", "given", "running", "ended", "lost"]


class Resources(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an attempt is given. `memory_mb`, `disk_mb` in MiB; `wall_s` seconds of wall time, after which it is ended.

    `gpus` per node, of `gpu_type` where that is not empty. `power_w`: the estimate behind the energy that is reported.
    """

    nodes: int = 1
    tasks: int = 1
    cpus: int = 1
    memory_mb: int = 512
    gpus: int = 0
    gpu_type: str = ""
    wall_s: int = 3600
    disk_mb: int = 1024
    processes: int = 256
    network: Literal["none", "host"] = "none"
    power_w: int = 0


class Input(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What stands at /in/NAME, to be read only. `source`: dataset:NAME, object:BUCKET/KEY, job:ID/OUTPUT, sweep:ID
    or model:NAME.

    `digest`: of what it was when the job was submitted; empty for a dataset in place, whose files are looked at.
    """

    name: str
    source: str
    digest: str = ""


class Output(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A path below /out. `keep`: `seal` takes its bytes, `place` leaves it in a folder of its label, digested."""

    name: str
    path: str
    keep: Literal["seal", "place"] = "seal"


class Evaluate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of at most five rules, in order; a pattern may end with `*`, an empty one holds (AWS Batch, job_retries)."""

    action: Literal["RETRY", "EXIT"]
    exit_code: str = ""
    reason: str = ""


class Retry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """At most `attempts` (1 to 10). Where no rule holds, a failed attempt is made again."""

    attempts: int = 1
    evaluate: tuple[Evaluate, ...] = ()


class After(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Another job of the visible world. `aftercorr`: the child of the same index."""

    job: str
    when: Literal["afterok", "afternotok", "afterany", "aftercorr"] = "afterok"


class Array(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`size`: 0 for no array, else 2 to 10,000 children; `parallel`: how many at once, 0 for as many as fit.

    `sequential`: child N begins when child N - 1 has succeeded, and fails where that has not.
    """

    size: int = 0
    parallel: int = 0
    sequential: bool = False


class Checkpoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A folder below /out that the next attempt finds as it was left. `every_s`: how often the program writes it."""

    path: str = ""
    every_s: int = 0


class Plot(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Two columns of a table against each other: parameters, or fields of the results; `colour` may be a third."""

    x: str
    y: str
    colour: str = ""


class Sweep(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the children of an array go over: child N stands at point N."""

    space: Space
    plot: Plot | None = None


class Service(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many replicas of a service run, and when one is well: see `serve`.

    `port`: where the program listens on 127.0.0.1 of its own network; it is told as PORT. `path`: asked with GET every
    `every_s` seconds, well where the answer is 200 to 299; "" where a connection suffices. `start_s`: how long one may
    take until it is well for the first time; `drain_s`: how long one that goes may finish what it has begun.
    """

    port: int = 8000
    path: str = ""
    replicas: int = 1
    every_s: int = 2
    start_s: int = 600
    drain_s: int = 30


class Interactive(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What somebody is to work in: a terminal, or a program that he looks at with a browser and that listens on `port`
    of 127.0.0.1 of the job's own network, which it is told as PORT.

    `idle_s`: ended where nobody has typed and nothing was shown for so long, or no connection was open; 0 for never.
    """

    kind: Literal["shell", "notebook"]
    idle_s: int = 1800
    port: int = 8888


class Spec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be done. `kind` service runs until it is stopped, as `service` says.

    `environment`: "" for the programs of the machine, else wheels:NAME, image:NAME or site:NAME; the
    name becomes the digest when the job is submitted.
    `floor`: the least level of isolation, L0 to L3; the policy may ask for more. `deadline_s`: seconds after submission
    by which it has ended, 0 for none. `label`: what it asks to be written at, "" for where it acts; never lower.
    """

    command: tuple[str, ...]
    name: str = ""
    kind: Literal["command", "service"] = "command"
    service: Service | None = None
    interactive: Interactive | None = None
    environment: str = ""
    env: dict[str, str] = {}
    inputs: tuple[Input, ...] = ()
    outputs: tuple[Output, ...] = ()
    resources: Resources = Resources()
    array: Array = Array()
    after: tuple[After, ...] = ()
    retry: Retry = Retry()
    priority: int = 0
    preemptible: bool = False
    checkpoint: Checkpoint = Checkpoint()
    deadline_s: int = 0
    floor: Literal["", "L1", "L2", "L3"] = ""
    queue: str = "default"
    engine: str = ""
    label: str = ""
    tags: dict[str, str] = {}
    sweep: Sweep | None = None


class Usage(msgspec.Struct, frozen=True):
    """Of an attempt: microseconds of CPU and of wall time, KiB at most, seconds of GPUs, joules by estimate."""

    cpu_us: int = 0
    wall_us: int = 0
    rss_kb: int = 0
    gpu_s: int = 0
    energy_j: int = 0


class Attempt(msgspec.Struct, frozen=True):
    """`token` names it to every engine, and is the fence: what bears another token commits nothing.

    `exit` is None until it is known; `signal` 0 where none ended it. Times in microseconds, 0 where it did not come so
    far. `level`: how it was isolated.
    """

    n: int
    token: str
    state: AttemptState
    engine: str = ""
    native: str = ""
    node: str = ""
    begun: int = 0
    started: int = 0
    ended: int = 0
    exit: int | None = None
    signal: int = 0
    reason: str = ""
    level: str = ""
    usage: Usage = Usage()


class Artefact(msgspec.Struct, frozen=True):
    """What came out: pieces are blobs of the job's class, in order; `place` where it was left where it lies.

    `digest`: SHA-384 of the whole, hexadecimal. A folder is one artefact for each file, under OUTPUT/PATH.
    """

    name: str
    size: int
    digest: str
    pieces: tuple[str, ...] = ()
    place: str = ""


class Replica(msgspec.Struct, frozen=True):
    """One of a service: its child `index`, the revision that it runs, and how it is since when (microseconds).

    `starting`: not well yet; `failing`: was well, and is not; `draining`: gets nothing new; `stopping`: asked to end.
    """

    index: int
    revision: int
    state: Literal["starting", "healthy", "failing", "draining", "stopping"]
    since: int


class Serving(msgspec.Struct, frozen=True):
    """How a service stands. `made`: how many children it has had; `failures`: of replicas, since all were well.

    `again`: the moment before which no other is begun; `why`: how the last one failed.
    """

    revision: int = 1
    replicas: tuple[Replica, ...] = ()
    made: int = 0
    failures: int = 0
    again: int = 0
    why: str = ""


class Job(msgspec.Struct, frozen=True):
    """`open`: yes until it has ended. `phase`: `new` until the loop has taken it up, then `queued`, `active`, `ended`.

    A service is in no phase but `serving`: its replicas are its children, each with a spec of its own.
    A child of an array has `parent` and `index`, and no spec of its own. What is to end while it is active has
    `cancel`, and is `new` again, so that the loop takes it up. `counts`: of an array, how many of its children
    stand in which state. `logs`: what the attempt that counts wrote to `out` and `err`.
    `taken`: of an array, children that are not run, since an earlier one did just that: array -> child -> child there.
    `queue` repeats the spec's, so that it can be asked for. `made_of`: kind, id and class of what it reads, or of its
    array: the parents of its row, which are said anew with each value. Times in microseconds.
    """

    owner: str
    person: str
    spec: Spec | None
    state: State = "SUBMITTED"
    phase: Literal["new", "queued", "active", "serving", "ended"] = "new"
    open: Literal["yes", "no"] = "yes"
    queue: str = "default"
    name: str = ""
    created: int = 0
    started: int = 0
    ended: int = 0
    reason: str = ""
    cancel: str = ""
    attempts: tuple[Attempt, ...] = ()
    parent: str = ""
    index: int = -1
    counts: dict[str, int] = {}
    artefacts: tuple[Artefact, ...] = ()
    logs: tuple[Artefact, ...] = ()
    session: str = ""
    language: str = "en"
    made_of: tuple[tuple[str, str, str], ...] = ()
    serving: Serving | None = None
    taken: dict[str, dict[int, int]] = {}


class JobKey(msgspec.Struct, frozen=True):
    """That an owner's key has been used: the job that it made, and the digest of what was asked for."""

    job: str
    digest: bytes


def _blobs(job: Job) -> list[str]:
    return [piece for one in (*job.artefacts, *job.logs) for piece in one.pieces]


def _sources(id: str, job: Job) -> list[tuple[str, str]]:
    """What it says that it was made from: the datasets that it reads in place. Other inputs are parents of its row."""
    del id
    inputs = job.spec.inputs if job.spec is not None else ()
    whole = [("job", job.parent)] if job.parent else []
    return whole + [("dataset", one.source.partition(":")[2]) for one in inputs if one.source.startswith("dataset:")]


JOB = Kind("job", Job, indexed=("open", "phase", "queue", "parent", "owner"), blobs=_blobs, sources=_sources)
JOB_KEY = Kind("job_key", JobKey)
