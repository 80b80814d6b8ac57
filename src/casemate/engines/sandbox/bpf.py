"""A small assembler for classic BPF as seccomp runs it (linux/filter.h, linux/seccomp.h). Pure: bytes out.

A filter is a list of rules, each about one system call and each ending in a verdict, so that no jump is longer than
its own rule. Arguments that the kernel takes as 32 bits are compared as 32 bits, as the kernel reads them.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence

__all__ = [
    "ALLOW",
    "ENOSYS",
    "EOPNOTSUPP",
    "EPERM",
    "KILL",
    "Rule",
    "assemble",
    "is_null",
    "masked",
    "none_of",
    "one_of",
    "verdict",
]

Instruction = tuple[int, int, int, int]
"""Code, jump if true, jump if false, constant: struct sock_filter."""
Rule = tuple[int, Sequence[Instruction]]
"""The number of a system call and what is done about it."""

ALLOW = 0x7FFF0000
KILL = 0x80000000
_ERRNO = 0x00050000
EPERM = _ERRNO | 1
EOPNOTSUPP = _ERRNO | 95
ENOSYS = _ERRNO | 38

_LOAD, _AND, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x54, 0x15, 0x35, 0x06
_NUMBER, _MACHINE, _ARGUMENTS = 0, 4, 16


def _low(argument: int) -> Instruction:
    return (_LOAD, 0, 0, _ARGUMENTS + 8 * argument)


def _high(argument: int) -> Instruction:
    return (_LOAD, 0, 0, _ARGUMENTS + 8 * argument + 4)


def verdict(action: int) -> list[Instruction]:
    """Always this."""
    return [(_RETURN, 0, 0, action)]


def one_of(argument: int, values: Iterable[int], then: Sequence[Instruction] = ()) -> list[Instruction]:
    """Go on with `then` (or allow) where the argument's low 32 bits are one of these; else EPERM."""
    wanted = list(values)
    body = list(then) or verdict(ALLOW)
    # each comparison jumps over those after it and over the refusal
    tests = [(_EQUAL, len(wanted) - place, 0, value) for place, value in enumerate(wanted)]
    return [_low(argument), *tests, *verdict(EPERM), *body]


def none_of(argument: int, values: Iterable[int]) -> list[Instruction]:
    """Allow where the argument's low 32 bits are none of these; else EPERM."""
    refused = list(values)
    tests = [(_EQUAL, len(refused) - place, 0, value) for place, value in enumerate(refused)]
    return [_low(argument), *tests, *verdict(ALLOW), *verdict(EPERM)]


def first(argument: int, value: int, action: int, then: Sequence[Instruction]) -> list[Instruction]:
    """This action where the argument's low 32 bits are that value; else go on with `then`."""
    return [_low(argument), (_EQUAL, 0, 1, value), *verdict(action), *then]


def masked(argument: int, mask: int, value: int) -> list[Instruction]:
    """Allow where the argument's low 32 bits under the mask are exactly this; else EPERM."""
    return [_low(argument), (_AND, 0, 0, mask), (_EQUAL, 0, 1, value), *verdict(ALLOW), *verdict(EPERM)]


def is_null(argument: int) -> list[Instruction]:
    """Allow where all 64 bits of the argument are zero; else EPERM."""
    low = [_low(argument), (_EQUAL, 0, 3, 0)]
    return [*low, _high(argument), (_EQUAL, 0, 1, 0), *verdict(ALLOW), *verdict(EPERM)]


def assemble(machine: int, x32: int, rules: Iterable[Rule], otherwise: int) -> bytes:
    """The program: another machine's or the x32 calling convention kills; then the rules; then `otherwise`."""
    program: list[Instruction] = [(_LOAD, 0, 0, _MACHINE), (_EQUAL, 1, 0, machine), *verdict(KILL)]
    program.append((_LOAD, 0, 0, _NUMBER))
    if x32:
        program += [(_AT_LEAST, 0, 1, x32), *verdict(KILL)]
    for number, body in rules:
        program.append((_EQUAL, 0, len(body), number))
        program += body
    program += verdict(otherwise)
    return b"".join(struct.pack("<HBBI", *instruction) for instruction in program)
