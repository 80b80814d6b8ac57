"""Whether a line that is still being written may yet become a mark: what a stream withholds until it knows.

It may err on the side of yes, never of no: a line of which every mark is a possible end is withheld whole, and one
that no mark can begin like goes on at once.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from casemate.labels.disguise import plain, tidy
from casemate.labels.grammar import Grammar
from casemate.labels.reading import LONGEST

__all__ = ["Opening"]

_LEAD = re.compile(r"(?:[-*•·–—▪▫■□●○◦➢✓>#\uf000-\uf0ff]+\s+)*(?:\(?(?:\d{1,3}|[A-Za-z]|[ivxlIVXL]{1,5})[.)]\s+)?")
_NUMBERS = re.compile(r"(?:\d{1,3}(?:\.\d{1,3}){1,5}\.?\s+)?")
_PARTIAL = re.compile(
    r"[-*•·–—▪▫■□●○◦➢✓>#\uf000-\uf0ff]*|\(?(?:\d{1,3}|[A-Za-z]|[ivxlIVXL]{1,5})[.)]?|\d{1,3}(?:\.\d{0,3}){1,6}"
)
_NUMBERED = re.compile(r"(?:[^\w\s]+\s+)*\d{1,3}(?:\.\d{0,3}){0,6}\s*")
_WRAP = "*_# "
_AFTER = 12  # characters after a portion mark that can still make it something else: a copyright line
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_UNSEEN = re.compile(rb"\\[ub/]")  # in JSON: what is another letter, or none, where it is read
_WORD = re.compile(r"\w+(?=\W)")
_WORDS = re.compile(r"[A-Za-z][^.)]{6}")  # no list and no number begins like this: most lines do
_DOUBLE = re.compile(rb"(?<!:)//")
_SKIPPED = "*_# \t\n\r\x0b\x0c\x1c\x1d\x1e\x1f"  # what `tidy` and the wrapping take away before a head


@dataclass(frozen=True)
class Opening:
    """The heads of all marks of all policies, and every word that may follow one."""

    heads: tuple[str, ...]
    words: frozenset[str]
    portions: frozenset[str]

    @classmethod
    def of(cls, grammars: Iterable[Grammar]) -> Opening:
        """What the marks of these policies open with."""
        heads: set[str] = set()
        words: set[str] = set()
        portions: set[str] = set()
        for grammar in grammars:
            vocabulary = grammar.vocabulary
            heads |= {*vocabulary.levels["full"], *vocabulary.standing["full"]}
            portions |= {*vocabulary.levels["portion"], *vocabulary.standing["portion"]}
            words |= vocabulary.known_words
            words |= {word for head in heads for word in re.findall(r"\w+", head.upper())}
        return cls(tuple(sorted({*heads, *map(plain, heads)})), frozenset(words), frozenset(portions))

    @cached_property
    def _roots(self) -> tuple[bytes, ...]:
        """Words in capitals, as few as may be, of which every head holds one."""
        left = [set(re.findall(r"[A-Z]+", plain(head).upper())) for head in self.heads]
        roots = []
        while left:
            counts = Counter(word for words in left for word in sorted(words))
            root = max(counts, key=lambda word: (counts[word], word))
            roots.append(root.encode())
            left = [words for words in left if root not in words]
        return tuple(roots)

    @cached_property
    def _bracketed(self) -> tuple[re.Pattern[bytes], ...]:
        """A pattern for each bracket: one that begins with a plain character is looked for much faster."""
        either = "|".join(re.escape(plain(portion).upper()) for portion in sorted(self.portions, key=len, reverse=True))
        inside = rf"(?: |\\+T)*(?:{either})(?![A-Z0-9])"
        return tuple(re.compile(f"{bracket}{inside}".encode()) for bracket in (r"\(", r"\["))

    def may_hold(self, body: bytes) -> bool:
        """Whether any text in a JSON document may bear a mark, wherever it stands. Most documents bear none.

        Letters that are written as escapes, or are not plain, are not looked through: such a document may. Nor is a
        backspace, which no reader sees, and which would part a word here.
        """
        if not body.isascii() or b"\x7f" in body or (b"\\" in body and _UNSEEN.search(body)):
            return True
        upper = body.upper()
        for root in self._roots:
            if root in upper:
                return True
        if b"//" in body and _DOUBLE.search(body):
            return True
        round_, square = self._bracketed
        return round_.search(upper) is not None or square.search(upper) is not None

    @cached_property
    def _heads_by_first(self) -> dict[str, tuple[str, ...]]:
        first: dict[str, list[str]] = {}
        for head in self.heads:
            for letter in {head[0], head[0].upper()}:
                first.setdefault(letter, []).append(head)
        return {letter: tuple(heads) for letter, heads in first.items()}

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        """Where a line of plain characters begins like a mark."""
        heads = "|".join(re.escape(head).replace(r"\ ", "[ \\t]+") for head in self.heads if head.isascii())
        bullet, number = r"[-*>#]+[ \t]+", r"\(?(?:\d{1,3}|[a-z]{1,5})[.)][ \t]+|\d{1,3}(?:\.\d{1,3}){1,5}\.?[ \t]+"
        return re.compile(
            rf"[ \t]*(?:(?:{bullet})*(?:{number})?[(\[]|[#*_ \t]*(?://|(?:{heads})(?![a-z0-9])))", re.IGNORECASE
        )

    def lines_to_read(self, text: str) -> list[str]:
        """The lines of a text that may bear a mark, in order: most texts have none, and most looks end here."""
        if text.isascii() and text.isprintable():  # one line
            return [text] if self._pattern.match(text) else []
        if not text.isascii() or _CONTROL.search(text):
            return text.splitlines()
        begins = self._pattern.match
        return [line for line in text.splitlines() if begins(line)]

    def may_mark(self, line: str) -> bool:
        """Whether a line that begins like this may turn out to be a banner, or a paragraph with a portion mark."""
        if len(line) > LONGEST + 2 * _AFTER:
            return False
        bare = line.lstrip()
        if not bare:
            return True
        seen = plain(bare)
        return self._may(bare) or (seen != bare and (not seen or self._may(seen)))

    def _may(self, line: str) -> bool:
        return self._portion(line) or (self._begins(line) and self._banner(tidy(line).lstrip(_WRAP)))

    def _begins(self, line: str) -> bool:
        """Whether a head may begin where this line does: a look at one letter, which mostly says no."""
        if not line.isascii():
            return True
        first, heads = line.lstrip(_SKIPPED)[:1], self._heads_by_first
        return not first or first == "/" or first in heads or first.upper() in heads

    def _portion(self, line: str) -> bool:
        if _WORDS.match(line):
            return False
        for lead in (_LEAD, _NUMBERS):
            found = lead.match(line)
            rest = line[found.end() :] if found else line
            if rest[:1] in ("(", "["):
                closed = min((at for at in (rest.find(")"), rest.find("]")) if at > 0), default=-1)
                if closed < 0 or len(rest) <= closed + _AFTER:
                    return True
            if not rest or _PARTIAL.fullmatch(rest):
                return True
        return _NUMBERED.fullmatch(line) is not None

    def _banner(self, line: str) -> bool:
        if not line or line[0] == "/":
            return True
        return self._headed(line, exact=True) or self._headed(line.upper(), exact=False)

    def _headed(self, line: str, *, exact: bool) -> bool:
        """Begins with a head, or is the beginning of one; and every whole word after the head may stand in a mark."""
        for head in self._heads_by_first.get(line[0], ()):
            if head.startswith(line):
                return True
            if line.startswith(head):
                rest = line[len(head) :]
                if rest[:1].isalnum():
                    continue
                if exact and ("+" in rest or rest.lstrip().startswith("//")):
                    # joined to anything at all it is a mark in part; and a section may name whomever nobody knows
                    return True
                if all(word.upper() in self.words or (exact and word == word.upper()) for word in _WORD.findall(rest)):
                    return True
        return False
