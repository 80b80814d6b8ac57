"""Mutants of backups and of datasets in place: one line broken, named after what it lets pass, and who sees it."""

from __future__ import annotations

from tests.laws.breaks_source import Edit
from tests.laws.killers_tests import Tested


def _test(file: str, name: str) -> Tested:
    return Tested(f"tests/{file}.py::{name}")


VERDICT, SHIP, FAULTS = "custody/test_backup_verdict", "engines/test_backup_ship", "engines/test_backup_faults"
SETS, STATE = "datasets/test_datasets", "custody/test_backups"
JUDGE, RESTORE, TREE = (
    "casemate.custody.backup_verdict",
    "casemate.engines.backup_restore",
    "casemate.engines.dataset_tree",
)

# name, leak, the line, what stands in its place, the killer
TABLE = (
    (
        "segment-chain-unchecked",
        "a link of another history stands in a chain's place",
        Edit(f"{JUDGE}:_wrong", "link.title.previous != before.digest", "False"),
        _test(VERDICT, "test_another_link_in_a_place_is_told"),
    ),
    (
        "frames-left-out",
        "commits are missing in the middle of a chain",
        Edit(f"{JUDGE}:_gap", "return span.first != after or span.before != last.upto", "return False"),
        _test(VERDICT, "test_frames_that_do_not_follow_are_a_gap"),
    ),
    (
        "cut-chain-whole",
        "an older copy passes for the whole of a backup",
        Edit(f"{JUDGE}:judge", "max([*numbered, head.number if head is not None else -1])", "max([*numbered, -1])"),
        _test(VERDICT, "test_a_missing_link_is_named_and_what_precedes_it_is_whole"),
    ),
    (
        "backup-link-unsigned",
        "whoever can write at a backup's place gives the region another past",
        Edit(f"{JUDGE}:judge", "elif not link.signed:", "elif False:"),
        _test(FAULTS, "test_a_chain_that_somebody_else_wrote_is_refused"),
    ),
    (
        "backup-vouched-by-itself",
        "a chain says by itself whose it is",
        Edit(f"{RESTORE}:survey", "if not trusted or set(trusted) != {digest(public).hex()}:", "if False:"),
        _test(FAULTS, "test_a_chain_that_somebody_else_wrote_is_refused"),
    ),
    (
        "dataset-root-turned",
        "a root of datasets leads where a link to it was turned to",
        Edit(
            f"{TREE}:_folder",
            "_PASS if place < len(above) else _FOLDER, dir_fd=held",
            "_FOLDER & ~os.O_NOFOLLOW, dir_fd=held",
        ),
        _test(SETS, "test_a_root_is_reached_by_the_path_that_it_had_at_the_start"),
    ),
    (
        "restore-into-full-folder",
        "a restoration goes over what lies there",
        Edit(f"{RESTORE}:bring_back", "if any(into.iterdir())", "if False"),
        _test(SHIP, "test_into_a_folder_that_holds_anything_nothing_is_restored"),
    ),
    (
        "marking-unbound",
        "a backup bears a lower marking than what is in it",
        Edit("casemate.engines.backup_link:_bound", "+ digest(face)", ""),
        _test(FAULTS, "test_a_changed_marking_is_found"),
    ),
    (
        "log-carried-unshipped",
        "commits are overwritten that no backup has",
        Edit("casemate.engines.backup_ship:Shipper._all_shipped", "chain.state.frame >= found.frames", "True"),
        _test(SHIP, "test_a_destination_that_takes_nothing_stops_no_writer"),
    ),
    (
        "chain-without-its-writer",
        "a chain goes on past commits that nobody shipped",
        Edit("casemate.engines.backup_chain:forget", "(data / STATE).unlink(missing_ok=True)", "pass"),
        _test(SHIP, "test_a_writer_that_ships_nothing_ends_the_chain"),
    ),
    (
        "backup-told-below",
        "how much was done above is told below",
        Edit("casemate.custody.backups:Backups._whole", "if not ceiling <= flow.acting", "if False"),
        _test(STATE, "test_they_are_spoken_of_at_the_ceiling_alone"),
    ),
    (
        "dataset-change-missed",
        "a file that was changed is used as the one that was recorded",
        Edit(f"{TREE}:_read", "size != item.size or _other(item, os.fstat(descriptor)) is not None", "False"),
        _test(SETS, "test_a_change_while_it_is_read_is_found"),
    ),
    (
        "dataset-digest-unread",
        "other content of the same size and time is used",
        Edit(f"{TREE}:_read", "compare and item.digest and running.digest() != item.digest", "False"),
        _test(SETS, "test_the_same_size_time_and_inode_is_found_once_it_is_digested"),
    ),
    (
        "root-seen-from-below",
        "whether a path lies in a higher root is told below it",
        Edit("casemate.datasets.dataset:Datasets._placed", " if root.label <= flow.acting else ()", ""),
        _test(SETS, "test_it_is_seen_from_its_label_up_alone"),
    ),
)
