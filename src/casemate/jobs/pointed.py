"""What one child of a sweep does: its array's spec with its own point in it. Pure.

    command = ["python3", "train.py", "--rate={rate}"]      the child's own rate, as part of the same argument

A name in braces that is no parameter's stays as it stands, and so does one behind a dollar sign (a shell's own). The
point is also in CASEMATE_POINT, as a JSON object. A value is never split: it stays within its argument.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache

import msgspec

from casemate.errors import BadInput
from casemate.jobs.job import Array, Spec
from casemate.jobs.space import Point, Space, Value, points

__all__ = ["POINT", "at_point", "points_of", "spoken", "swept", "with_point"]

POINT = "CASEMATE_POINT"
LONGEST = 1024
"""Characters of a value that is text."""
_NAMED = re.compile(r"(?<!\$)\{([A-Za-z_][A-Za-z0-9_]{0,63})\}")


def points_of(space: Space) -> tuple[Point, ...]:
    """Its points, in order. Raises BadInput."""
    return _points(msgspec.json.encode(space))


@lru_cache(maxsize=8)  # a dispatcher asks for one child after another
def _points(raw: bytes) -> tuple[Point, ...]:
    return tuple(points(msgspec.json.decode(raw, type=Space)))


def at_point(spec: Spec, index: int) -> Spec:
    """What the child of that index does; a spec without a sweep is its own."""
    if spec.sweep is None:
        return spec
    return with_point(spec, points_of(spec.sweep.space)[index])


def with_point(spec: Spec, point: Point) -> Spec:
    """What the child at that point does."""
    command = tuple(_put(word, point) for word in spec.command)
    env = {name: _put(value, point) for name, value in spec.env.items()}
    return msgspec.structs.replace(
        spec, command=command, env={POINT: json.dumps(point), **env}, sweep=None, array=Array()
    )


def spoken(value: Value) -> str:
    """A value as a program reads it: the shortest digits that give the same number again; true and false."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else repr(value)


def swept(spec: Spec, most: int) -> None:
    """Whether its sweep fits the rest. `most`: characters of everything that a child is told. Raises BadInput."""
    if spec.sweep is None:
        return
    found = points_of(spec.sweep.space)
    if spec.array.size != len(found):
        raise BadInput(what=f"The sweep has {len(found)} points, and its array as many children.")
    longest: dict[str, int] = {}
    for name, one in spec.sweep.space.parameters.items():
        for value in one.values:
            if isinstance(value, str) and (len(value) > LONGEST or "\0" in value):
                raise BadInput(what=f"A text of parameter {name} has at most {LONGEST} characters, and no character 0.")
        longest[name] = max((len(spoken(value)) for value in one.values), default=32)
    size = sum(2 * len(name) + 2 * width for name, width in longest.items())  # of CASEMATE_POINT, about
    for word in (*spec.command, *spec.env.values()):
        size += len(word) + sum(longest.get(name, 0) for name in _NAMED.findall(word))
    if size > most:
        raise BadInput(what=f"Command and environment have at most {most} characters together, with their values.")


def _put(word: str, point: Point) -> str:
    return _NAMED.sub(lambda found: spoken(point[found[1]]) if found[1] in point else found[0], word)
