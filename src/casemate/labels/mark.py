"""A mark: what one marking says, part by part, in the words of one policy. Nothing is projected and nothing is lost.

    text --parse--> Mark, findings      a banner, a portion mark
    Mark --render--> text               the one right way to write it
    Mark <--> ISM attributes            what an XML document bears
    Mark --label--> Label               what governs access; a label's own mark is a projection of it

A mark may name programmes and compartments that no site has declared: it can be written, linted and rolled up, but it
is the label of nothing until the site declares them. It must never decide who may see what.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Finding", "Mark", "Parsed", "Severity"]

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True)
class Mark:
    """One policy's marking.

    `level`: the name of a level of the policy. `values`: by category in the policy's order, its tokens in the order in
    which they are written; no category twice, none empty. `owners`: who classified it; () is the policy's own nation or
    organisation, one is another's ("DEU"), several are a joint mark.
    """

    policy: str
    level: str
    values: tuple[tuple[str, tuple[str, ...]], ...] = ()
    owners: tuple[str, ...] = ()

    def of(self, category: str) -> tuple[str, ...]:
        """The tokens of a category; () if it says nothing of it."""
        return next((tokens for name, tokens in self.values if name == category), ())


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with text[start:end] by which rule, and what may be written in its place.

    `rule` is a stable slug, the same in every language and output. `paragraph` names the source's own paragraph. `fix`
    replaces text[start:end]; it never lowers anything, and is None where only a person can say.
    """

    rule: str
    severity: Severity
    start: int
    end: int
    facts: tuple[tuple[str, str], ...] = ()
    paragraph: str = ""
    fix: str | None = None


@dataclass(frozen=True, slots=True)
class Parsed:
    """A marking as it was understood: with an error among the findings, the higher reading of it."""

    mark: Mark
    findings: tuple[Finding, ...] = ()

    @property
    def right(self) -> bool:
        """Whether it is written as the source prescribes."""
        return not any(finding.severity == "error" for finding in self.findings)
