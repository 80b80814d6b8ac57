"""Texts as tools show them: a mark that a viewer, a search or JSON has put something in front of is still a mark.

A coding agent reads files with tools, and they number lines (`12<TAB>(S) ...`), name the file (`notes/a.md:3:(S) ...`),
show differences (`+(S) ...`) or wrap it all in JSON. What stands before a mark then hides it from whoever looks at
openings alone. So each such line is looked at once more without it. This only adds texts and never takes one away.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

__all__ = ["shown", "strings"]

NESTED = 4  # JSON inside a string inside a string ...: beyond this it is text
_BEFORE = re.compile(
    r"^[ \t]*(?:"
    r"(?:[^\s:]{1,200}[:-])?\d{1,7}(?:[:|\t\u2192-])[ \t]?(?:\d{1,7}[:|-])?"  # a.md:12:  12-  12<TAB>  12|  12:4:
    r"|(?=[^\s:]{0,200}[./])[^\s:]{1,200}:"  # a.md:
    r"|[+<>-]{1,3}[ \t]?|@@ [^@\n]{1,80} @@[ \t]?"
    r")?[\"'`]?",
    re.MULTILINE,
)
_OPENS = ("{", "[", '"')  # a text that is JSON, or the beginning of some
_ESCAPED = re.compile(r"\\r\\n|\\[nr]")

# Names and words of protocols and of JSON Schema, none of which is a mark: there are hundreds in a request with tools,
# and looking at them would cost more than everything else.
_PLAIN = frozenset(
    "additionalProperties anyOf array assistant auto boolean cache_control content custom default description enum "
    "ephemeral format id image image_url input input_schema integer items max_tokens media_type message messages "
    "metadata model name null number object parameters properties required role schema source stop stream string "
    "system temperature text thinking tool tool_choice tool_result tool_use tool_use_id tools top_p type user".split()
)


def strings(body: Any, ours: frozenset[str] = frozenset()) -> list[str]:
    """Every string in a decoded body once, names of fields too, and each as it would be without what shows it.

    `ours` are words of the protocol that are no marks: a request with tools is full of them.
    """
    found: dict[str, None] = {}
    waiting: list[tuple[Any, int]] = [(body, 0)]
    while waiting:
        item, depth = waiting.pop()
        kind = type(item)
        if kind is str:
            if item not in found and item not in ours:
                found[item] = None
                if item.lstrip()[:1] in _OPENS and depth < NESTED:
                    waiting.append((_json(item), depth + 1))
        elif kind is dict:
            for name, value in item.items():
                waiting.append((name, depth))
                waiting.append((value, depth))
        elif kind is list:
            waiting.extend((each, depth) for each in item)
    return [*found, *shown(found)]


def shown(texts: Iterable[str]) -> Iterator[str]:
    """For each text whose lines something was put in front of: those lines without it."""
    for text in texts:
        if text.isidentifier():
            continue
        if "\\" not in text and "\n" not in text and "\r" not in text:
            bare = [_bare(text)]
        elif "\\" in text:
            whole = _ESCAPED.sub("\n", text).replace("\\t", "\t").replace('"', "\n")
            bare = [whole, *map(_bare, whole.splitlines())]
        else:
            bare = list(map(_bare, text.splitlines())) if _may(text) else []
        found = "\n".join(line for line in bare if line)
        if found:
            yield found


def _may(text: str) -> bool:
    """Whether any line has anything in front: one look at most texts."""
    return any(found.end() > found.start() and found.group().strip() for found in _BEFORE.finditer(text))


def _bare(line: str) -> str:
    """The line without what stands in front, or "" where nothing does."""
    found = _BEFORE.match(line)
    return line[found.end() :] if found is not None and found.group().strip() else ""


def _json(text: str) -> Any:
    """What the text holds as JSON, of a name that stands twice every value; what is none, parted at its quotes."""
    try:
        return json.loads(text, object_pairs_hook=_flat)
    except (ValueError, RecursionError):
        return text.replace('"', "\n") if '"' in text else None


def _flat(pairs: list[tuple[str, Any]]) -> list[Any]:
    return [each for pair in pairs for each in pair]
