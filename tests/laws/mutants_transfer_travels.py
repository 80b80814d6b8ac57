"""Mutants of what travels: one line broken, named after what would land in a room that nobody let it into."""

from __future__ import annotations

from tests.laws.breaks_source import Edit
from tests.laws.killers_tests import Tested

PACKAGES = "tests/transfer/test_travels_packages.py"
CLEARANCES = "tests/transfer/test_travels_clearances.py"
HEADS = "tests/transfer/test_travels_heads.py"
CONTRADICTS = f"{HEADS}::test_a_head_that_contradicts_what_was_seen_is_an_alarm_and_nothing_of_it_is_kept"
UPGRADE = "tests/transfer/test_upgrade.py"
REQUESTS = "tests/transfer/test_travels_requests.py"

# name, leak, the line, what stands in its place, the killer
TABLE = (
    (
        "travels-unlisted-wheel",
        "a wheel lands whose signed list names another file",
        Edit("casemate.jobs.packages:Mirror.carried", "if value.sums.get(told.name) != told.sha256:", "if False:"),
        Tested(f"{PACKAGES}::test_a_wheel_that_is_not_what_is_stated_does_not_come_and_nothing_with_it[list]"),
    ),
    (
        "travels-past-the-keys",
        "a bundle brings what no key of the settings has signed",
        Edit("casemate.jobs.packages:Mirror.carried", "if self.keys and key == bundle.id:", "if False:"),
        Tested(f"{PACKAGES}::test_where_the_settings_name_keys_a_bundle_alone_is_no_signature_of_a_list"),
    ),
    (
        "travels-clearances-by-any-channel",
        "a channel of which no officer has said so brings clearances",
        Edit(
            "casemate.transfer.region.customs:Customs.cargo",
            "if cargo is None or (cargo.asks and cargo.kind not in channel.carries):",
            "if cargo is None:",
        ),
        Tested(f"{CLEARANCES}::test_a_channel_of_which_nobody_has_said_so_carries_no_clearance[sides0]"),
    ),
    (
        "travels-clearances-sent-by-any-channel",
        "clearances leave by a channel of which no officer has said so",
        Edit(
            "casemate.transfer.region.leave:Departures._lent",
            "if cargo.asks and wanted.kind not in record.carries:",
            "if False:",
        ),
        Tested(f"{CLEARANCES}::test_a_channel_of_which_nobody_has_said_so_carries_no_clearance[sides0]"),
    ),
    (
        "travels-revoked-stay",
        "whom an authority revokes keeps his clearance and his roles",
        Edit(
            "casemate.accounts.statements:_revoked",
            "nobody = PrincipalRecord(name, region.floor.text, (), record.uid)",
            "nobody = record",
        ),
        Tested(f"{CLEARANCES}::test_a_principal_who_is_revoked_is_nobody_in_sessions_jobs_and_grants"),
    ),
    (
        "travels-early-clearance",
        "a clearance counts before its time",
        Edit("casemate.access.outsiders:Outsiders._said", "record.begins <= self._vault", "0 <= self._vault"),
        Tested(f"{CLEARANCES}::test_a_clearance_counts_from_its_moment_and_until_it"),
    ),
    (
        "travels-forked-head",
        "a head of another history is witnessed",
        Edit(
            "casemate.ledger.rising:judged_rising",
            'return "ok" if verify_consistency(last.size, old, point.size, root, path) else "forked"',
            'return "ok"',
        ),
        Tested(f"{CONTRADICTS}[forked]"),
    ),
    (
        "travels-shrunk-head",
        "a log that became shorter is no alarm",
        Edit("casemate.ledger.rising:judged_rising", "if point.size < last.size:", "if False:"),
        Tested(f"{CONTRADICTS}[shrunk]"),
    ),
    (
        "travels-head-of-nobody",
        "a head is witnessed that its region has not signed",
        Edit("casemate.ledger.rising:judged_rising", "if not verify_checkpoint(point, public):", "if False:"),
        Tested(f"{HEADS}::test_what_goes_on_from_what_was_seen_is_witnessed"),
    ),
    (
        "upgrade-untried",
        "a release runs that does not start",
        Edit("casemate.wiring.upgrading:upgrade", "slots.try_out(slot)", "pass"),
        Tested(f"{UPGRADE}::test_what_is_no_release_changes_nothing[lacks]"),
    ),
    (
        "upgrade-backwards",
        "an older release takes the place of a newer one, and nobody has said so",
        Edit("casemate.wiring.upgrading:upgrade", "and not older:", "and False:"),
        Tested(f"{UPGRADE}::test_an_old_release_is_taken_by_no_bundle_unless_somebody_says_so"),
    ),
    (
        "upgrade-other-bytes",
        "a file of a release runs that its wheel does not vouch for",
        Edit(
            "casemate.engines.upgrade_slots:_Unpacking._one",
            "if stated is not None and (made != stated or size != info.file_size):",
            "if False:",
        ),
        Tested(f"{UPGRADE}::test_what_is_no_release_changes_nothing[record]"),
    ),
    (
        "upgrade-leads-elsewhere",
        "a file of a release lands outside its folder",
        Edit("casemate.engines.upgrade_slots:_Unpacking._place", '{"..", "."} & set(name.split("/"))', "False"),
        Tested(f"{UPGRADE}::test_what_is_no_release_changes_nothing[path]"),
    ),
    (
        "travels-request-settled-twice",
        "a request that somebody has settled is settled again",
        Edit("casemate.transfer.region.requests:settle", 'if found.value.state != "waiting":', "if False:"),
        Tested(f"{REQUESTS}::test_a_request_for_a_job_waits_for_a_person_and_runs_nothing"),
    ),
    (
        "travels-name-of-here",
        "what rose from below is attributed to somebody of this region",
        Edit("casemate.wiring.cargo:named_there", 'return f"{by.source}:{name}"', "return name"),
        Tested(f"{REQUESTS}::test_a_request_for_a_job_waits_for_a_person_and_runs_nothing"),
    ),
)
