"""Mutants of retrieval: one line of the source broken, named after the leak or the harm, with the test that sees it.

Of the seven that every index over mixed labels has been caught with, a global document frequency, a shared mean length,
a filter after the ranking, a cache without a class and a shard of mixed labels stand here as broken lines. A graph of
mixed labels, a mixed batch and a floor over everything have no line to break, since there is none: they stand in
`index_questions.LEAKS`, as searchers that somebody might write, and the law of the visible world sees each.
"""

from __future__ import annotations

from tests.laws.breaks_source import Edit
from tests.laws.killers_tests import Tested

ACCESS, INDEX = "casemate.access", "casemate.knowledge.index"
LIBRARY = "casemate.knowledge.library:Library"


def _test(file: str, name: str) -> Tested:
    return Tested(f"tests/{file}.py::{name}")


UPKEEP, LIBRARIES, PROVE = "doors/native/test_upkeep", "knowledge/test_library", "assistants/test_prove_all"
FIND, SEARCH, SHARD = "knowledge/index/test_find", "knowledge/index/test_search", "knowledge/index/test_shard"
FRAMES, COPIES = "engines/test_files_frames", "engines/test_blob_cache"

ONCE = _test(LIBRARIES, "test_a_shard_is_read_once_for_its_domain_and_anew_for_another")
IS_GONE = _test(LIBRARIES, "test_what_is_gone_is_as_if_it_had_never_been")
UNKNOWN = _test(UPKEEP, "test_a_base_of_which_all_is_gone_is_unknown_before_and_after")
NARROWED = _test(UPKEEP, "test_a_search_is_narrowed_by_what_is_said_now")
REMOVED = _test(UPKEEP, "test_a_document_is_removed_where_it_lies_and_above")
BOUND = _test(FRAMES, "test_a_frame_is_bound_to_the_head_its_place_the_last_one_and_the_name")
UNEQUAL = _test(PROVE, "test_a_leak_makes_the_tally_unequal_and_names_whom_it_reached")

RANKING = (
    (
        "df-of-the-first-rung",
        "a rung below is scored by how often a word stands above it",
        Edit(
            f"{INDEX}.search:Asked.search",
            'statistics(self.terms if method != "dense" else (), view)',
            'self._dots.setdefault("df", statistics(self.terms if method != "dense" else (), view))',
        ),
        _test(SEARCH, "test_an_asked_question_shares_products_and_nothing_else"),
    ),
    (
        "mean-length-kept",
        "passages are scored by the mean length of another world",
        Edit(
            f"{INDEX}.view:View._leaning",
            "self._lean is None or self._lean[:2] != (stats.count, stats.total)",
            "self._lean is None",
        ),
        _test("knowledge/index/test_view", "test_scores_follow_the_statistics_that_are_given"),
    ),
    (
        "weights-kept",
        "a term weighs what it weighed in another world",
        Edit(f"{INDEX}.view:View._adds", "posting.adds is None or posting.asked != asked", "posting.adds is None"),
        _test("knowledge/index/test_view", "test_scores_follow_the_statistics_that_are_given"),
    ),
    (
        "filter-after-the-ranking",
        "what is left out takes places in the ranking",
        Edit(
            f"{INDEX}.find:find",
            "asked.search(view, wanted.k, narrowed.mask, wanted.method)",
            """asked.search(view, wanted.k, None, wanted.method)
    left = {view.passage(row).id for row in range(view.count) if narrowed.mask is None or narrowed.mask[row]}
    results = Results(tuple(hit for hit in results.hits if hit.passage.id in left), results.statistics)""",
        ),
        _test(FIND, "test_k_visible_results_come_wherever_k_may_be_found"),
    ),
    (
        "ties-by-arrival",
        "the order of equals tells who came first",
        Edit(f"{INDEX}.view:View.order", "np.lexsort((mine, falling))", 'np.argsort(falling, kind="stable")'),
        _test(SEARCH, "test_more_equals_than_the_pool_are_cut_by_id"),
    ),
    (
        "vectors-of-another-embedder",
        "cosines that do not compare are one list",
        Edit(f"{INDEX}.search:Asked._products", "shard.embedder == name and ", ""),
        _test(SEARCH, "test_embedders_that_are_not_compared_rank_each_among_their_own"),
    ),
    (
        "excluded-is-found",
        "a passage is found by the word that was to keep it away",
        Edit(f"{INDEX}.mask:allowed", "~held if need.absent else held", "held"),
        _test(FIND, "test_phrases_fields_and_exclusions_choose"),
    ),
    (
        "facets-of-what-was-not-found",
        "a count says how much there is beside what was found",
        Edit(f"{INDEX}.facets:_documents", "shard.owners[matched.rows]", "shard.owners"),
        _test("knowledge/index/test_facets", "test_only_found_rows_count_and_more_come_first"),
    ),
    (
        "total-of-all-rows",
        "the number of results counts what is no result",
        Edit(f"{INDEX}.find:tell", "sum(len(each.rows) for", "sum(each.shard.count for"),
        _test(FIND, "test_what_is_found_is_counted"),
    ),
)

SHARDS = (
    (
        "mixed-label-shard",
        "passages of two labels lie in one shard and bear the lower one",
        Edit(f"{INDEX}.make:merge", "each.label is not first.label", "False"),
        _test(SHARD, "test_a_passage_lies_in_one_shard_of_one_label"),
    ),
    (
        "mixed-base-shard",
        "a base holds what lies in another",
        Edit(f"{INDEX}.make:merge", "(each.base, each.embedder) != (first.base, first.embedder)", "False"),
        _test(SHARD, "test_a_passage_lies_in_one_shard_of_one_label"),
    ),
    (
        "words-of-the-removed",
        "a word is suggested that stood in a removed document alone",
        Edit(
            f"{INDEX}.make:without",
            "spread.subtract({word for word in words(shard.passage(row).indexed) if spoken(word)})",
            "pass",
        ),
        _test(SHARD, "test_without_is_as_if_it_had_never_been"),
    ),
    (
        "rows-by-arrival",
        "the bytes of a shard tell in which order its passages came",
        Edit(
            f"{INDEX}.make:build",
            "sorted(range(len(passages)), key=lambda at: passages[at].id)",
            "range(len(passages))",
        ),
        _test(SHARD, "test_any_cut_and_merge_gives_the_same_bytes"),
    ),
    (
        "filed-by-whoever-came-first",
        "what is told of a document depends on how its shards were cut",
        Edit(
            f"{INDEX}.make:_accounts",
            "max(best.get(each.document, (each.at, raw)), (each.at, raw))",
            "best.get(each.document, (each.at, raw))",
        ),
        _test(SHARD, "test_who_filed_a_document_first_does_not_count"),
    ),
)

CACHES = (
    (
        "turn-of-everybody",
        "a question below waits for what is embedded above",
        Edit("casemate.knowledge.embedders:vectors", "flow.gate.classes.of(flow.domain).id", '""'),
        _test(LIBRARIES, "test_a_question_takes_the_turn_of_its_own_domain"),
    ),
    (
        "view-that-nobody-saw",
        "a flow that has looked at shards passes for one that has looked at nothing",
        Edit(f"{LIBRARY}._seen", "flow.seen |= held.refs", "pass"),
        _test(LIBRARIES, "test_a_flow_has_seen_what_it_searched_however_warm_it_was"),
    ),
    (
        "domain-for-ever",
        "what a domain holds opened is never let go",
        Edit(f"{LIBRARY}._cache", "now - next(iter(self._domains.values())).used > IDLE", "False"),
        _test(LIBRARIES, "test_a_domain_that_has_long_asked_nothing_is_let_go"),
    ),
    (
        "copies-by-class",
        "a blob lies at hand because whoever acts at its label has read it",
        Edit(f"{ACCESS}.read:blob_into", "flow.gate.classes.of(flow.domain).id", "class_id"),
        _test("access/test_flow", "test_what_is_read_is_asked_for_in_the_domain_of_the_request"),
    ),
    (
        "shard-by-its-digest",
        "whoever knows a digest has a hidden shard opened",
        Edit(f"{ACCESS}.read:blob_into", "_visible(flow, class_id, digest)", "pass"),
        _test("access/test_flow", "test_a_blob_is_opened_into_no_memory_where_its_class_is_not_seen"),
    ),
    (
        "one-library-for-all-domains",
        "a question below is quicker where somebody above has asked it",
        Edit(
            f"{LIBRARY}._cache",
            "self._domains.setdefault(flow.domain.text, _Domain(now))",
            "self._domains.setdefault(flow.domain.text, next(iter(self._domains.values()), None) or _Domain(now))",
        ),
        ONCE,
    ),
    (
        "warmed-by-another-domain",
        "a shard is not read because it was read for somebody above",
        Edit(
            f"{LIBRARY}._shard",
            "here = held.get(place)",
            "here = next((other.held[place] for other in self._domains.values() if place in other.held), None)",
        ),
        ONCE,
    ),
    (
        "copies-of-all-domains",
        "a blob lies at hand because somebody above has read it",
        Edit(
            "casemate.engines.blob_cache:BlobCache._domain",
            "with self._lock:",
            'domain = "all"\n    with self._lock:',
        ),
        _test(COPIES, "test_a_copy_is_found_by_the_domain_that_kept_it_and_by_no_other"),
    ),
    (
        "copies-anywhere",
        "the name of a domain leads out of the folder of copies",
        Edit("casemate.engines.blob_cache:_found", 'domain.startswith(".")', "False"),
        _test(COPIES, "test_a_domain_that_leads_elsewhere_is_bad_input"),
    ),
    (
        "view-of-yesterday",
        "a search finds what was removed since the last one",
        Edit(f"{LIBRARY}._seen", "held is None or held.tide != tide", "held is None"),
        IS_GONE,
    ),
    (
        "removals-make-no-tide",
        "a removal is not noticed until something else happens",
        Edit(f"{LIBRARY}._seen", "SEGMENT, GONE, DESCRIBED", "SEGMENT, DESCRIBED"),
        IS_GONE,
    ),
    (
        "descriptions-make-no-tide",
        "a search is narrowed by what is no longer said",
        Edit(f"{LIBRARY}._seen", "SEGMENT, GONE, DESCRIBED", "SEGMENT, GONE"),
        NARROWED,
    ),
    (
        "shard-as-it-was",
        "a shard that was opened before a removal keeps what was removed",
        Edit(f"{LIBRARY}._shard", "own != here.gone", "False"),
        IS_GONE,
    ),
    (
        "removed-above-gone-below",
        "a removal above takes away what lies lower",
        Edit(f"{LIBRARY}.placed", "seen.gone[label]", "frozenset().union(*seen.gone.values())"),
        REMOVED,
    ),
    (
        "empty-base-is-told",
        "a base is told of which nothing is left",
        Edit(f"{LIBRARY}._lying", "base not in seen.thinned[label]", "True"),
        UNKNOWN,
    ),
    (
        "memory-without-bound",
        "one question takes all of the memory",
        Edit(f"{LIBRARY}.placed", "size > self._bound", "False"),
        _test(LIBRARIES, "test_a_domain_keeps_so_many_bytes"),
    ),
    (
        "tide-of-the-region",
        "that somebody works above is noticed below",
        Edit(f"{ACCESS}.read:tide", "flow.classes()", "flow.gate.classes.everything()"),
        _test("access/test_flow", "test_a_tide_tells_of_the_visible_world_and_of_nothing_else"),
    ),
    (
        "children-of-the-region",
        "what was made of a document above is told below",
        Edit(f"{ACCESS}.read:children", "flow.classes()", "flow.gate.classes.everything()"),
        _test(UPKEEP, "test_what_was_made_of_a_document_is_told_as_far_as_it_is_seen"),
    ),
    (
        "classes-of-yesterday",
        "whoever has asked once never sees a class that is written later",
        Edit(f"{ACCESS}.classes:Classes.everything", "self._visible.clear()", "pass"),
        _test("access/test_flow", "test_a_class_that_is_written_later_is_seen_from_then_on"),
    ),
)

SEALED = (
    (
        "frame-without-its-place",
        "frames of a blob are exchanged and still open",
        Edit("casemate.engines.files_frames:_aad", "_PLACE.pack(at, at == many - 1)", "_PLACE.pack(0, at == many - 1)"),
        BOUND,
    ),
    (
        "frame-without-the-last",
        "a blob that was cut off is not found out by its frames",
        Edit("casemate.engines.files_frames:_aad", "at == many - 1", "False"),
        BOUND,
    ),
    (
        "frame-without-the-size",
        "a head is changed and the frames still open",
        Edit("casemate.engines.files_frames:_aad", "head + ", ""),
        BOUND,
    ),
    (
        "frame-without-the-name",
        "frames of one blob open in another of the same class",
        Edit("casemate.engines.files_frames:_aad", " + name.encode()", ""),
        _test(FRAMES, "test_frames_of_another_blob_or_class_do_not_open"),
    ),
    (
        "longer-than-the-blob",
        "what stands behind the last frame is not found out",
        Edit("casemate.engines.files_frames:Opener._sealed", "self._stream.readinto(self._buffer[:1])", "False"),
        _test(FRAMES, "test_frames_stand_in_their_order_and_number"),
    ),
)

PROOFS = (
    (
        "tally-of-another-class",
        "a class is not compared at night because one below it was",
        Edit("casemate.assistants.nightly:Nightly._one", "if found.ref.class_id == access.id]", "]"),
        _test("assistants/test_nightly", "test_each_class_that_holds_something_once_a_night"),
    ),
    (
        "night-by-ids",
        "a low class waits as long as a high one takes",
        Edit(
            "casemate.assistants.nightly:Nightly._upward",
            "(sum(each.label <= one.label for each in every), one.id)",
            "one.id",
        ),
        _test("assistants/test_nightly", "test_no_class_waits_for_what_lies_above_it"),
    ),
    (
        "nothing-compared",
        "a proof says equal whatever was told",
        Edit("casemate.assistants.prove_all:_asked", "equal += one == two", "equal += 1"),
        UNEQUAL,
    ),
    (
        "proved-against-itself",
        "a proof compares the region with the region",
        Edit(
            "casemate.assistants.prove_all:_once",
            "(second.flow, second.library, second.answerer)",
            "(theirs, prover.library, prover.answerer)",
        ),
        UNEQUAL,
    ),
    (
        "search-not-compared",
        "a leak in a search alone is not seen",
        Edit(
            "casemate.assistants.prove_all:_found",
            "spelled((plain, shown))",
            "spelled(shown.total)",
        ),
        _test(PROVE, "test_a_leak_in_search_alone_is_seen_where_the_answer_is_the_same"),
    ),
    (
        "moved-and-counted",
        "a difference that somebody made meanwhile counts as a leak",
        Edit("casemate.assistants.prove_all:_once", "await theirs.tide(*_LOOKED) == before", "True"),
        _test(PROVE, "test_a_world_that_moves_is_compared_again"),
    ),
)

TABLE = (*RANKING, *SHARDS, *CACHES, *SEALED, *PROOFS)
