"""Text to search terms: one fixed, small analysis for English and French together.

Unicode NFKC and case folding, accents removed, light stop words, irregular English verbs, a light suffix stemmer. It
never looks at anything but the text that it is given: the terms of a passage may not depend on its neighbours, its
language setting or the region. A change here is a change of shard format (`form.VERSION`).

A term is known to an index by its key, a digest of it: fixed in width, and the same in every shard.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata

__all__ = ["Keys", "key", "query_terms", "spoken", "terms", "words"]

_WORD = re.compile(r"[^\W_]+")
_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d"})
_VOWELS = frozenset("aeiouy")
_ENGLISH = """
a about after all also am an and any are as at be because been before being between both but by can could did do does
doing down during each few for from had has have having he her here hers him his how i if in into is it its itself me
mean means more most my no nor not of off on once only or other our ours out over own same shall she should so some
such than that the their theirs them then there these they this those through to too under until up upon us very was
we were what when where which while who whom whose why will with would you your yours
"""
_FRENCH = """
afin ainsi alors apres au aucun aucune aussi autre autres aux avaient avait avant avec avoir ayant ce ceci cela celle
celles celui cependant ces cet cette ceux chaque chez comme comment contre dans de depuis des dont du elle elles en
encore entre est et etaient etait etant ete etre eux furent fut ici il ils je jusqu jusque la le les leur leurs lors
lorsqu lorsque lui mais meme memes moins ne ni nos notre nous ont ou par parce pas pendant peu peut peuvent plus pour
pourquoi puis puisqu puisque qu quand que quel quelle quelles quels qui quoi sa sans se selon sera seront ses soit
sont sous sur ta te tous tout toute toutes tres tu un une vers vos votre vous y
"""
# English forms that no suffix explains, as `form:verb`.
_IRREGULAR = dict(
    pair.split(":")
    for pair in """
    began:begin begun:begin bought:buy broke:break broken:break brought:bring built:build came:come caught:catch
    chose:choose chosen:choose drew:draw drawn:draw drove:drive driven:drive fell:fall fallen:fall felt:feel flew:fly
    flown:fly fought:fight found:find gave:give given:give gone:go went:go grew:grow grown:grow held:hold hid:hide
    hidden:hide kept:keep knew:know known:know led:lead left:leave lent:lend lost:lose made:make met:meet
    paid:pay ran:run risen:rise rose:rise said:say sank:sink sunk:sink saw:see seen:see sent:send shot:shoot shown:show
    sold:sell sought:seek spent:spend spoke:speak spoken:speak stole:steal stolen:steal stood:stand struck:strike
    swept:sweep taken:take took:take taught:teach thought:think threw:throw thrown:throw told:tell understood:understand
    withdrew:withdraw withdrawn:withdraw won:win wrote:write written:write
    """.split()
)
_STOP = frozenset(_ENGLISH.split()) | frozenset(_FRENCH.split())


def words(text: str) -> list[str]:
    """The words of a text that count, in order, folded and otherwise as they stand."""
    return [word for word in _WORD.findall(_fold(text)) if _kept(word)]


def spoken(word: str) -> bool:
    """Whether a word may be suggested to somebody who has misspelt it."""
    return 3 <= len(word) <= 40 and word.isalpha()


def terms(text: str) -> list[str]:
    """The terms of a text in order, repeats included."""
    return [_term(word) for word in words(text)]


def key(term: str) -> int:
    """Under which an index knows a term: the first 64 bits of its BLAKE2b. Two terms of one key are one term."""
    return int.from_bytes(hashlib.blake2b(term.encode("utf-8", "replace"), digest_size=8).digest(), "little")


class Keys(dict[str, int]):
    """The key of each word's term, reckoned once for each word while a shard is made."""

    def __missing__(self, word: str) -> int:
        found = self[word] = key(_term(word))
        return found


def query_terms(text: str) -> tuple[str, ...]:
    """The distinct terms of a question, sorted: the order in which scores are summed."""
    return tuple(sorted(set(terms(text))))


def _term(word: str) -> str:
    return _stem(_IRREGULAR.get(word, word))


def _fold(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).casefold().translate(_LIGATURES)
    if folded.isascii():
        return folded
    return "".join(letter for letter in unicodedata.normalize("NFKD", folded) if not unicodedata.combining(letter))


def _kept(word: str) -> bool:
    """Single letters are elisions (l', d', 's) or list numbers; a single digit is content."""
    return word not in _STOP and (len(word) > 1 or not ("a" <= word <= "z"))


def _stem(word: str) -> str:
    """Plural, past, gerund and final -e taken off, -y written -i; short words and words with digits stay."""
    if len(word) < 4 or not word.isalpha():
        return word
    stem = _bare(_singular(word)).rstrip("e")
    if len(stem) < 3:
        return word
    return stem[:-1] + "i" if stem.endswith("y") else stem


def _singular(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return word[:-2]
    if word.endswith("aux") and not word.endswith("eaux") and len(word) > 5:
        return word[:-3] + "al"
    if word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    if (word.endswith("s") and not word.endswith(("ss", "us", "is"))) or word.endswith("ois"):
        return word[:-1]
    return word[:-1] if word.endswith(("eaux", "eux")) else word


def _bare(word: str) -> str:
    """planned -> plan, falling -> fall; speed, string and bring are no forms of anything."""
    for suffix in ("ing", "ed"):
        stem = word[: -len(suffix)]
        root = stem[:-1] if word.endswith("eed") else stem
        if word.endswith(suffix) and len(stem) >= 3 and not _VOWELS.isdisjoint(root):
            doubled = len(stem) > 3 and stem[-1] == stem[-2] and stem[-1] not in "aeioulsz"
            return stem[:-1] if doubled else stem
    return word
