"""What goes to a model is looked at for secrets and personal data first, and what must not go is refused or masked.

An inspector tells what it found and where, never the thing itself: neither a refusal, nor an entry, nor an error
repeats it. The look is bounded: by the size of what is looked at, and in time; what could not be looked at in time does
not go where it would have been refused or masked. It decides nothing about labels, and nothing that it finds widens
them.

    refuse  the request is refused (`secret-found`, `personal-found`)
    mask    the text goes with `[KIND removed]` in the place of what was found
    note    it goes, and the entry says what was found and where
    off     nobody looks
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from casemate.access import Flow
from casemate.models.chat import Prompt
from casemate.models.guardrail import PII
from casemate.models.secrets import found_in, may_hold
from casemate.models.spots import Spot, changed, spots
from casemate.policy import Refuse

__all__ = ["Do", "Finding", "Inspection", "Inspector", "PersonalData", "Rules", "Secrets", "inspect_prompt"]

LONG = 1 << 15  # characters: what is longer is looked at beside the loop that serves everybody
MOST = 8 << 20  # characters that are looked at; a longer request is not looked at, and so not let go
TOLD = 8  # findings that an entry names

Do = Literal["refuse", "mask", "note", "off"]
What = Literal["secret", "personal"]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something at characters `start` to `end` of text number `place`. `rule` is the form by which it was told."""

    kind: What
    rule: str
    place: int
    start: int
    end: int


class Inspector(Protocol):
    """Looks at texts. Pure: the same texts give the same findings, and nothing of them is kept."""

    @property
    def name(self) -> str: ...

    @property
    def kind(self) -> What:
        """What it looks for."""
        ...

    def look(self, texts: Sequence[str]) -> list[Finding]:
        """What it found, text by text. May be called in any thread."""
        ...


class Secrets:
    """Keys, tokens and passwords, by the forms that the house knows."""

    name = "casemate"
    kind: What = "secret"

    def look(self, texts: Sequence[str]) -> list[Finding]:
        """What it found, text by text."""
        if not may_hold(texts):
            return []
        return [Finding("secret", *_at(hit, place)) for place, text in enumerate(texts) for hit in found_in(text)]


class PersonalData:
    """Numbers and addresses of people that can be told by their form and their check digits."""

    name = "casemate"
    kind: What = "personal"
    RULES = (
        "EMAIL",
        "CREDIT_DEBIT_CARD_NUMBER",
        "INTERNATIONAL_BANK_ACCOUNT_NUMBER",
        "US_SOCIAL_SECURITY_NUMBER",
    )

    def look(self, texts: Sequence[str]) -> list[Finding]:
        """What it found, text by text."""
        return [
            Finding("personal", rule.lower().replace("_", "-"), place, start, end)
            for place, text in enumerate(texts)
            for rule in self.RULES
            for start, end in PII[rule](text)
        ]


@dataclass(frozen=True, slots=True)
class Rules:
    """What is done with what is found on the way to a model outside the region, or inside it."""

    outside: Do = "refuse"
    inside: Do = "note"

    def do(self, outside: bool) -> Do:
        """The rule for that way."""
        return self.outside if outside else self.inside


@dataclass(frozen=True, slots=True)
class Inspection:
    """The region's policy. Called as the gateway's `Inspect`. `seconds` bounds the look at one prompt."""

    inspectors: tuple[Inspector, ...] = (Secrets(),)
    secrets: Rules = Rules()
    personal: Rules = Rules("off", "off")
    seconds: float = 5.0

    async def __call__(self, flow: Flow, prompt: Prompt, outside: bool) -> Prompt:
        """What may go. Raises Refused (`secret-found`, `personal-found`, `inspection-unfinished`)."""
        return await inspect_prompt(flow, prompt, outside, self)


async def inspect_prompt(flow: Flow, prompt: Prompt, outside: bool, policy: Inspection) -> Prompt:
    """The prompt as it may be lent. Raises Refused, recorded; the flow's facts tell what went all the same."""
    does: dict[What, Do] = {"secret": policy.secrets.do(outside), "personal": policy.personal.do(outside)}
    looking = [each for each in policy.inspectors if does[each.kind] != "off"]
    if not looking:
        return prompt
    seen = list(dict.fromkeys(spot for spot in spots(prompt) if len(spot.text) > 2))
    found = await _looked(flow, looking, [spot.text for spot in seen], policy.seconds)
    if found is None:
        if {"refuse", "mask"} & {does[each.kind] for each in looking}:
            await flow.refuse(Refuse("inspection-unfinished", {}))
        flow.facts["inspection"] = "unfinished"
        return prompt
    if not found:
        return prompt
    for finding in found:
        spot = seen[finding.place]
        if does[finding.kind] == "refuse" or (does[finding.kind] == "mask" and spot.fixed):
            facts = {"kind": finding.rule, "place": spot.place}
            await flow.refuse(Refuse(f"{finding.kind}-found", facts))
    flow.facts["found"] = _told(found, seen, does)
    masks = _masks([finding for finding in found if does[finding.kind] == "mask"], seen)
    return changed(prompt, lambda text: masks.get(text, text)) if masks else prompt


async def _looked(flow: Flow, looking: Iterable[Inspector], texts: list[str], seconds: float) -> list[Finding] | None:
    """What was found; None where it could not be known in time."""
    size = sum(map(len, texts))
    if size > MOST:
        return None
    if size <= LONG:
        return _look(looking, texts)
    try:
        return await asyncio.wait_for(flow.beside(_look, looking, texts), seconds)
    except TimeoutError:
        return None


def _look(looking: Iterable[Inspector], texts: Sequence[str]) -> list[Finding]:
    found = [finding for each in looking for finding in each.look(texts)]
    return sorted(found, key=lambda f: (f.place, f.start, f.end))


def _told(found: list[Finding], seen: list[Spot], does: dict[What, Do]) -> str:
    """For the entry: what was found and where, and whether it was taken out. Bounded."""
    named = list(dict.fromkeys(f"{f.rule} in {seen[f.place].place}: {does[f.kind]}" for f in found))
    more = [f"and {len(named) - TOLD} more"] if len(named) > TOLD else []
    return "; ".join([*named[:TOLD], *more])


def _masks(found: list[Finding], seen: list[Spot]) -> dict[str, str]:
    """Each text in which something is taken out, and what stands for it. Where findings overlap, they are one."""
    by_text: dict[str, list[Finding]] = {}
    for finding in found:
        by_text.setdefault(seen[finding.place].text, []).append(finding)
    return {text: _masked(text, findings) for text, findings in by_text.items()}


def _masked(text: str, found: list[Finding]) -> str:
    out, place = "", 0
    for finding in sorted(found, key=lambda f: (f.start, -f.end)):
        if finding.start >= place:
            out += text[place : finding.start] + f"[{finding.rule} removed]"
        place = max(place, finding.end)
    return out + text[place:]


def _at(hit: tuple[str, int, int], place: int) -> tuple[str, int, int, int]:
    rule, start, end = hit
    return rule, place, start, end
