"""Which node of a cluster belongs to which label: said here, and nowhere while the region runs."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from casemate.errors import Misconfigured

__all__ = ["JobNodeSettings", "nodes_given"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class JobNodeSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`engine`: the cluster of `jobs.engines` whose node it is; `label`: whose jobs alone run there, as a marking."""

    engine: str
    label: str


def nodes_given(nodes: Mapping[str, JobNodeSettings], kinds: Mapping[str, str]) -> None:
    """`kinds`: what each engine is. Raises Misconfigured where a node could belong to nobody."""
    for name, node in nodes.items():
        setting = f"jobs.nodes.{name}"
        if not _NAME.fullmatch(name):
            raise Misconfigured(setting=setting, why="a node's name has letters, digits, '.', '-' and '_'")
        if kinds.get(node.engine) != "slurm":
            why = "it is an engine of kind slurm; one of kind ray is a cluster that is a label's alone"
            raise Misconfigured(setting=f"{setting}.engine", why=why)
