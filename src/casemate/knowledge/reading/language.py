"""Whether a text is English or French, by the words that neither can do without: a function of the text alone.

Only what is sure is said. A short text, one without enough of such words, one in which both languages stand, and one
in any other language is "": an embedder that serves one language is then asked all the same.
"""

from __future__ import annotations

import re

__all__ = ["ENGLISH", "FRENCH", "detect"]

ENGLISH, FRENCH = "en", "fr"
_READ = 1200  # characters; what comes after them would change nothing
_LEAST = 3  # words that speak for a language
_SURE = 3  # times as many as speak for the other
_WORD = re.compile(r"[a-zà-öø-ÿœ]+")

# Words of the one that are none of the other: no "on", "a", "as", "me", "car", "pour", "or", "son", "but", "plus".
_ENGLISH = frozenset(
    """
    the and of to in is that it was he for with his they at be this from have by not were we when your can said there
    an each which she do how their if will up other about out many then them these so some her would make him into has
    had been its who did get may down made our what where after before between because could should shall through
    while without within all are you my than only also any both against during under until does
    """.split()
)
_FRENCH = frozenset(
    """
    le la les des du de un une et est il elle ils elles dans que qui ne pas par sur avec ce cette ces sont était être
    au aux mais ou où nous vous leur leurs ses sa été fait à même aussi comme sans sous entre après avant depuis
    dont tout tous toute toutes peut doit cela ceux celle y ont avait étaient très chez vers selon pendant lors ainsi
    """.split()
)
# Of neighbours that share words with French or English: they speak against both.
_OTHERS = frozenset(
    """
    el los del con por para como pero muy su lo di che della delle gli sono nel und der das von ist nicht mit dem
    den ein eine auf het een van niet não uma com os da em och att som
    """.split()
)
_WEIGHTS = {**dict.fromkeys(_ENGLISH, 1), **dict.fromkeys(_FRENCH, -1), **dict.fromkeys(_OTHERS, 2)}


def detect(text: str) -> str:
    """ "en", "fr", or "" where neither is sure."""
    words = _WORD.findall(text[:_READ].lower())
    weights = [weight for word in words if (weight := _WEIGHTS.get(word))]
    english, french = weights.count(1), weights.count(-1)
    others = len(weights) - english - french
    if max(english, french) < max(_LEAST, len(words) // 12):
        return ""
    if english > _SURE * (french + others):
        return ENGLISH
    return FRENCH if french > _SURE * (english + others) else ""
