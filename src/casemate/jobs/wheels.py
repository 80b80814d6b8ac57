"""Whether wheels fit a Python, by the tags in their names alone (PEP 425, 600, 656). Pure but for `fitting`.

A set that fits nowhere is refused before its job is accepted, and not told by an import in a job's log. What is not
known of a node's Python is taken to fit.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from casemate.access import Flow
from casemate.errors import BadInput
from casemate.jobs.environment import Chosen
from casemate.jobs.sites import Sites
from casemate.words import say

__all__ = ["Interpreter", "fits", "fitting", "nowhere", "unfit"]

_TEXT = re.compile(r"3\.(\d{1,2})(?: ([a-z0-9_]{1,32})(?: (\d{1,3})\.(\d{1,3}))?)?")
_CPYTHON = re.compile(r"cp3(\d{1,2})")
_GENERIC = re.compile(r"py3(\d{0,2})")
_LINUX = re.compile(r"(?:linux|manylinux(?:1|2010|2014|_(\d+)_(\d+)))_([a-z0-9_]+)")
_MINORS = range(6, 41)
_NAMED = 4


@dataclass(frozen=True, slots=True)
class Interpreter:
    """CPython 3.`minor` on Linux. `machine` "" and `glibc` None are not known."""

    minor: int
    machine: str = ""
    glibc: tuple[int, int] | None = None

    @classmethod
    def read(cls, text: str) -> Interpreter | None:
        """Of "3.11", "3.11 x86_64" or "3.11 x86_64 2.36" (glibc); None for anything else."""
        match = _TEXT.fullmatch(text)
        if match is None:
            return None
        glibc = (int(match[3]), int(match[4])) if match[3] else None
        return cls(int(match[1]), match[2] or "", glibc)


def fits(name: str, python: Interpreter) -> bool:
    """Whether a wheel of that name can be imported there."""
    tags = name.removesuffix(".whl").rsplit("-", 3)[1:]
    if len(tags) != 3:
        return False
    pythons, abis, platforms = (tag.split(".") for tag in tags)
    runs = any(_runs(tag, abi, python.minor) for tag in pythons for abi in abis)
    return runs and any(_stands(platform, python) for platform in platforms)


def unfit(names: Iterable[str], python: Interpreter) -> list[str]:
    """Those of these wheels that do not fit, by name."""
    return sorted(name for name in names if not fits(name, python))


def nowhere(names: Iterable[str]) -> bool:
    """Whether no one Python, on no machine, fits all of them."""
    known = list(names)
    machines = {match[3] for name in known for each in _platforms(name) if (match := _LINUX.fullmatch(each))} or {""}
    pythons = (Interpreter(minor, machine) for minor in _MINORS for machine in sorted(machines))
    return all(unfit(known, python) for python in pythons)


async def fitting(flow: Flow, sites: Sites, engine: str, chosen: Chosen) -> None:
    """Nothing where the wheels of an environment fit the Python of the engine of that name, as far as it is known.

    Of an engine whose ceiling is lower than the acting label nothing is told. Raises BadInput.
    """
    if chosen.found is None or chosen.found.value.form != "wheels":
        return
    language, names = flow.session.language, [file.name for file in chosen.found.value.files]
    site = sites.site(engine)
    near = site is not None and flow.acting.without_needs <= site.executor.ceiling.label
    text = await site.python() if site is not None and near else ""
    python = Interpreter.read(text)
    left = unfit(names, python) if python is not None else []
    if left and site is not None:
        facts = {"engine": site.executor.name, "python": text, "names": ", ".join(left[:_NAMED])}
        raise BadInput(what=say("jobs.wheels.engine", language, **facts))
    if nowhere(names):
        special = [name for name in sorted(names) if not name.endswith("-none-any.whl")]
        raise BadInput(what=say("jobs.wheels.nowhere", language, names=", ".join(special[:_NAMED])))


def _runs(tag: str, abi: str, minor: int) -> bool:
    if generic := _GENERIC.fullmatch(tag):
        return abi == "none" and int(generic[1] or 0) <= minor
    own = _CPYTHON.fullmatch(tag)
    if own is None:
        return False
    least = int(own[1])
    return least <= minor if abi == "abi3" else least == minor and abi in ("none", tag, f"{tag}m")


def _stands(platform: str, python: Interpreter) -> bool:
    if platform == "any":
        return True
    match = _LINUX.fullmatch(platform)
    if match is None or (python.machine and match[3] != python.machine):
        return False
    old = {"manylinux1": (2, 5), "manylinux2010": (2, 12), "manylinux2014": (2, 17)}
    needs = (int(match[1]), int(match[2])) if match[1] else old.get(platform.partition("_")[0], (0, 0))
    return python.glibc is None or needs <= python.glibc


def _platforms(name: str) -> list[str]:
    return name.removesuffix(".whl").rpartition("-")[2].split(".")
