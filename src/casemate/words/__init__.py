"""Sentences, in French and English, and the one telling of an error.

A sentence stands in `catalogue/ROOM.LANGUAGE.toml` as `slug = "text with {fact}"`. An error's slug has three of them:
`title`, `detail` and `remedy`, under `[errors.SLUG]`; a refusal's rule has `detail` and `remedy` under `[rules.RULE]`.
A door chooses only the brackets around a `Problem`.
"""

from __future__ import annotations

from casemate.words.problem import Problem, problem
from casemate.words.say import LANGUAGES, language_of, say, sentences

__all__ = ["LANGUAGES", "Problem", "language_of", "problem", "say", "sentences"]
