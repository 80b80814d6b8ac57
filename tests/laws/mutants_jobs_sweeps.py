"""Mutants of sweeps: one line broken, named after what a value, a result or a table does that it should not."""

from __future__ import annotations

from tests.laws.breaks_source import Edit
from tests.laws.killers_tests import Tested

NATIVE = "tests/doors/native/test_sweeps.py"
ROOM = "tests/jobs/test_sweep.py"
TABLE_OF = "tests/cells/table/test_table.py"
WIRED = "tests/wiring/test_sweep.py"

# name, leak, the line, what stands in its place, the killer
TABLE = (
    (
        "sweep-value-text-unmarked",
        "a mark in a value of a sweep is not looked for",
        Edit("casemate.doors.native.jobs_told:swept", "for value in one.values if", "for value in () if"),
        Tested(f"{NATIVE}::test_a_mark_in_what_was_typed_refuses"),
    ),
    (
        "sweep-value-looked-into",
        "what a value holds is taken for the name of another parameter",
        Edit("casemate.jobs.pointed:with_point", "_put(word, point) for", "_put(_put(word, point), point) for"),
        Tested(f"{ROOM}::test_a_child_has_its_own_point"),
    ),
    (
        "sweep-points-and-children",
        "an array has children for which there is no point",
        Edit("casemate.jobs.pointed:swept", "spec.array.size != len(found)", "False"),
        Tested(f"{ROOM}::test_what_cannot_be_swept_is_told"),
    ),
    (
        "sweep-child-no-parent",
        "a spill of a child does not find the table that was made of it",
        Edit("casemate.jobs.dispatch:_made_of", "(*job.made_of, *more)", "(*job.made_of,)"),
        Tested(f"{WIRED}::test_each_child_that_left_a_result_becomes_a_parent"),
    ),
    (
        "sweep-read-early",
        "a table is made of children that have not ended",
        Edit("casemate.wiring.job_inputs:_sweep", 'array.value.open == "yes"', "False"),
        Tested(f"{WIRED}::test_the_table_waits_for_all_and_is_made_of_what_they_left"),
    ),
    (
        "sweep-result-unbounded",
        "a result of any size is lent to the table's job",
        Edit("casemate.jobs.sweep:result_of", "found.size <= LARGEST", "True"),
        Tested(f"{ROOM}::test_what_the_table_is_told_says_of_every_point_how_it_stands"),
    ),
    (
        "sweep-csv-unmarked",
        "a table leaves without its marking",
        Edit("casemate.cells.table.__main__:main", 'text.write(f"# {', 'text.write(f"{'),
        Tested(f"{TABLE_OF}::test_every_point_has_its_row_and_all_files_their_marking"),
    ),
    (
        "sweep-plot-unescaped",
        "a word of a result becomes an element of the picture",
        Edit("casemate.cells.table.plot:_safe", "escape(_clean(text))", "_clean(text)"),
        Tested(f"{TABLE_OF}::test_colours_are_of_words_or_between_two"),
    ),
)
