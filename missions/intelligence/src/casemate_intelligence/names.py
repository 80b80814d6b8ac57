"""How alike two names are: their words matched one to one by Jaro-Winkler (Winkler 1990), through rapidfuzz."""

from __future__ import annotations

from rapidfuzz.distance import JaroWinkler

from casemate_intelligence.merge import folded

__all__ = ["alike"]


def alike(left: str, right: str) -> float:
    """0 to 1, the same both ways. An initial stands for a word that begins with it, at a price."""
    one, other = folded(left).split(), folded(right).split()
    if not one or not other:
        return 0.0
    if len(one) > len(other) or (len(one) == len(other) and one > other):
        one, other = other, one
    pairs = sorted(((-_word(a, b), i, j) for i, a in enumerate(one) for j, b in enumerate(other)))
    taken, matched, length = set[tuple[str, int]](), 0.0, 0
    for score, i, j in pairs:
        if ("one", i) not in taken and ("other", j) not in taken:
            taken |= {("one", i), ("other", j)}
            weight = len(one[i]) + len(other[j])
            matched, length = matched - score * weight, length + weight
    left_over = sum(len(word) for j, word in enumerate(other) if ("other", j) not in taken)
    return matched / (length + left_over)


def _word(a: str, b: str) -> float:
    if len(a) == 1 or len(b) == 1:
        return 1.0 if a == b else 0.9 if a[0] == b[0] else 0.0
    found = float(JaroWinkler.similarity(a, b))
    return found if found >= 0.8 else 0.0
