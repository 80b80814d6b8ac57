"""A guardrail at work: it looks at what is asked before anybody is asked, and at an answer before anybody sees it.

It is found at the request's acting label, like any object. An answer that a guardrail looks at is whole before its
first byte goes out, also where it is streamed: half a sentence cannot be judged.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from casemate.access import Flow
from casemate.doors.bedrock.answered import Answered
from casemate.doors.bedrock.assessment import assessed
from casemate.errors import BadInput, TooLarge
from casemate.models import Chat, Citation, Message, Part, Text, Thought, ToolResult
from casemate.models.guardrail import GUARDRAIL, GUARDRAIL_VERSION, MOST_TEXT, Finder, Guardrail, Side, Verdict, assess
from casemate.words import say

__all__ = ["Guarding", "finders", "found", "guarding"]

_LONG = 4096  # characters: what is longer is looked at beside the loop that serves everybody


async def guarding(flow: Flow, identifier: str, version: str, trace: str = "disabled") -> Guarding | None:
    """The guardrail that a request names, or None. Raises Absent, and BadInput for half a name."""
    if not identifier and not version:
        return None
    if not identifier or not version or trace.lower() not in ("enabled", "disabled", "enabled_full"):
        raise BadInput(what=say("bedrock.guardrail_named", flow.session.language))
    guardrail = await found(flow, identifier, version)
    return Guarding(flow, guardrail, trace.lower())


async def found(flow: Flow, identifier: str, version: str) -> Guardrail:
    """A guardrail by its id or ARN, and its version by number or as DRAFT. Raises Absent."""
    id = identifier.rpartition("/")[2]
    if version in ("", "DRAFT"):
        return replace((await flow.read(GUARDRAIL, id)).value, of=id)
    return (await flow.read(GUARDRAIL_VERSION, f"{id}.{version[:8]}")).value


def finders(flow: Flow) -> dict[str, Finder]:
    """What the house finds for itself: lines that are a banner or open with a portion mark of the region's policies."""
    policies = flow.gate.vault.region.policies

    def marks(text: str) -> list[tuple[int, int]]:
        spans, place = [], 0
        for line in text.splitlines(keepends=True):
            said = line.strip()
            if policies.read_banner(said) or policies.read_portion(said)[0]:
                spans.append((place, place + len(line.rstrip())))
            place += len(line)
        return spans

    return {"casemate:marks": marks}


@dataclass(slots=True)
class Guarding:
    """One guardrail in one request, and what it has found so far."""

    flow: Flow
    guardrail: Guardrail
    trace: str
    asked: list[Verdict] = field(default_factory=list)
    answered: list[Verdict] = field(default_factory=list)
    output: list[str] = field(default_factory=list)
    _size: int = 0

    async def question(self, chat: Chat) -> Chat | None:
        """The chat as it may be asked; None where it may not. The system's own words are not looked at."""
        messages = [m if m.role == "system" else await self._message(m) for m in chat.messages]
        return None if any(v.blocked for v in self.asked) else replace(chat, messages=tuple(messages))

    def refusal(self) -> Answered:
        """What is answered in the place of a question that was not asked."""
        return Answered(text=self.guardrail.blocked_input, finish="guardrail")

    async def answer(self, answer: Answered) -> Answered:
        """The answer as it may be seen."""
        self.output = [answer.text]
        answer.text = await self.text("OUTPUT", answer.text)
        answer.cited = [await self._citation(cited) for cited in answer.cited]
        answer.thoughts = [thought for thought in answer.thoughts if await self._kept(thought)]
        for call in answer.calls:
            call.arguments = await self.text("OUTPUT", call.arguments)
        if any(v.blocked for v in self.answered) or len(answer.whole) < len(answer.calls):
            return Answered(text=self.guardrail.blocked_output, finish="guardrail")
        return answer

    def facts(self) -> dict[str, Any]:
        """For the entry: which guardrail, and whether it acted. What it found is the caller's text and stays out."""
        acted = any(v.blocked or v.changed for v in (*self.asked, *self.answered))
        return {"guardrail": f"{self.guardrail.of}:{self.guardrail.version}", "intervened": int(acted)}

    def traced(self) -> dict[str, Any] | None:
        """The trace that the caller asked for."""
        if self.trace == "disabled":
            return None
        full = self.trace == "enabled_full"
        told: dict[str, Any] = {"inputAssessment": {self.guardrail.of: assessed(self.asked, full)}}
        if self.answered:
            told |= {
                "modelOutput": self.output,
                "outputAssessments": {self.guardrail.of: [assessed(self.answered, full)]},
            }
        return {"guardrail": told}

    async def _message(self, message: Message) -> Message:
        if isinstance(message.content, str):
            return replace(message, content=await self.text("INPUT", message.content))
        return replace(message, content=tuple([await self._part(part) for part in message.content]))

    async def _part(self, part: Part) -> Part:
        if isinstance(part, Text):
            return Text(await self.text("INPUT", part.text))
        if isinstance(part, ToolResult):
            inner = [Text(await self.text("INPUT", p.text)) if isinstance(p, Text) else p for p in part.parts]
            return replace(part, parts=tuple(inner))
        return part

    async def _citation(self, cited: Citation) -> Citation:
        title, quote = await self.text("OUTPUT", cited.title), await self.text("OUTPUT", cited.quote)
        return replace(cited, title=title, quote=quote)

    async def _kept(self, thought: Thought) -> bool:
        """Reasoning is signed as it is: where it would have to be changed it is left out."""
        return await self.text("OUTPUT", thought.text) == thought.text

    async def text(self, side: Side, text: str) -> str:
        """A text as it may pass, unless what was found blocks it. Raises TooLarge."""
        if not text:
            return text
        self._size += len(text)
        if self._size > MOST_TEXT:
            raise TooLarge(what=say("bedrock.guarded_text", self.flow.session.language), limit=MOST_TEXT)
        house = finders(self.flow)
        if len(text) > _LONG:
            verdict = await self.flow.beside(assess, self.guardrail, side, text, house)
        else:
            verdict = assess(self.guardrail, side, text, house)
        (self.asked if side == "INPUT" else self.answered).append(verdict)
        return verdict.text
