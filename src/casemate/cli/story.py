"""What the demonstration does, act by act, each through the real door as somebody who may do no more than his label.

`told` gathers it as one document. Nothing here is shown: `scene` does that.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from casemate.cli.add import Brought, settle_quietly
from casemate.cli.bm25 import filtered_scores
from casemate.cli.client import Answer, Client, remote
from casemate.cli.failure import Failed
from casemate.cli.tongue import language, t
from casemate.exercise import CEILING, demo_questions, documents, principals
from casemate.words import Problem

if TYPE_CHECKING:
    from casemate.wiring import Addresses

__all__ = ["Hidden", "Player", "Scores", "Story"]

NEVER = "doc_" + "a" * 26
HIDDEN = """TOP SECRET//SI//NOFORN

(TS//SI//NF) EXERCISE HARBOUR LANTERN - Hidden note

(TS//SI//NF) EXERCISE. Convoy LK-7 leaves, Port Sable, convoy, convoy: this note is here to be counted and not seen.

TOP SECRET//SI//NOFORN
"""
SENDERS = 4
PATIENCE = 10.0


@dataclass(frozen=True, slots=True)
class Player:
    """Somebody of the exercise, with a key of his own."""

    name: str
    title: str
    clearance: str
    marking: str
    token: str
    client: Client = field(repr=False)


@dataclass(frozen=True, slots=True)
class Hidden:
    """Two answers: for an id that lies above, and for one that never was."""

    id: str
    name: str
    mark: str
    above: str
    never: str
    equal: bool
    entry: str


@dataclass(frozen=True, slots=True)
class Scores:
    """The best visible passage's score before and after one hidden document is added: FTS5's, and ours."""

    text: str
    fts5: tuple[float, ...]
    ours: tuple[float, float]
    same_bytes: bool


class Story:
    """One run of it. `over` says that somebody wants to stop."""

    def __init__(self, owner: Client, addresses: Addresses, over: Callable[[], bool]) -> None:
        self.told: dict[str, Any] = {"console": addresses.console}
        self.players: dict[str, Player] = {}
        self.label = self.marking = ""
        self._owner = owner
        self._url = addresses.console
        self._over = over
        self._note = ("", "", "")

    def cast(self) -> list[Player]:
        """The exercise's people, each with a clearance and a key from the region's floor up to it."""
        session = self._owner.get("/api/session")
        self.label, self.marking = session.label, session.marking
        floor, ceiling = (session.data[end]["label"] for end in ("floor", "ceiling"))
        for one in principals():
            clearance = ceiling if one.clearance == CEILING else one.clearance
            asked = {"name": one.name, "clearance": clearance, "roles": one.roles}
            made = self._owner.post("/api/principals", asked).data
            key = {"principal": one.name, "floor": floor, "days": 1, "name": "demo"}
            token = self._owner.post("/api/keys", key).data["secret"]
            client = remote(self._url, token, _unmarked)
            me = client.get("/api/session").data
            title = one.title[language()]
            shown = t("demo.ceiling") if one.clearance == CEILING else me["ceiling"]["marking"]
            self.players[one.name] = Player(one.name, title, made["clearance"], shown, token, client)
        self.told["principals"] = [
            {"name": each.name, "clearance": each.marking, "token": each.token} for each in self.players.values()
        ]
        return list(self.players.values())

    def demo_players(self) -> list[Player]:
        return [self.players[one.name] for one in principals() if one.demo]

    def load(self, progress: Callable[[int, int], None]) -> dict[str, Any]:
        """The corpus, by the same door as anybody's files: sent a few at a time, read one by one."""
        sent = list(documents())
        began = time.monotonic()
        with ThreadPoolExecutor(SENDERS) as pool:
            ids = list(pool.map(self._send, [sent[place::SENDERS] for place in range(SENDERS)]))
        waiting = {id for group in ids for id in group}
        brought = Brought(added=dict.fromkeys(waiting, ""))
        settle_quietly(self._owner, brought, lambda done: progress(done, len(sent)), self._over)
        found = self._owner.get("/api/documents").data
        ready = [each for each in found["documents"] if each["state"] == "ready"]
        about = self._owner.get("/api/region").data
        labels = {each["label"] for each in ready}
        self.told["loaded"] = {
            "documents": len(ready),
            "passages": sum(each["passages"] for each in ready),
            "quarantined": len(found["documents"]) - len(ready),
            "labels": len(labels),
            "policies": about["policies"],
            "embedder": about["embedder"],
            "keys": about["keys"],
            "seconds": round(time.monotonic() - began, 2),
        }
        return dict(self.told["loaded"])

    def _send(self, group: Sequence[Any]) -> list[str]:
        client = Client(self._owner.connect, self._owner.where, _unmarked)
        try:
            return [
                str(client.post("/api/documents", each.data, name=each.name, base="exercise").data["id"])
                for each in group
            ]
        finally:
            client.close()

    def questions(self) -> list[tuple[str, list[tuple[Player, Answer]]]]:
        """The same questions for each; four ask at once, as four people would."""
        asked = []
        for question in demo_questions():
            request = {"question": question.text, "language": language()}
            with ThreadPoolExecutor(SENDERS) as pool:
                players = self.demo_players()
                answers = list(pool.map(lambda player, body=request: player.client.post("/api/ask", body), players))
            asked.append((question.text, list(zip(players, answers, strict=True))))
        self.told["questions"] = [
            {
                "question": text,
                "answers": [{"principal": player.name, "marking": a.marking, **a.data} for player, a in answers],
            }
            for text, answers in asked
        ]
        return asked

    def hidden(self) -> Hidden:
        """The visitor asks for the id of the document that was just added, and for one that never was."""
        visitor = self.players["visitor"].client
        id, name, mark = self._note
        one, entry = self._refused(visitor, id)
        two, _ = self._refused(visitor, NEVER)
        told = Hidden(id, name, mark, one, two, one == two, entry)
        self.told["hidden"] = {"above": one, "never": two, "equal": told.equal}
        return told

    def _refused(self, client: Client, id: str) -> tuple[str, str]:
        """The whole answer as text. Two things in it cannot be equal and are replaced: the asked id, the entry's."""
        response = client.raw("GET", f"/api/documents/{id}")
        lines = [f"HTTP {response.status}", *(f"{n}: {v}" for n, v in response.headers if n.lower() != "date")]
        text = "\n".join([*lines, "", response.raw.decode()])
        return text.replace(id, "ID").replace(response.entry, "ENTRY"), response.entry

    def reconciled(self, hidden: Hidden) -> dict[str, Any]:
        """The same moment as the ledger has it where the auditor reads: what was really refused."""
        auditor = self.players["auditor"].client
        until = time.monotonic() + PATIENCE
        while not self._over():
            for seen in auditor.get("/api/ledger", limit="400").data:
                if seen["entry"]["rule"] == "no-read-up" and seen["entry"]["facts"].get("asked") == hidden.entry:
                    self.told["reconciled"] = seen
                    return dict(seen)
            if time.monotonic() > until:
                break
            time.sleep(0.1)
        return {}

    def store_below(self) -> Problem | None:
        """The analyst tries to keep an answer at a lower label than it was made at."""
        asked = {"text": "(S//NF) ...", "label": "us:UNCLASSIFIED"}
        try:
            self.players["analyst"].client.post("/api/answers", asked)
        except Failed as failure:
            problem = failure.problem
            self.told["stored_below"] = {"rule": problem.rule, "detail": problem.detail, "remedy": problem.remedy}
            return problem
        return None

    def scores(self) -> Scores:
        """The visitor's best passage, before and after one document is added that he may not see."""
        question = demo_questions()[0].text
        visitor = self.players["visitor"].client
        before = visitor.get("/api/search", q=question)
        brought = Brought()
        sent = self._owner.post("/api/documents", HIDDEN.encode(), name="hidden-note.txt", base="exercise").data
        brought.added[sent["id"]] = sent["name"]
        settle_quietly(self._owner, brought, _still, self._over)
        note = self._owner.get(f"/api/documents/{sent['id']}").data["document"]
        self._note = (sent["id"], note["name"], note["mark"])
        after = visitor.get("/api/search", q=question)
        visible = [hit["text"] for hit in before.data]
        others = [p for d in documents() for p in map(_bare, d.paragraphs) if p not in visible]
        told = Scores(
            text=before.data[0]["text"],
            fts5=filtered_scores(question, visible, [*others, _bare(HIDDEN.split("\n\n")[2])]),
            ours=(before.data[0]["bm25"], after.data[0]["bm25"]),
            same_bytes=before.raw == after.raw,
        )
        self.told["scores"] = {"fts5": told.fts5, "ours": told.ours, "same_bytes": told.same_bytes}
        return told

    def prove(self) -> dict[str, Any]:
        """The analyst's answer, asked again in a world that never held anything above him."""
        asked = {"question": demo_questions()[0].text}
        proof = self.players["analyst"].client.post("/api/prove", asked).data
        self.told["proof"] = proof
        return dict(proof)

    def verified(self) -> list[dict[str, Any]]:
        """Every log that the auditor sees."""
        logs = self.players["auditor"].client.post("/api/ledger/verify", {}).data
        self.told["verified"] = logs
        return list(logs)

    def tokens(self) -> list[Player]:
        return list(self.players.values())


def _bare(paragraph: str) -> str:
    """A paragraph without its mark."""
    return re.sub(r"^\([^)]*\)\s*", "", paragraph)


def _still(done: int) -> None:
    """Nobody watches."""
    del done


def _unmarked(marking: str) -> None:
    """The demonstration shows many labels at once and says each beside its text."""
    del marking
