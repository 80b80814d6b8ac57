"""`casemate labels rollup`: the banner of a whole, its label, and why each control stands in it or does not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from casemate.cli.command import option, verb
from casemate.cli.failure import failed
from casemate.cli.labels import FILES, POLICY, listed, look
from casemate.cli.labels_texts import Text
from casemate.cli.labels_told import shown
from casemate.cli.table import columns
from casemate.cli.talk import Talk
from casemate.cli.tongue import language, t
from casemate.clock import SystemClock, iso
from casemate.errors import BadInput, Unreadable
from casemate.labels import Document, Linted, Portion, write_document
from casemate.labels import Reason as Why
from casemate.words import say

__all__ = ["rollup"]

_SHORT = 10  # characters of a date


@verb("labels.rollup", FILES, *POLICY, option("--ism", is_flag=True), option("--created", default="", metavar="DATE"))
def rollup(talk: Talk, paths: tuple[Path, ...], policy: str, extra: tuple[Path, ...], ism: bool, created: str) -> None:
    policies = listed(policy, extra)
    seen, unread = look(talk, paths, policies)
    for skipped in unread:
        talk.say("labels.unread", path=shown(skipped.path), why=skipped.reason)
    label = policies.bottom()
    for _, linted in seen:
        label = label | linted.rolled.label if linted.rolled else label
    talk.marked(policies.banner(label, language()) if label is not policies.bottom() else "")
    if ism:
        _ism(seen, created)
    else:
        talk.data([_data(text, linted) for text, linted in seen], label.text, policies.banner(label, language()))
        for text, linted in seen:
            _say(talk, text, linted, several=len(seen) > 1)
    if unread:
        raise failed(Unreadable(why=t("labels.unread_count", count=len(unread))))


def _ism(seen: Sequence[tuple[Text, Linted]], created: str) -> None:
    """One document, with its portions as they are marked. It bears the banner that the portions roll up to.

    XML names every recipient: a portion that says "REL" alone says in it what it means under the document's banner.
    """
    if len(seen) != 1:
        raise BadInput(what=t("labels.one_document"))
    [(text, linted)] = seen
    rolled = linted.rolled
    if rolled is None or len(rolled.marks) != 1:
        raise BadInput(what=t("labels.one_policy", policies=len(rolled.marks) if rolled else 0))
    portions = tuple(Portion(rolled.meant(mark), words) for mark, words in _portions(text, linted))
    date = created or iso(SystemClock().now())[:_SHORT]
    print(write_document(Document(rolled.mark, portions, date)), end="", flush=True)


def _portions(text: Text, linted: Linted) -> list[tuple[Any, str]]:
    """Each portion's mark and its words: up to the next mark, or the next paragraph without one."""
    ends = sorted(
        [*(each.spot.start for each in (*linted.banners, *linted.portions)), *(s.start for s in linted.unmarked)]
    )
    found = []
    for each in linted.portions:
        end = next((place for place in ends if place > each.spot.start), len(text.text))
        found += [(mark, text.text[each.spot.end : end].strip()) for mark in each.said.marks]
    return found


def _data(text: Text, linted: Linted) -> dict[str, Any]:
    rolled = linted.rolled
    return {
        "path": text.path,
        "part": text.key,
        "policy": linted.policy,
        "banner": linted.banner,
        "label": rolled.label.text if rolled else "",
        "portions": len(linted.portions),
        "reasons": [
            {
                "effect": why.effect,
                "control": why.control,
                "rule": why.rule,
                "source": why.paragraph,
                "said": _said(why),
            }
            for why in (rolled.reasons if rolled else ())
        ],
    }


def _say(talk: Talk, text: Text, linted: Linted, several: bool) -> None:
    if several:
        talk.out(talk.bold(shown(text.name)))
    if linted.rolled is None:
        talk.out(t("labels.no_marks"))
        return
    talk.out(talk.mark(linted.banner, linted.rolled.label.text))
    talk.out(linted.rolled.label.text)
    effect = {name: t(f"labels.effect.{name}") for name in ("put", "taken", "unfounded", "missing")}
    rows = [(f"  {effect[why.effect]}", why.control, _said(why), why.paragraph) for why in linted.rolled.reasons]
    for line in columns(rows):
        talk.out(line)


def _said(why: Why) -> str:
    """Why, in a sentence; a rule of the roll-up has one in each language."""
    return say(f"labels.rollup.{why.rule}", language(), control=why.control)
