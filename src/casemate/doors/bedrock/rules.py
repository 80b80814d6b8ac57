"""A guardrail's policies, as the protocol writes them and as the house keeps them.

What would need a model to judge (content filters, grounding, automated reasoning, a vendor's word lists) is refused by
name: a guardrail that quietly did less than it says would be worse than none.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from casemate.doors.bedrock.parts import malformed
from casemate.errors import BadInput
from casemate.models.guardrail import HOUSE, PII, Guardrail, Rule
from casemate.models.pattern import BadPattern, Pattern
from casemate.words import say

__all__ = ["Request", "policies_of", "read", "rules_of"]

_REFUSED = (
    "contentPolicyConfig",
    "contextualGroundingPolicyConfig",
    "automatedReasoningPolicyConfig",
    "crossRegionConfig",
    "kmsKeyId",
)
_MOST_RULES, _MOST_TEXT = 10_000, 500
_Block = Literal["BLOCK", "NONE"]
_Do = Literal["BLOCK", "ANONYMIZE", "NONE"]


class Sides(msgspec.Struct, rename="camel", omit_defaults=True, kw_only=True):
    """What is done on each side, where a rule says so."""

    input_action: _Do | None = None
    output_action: _Do | None = None
    input_enabled: bool | None = None
    output_enabled: bool | None = None


class Topic(Sides, rename="camel", omit_defaults=True, kw_only=True):
    """A subject that is not to be spoken of; it is found by the words of its name and examples."""

    name: str
    definition: str
    type: Literal["DENY"]
    examples: list[str] | None = None


class Word(Sides, rename="camel", omit_defaults=True, kw_only=True):
    """A word or a phrase."""

    text: str


class Pii(Sides, rename="camel", omit_defaults=True, kw_only=True):
    """A kind of personal data."""

    type: str
    action: _Do


class Regex(Sides, rename="camel", omit_defaults=True, kw_only=True):
    """A pattern."""

    name: str
    pattern: str
    action: _Do
    description: str | None = None


class Topics(msgspec.Struct, rename="camel"):
    """The tier changes nothing here, and is not kept."""

    topics_config: list[Topic]
    tier_config: dict[str, Any] | None = None


class Words(msgspec.Struct, rename="camel"):
    """Managed lists are the vendor's."""

    words_config: list[Word] | None = None
    managed_word_lists_config: list[dict[str, Any]] | None = None


class Sensitive(msgspec.Struct, rename="camel"):
    """Personal data, and patterns."""

    pii_entities_config: list[Pii] | None = None
    regexes_config: list[Regex] | None = None


class Tag(msgspec.Struct):
    """A tag."""

    key: str
    value: str


class Request(msgspec.Struct, rename="camel", kw_only=True):
    """CreateGuardrail and UpdateGuardrail."""

    name: str
    blocked_input_messaging: str
    blocked_outputs_messaging: str
    description: str = ""
    topic_policy_config: Topics | None = None
    word_policy_config: Words | None = None
    sensitive_information_policy_config: Sensitive | None = None
    tags: list[Tag] | None = None
    client_request_token: str = ""


def read(raw: dict[str, Any], language: str) -> Request:
    """What was asked for. Raises BadInput for what is not offered, and for what does not fit."""
    for name in _REFUSED:
        if raw.get(name):
            raise BadInput(what=say("models.not_offered", language, name=name))
    try:
        request = msgspec.convert(raw, Request)
    except msgspec.ValidationError as error:
        raise malformed(error, language) from None
    words = request.word_policy_config
    if words is not None and words.managed_word_lists_config:
        raise BadInput(what=say("models.not_offered", language, name="managedWordListsConfig"))
    texts = (request.blocked_input_messaging, request.blocked_outputs_messaging)
    if not all(0 < len(text) <= _MOST_TEXT for text in texts) or not 0 < len(request.name) <= 50:
        raise BadInput(what=say("bedrock.guardrail_texts", language))
    return request


def rules_of(request: Request, language: str) -> tuple[Rule, ...]:
    """The rules. Raises BadInput where there is none, and for a pattern or kind that cannot be looked for."""
    rules = tuple(_rules(request, language))
    if not 0 < len(rules) <= _MOST_RULES:
        raise BadInput(what=say("bedrock.guardrail_rules", language, most=_MOST_RULES))
    return rules


def policies_of(guardrail: Guardrail) -> dict[str, Any]:
    """The policies as GetGuardrail tells them."""
    told: dict[str, list[dict[str, Any]]] = {"topic": [], "word": [], "pii": [], "regex": []}
    for rule in guardrail.rules:
        told[rule.kind].append(rule.told)
    found: dict[str, Any] = {}
    if told["topic"]:
        found["topicPolicy"] = {"topics": told["topic"]}
        found["statusReasons"] = ["Topics are found by the words of their names and examples."]
    if told["word"]:
        found["wordPolicy"] = {"words": told["word"]}
    sensitive = {"piiEntities": told["pii"], "regexes": told["regex"]}
    if told["pii"] or told["regex"]:
        found["sensitiveInformationPolicy"] = {name: rules for name, rules in sensitive.items() if rules}
    return found


def _rules(request: Request, language: str) -> Iterator[Rule]:
    if request.topic_policy_config is not None:
        for topic in request.topic_policy_config.topics_config:
            phrases = tuple(topic.examples or ())
            yield _rule(topic, "topic", topic.name, "BLOCK", language, phrases=phrases)
    if request.word_policy_config is not None:
        for word in request.word_policy_config.words_config or ():
            yield _rule(word, "word", word.text, "BLOCK", language)
    sensitive = request.sensitive_information_policy_config or Sensitive()
    for entity in sensitive.pii_entities_config or ():
        if entity.type not in PII:
            raise BadInput(what=say("bedrock.pii", language, name=entity.type[:40], names=", ".join(sorted(PII))))
        yield _rule(entity, "pii", entity.type, entity.action, language)
    for regex in sensitive.regexes_config or ():
        _check(regex, language)
        yield _rule(regex, "regex", regex.name, regex.action, language, pattern=regex.pattern)


def _rule(
    written: Sides, kind: Literal["topic", "word", "regex", "pii"], name: str, action: _Do, language: str, **more: Any
) -> Rule:
    """A topic or a word blocks or tells; only what has a place in the text can be masked."""
    inputs = "OFF" if written.input_enabled is False else written.input_action or action
    outputs = "OFF" if written.output_enabled is False else written.output_action or action
    if not name.strip() or ("ANONYMIZE" in (inputs, outputs) and kind in ("topic", "word")):
        raise BadInput(what=say("bedrock.rule", language, name=name[:80]))
    told: dict[str, Any] = msgspec.to_builtins(written)
    return Rule(kind=kind, name=name, inputs=inputs, outputs=outputs, told=told, **more)


def _check(regex: Regex, language: str) -> None:
    if regex.pattern.startswith("casemate:"):
        if regex.pattern not in HOUSE:
            raise BadInput(what=say("bedrock.house", language, names=", ".join(HOUSE)))
        return
    try:
        Pattern(regex.pattern[:_MOST_TEXT])
    except BadPattern as error:
        raise BadInput(what=say("bedrock.pattern", language, name=regex.name[:80], why=str(error))) from None
    if len(regex.pattern) > _MOST_TEXT:
        raise BadInput(what=say("bedrock.pattern", language, name=regex.name[:80], why=f"over {_MOST_TEXT} characters"))
