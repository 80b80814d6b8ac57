"""Mutants of the guard: a check of one of its two sides left out, named after what then crosses, with what sees it."""

from __future__ import annotations

from tests.laws.breaks_source import Edit
from tests.laws.killers_tests import Tested

ROOM = "casemate.transfer.guard"


def _fault(name: str) -> Tested:
    return Tested(f"tests/transfer/guard/test_faults.py::{name}")


def _format(name: str) -> Tested:
    return Tested(f"tests/transfer/guard/test_formats.py::{name}")


def _bomb(name: str) -> Tested:
    return _fault(f"test_fault_18_memory_bomb_is_refused_within_bounds[{name}]")


NAME = _fault("test_fault_19_a_name_that_means_another_place_is_refused")
CLASH = _fault("test_fault_19_names_that_clash_where_case_or_form_does_not_count")
DISGUISE = _fault("test_fault_30_a_disguise_or_a_lie_is_refused")
WORDS = _format("test_text_outward_is_words_or_stays")
FIRST = _format("test_the_first_side_alone_refuses_it_too")
SIDE = _format("test_the_verifier_alone_refuses_what_the_other_side_would_not_have_made")

# name, leak, the line, what stands in its place, the killer
TABLE = (
    (
        "guard-without-agreement",
        "what one parser alone has understood crosses",
        Edit(f"{ROOM}.agree:agreed", "canonical != again", "False"),
        _fault("test_fault_29_parsers_that_disagree_hold_it"),
    ),
    (
        "guard-lets-through-what-broke-it",
        "an object that breaks a parser ends the guard, not the object",
        Edit(f"{ROOM}.agree:judge", "ArithmeticError, LookupError, TypeError, ValueError", "ArithmeticError"),
        _fault("test_fault_29_a_parser_that_fails_holds_what_it_failed_on"),
    ),
    (
        "guard-outward-as-inward",
        "weights and tokens leave by the outward guard",
        Edit(f"{ROOM}.formats:may_cross", "format not in profile.formats", "False"),
        _format("test_what_only_comes_in_does_not_leave"),
    ),
    (
        "guard-any-head",
        "a program crosses under the name of a text",
        Edit(f"{ROOM}.formats:refused_by", "head.startswith(magic)", "False"),
        DISGUISE,
    ),
    (
        "guard-takes-pickle",
        "a file that runs a program when it is read crosses",
        Edit(f"{ROOM}.formats:refused_by", "2 <= head[1] <= 5", "False"),
        DISGUISE,
    ),
    (
        "guard-signs-in-names",
        "a member names a stream, a drive or a pipe of Windows",
        Edit(f"{ROOM}.names:_plain", "or _FORBIDDEN.search(name)", ""),
        NAME,
    ),
    (
        "guard-names-nobody-reads",
        "a member's name is not the one that is shown",
        Edit(f"{ROOM}.names:_plain", "any(unicodedata.category(c) in _HIDDEN for c in name) or", ""),
        NAME,
    ),
    (
        "guard-takes-links",
        "a link leads out of the folder",
        Edit(f"{ROOM}.names:safe_names", 'member.kind not in ("file", "folder")', "False"),
        NAME,
    ),
    (
        "guard-device-names",
        "a member opens a device of Windows",
        Edit(f"{ROOM}.names:_plain", "_DEVICES.fullmatch", "(lambda _: None)"),
        NAME,
    ),
    (
        "guard-case-clash",
        "one member replaces another where case does not count",
        Edit(f"{ROOM}.names:_folded", ".casefold()", ""),
        CLASH,
    ),
    (
        "guard-file-and-folder",
        "a member is a file and a folder",
        Edit(f"{ROOM}.names:_apart", "folded in files or folded in folders", "folded in files"),
        CLASH,
    ),
    (
        "guard-endless-names",
        "ten million names fill the memory",
        Edit(f"{ROOM}.names:safe_names", "len(kept) >= MEMBERS", "False"),
        _fault("test_fault_18_ten_million_names_are_not_even_listed"),
    ),
    (
        "guard-inflates-all",
        "a picture unpacks into all the memory there is",
        Edit(f"{ROOM}.make.png:_inflated", "stream.decompress(packed, wanted + 1)", "stream.decompress(packed)"),
        _bomb("png that unpacks to 256 MiB"),
    ),
    (
        "guard-png-end",
        "what stands behind a picture crosses with it",
        Edit(f"{ROOM}.make.png:_chunks", "at != len(raw) or data", "False"),
        DISGUISE,
    ),
    (
        "guard-png-beyond-pixels",
        "what is packed behind the pixels is not seen",
        Edit(f"{ROOM}.make.png:_inflated", "not stream.eof or stream.unused_data", "False"),
        DISGUISE,
    ),
    (
        "guard-low-bits-leave",
        "a picture leaves with a message in its lowest bits",
        Edit(f"{ROOM}.make.png:_plain", "value & 0xFC", "value"),
        _format("test_a_picture_leaves_without_what_is_behind_it_and_without_its_lowest_bits"),
    ),
    (
        "guard-checks-no-low-bits",
        "the verifier takes the other side's word for the lowest bits",
        Edit(f"{ROOM}.check.png:picture", "value & 3", "value & 0"),
        _format("test_a_picture_leaves_without_what_is_behind_it_and_without_its_lowest_bits"),
    ),
    (
        "guard-deep-json",
        "nesting exhausts the stack of a parser",
        Edit(f"{ROOM}.make.records:loaded", "depth > profile.depth", "False"),
        FIRST,
    ),
    (
        "guard-key-twice",
        "two readers take different values of one key",
        Edit(f"{ROOM}.make.records:_once", "len(found) != len(pairs)", "False"),
        DISGUISE,
    ),
    (
        "guard-fewer-fields",
        "a document crosses without what its schema requires of it",
        Edit(
            f"{ROOM}.make.records:_fields",
            "missing <= set(value) <= set(shape.fields)",
            "set(value) <= set(shape.fields)",
        ),
        FIRST,
    ),
    (
        "guard-formulas",
        "a cell runs in whoever's spreadsheet opens it",
        Edit(f"{ROOM}.make.table:_cell", "said.startswith(_STARTS)", "False"),
        FIRST,
    ),
    (
        "guard-checks-no-formulas",
        "the verifier takes the other side's word for formulas",
        Edit(f"{ROOM}.check.table:_value", "_FORMULA.match(said)", "False"),
        SIDE,
    ),
    (
        "guard-checks-no-hidden",
        "the verifier takes the other side's word for what is hidden",
        Edit(f"{ROOM}.check.text:plain", "if hidden := _NEVER.search(found):", "if hidden := None:"),
        SIDE,
    ),
    (
        "guard-checks-no-letters",
        "the verifier takes the other side's word for letters",
        Edit(f"{ROOM}.check.text:plain", "not _LEAVES.fullmatch(found)", "False"),
        SIDE,
    ),
    (
        "guard-checks-no-order",
        "one document has two canonical forms, and which one is chosen says something",
        Edit(f"{ROOM}.check.records:_Reader._map", "count and key <= before", "False"),
        SIDE,
    ),
    (
        "guard-two-scripts",
        "a word of look-alike letters leaves",
        Edit(f"{ROOM}.make.text:_strict", 'raise held("guard-letters", "two scripts in a word")', "pass"),
        FIRST,
    ),
    (
        "guard-hides-outward",
        "characters that nobody sees are taken out of what somebody has signed",
        Edit(f"{ROOM}.make.text:_instead", 'strict and category != "Cc"', "False"),
        WORDS,
    ),
    (
        "guard-tensor-gap",
        "bytes that no tensor owns cross with the weights",
        Edit(f"{ROOM}.make.tensors:tensors", "first != end or last - first != size_of", "last - first != size_of"),
        FIRST,
    ),
    (
        "guard-tensor-shape",
        "a shape reads beyond its tensor",
        Edit(f"{ROOM}.make.tensors:tensors", "first != end or last - first != size_of", "first != end"),
        FIRST,
    ),
    (
        "guard-tensor-tail",
        "a file hangs on to the end of the weights",
        Edit(f"{ROOM}.make.tensors:tensors", "end < total", "False"),
        FIRST,
    ),
    (
        "guard-tensor-header",
        "a header of any size is read",
        Edit(f"{ROOM}.make.tensors:tensors", "size > profile.header", "False"),
        _bomb("header of tensors of 1 GiB"),
    ),
    (
        "guard-checks-no-tail",
        "the verifier takes the other side's word for the end of the weights",
        Edit(f"{ROOM}.check.tensors:tensors", "end != len(canonical) - 8 - size + rest", "False"),
        SIDE,
    ),
)
