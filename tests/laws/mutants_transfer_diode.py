"""Mutants of the diode link: a line broken, named after what it lets happen, with the test that sees it."""

from __future__ import annotations

from tests.laws.breaks_source import Edit
from tests.laws.killers_tests import Tested

ROOM = "casemate.transfer.diode"
FETCH = "tests/engines/test_diode_fetch.py"


def _faults(name: str) -> Tested:
    return Tested(f"tests/transfer/diode/test_faults.py::{name}")


def _datagram(name: str) -> Tested:
    return Tested(f"tests/transfer/diode/test_datagram.py::{name}")


def _messages(name: str) -> Tested:
    return Tested(f"tests/transfer/diode/test_messages.py::{name}")


def _spool(name: str) -> Tested:
    return Tested(f"tests/engines/test_diode_spool.py::{name}")


TABLE = (
    (
        "diode-proof-ignored",
        "the decoder is given what nobody has proven",
        Edit(f"{ROOM}.datagram:Reader.read", "if not prover.holds(nonce", "if not True and not prover.holds(nonce"),
        _datagram("test_row_06_every_byte_of_a_datagram_is_proven"),
    ),
    (
        "diode-proof-without-its-place",
        "a symbol is taken for one of another block",
        Edit(
            f"{ROOM}.datagram:Writer.write", 'prove(_ZERO + counted, b"", body)', 'prove(_ZERO + counted, b"", packet)'
        ),
        _datagram("test_what_was_written_is_read"),
    ),
    (
        "diode-old-session-welcome",
        "a recording of long ago is played again",
        Edit(f"{ROOM}.session:Sessions.judge", 'else "replayed"', 'else "new"'),
        _faults("test_row_08_an_old_session_that_is_played_again_is_refused_also_after_a_restart"),
    ),
    (
        "diode-heartbeat-again",
        "a recorded heartbeat keeps a dead link alive",
        Edit(f"{ROOM}.heartbeat:Pulse.heard", "heartbeat.count <= self._count.get(heartbeat.session, 0)", "False"),
        _messages("test_a_heartbeat_counts_once_and_only_of_the_latest_run"),
    ),
    (
        "diode-heartbeat-unsigned",
        "whoever holds the link's key says that the low side lives",
        Edit(f"{ROOM}.message:read_message", "verify(public, _SIGNED + body, signature)", "True"),
        _messages("test_every_byte_of_a_heartbeat_is_signed"),
    ),
    (
        "diode-digest-ignored",
        "what is not the object appears under its name",
        Edit(f"{ROOM}.arriving:Arriving._finish", "self._digest.digest() != manifest.sha512", "False"),
        _spool("test_what_is_not_the_object_is_received_anew_and_told"),
    ),
    (
        "diode-too-little-repair",
        "a block is lost for a loss that was counted on",
        Edit(f"{ROOM}.repair:repair_of", "+ 6 * sqrt", "+ 1 * sqrt"),
        Tested("tests/transfer/diode/test_repair.py::test_the_rule_of_six_sigma"),
    ),
    (
        "diode-blocks-one-by-one",
        "a burst takes more of one block than its repair",
        Edit(
            f"{ROOM}.carousel:Carousel._group", "chain.from_iterable(zip_longest(*made))", "chain.from_iterable(made)"
        ),
        _faults("test_row_03_a_burst_takes_an_eighth_of_itself_from_each_block"),
    ),
    (
        "diode-urgent-waits",
        "a small urgent object waits for a hundred gigabytes",
        Edit(f"{ROOM}.carousel:Carousel._queue", "0 if offer.manifest.urgent else 1", "1"),
        _faults("test_row_33_a_small_urgent_object_passes_a_hundred_gigabytes"),
    ),
    (
        "diode-beyond-the-cap",
        "more leaves than the link bears",
        Edit(f"{ROOM}.pace:Bucket.room", "(now - self._at) * self._cap", "(now - self._at) * self._cap * 2"),
        _faults("test_row_14_never_faster_than_the_cap"),
    ),
    (
        "diode-size-believed",
        "a declared size fills the memory",
        Edit(f"{ROOM}.receiver:Receiver._manifest", "manifest.size > self.bounds.size or ", ""),
        _faults("test_row_18_what_is_open_is_bounded"),
    ),
    (
        "diode-blocks-unbounded",
        "open blocks fill the memory",
        Edit(f"{ROOM}.receiver:Receiver._open", "while len(found) >= most:", "while False:"),
        _faults("test_row_05_what_is_too_far_apart_is_counted_named_and_filled_later"),
    ),
    (
        "diode-misheard-code",
        "a gap code that was misheard sends something else",
        Edit(f"{ROOM}.gapcode:read_gaps", "not heard.isascii() or not same(heard.encode(), ", "not (heard.encode(), "),
        _messages("test_what_was_misheard_or_is_another_links_is_refused"),
    ),
    (
        "diode-full-disk-stops-nothing",
        "blocks that the disk did not take are counted as here",
        Edit(f"{ROOM}.arriving:Arriving.write", "return self._stop(error, now)", "self._stop(error, now)"),
        _spool("test_row_16_a_disk_that_fails_stops_that_transfer"),
    ),
    (
        "diode-dead-link-silent",
        "a dead link is told after many heartbeats",
        Edit(f"{ROOM}.heartbeat:Pulse.dead", "> DEAD", "> DEAD * 4"),
        _faults("test_row_35_a_dead_link_is_told_before_the_third_heartbeat"),
    ),
    (
        "diode-number-never-seen",
        "a number that was announced and never came has no name",
        Edit(f"{ROOM}.receiver:Receiver._told", "max(self.announced.get(sender, 0), sequence)", "0"),
        _faults("test_row_12_what_was_over_before_anybody_listened_is_named"),
    ),
    (
        "fetch-by-need",
        "the low side sees which files are had above: those are not asked for again",
        Edit(
            "casemate.engines.diode_fetch:Fetcher.step",
            "data = self._drop.read(step.name, step.at, step.size)",
            'data = b"" if step.name in self._kept.had else self._drop.read(step.name, step.at, step.size)',
        ),
        Tested(f"{FETCH}::test_what_is_fetched_and_when_does_not_depend_on_what_is_needed"),
    ),
    (
        "fetch-late",
        "a step that is late is taken all the same: its moment is a message",
        Edit(
            "casemate.engines.diode_fetch:Fetcher.step",
            "if slot <= self._kept.last or not timely:",
            "if slot <= self._kept.last:",
        ),
        Tested(f"{FETCH}::test_a_slot_that_is_late_is_left_out_and_one_is_taken_once"),
    ),
)
