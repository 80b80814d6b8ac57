"""What a client brought, as it was decoded once: everything in it is looked at, and nothing else of it is ever used.

A body is decoded to plain values first; the strings that are looked at for marks and the fields that are read come
from the same values. So no second reading (the same name twice, say) can differ from what was looked at.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

import msgspec

from casemate.doors.frame import strings
from casemate.errors import BadInput
from casemate.words import say

__all__ = ["Body", "extras", "given", "looked_at", "needed", "read"]

T = TypeVar("T")
Body = dict[str, Any]

_NAMED = 200

# Names and words of the protocol and of JSON Schema. None of them opens a paragraph as a mark; there are hundreds in a
# request with tools, and looking at them costs more than everything else.
_OURS = frozenset(
    "additionalProperties anyOf arguments array assistant auto boolean call_id content default description detail "
    "developer enum file format function function_call function_call_output id image_url include_usage input "
    "input_image input_text instructions integer items json_schema max_completion_tokens max_output_tokens max_tokens "
    "message messages metadata model name none null number object output output_text parameters properties reasoning "
    "required response_format role schema seed stop store stream stream_options strict string summary system "
    "temperature text tool tool_call_id tool_calls tool_choice tools top_p type url user".split()
)

# What a vendor would keep for later, fetch, or have called: flow.md, rule 8. Refused unless the model's card allows it.
_KEEP_FETCH_CALL = frozenset(
    "background conversation context_management moderation previous_response_id prediction_id prompt "
    "prompt_cache_key prompt_cache_options prompt_cache_retention store web_search_options".split()
)

# What says as much as its absence.
_USUAL: dict[str, tuple[Any, ...]] = {
    "service_tier": ("auto", "default"),
    "frequency_penalty": (0,),
    "presence_penalty": (0,),
    "logit_bias": ({},),
}


def looked_at(body: Any) -> list[str]:
    """Every string in it, names of fields and what JSON inside a string says too; not the protocol's own words."""
    return strings(body, _OURS)


def read(kind: type[T], body: Body, language: str) -> T:
    """The fields that we know. Raises BadInput."""
    try:
        return msgspec.convert(body, kind)
    except msgspec.ValidationError as error:
        raise BadInput(what=say("frame.shape", language, why=str(error)[:200])) from None


def given(body: Body, known: Iterable[str]) -> Body:
    """The fields beside those known that say anything: null, a switch that is off, and usual values say nothing."""
    return {
        name: value
        for name, value in body.items()
        if name not in known
        and value is not None
        and value not in _USUAL.get(name, ())
        and not (name in _KEEP_FETCH_CALL and value is False)
    }


def needed(fields: Iterable[str]) -> list[str]:
    """Those of the fields by which a vendor would keep, fetch or call something."""
    return [name for name in fields if name in _KEEP_FETCH_CALL]


def extras(fields: Body) -> tuple[dict[str, msgspec.Raw], dict[str, str]]:
    """The fields as JSON, for an engine of this dialect, and what the ledger says of them.

    They are written anew from what was looked at, and never copied from the body.
    """
    if not fields:
        return {}, {}
    raw = {name: msgspec.Raw(msgspec.json.encode(value)) for name, value in fields.items()}
    return raw, {"unknown": ", ".join(sorted(fields))[:_NAMED]}
