"""Whether what is asked for can be a job at all: pure, and said in plain words (BadInput)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import chain

from casemate.errors import BadInput
from casemate.jobs.job import Resources, Spec
from casemate.jobs.pointed import swept

__all__ = ["LONGEST", "MOST", "checked", "ordered"]

MOST = 1000
"""Jobs of one commit."""
LONGEST = 256 << 10
"""Bytes of everything that a spec says."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_ENV = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_QUEUE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")
_ENVIRONMENT = re.compile(
    r"(?:(?:wheels|image):[A-Za-z0-9][A-Za-z0-9._-]{0,127}|site:[A-Za-z0-9][A-Za-z0-9._/@+-]{0,127})?"
)
_SOURCE = re.compile(r"(?:dataset|object|job|sweep|mission|model):[^\0]{1,1100}", re.DOTALL)
_ASKED = re.compile(r"/[A-Za-z0-9._~/?=&%+-]{0,255}")
SERVICE: dict[str, tuple[int, int]] = {
    "port": (1024, 65535),
    "replicas": (1, 64),
    "every_s": (1, 300),
    "start_s": (5, 86_400),
    "drain_s": (1, 3600),
}
BOUNDS: dict[str, tuple[int, int]] = {
    "nodes": (1, 1024),
    "tasks": (1, 4096),
    "cpus": (1, 4096),
    "memory_mb": (16, 16 << 20),
    "gpus": (0, 64),
    "wall_s": (1, 31_536_000),
    "disk_mb": (1, 16 << 20),
    "processes": (1, 65536),
    "power_w": (0, 1_000_000),
}


def checked(spec: Spec) -> None:
    """Raises BadInput, naming what is wrong."""
    _command(spec)
    _resources(spec.resources)
    _between("array.size", spec.array.size, 0, 10_000)
    _between("array.parallel", spec.array.parallel, 0, 10_000)
    lone = spec.sweep is not None and len(spec.sweep.space.only) == 1  # what is left of a sweep may be one point
    if (spec.array.size == 1 and not lone) or (spec.array.size and spec.kind == "service"):
        raise BadInput(what="An array has 2 to 10000 children, and is of the kind command.")
    _service(spec)
    _interactive(spec)
    _between("retry.attempts", spec.retry.attempts, 1, 10)
    if len(spec.retry.evaluate) > 5:
        raise BadInput(what="retry.evaluate has at most 5 rules.")
    swept(spec, LONGEST)
    if len(spec.after) > 20:
        raise BadInput(what="A job waits for at most 20 others.")
    _between("priority", spec.priority, -1000, 1000)
    _between("deadline_s", spec.deadline_s, 0, 31_536_000)
    _paths(spec)
    if not _QUEUE.fullmatch(spec.queue):
        raise BadInput(what="A queue's name has 1 to 128 letters, digits, '-' and '_'.")
    if not _ENVIRONMENT.fullmatch(spec.environment):
        raise BadInput(what="environment is empty, wheels:NAME, image:NAME or site:NAME; a digest stands for a name.")
    if len(spec.name) > 128 or not spec.name.isprintable():
        raise BadInput(what="A job's name has at most 128 printable characters.")
    if len(spec.tags) > 50 or any(len(k) > 128 or len(v) > 256 for k, v in spec.tags.items()):
        raise BadInput(what="A job has at most 50 tags, of at most 128 and 256 characters.")


def _service(spec: Spec) -> None:
    """A service ends when it is stopped: whatever an end would bring, it has not; and no network but its own."""
    told = spec.service
    if spec.kind != "service":
        if told is not None:
            raise BadInput(what="`service` is said of a job of the kind service.")
        return
    if spec.resources.network != "none" or spec.resources.nodes != 1:
        raise BadInput(what="A service has one node and a network of its own: the region alone brings requests to it.")
    if spec.after or spec.outputs or spec.deadline_s or spec.checkpoint.path or spec.sweep or spec.preemptible:
        raise BadInput(
            what="A service waits for no job, leaves no outputs or checkpoint, has no deadline and gives way to nobody."
        )
    if spec.retry.attempts != 1 or spec.retry.evaluate:
        raise BadInput(what="A replica of a service that ends is begun anew without being told so.")
    if told is None:
        return
    for name, (least, most) in SERVICE.items():
        _between(f"service.{name}", getattr(told, name), least, most)
    if told.path and not _ASKED.fullmatch(told.path):
        raise BadInput(what="service.path begins with / and has at most 256 plain characters.")


def _interactive(spec: Spec) -> None:
    """Somebody works in it: it is one program, begun once, on one node."""
    told = spec.interactive
    if told is None:
        return
    if spec.kind != "command" or spec.array.size or spec.retry.attempts != 1 or spec.resources.nodes != 1:
        raise BadInput(what="An interactive job is one command on one node, begun once.")
    if spec.preemptible or spec.sweep or spec.checkpoint.path:
        raise BadInput(what="An interactive job gives way to nobody, has no sweep and no checkpoint.")
    if told.kind == "notebook" and spec.resources.network != "none":
        raise BadInput(what="A notebook has a network of its own: whoever works in it is its only visitor.")
    _between("interactive.idle_s", told.idle_s, 0, 604_800)
    _between("interactive.port", told.port, 1024, 65535)


def ordered(specs: Sequence[Spec]) -> list[list[int]]:
    """For each of several, those that it waits for: `#K` names the job at place K. Raises BadInput for a circle."""
    edges = [[_place(after.job, len(specs)) for after in spec.after if after.job.startswith("#")] for spec in specs]
    waits = [len(set(each)) for each in edges]
    behind: dict[int, list[int]] = {}
    for at, each in enumerate(edges):
        for before in set(each):
            behind.setdefault(before, []).append(at)
    free = [at for at, many in enumerate(waits) if not many]
    for at in free:
        for after in behind.get(at, ()):
            waits[after] -= 1
            if not waits[after]:
                free.append(after)
    if len(free) < len(specs):
        circle = ", ".join(f"#{at}" for at, many in enumerate(waits) if many)
        raise BadInput(what=f"These jobs wait for each other: {circle[:200]}.")
    return edges


def _place(text: str, many: int) -> int:
    if not text[1:].isdecimal() or len(text) > 8 or int(text[1:]) >= many:
        raise BadInput(what=f"{text[:16]} names none of the jobs that are submitted together.")
    return int(text[1:])


def _command(spec: Spec) -> None:
    if not spec.command or not spec.command[0] or len(spec.command) > 4096:
        raise BadInput(what="A command has a program and at most 4095 arguments.")
    words = chain(spec.command, *spec.env.items(), *spec.tags.items())
    size = 0
    for word in words:
        size += len(word)
        if "\0" in word:
            raise BadInput(what="No word of a job has the character 0.")
    if size > LONGEST:
        raise BadInput(what=f"Command, environment and tags have at most {LONGEST} characters together.")
    for name in spec.env:
        if not _ENV.fullmatch(name):
            raise BadInput(what=f"A variable's name has letters, digits and '_': {name[:64]!r}.")


def _resources(told: Resources) -> None:
    for name, (least, most) in BOUNDS.items():
        _between(f"resources.{name}", getattr(told, name), least, most)
    if len(told.gpu_type) > 64:
        raise BadInput(what="resources.gpu_type has at most 64 characters.")


def _between(name: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise BadInput(what=f"{name} is {least} to {most}.")


def _paths(spec: Spec) -> None:
    if len(spec.inputs) > 100 or len(spec.outputs) > 100:
        raise BadInput(what="A job has at most 100 inputs and 100 outputs.")
    for kind, names in (("input", [i.name for i in spec.inputs]), ("output", [o.name for o in spec.outputs])):
        for name in names:
            if not _NAME.fullmatch(name):
                raise BadInput(what=f"An {kind}'s name has 1 to 64 letters, digits, '.', '-' and '_': {name[:64]!r}.")
        if len(set(names)) < len(names):
            raise BadInput(what=f"Two {kind}s have one name.")
    for one in spec.inputs:
        if not _SOURCE.fullmatch(one.source):
            known = "dataset:NAME, object:BUCKET/KEY, job:ID/OUTPUT, sweep:ID, model:NAME or mission:DIGEST"
            raise BadInput(what=f"A source is {known}.")
    paths = [one.path for one in spec.outputs] + ([spec.checkpoint.path] if spec.checkpoint.path else [])
    for path in paths:
        if len(path) > 1024 or "\0" in path or path.startswith("/") or ".." in path.split("/"):
            raise BadInput(what=f"A path lies below /out, and does not step back: {path[:64]!r}.")
    _between("checkpoint.every_s", spec.checkpoint.every_s, 0, 31_536_000)
