"""Personal data by the package presidio-analyzer (MIT), where it is installed beside Casemate.

Its recognisers of patterns and check digits run; names of people and places need a language model, which is taken only
where the operator has installed one and named it. Nothing is ever downloaded: the package's own way of loading a model
would, and is not used.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import spacy
from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
from presidio_analyzer.nlp_engine import NlpArtifacts, NlpEngine

from casemate.models.inspectors import Finding, What

__all__ = ["Presidio"]

_LEAST = 0.5  # its own score of certainty, from 0 to 1
_NOT = frozenset({"DATE_TIME", "IP_ADDRESS", "NRP"})  # no personal data by themselves
# These ask the network for a list of domains; the house tells addresses of mail by their form (`models.PersonalData`).
_FETCHES = ("EmailRecognizer", "UrlRecognizer")


class _Tokens(NlpEngine):  # type: ignore[misc]
    """Splits into words, and recognises nothing unless a model was given."""

    def __init__(self, language: str, model: str) -> None:
        self.language = language
        self.nlp: Any = spacy.load(model) if model else spacy.blank(language)

    def load(self) -> None:
        """Done already."""

    def is_loaded(self) -> bool:
        """It is."""
        return True

    def process_text(self, text: str, language: str) -> NlpArtifacts:
        """The words of a text."""
        doc = self.nlp(text)
        return NlpArtifacts(
            entities=list(doc.ents),
            tokens=doc,
            tokens_indices=[token.idx for token in doc],
            lemmas=[token.lemma_ or token.text for token in doc],
            nlp_engine=self,
            language=language,
            scores=[0.85] * len(doc.ents),
        )

    def process_batch(self, texts: Iterable[str], language: str, **_: Any) -> Iterator[tuple[str, NlpArtifacts]]:
        """The words of each."""
        for text in texts:
            yield text, self.process_text(text, language)

    def is_stopword(self, word: str, language: str) -> bool:
        """Whether it says nothing by itself."""
        del language
        return bool(self.nlp.vocab[word].is_stop)

    def is_punct(self, word: str, language: str) -> bool:
        """Whether it is a sign."""
        del language
        return bool(self.nlp.vocab[word].is_punct)

    def get_supported_entities(self) -> list[str]:
        """What its model recognises."""
        return list(self.nlp.get_pipe("ner").labels) if "ner" in self.nlp.pipe_names else []

    def get_supported_languages(self) -> list[str]:
        """One."""
        return [self.language]


class Presidio:
    """Implements `models.Inspector`. `model`: an installed spaCy package, or "" for patterns alone."""

    name = "presidio"
    kind: What = "personal"

    def __init__(self, language: str = "en", model: str = "") -> None:
        self._language = language
        engine = _Tokens(language, model)
        registry = RecognizerRegistry(supported_languages=[language])
        registry.load_predefined_recognizers(languages=[language], nlp_engine=engine if model else None)
        for name in _FETCHES:
            registry.remove_recognizer(name)
        self._engine = AnalyzerEngine(registry=registry, nlp_engine=engine, supported_languages=[language])

    def look(self, texts: Sequence[str]) -> list[Finding]:
        """What it found, text by text."""
        return [
            Finding("personal", each.entity_type.lower().replace("_", "-"), place, each.start, each.end)
            for place, text in enumerate(texts)
            for each in self._engine.analyze(text, self._language, score_threshold=_LEAST)
            if each.entity_type not in _NOT
        ]
