"""Mutants of long work: one line broken, named after what is told or ended that should not be."""

from __future__ import annotations

from tests.laws.breaks_source import Edit
from tests.laws.killers_tests import Tested

NATIVE = "tests/doors/native/test_work.py"

# name, leak, the line, what stands in its place, the killer
TABLE = (
    (
        "work-files-of-others",
        "whoever acts at a label sees and ends which files others bring there",
        Edit("casemate.models.shelf_work:FilesWork.heads", "if one.value.owner == who", "if True"),
        Tested(f"{NATIVE}::test_files_brought_together_are_one_piece_of_work"),
    ),
    (
        "work-embedding-of-others",
        "whoever acts at a label sees who asks for which embedder there",
        Edit(
            "casemate.knowledge.base_work:BaseWork.heads", "base.by == flow.session.principal.name and base.asked", "1"
        ),
        Tested(f"{NATIVE}::test_another_embedder_for_a_base_is_work_until_every_passage_has_its_vectors"),
    ),
    (
        "work-ended-unasked",
        "a form that was sent by a slip ends long work",
        Edit("casemate.doors.console.work:_Work.cancel", "if not call.body.sure:", "if False:"),
        Tested("tests/console/test_work.py::test_work_is_shown_followed_and_ended_only_with_a_yes"),
    ),
)
