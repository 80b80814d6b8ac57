"""Knowledge: documents become labelled passages, passages become shards per access class, shards are searched.

The files here that compute - portions, passages, shards, ranks - are pure and synchronous: values in, values out, at
one label. They must never see what the acting label does not dominate, nor keep anything between two requests.
"""

from __future__ import annotations

from casemate.knowledge.analyse import query_terms, terms
from casemate.knowledge.document import (
    DOCUMENT,
    PART,
    RELEASABLE,
    SEGMENT,
    Added,
    Document,
    Part,
    Segment,
    add,
    listed,
    opened,
    waiting,
)
from casemate.knowledge.extract import Extracted, Extractor
from casemate.knowledge.ingest import Ingest
from casemate.knowledge.library import QUESTION, Embedder, Library
from casemate.knowledge.passage import Passage, document_title, passages
from casemate.knowledge.portions import (
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
from casemate.knowledge.rank import Statistics, idf_share, statistics
from casemate.knowledge.search import Asked, Hit, Results, search
from casemate.knowledge.sentences import sentences
from casemate.knowledge.shard import Shard, build, decode, encode, merge, without
from casemate.knowledge.world import World, copied

__all__ = [
    "DOCUMENT",
    "HEADING",
    "PARAGRAPH",
    "PART",
    "QUESTION",
    "RELEASABLE",
    "SEGMENT",
    "Added",
    "Asked",
    "Block",
    "Document",
    "Embedder",
    "Extracted",
    "Extractor",
    "Hit",
    "Ingest",
    "Library",
    "Marked",
    "Outcome",
    "Part",
    "Passage",
    "Portion",
    "Quarantine",
    "Results",
    "Segment",
    "Shard",
    "Statistics",
    "Unmarked",
    "World",
    "add",
    "build",
    "copied",
    "decode",
    "document_title",
    "encode",
    "idf_share",
    "label_all",
    "listed",
    "merge",
    "opened",
    "passages",
    "query_terms",
    "read",
    "search",
    "sentences",
    "statistics",
    "terms",
    "waiting",
    "without",
]
