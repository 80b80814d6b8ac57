"""InvokeModel with the bodies of models that take one text: Llama's (`prompt`) and Titan's (`inputText`)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from casemate.doors.bedrock.answered import Answered
from casemate.doors.bedrock.bodies import Ended, Opened, told
from casemate.doors.bedrock.parts import malformed
from casemate.models import MOST_TOKENS, Chat, Delta, Message, within

__all__ = ["LlamaBody", "TitanBody"]


class Llama(msgspec.Struct):
    """What we read of Llama's body."""

    prompt: str
    max_gen_len: int = 512
    temperature: float | None = None
    top_p: float | None = None


class Generation(msgspec.Struct, rename="camel"):
    """How Titan writes."""

    max_token_count: int = 512
    temperature: float | None = None
    top_p: float | None = None
    stop_sequences: list[str] | None = None


class Titan(msgspec.Struct, rename="camel"):
    """What we read of Titan's body."""

    input_text: str
    text_generation_config: Generation | None = None


class LlamaBody:
    """One request's body and its answers."""

    def __init__(self, raw: dict[str, Any], language: str) -> None:
        self.raw, self.language = raw, language
        try:
            self.body = msgspec.convert(raw, Llama)
        except msgspec.ValidationError as error:
            raise malformed(error, language) from None

    def chat(self, model: str) -> Chat:
        """The chat: the prompt is what the user says. Raises BadInput."""
        body = self.body
        within("max_gen_len", body.max_gen_len, 1, MOST_TOKENS, self.language)
        within("temperature", body.temperature, 0, 1, self.language)
        within("top_p", body.top_p, 0, 1, self.language)
        return Chat(
            model=model,
            messages=(Message("user", body.prompt),),
            max_tokens=body.max_gen_len,
            temperature=body.temperature,
            top_p=body.top_p,
            dialect="bedrock",
            extra=_beyond(self.raw, Llama),
            language=self.language,
        )

    def whole(self, answer: Answered, opened: Opened, ended: Ended) -> dict[str, Any]:
        """The answer in one piece."""
        del opened
        return self._told(answer.text, ended)

    def opening(self, opened: Opened) -> Iterator[bytes]:
        """Nothing: this body has no head."""
        del opened
        yield from ()

    def delta(self, delta: Delta) -> Iterator[bytes]:
        """The chunk of one delta."""
        if delta.text:
            yield told(self._told(delta.text, None))

    def closing(self, ended: Ended) -> Iterator[bytes]:
        """The last chunk."""
        yield told({**self._told("", ended), **ended.metrics()})

    def _told(self, text: str, ended: Ended | None) -> dict[str, Any]:
        if ended is None:
            rest: dict[str, Any] = {"prompt_token_count": None, "generation_token_count": None, "stop_reason": None}
        else:
            rest = {
                "prompt_token_count": ended.usage.prompt,
                "generation_token_count": ended.usage.completion,
                "stop_reason": "length" if ended.finish == "length" else "stop",
            }
        return {"generation": text, **rest}


class TitanBody:
    """One request's body and its answers."""

    def __init__(self, raw: dict[str, Any], language: str) -> None:
        self.raw, self.language = raw, language
        try:
            self.body = msgspec.convert(raw, Titan)
        except msgspec.ValidationError as error:
            raise malformed(error, language) from None

    def chat(self, model: str) -> Chat:
        """The chat: the text is what the user says. Raises BadInput."""
        how = self.body.text_generation_config or Generation()
        within("maxTokenCount", how.max_token_count, 1, MOST_TOKENS, self.language)
        within("temperature", how.temperature, 0, 1, self.language)
        within("topP", how.top_p, 0, 1, self.language)
        return Chat(
            model=model,
            messages=(Message("user", self.body.input_text),),
            max_tokens=how.max_token_count,
            temperature=how.temperature,
            top_p=how.top_p,
            stop=tuple(how.stop_sequences or ()),
            dialect="bedrock",
            extra=_beyond(self.raw, Titan),
            language=self.language,
        )

    def whole(self, answer: Answered, opened: Opened, ended: Ended) -> dict[str, Any]:
        """The answer in one piece."""
        del opened
        result = {
            "tokenCount": ended.usage.completion,
            "outputText": answer.text,
            "completionReason": _reason(ended.finish),
        }
        return {"inputTextTokenCount": ended.usage.prompt, "results": [result]}

    def opening(self, opened: Opened) -> Iterator[bytes]:
        """Nothing: this body has no head."""
        del opened
        yield from ()

    def delta(self, delta: Delta) -> Iterator[bytes]:
        """The chunk of one delta."""
        if delta.text:
            yield told(_titan(delta.text, None))

    def closing(self, ended: Ended) -> Iterator[bytes]:
        """The last chunk."""
        yield told({**_titan("", ended), **ended.metrics()})


def _titan(text: str, ended: Ended | None) -> dict[str, Any]:
    return {
        "outputText": text,
        "index": 0,
        "totalOutputTextTokenCount": None if ended is None else ended.usage.completion,
        "completionReason": None if ended is None else _reason(ended.finish),
        "inputTextTokenCount": None if ended is None else ended.usage.prompt,
    }


def _reason(finish: str) -> str:
    return {"length": "LENGTH", "guardrail": "CONTENT_FILTERED"}.get(finish, "FINISH")


def _beyond(raw: dict[str, Any], known: type[msgspec.Struct]) -> dict[str, msgspec.Raw]:
    names = set(known.__struct_encode_fields__)
    return {name: msgspec.Raw(msgspec.json.encode(value)) for name, value in raw.items() if name not in names}
