"""Knowledge: documents become labelled passages, passages become shards per access class, shards are searched.

The files here that compute - portions, passages, shards, ranks - are pure and synchronous: values in, values out, at
one label. They must never see what the acting label does not dominate, nor keep anything between two requests.
"""

from __future__ import annotations

from casemate.knowledge.documents.bring import Added, add
from casemate.knowledge.documents.document import (
    DOCUMENT,
    PART,
    RELEASABLE,
    SEGMENT,
    Document,
    Part,
    Segment,
    listed,
    opened,
    waiting,
)
from casemate.knowledge.embedders import Embedder, Embedders, ModelEmbedder
from casemate.knowledge.finding import Sought, sought
from casemate.knowledge.index.analyse import query_terms, terms
from casemate.knowledge.index.facets import NAMES as FACETS
from casemate.knowledge.index.filed import Filed
from casemate.knowledge.index.filter import Compare, Every, Filter, Some, checked
from casemate.knowledge.index.find import Finding, Shown, Wanted
from casemate.knowledge.index.make import build, merge, without
from casemate.knowledge.index.query import Query, parse, parse_strict
from casemate.knowledge.index.rank import Statistics, idf_share
from casemate.knowledge.index.search import Asked, Hit, Results, search
from casemate.knowledge.index.shard import Shard, decode, encode
from casemate.knowledge.index.view import View, statistics
from casemate.knowledge.ingest import Ingest
from casemate.knowledge.library import QUESTION, Library
from casemate.knowledge.reading.extract import Extracted, Extractor
from casemate.knowledge.reading.passage import Passage, document_title, passages
from casemate.knowledge.reading.portions import (
    HEADING,
    PARAGRAPH,
    Block,
    Marked,
    Outcome,
    Portion,
    Quarantine,
    Unmarked,
    label_all,
    read,
)
from casemate.knowledge.reading.sentences import sentences
from casemate.knowledge.segments.compact import Compact
from casemate.knowledge.segments.forget import Forget
from casemate.knowledge.segments.reembed import Reembed
from casemate.knowledge.shelf.search import narrowed
from casemate.knowledge.shelf.seen import check
from casemate.knowledge.shelf.shelf import NearShelf
from casemate.knowledge.watching.poll import Poll
from casemate.knowledge.watching.source import (
    Connect,
    Connector,
    Connectors,
    Listed,
    Place,
    Source,
    Told,
    add_source,
    remove_source,
    sources,
)
from casemate.knowledge.world import Copy, World, copied

__all__ = [
    "DOCUMENT",
    "FACETS",
    "HEADING",
    "PARAGRAPH",
    "PART",
    "QUESTION",
    "RELEASABLE",
    "SEGMENT",
    "Added",
    "Asked",
    "Block",
    "Compact",
    "Compare",
    "Connect",
    "Connector",
    "Connectors",
    "Copy",
    "Document",
    "Embedder",
    "Embedders",
    "Every",
    "Extracted",
    "Extractor",
    "Filed",
    "Filter",
    "Finding",
    "Forget",
    "Hit",
    "Ingest",
    "Library",
    "Listed",
    "Marked",
    "ModelEmbedder",
    "NearShelf",
    "Outcome",
    "Part",
    "Passage",
    "Place",
    "Poll",
    "Portion",
    "Quarantine",
    "Query",
    "Reembed",
    "Results",
    "Segment",
    "Shard",
    "Shown",
    "Some",
    "Sought",
    "Source",
    "Statistics",
    "Told",
    "Unmarked",
    "View",
    "Wanted",
    "World",
    "add",
    "add_source",
    "build",
    "check",
    "checked",
    "copied",
    "decode",
    "document_title",
    "encode",
    "idf_share",
    "label_all",
    "listed",
    "merge",
    "narrowed",
    "opened",
    "parse",
    "parse_strict",
    "passages",
    "query_terms",
    "read",
    "remove_source",
    "search",
    "sentences",
    "sought",
    "sources",
    "statistics",
    "terms",
    "waiting",
    "without",
]
