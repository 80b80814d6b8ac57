"""How the demonstration looks: one table, then what is behind it. Plain text without a terminal; 100 columns."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from typing import Any

from casemate.cli.client import Answer
from casemate.cli.ledger import verdict_line
from casemate.cli.prove import shown
from casemate.cli.story import Hidden, Player, Scores
from casemate.cli.table import columns, width, wrapped
from casemate.cli.talk import Talk
from casemate.cli.tongue import language, t
from casemate.clock import iso
from casemate.words import Problem, say

__all__ = ["Scene"]

WIDEST = 100
NARROWEST = 80  # below it a mark would not fit beside a name
NAMES = 24
EXERCISE = "EXERCISE HARBOUR LANTERN - "  # how every title of the corpus begins


class Scene:
    """Prints each act as it is given."""

    def __init__(self, talk: Talk) -> None:
        self.talk = talk
        self._wide = max(NARROWEST, min(WIDEST, shutil.get_terminal_size((WIDEST, 24)).columns))
        self._moving = talk.colours(sys.stderr)

    def _title(self, slug: str, **facts: object) -> None:
        self.talk.out()
        self.talk.out(self.talk.bold(t(f"demo.{slug}", **facts)))

    def _say(self, text: str, indent: int = 2) -> None:
        for line in wrapped(text, self._wide - indent):
            self.talk.out(" " * indent + line)

    def cast(self, players: Sequence[Player]) -> None:
        self._title("cast")
        rows = [("  " + player.name, player.title, player.marking) for player in players]
        room = self._wide - max(width(row[0]) for row in rows) - max(width(row[1]) for row in rows) - 4
        for name, title, marking in rows:
            first, *rest = wrapped(marking, max(20, room))
            lines = [(name, title, first), *(("", "", line) for line in rest)]
            wide = [
                (a.ljust(max(width(r[0]) for r in rows)), b.ljust(max(width(r[1]) for r in rows)), c)
                for a, b, c in lines
            ]
            for line in columns(wide):
                self.talk.out(line)

    def progress(self, done: int, total: int) -> None:
        """A line that moves, on a terminal only."""
        if self._moving:
            end = "\n" if done == total else ""
            print(f"\r{t('demo.loading', done=done, total=total)}", end=end, file=sys.stderr, flush=True)

    def loaded(self, loaded: dict[str, Any]) -> None:
        self.talk.out()
        self._say(t("demo.loaded", **{**loaded, "policies": ", ".join(loaded["policies"])}), 0)
        self._say(t("init.keys"), 0)
        if not loaded["embedder"]:
            self._say(t("demo.no_embedder"), 0)

    def questions(self, asked: Sequence[tuple[str, Sequence[tuple[Player, Answer]]]]) -> None:
        """The table. A paragraph that somebody further up was told is only named here: what is lit is what differs."""
        for question, answers in asked:
            self._title("question", question=question)
            seen: set[str] = set()
            for player, answer in answers:
                self.talk.out("  " + "─" * (self._wide - 2))
                name = player.name
                for rung in answer.data["rungs"]:
                    self._rung(name, rung, new=rung["text"] not in seen)
                    name = ""
                    seen.add(rung["text"])
            self.talk.out("  " + "─" * (self._wide - 2))
        self._say(t("demo.same" if self.talk.colours() else "demo.same_plain"))

    def _rung(self, name: str, rung: dict[str, Any], new: bool) -> None:
        """One paragraph: its mark, what it quotes, and from where."""
        mark = rung["mark"]
        said = (
            rung["text"]
            .removeprefix(mark)
            .strip()
            .removeprefix(say("assistants.extract", language(), quotes=""))
            .strip()
        )
        sources = "; ".join(f"[{each['number']}] {each['title'].removeprefix(EXERCISE)}" for each in rung["citations"])
        lines = wrapped(f"{mark} {said}" if new else f"{mark} {t('demo.above')} {sources}", self._wide - NAMES - 4)
        more = wrapped(sources, self._wide - NAMES - 4) if new and sources else []
        for place, line in enumerate([*lines, *more]):
            head = f"  {name if place == 0 else ''}".ljust(NAMES) + ("+ " if new and place == 0 else "  ")
            marked = self.talk.mark(mark, rung["label"]) if place == 0 else ""
            rest = line.removeprefix(mark) if place == 0 else line
            lit = new and place < len(lines)
            self.talk.out(head + marked + (self.talk.lit(rest) if lit else self.talk.dim(rest)))

    def hidden(self, hidden: Hidden) -> None:
        self._title("hidden", name=hidden.name, mark=hidden.mark)
        for slug, text in (("above", hidden.above), ("never", hidden.never)):
            self._say(t(f"demo.hidden_{slug}"))
            head, _, body = text.partition("\n\n")
            self._say(head.splitlines()[0], 4)
            self._say(body, 4)
        self._say(
            self.talk.bold(t("demo.hidden_equal" if hidden.equal else "demo.hidden_differ", size=len(hidden.above)))
        )

    def stored(self, problem: Problem | None) -> None:
        self._title("stored")
        if problem is None:
            self._say(t("demo.stored_wrong"))
            return
        self._say(t("demo.refused", title=problem.title, rule=problem.rule))
        self._say(problem.detail, 4)
        self._say(f"→ {problem.remedy}", 4)

    def scores(self, scores: Scores) -> None:
        self._title("scores")
        self._say(f"“{scores.text}”")
        ours = t("demo.score_row", name=t("demo.ours"), before=f"{scores.ours[0]:.6f}", after=f"{scores.ours[1]:.6f}")
        if scores.fts5:
            before, after = (f"{score:.6f}" for score in scores.fts5)
            moved = t("demo.moved" if before != after else "demo.unmoved")
            self._say(
                t("demo.score_row", name=t("demo.fts5"), before=before, after=after) + f"  {self.talk.lit(moved)}", 4
            )
        else:
            self._say(t("demo.no_fts5"), 4)
        unchanged = scores.same_bytes and scores.ours[0] == scores.ours[1]
        self._say(ours + "  " + self.talk.bold(t("demo.unmoved" if unchanged else "demo.moved")), 4)

    def proved(self, proof: dict[str, Any]) -> None:
        self._title("proved")
        for line in shown(self.talk, proof):
            self._say(line, len(line) - len(line.lstrip()) + 2)

    def reconciled(self, seen: dict[str, Any]) -> None:
        self._title("reconciled")
        if not seen:
            self._say(t("demo.not_reconciled"))
            return
        entry, facts = seen["entry"], seen["entry"]["facts"]
        rows = [
            ("  " + t("demo.entry"), f"{entry['id']}  {iso(entry['at'])}"),
            ("  " + t("demo.what"), f"{entry['action']}: {entry['outcome']}, {entry['rule']}"),
            ("  " + t("demo.who"), f"{facts.get('principal', '')}, {facts.get('asked', '')}"),
            ("  " + t("demo.object"), ", ".join(entry["subjects"])),
            ("  " + t("demo.log"), self.talk.mark(seen["mark"], seen["label"])),
        ]
        for line in columns(rows):
            self.talk.out(line)

    def verified(self, logs: Sequence[dict[str, Any]]) -> None:
        self._title("verified")
        good = [log for log in logs if log["verdict"]["state"] == "ok"]
        entries = sum(log["verdict"]["entries"] for log in good)
        times = [log["verdict"]["at"] for log in good if log["verdict"]["at"] is not None]
        at = iso(max(times)) if times else "-"
        self._say(t("demo.logs", good=len(good), count=len(logs), entries=entries, at=at))
        for log in logs:
            if log["verdict"]["state"] != "ok":
                self._say(verdict_line(self.talk, log), 4)
        self._say(t("ledger.unwitnessed"))

    def end(self, players: Sequence[Player], seconds: float) -> None:
        self._title("tokens")
        for player in players:
            self.talk.out(f"  {player.name}\n    {player.token}")
        self.talk.say("demo.took", seconds=f"{seconds:.1f}")
