"""A proof that an answer does not depend on what its reader may not see, on the customer's own data.

What the acting label sees is copied, with its ids, into a second world that has never held anything else: its postings
are built anew from the copied passages, its statistics counted anew. The same question is asked there with the same
clock. Two equal answers, byte for byte with their citations, and a signature: that is the proof. The reader answers
both times. An upstream's words may differ from run to run; comparing its prompts instead is not built yet.
"""

from __future__ import annotations

from typing import Protocol

import msgspec

from casemate.access import Flow, audit
from casemate.assistants.told import Told, gathered
from casemate.crypto import digest
from casemate.knowledge import Library, World, copied
from casemate.models import READER, Answerer, Chat

__all__ = ["Proof", "Prover", "Second", "SecondWorld", "question_of"]


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """What was compared, and the region's signature over it. Digests are SHA-384 in hex."""

    question: str
    principal: str
    floor: str
    acting: str
    at: int
    region: str
    classes: int
    documents: int
    passages: int
    first: str
    second: str
    equal: bool
    compared: str
    answer: Told
    solo: bool
    key_id: str
    signature: str = ""

    def body(self) -> bytes:
        """What is signed: everything but the signature, in the order of its fields."""
        return b"casemate proof v1\n" + msgspec.json.encode(msgspec.structs.replace(self, signature=""))


class Second(Protocol):
    """A second world: the flow of the same session at the same label there, its answerer and its library."""

    flow: Flow
    answerer: Answerer
    library: Library

    async def close(self) -> None: ...


class SecondWorld(Protocol):
    """Builds a second world that holds these copies and nothing else, for the session and label of the flow."""

    async def __call__(self, flow: Flow, world: World) -> Second: ...


class Prover:
    """One per answer process."""

    def __init__(self, answerer: Answerer, library: Library, second: SecondWorld) -> None:
        self.answerer = answerer
        self.library = library
        self.second = second

    async def last_question(self, flow: Flow) -> str:
        """The last question that this principal asked, from what the ledger keeps; "" where there is none.

        It bears the label that it bore when it was asked.
        """
        await flow.settled()
        for seen in audit.entries(flow, 500):
            mine = seen.entry.principal == flow.session.principal.name
            if mine and seen.kept and seen.entry.action == "answer.ask" and seen.entry.outcome == "begin":
                said = await audit.own_content(flow, seen.entry.id)
                flow.bear(audit.floor_of(flow, seen))
                return question_of(said or b"")
        return ""

    async def prove(self, flow: Flow, chat: Chat, who: str, at: str, reason: str) -> Proof:
        """Raises Refused (`as-another`) where the caller may not ask as that principal."""
        label = flow.gate.vault.region.reach(at) if at else None
        theirs = await flow.as_seen_by(who, label, reason)
        first = await gathered(self.answerer.answer(theirs, chat))
        world = await copied(theirs, self.library)
        second = await self.second(theirs, world)
        try:
            again = await gathered(second.answerer.answer(second.flow, chat))
        finally:
            await second.close()
        one, two = (digest(msgspec.json.encode(told)).hex() for told in (first, again))
        vault = flow.gate.vault
        proof = Proof(
            question=chat.question,
            principal=theirs.session.principal.name,
            floor=theirs.floor.text,
            acting=theirs.acting.text,
            at=vault.clock.now(),
            region=vault.region.name,
            classes=len(world.classes),
            documents=world.documents,
            passages=world.passages,
            first=one,
            second=two,
            equal=one == two,
            compared="body and citations" if chat.model == READER else "body and citations of an upstream",
            answer=first,
            solo=not flow.gate.directory.two_person(),
            key_id=vault.signer.key_id,
        )
        return msgspec.structs.replace(proof, signature=vault.signer.sign(proof.body()).hex())


class _Part(msgspec.Struct):
    text: str | None = None


class _Turn(msgspec.Struct):
    role: str = ""
    content: str | list[_Part] | None = None


class _Asked(msgspec.Struct):
    """A request of any wire, as far as its question goes."""

    question: str = ""
    messages: list[_Turn] = []


def question_of(said: bytes) -> str:
    """The question in a kept request of any wire: what the user said last, or "" where it cannot be found."""
    try:
        asked = msgspec.json.decode(said, type=_Asked)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    for turn in reversed(asked.messages):
        if turn.role == "user":
            content = turn.content or ""
            return content if isinstance(content, str) else "\n\n".join(part.text or "" for part in content)
    return asked.question
