"""The tool `file_search` of a response: the answer is made from these vector stores, in rungs, and cites their files.

It is not a tool that a model calls when it likes: whoever offers it gets an answer from knowledge, and the search of
its question at the acting label is told as one call. `tool_choice` none leaves it out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from casemate.doors.frame import Call
from casemate.doors.openai.asked import SEARCHED
from casemate.doors.openai.brought import read
from casemate.doors.openai.responses_output import annotation
from casemate.doors.openai.vector_store_search import MOST, Ranking, filter_of, found, least_of, ready
from casemate.errors import BadInput
from casemate.models import Citation, Delta, within
from casemate.models.filter import Narrowed
from casemate.models.shelf import FileSeen, Search, Shelf
from casemate.words import say

__all__ = ["FileSearch", "search_of"]

USUAL, STORES = 20, 16
QUESTION = 8192  # characters of a question that are searched with


class Tool(msgspec.Struct, forbid_unknown_fields=True):
    """The tool as it is offered."""

    type: str
    vector_store_ids: list[str]
    filters: dict[str, Any] | None = None
    max_num_results: int | None = None
    ranking_options: Ranking | None = None


def search_of(tools: Iterable[dict[str, Any]] | None, choice: Any, metadata: Any, language: str) -> Search | None:
    """The search that a request offers, without its question. Raises BadInput."""
    offered = [tool for tool in tools or () if tool.get("type") == SEARCHED]
    if not offered or choice == "none":
        return None
    tool = read(Tool, offered[0], language)
    names = tuple(dict.fromkeys(tool.vector_store_ids))
    if len(offered) > 1 or not 0 < len(names) <= STORES or {"all", "none", ""} & set(names):
        raise BadInput(what=say("openai.file_search", language, most=STORES))
    if "knowledge" in (metadata or {}):
        raise BadInput(what=say("openai.file_search_knowledge", language))
    within("max_num_results", tool.max_num_results, 1, MOST, language)
    return Search(
        queries=(),
        bases=names,
        k=USUAL if tool.max_num_results is None else tool.max_num_results,
        filter=filter_of(tool.filters, language),
        least=least_of(tool.ranking_options, language),
    )


@dataclass(slots=True)
class FileSearch:
    """The search of one response: what it found, and how its files are cited."""

    shelf: Shelf
    call: Call
    search: Search
    told: bool = False
    results: list[dict[str, Any]] | None = None
    _files: dict[str, FileSeen] = field(default_factory=dict)

    async def made(self, question: str) -> None:
        """Look for the question, where it is asked what is found (`told`). Raises UnknownKnowledge, BadInput."""
        await ready(self.shelf, self.call, self.search.bases)
        self.search = msgspec.structs.replace(self.search, queries=(question[:QUESTION],))
        if self.told:
            hits = (await self.shelf.search(self.call.flow, self.search)).hits
            self.results = [{**found(hit), "text": hit.text} for hit in hits]

    @property
    def narrowed(self) -> Narrowed:
        """What the answer is made from."""
        return Narrowed(self.search.k, self.search.filter, self.search.least)

    def item(self, id: str, status: str) -> dict[str, Any]:
        """The call as an item of the output."""
        queries = list(self.search.queries)
        results = self.results if status == "completed" else None
        return {"type": "file_search_call", "id": id, "status": status, "queries": queries, "results": results}

    async def learn(self, delta: Delta) -> None:
        """Look up the files of what a delta cites, before it is told."""
        unknown = tuple(dict.fromkeys(c.document for c in delta.citations if c.document not in self._files))
        if unknown:
            files = await self.shelf.known(self.call.flow, unknown)
            self._files.update((file.document, file) for file in files)

    def annotation(self, c: Citation) -> dict[str, Any]:
        """A citation of a file; `index` is where it stands in the text, in Unicode code points."""
        file = self._files.get(c.document)
        cited = {
            "type": "file_citation",
            "index": c.start,
            "file_id": file.id if file is not None else c.document,
            "filename": file.name if file is not None else c.title,
        }
        return annotation(c) | cited
