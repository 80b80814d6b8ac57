"""Mutants of volumes: one line broken, named after what it lets pass, and who sees it."""

from __future__ import annotations

from tests.laws.breaks_source import Edit
from tests.laws.killers_tests import Tested


def _test(file: str, name: str) -> Tested:
    return Tested(f"tests/{file}.py::{name}")


JOIN, FAULTS, SETS = (f"engines/test_volume_{name}" for name in ("join", "faults", "sets"))
PARITY, HEAD, GAPS = (f"transfer/volumes/test_{name}" for name in ("parity", "volume", "gaps"))
CODE, VOLUME, TOLD = (f"casemate.transfer.volumes.{name}" for name in ("parity", "volume", "gaps"))
FILES, SPLIT, TAKE, MEND = (f"casemate.engines.volume_{name}" for name in ("files", "split", "join", "mend"))

# name, leak, the line, what stands in its place, the killer
TABLE = (
    (
        "parity-of-vandermonde",
        "some volumes do not make up for some others",
        Edit(f"{CODE}:parity_rows", "inverse(xs[i - 1] ^ y)", "times(inverse(y), inverse(y))"),
        _test(PARITY, "test_any_subset_of_any_size_restores"),
    ),
    (
        "field-without-its-polynomial",
        "what parity gives back is not what was lost",
        Edit(f"{CODE}:_row", "np.bitwise_xor(words, carried, out=words)", "pass"),
        _test(PARITY, "test_sums_are_those_of_the_field"),
    ),
    (
        "volume-root-unchecked",
        "the pages of one volume stand in the head of another",
        Edit(f"{VOLUME}:_parsed", "root_of(pages) != roots[number - 1]", "False"),
        _test(HEAD, "test_pages_that_are_not_those_of_the_root_are_refused"),
    ),
    (
        "volume-set-unchecked",
        "a head says that it is of a set that it is not of",
        Edit(f"{VOLUME}:_parsed", "named != head.set_id", "False"),
        _test(HEAD, "test_row_18_numbers_beyond_their_bounds_are_refused_however_they_are_sealed"),
    ),
    (
        "volume-signature-unchecked",
        "whoever makes a set signs it in another's name",
        Edit(f"{VOLUME}:_parsed", "not public or verify(public, _SET + head.digest, head.signature)", "True"),
        _test(HEAD, "test_a_signed_head_is_of_the_same_set_and_only_with_its_signature"),
    ),
    (
        "volume-head-unbounded",
        "a head says how much memory it takes to read it",
        Edit(f"{VOLUME}:head_size", "_FRONT.size < size <= HEAD", "True"),
        _test(HEAD, "test_row_18_a_head_of_any_size_is_not_read"),
    ),
    (
        "volume-size-exact",
        "a volume tells the exact size of what is carried",
        Edit(f"{VOLUME}:counted", "needed = padded(size + SIZE)", "needed = size + SIZE"),
        _test(HEAD, "test_the_size_on_the_outside_is_the_padded_one"),
    ),
    (
        "gap-misheard",
        "another volume is sent than was asked for",
        Edit(f"{TOLD}:read_code", "checked(number, group[:-1]) != group[-1]", "False"),
        _test(GAPS, "test_one_wrong_sign_is_found_in_its_group"),
    ),
    (
        "gap-groups-unordered",
        "groups that changed places pass",
        Edit(f"{TOLD}:checked", "number & 31", "0"),
        _test(GAPS, "test_groups_that_changed_places_or_are_missing_are_found"),
    ),
    (
        "volume-frame-unproven",
        "a changed byte is adopted",
        Edit(f"{FILES}:VolumeFile.frames", "content_digest(data) == digest", "True"),
        _test(JOIN, "test_every_changed_byte_of_a_volume_is_named"),
    ),
    (
        "volume-table-unproven",
        "a volume says by itself what its frames are",
        Edit(f"{FILES}:VolumeFile.frames", "content_digest(table) != told", "False"),
        _test(JOIN, "test_every_changed_byte_of_a_volume_is_named"),
    ),
    (
        "volume-link-followed",
        "a disc leads to another file of whoever reads it",
        Edit(f"{FILES}:VolumeFile.__init__", "os.O_RDONLY | os.O_NOFOLLOW", "os.O_RDONLY"),
        _test(JOIN, "test_row_19_links_and_what_is_no_file_are_refused"),
    ),
    (
        "sets-mixed",
        "a stale volume is taken for one of this set",
        Edit(f"{TAKE}:Join.take", "each.digest == self.head.digest", "True"),
        _test(SETS, "test_row_20_a_stale_volume_of_the_same_shape_is_left_alone"),
    ),
    (
        "set-chosen-by-chance",
        "of two sets in a folder the first is taken",
        Edit(f"{TAKE}:Join._choose", "len(sets) > 1", "False"),
        _test(SETS, "test_row_20_every_subset_of_lost_volumes_and_a_stale_one_in_each_place"),
    ),
    (
        "signer-unasked",
        "a set that anybody signed is taken",
        Edit(f"{TAKE}:Join.take", "self.head.public != believed", "False"),
        _test(JOIN, "test_a_set_signed_by_another_is_not_taken"),
    ),
    (
        "joined-unproven",
        "a set that lies gives a file that nobody cut",
        Edit(f"{MEND}:mend", "root.digest() != head.roots[number - 1]", "False"),
        _test(SETS, "test_row_24_a_set_whose_parity_is_not_its_own_is_refused"),
    ),
    (
        "kept-unproven",
        "what this disk lost is adopted as zeros",
        Edit(f"{MEND}:_Kept._read", "content_digest(data) != read_at(table, DIGEST, frame * DIGEST)", "False"),
        _test(FAULTS, "test_row_17_what_this_disk_changed_is_repaired_from_parity"),
    ),
    (
        "joined-over-a-file",
        "a file that is there is written over",
        Edit(f"{TAKE}:Join._appear", "os.path.lexists(self.output)", "False"),
        _test(JOIN, "test_a_file_that_came_meanwhile_stays"),
    ),
    (
        "cut-draft-forgotten",
        "all discs are wanted again after a kill at the end",
        Edit(f"{TAKE}:Join._resume", 'if (self.folder / "size").exists():', "if False:"),
        _test(FAULTS, "test_row_17_killed_between_the_cut_to_size_and_the_name"),
    ),
    (
        "other-file-again",
        "a volume of another file is sent for one that was lost",
        Edit(f"{SPLIT}:split", "not head.set_id.startswith(expect)", "False"),
        _test(JOIN, "test_a_lost_volume_is_made_again_from_the_same_file_alone"),
    ),
    (
        "changing-file-cut",
        "volumes are made of a file that nobody had",
        Edit(f"{SPLIT}:split", "before.st_size, before.st_mtime_ns) != (", "0, 0) != (0, 0) and ("),
        _test(JOIN, "test_a_file_that_changes_meanwhile_makes_no_volume"),
    ),
    (
        "volume-named-unsynced",
        "after a power cut a volume is there by half",
        Edit(f"{SPLIT}:_Writer.finish", "written(self.file)", "pass"),
        _test(FAULTS, "test_row_17_a_power_cut_leaves_volumes_and_files_absent_or_whole"),
    ),
)
