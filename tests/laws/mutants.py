"""Mutants: the gate with one rule broken, each named after the leak that it opens, each with its killer.

    python -m tests.laws.mutants        runs every mutant against its killer and prints killed/total

A mutant is a patch of the product's own code; its killer is a law of this folder on a bounded number of cases, or
a test of the room whose line is broken. One that survives fails the run: then the law is blind there, and it is the law
that must be mended.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from casemate.access import classes
from tests.laws import (
    breaks,
    breaks_gateway,
    breaks_written,
    killers_gateway,
    mutants_access,
    mutants_attacks,
    mutants_backup,
    mutants_batch,
    mutants_buckets,
    mutants_custody,
    mutants_documents,
    mutants_jobs,
    mutants_jobs_doors,
    mutants_jobs_engines,
    mutants_jobs_lines,
    mutants_jobs_nodes,
    mutants_jobs_plan,
    mutants_jobs_sandbox,
    mutants_jobs_services,
    mutants_jobs_shares,
    mutants_jobs_sweeps,
    mutants_keys,
    mutants_knowledge,
    mutants_labels,
    mutants_ledger,
    mutants_markings,
    mutants_mission_doors,
    mutants_missions,
    mutants_needs,
    mutants_policy,
    mutants_postgres,
    mutants_release,
    mutants_retrieval,
    mutants_s3,
    mutants_store,
    mutants_transfer,
    mutants_transfer_diode,
    mutants_transfer_guard,
    mutants_transfer_region,
    mutants_transfer_travels,
    mutants_transfer_verifier,
    mutants_transfer_volumes,
    mutants_work,
)
from tests.laws.breaks_source import Edit
from tests.laws.killers import doors, gates, lends, marked, rested, rungs, spoken, writes
from tests.laws.killers_tests import Tested

Killer = Callable[[], Awaitable[None]]


@dataclass(frozen=True)
class Mutant:
    """`leak` says what it would give away; `breaks` patches the rule; `killer` must not survive it."""

    name: str
    leak: str
    breaks: Callable[[], Any]
    killer: Killer | Tested


TABLES = (
    mutants_labels.TABLE,
    mutants_markings.TABLE,
    mutants_policy.TABLE,
    mutants_postgres.TABLE,
    mutants_keys.TABLE,
    mutants_needs.TABLE,
    mutants_access.TABLE,
    mutants_backup.TABLE,
    mutants_batch.TABLE,
    mutants_buckets.TABLE,
    mutants_custody.TABLE,
    mutants_documents.TABLE,
    mutants_jobs.TABLE,
    mutants_jobs_doors.TABLE,
    mutants_jobs_engines.TABLE,
    mutants_jobs_lines.TABLE,
    mutants_jobs_nodes.TABLE,
    mutants_jobs_plan.TABLE,
    mutants_jobs_sandbox.TABLE,
    mutants_jobs_services.TABLE,
    mutants_jobs_shares.TABLE,
    mutants_transfer.TABLE,
    mutants_transfer_verifier.TABLE,
    mutants_work.TABLE,
    mutants_jobs_sweeps.TABLE,
    mutants_mission_doors.TABLE,
    mutants_missions.TABLE,
    mutants_knowledge.TABLE,
    mutants_ledger.TABLE,
    mutants_release.TABLE,
    mutants_retrieval.TABLE,
    mutants_s3.TABLE,
    mutants_store.TABLE,
    mutants_transfer_guard.TABLE,
    mutants_transfer_region.TABLE,
    mutants_transfer_travels.TABLE,
    mutants_transfer_volumes.TABLE,
    mutants_transfer_diode.TABLE,
    mutants_attacks.TABLE,
)
LISTED = tuple(Mutant(*row) for table in TABLES for row in table)
OF_SOURCE = tuple(mutant for mutant in LISTED if isinstance(mutant.breaks, Edit))  # others break SQL

# The tests' own come first: each is a process that is forked from this one while it is still small.
MUTANTS = (
    *LISTED,
    Mutant(
        "swapped-comparison",
        "the order is upside down",
        breaks.swap(classes.Classes, "visible", breaks.swapped),
        gates,
    ),
    Mutant(
        "levels-only",
        "compartments and releasability do not count",
        lambda: breaks.dominates(breaks.level_only),
        doors,
    ),
    Mutant("meet-for-join", "two labels together are the lower one", breaks.meet_for_join, marked),
    Mutant(
        "all-visible",
        "a scan sees every class",
        breaks.swap(classes.Classes, "visible", breaks.all_visible),
        gates,
    ),
    Mutant("check-after-ranking", "hidden passages take places in the ranking", breaks.scan_then_filter, doors),
    Mutant("shared-df", "scores count hidden documents", breaks.shared_df, doors),
    Mutant("mixed-class-batch", "a vector depends on its neighbours", breaks.mixed_batch, doors),
    Mutant("cache-without-class", "what was asked above is warm below", breaks.cache_without_class, doors),
    Mutant("answers-cached-by-question", "Bob gets what Alice was told", breaks.answers_cached_by_question, doors),
    Mutant("ledger-index-shared", "an entry's number counts hidden entries", breaks.shared_ledger_index, gates),
    Mutant("ledger-of-everybody", "the ledger shows hidden sessions", breaks_written.everybodys_entries, gates),
    Mutant(
        "answer-stored-at-its-marking",
        "an answer is stored at its portion's mark",
        breaks.stored_at_its_marking,
        writes,
    ),
    Mutant("write-where-asked", "a caller writes down by asking for it", breaks.write_where_asked, writes),
    Mutant("refusal-with-the-inward-reason", "hidden and never-existing differ", breaks.inward_reason, gates),
    Mutant("id-from-a-shared-counter", "ids count hidden objects", breaks.ids_from_a_counter, gates),
    Mutant("one-entropy", "ids shift with hidden activity", breaks_written.one_entropy, gates),
    Mutant("unique-across-classes", "an id taken above is refused below", breaks.unique_across_classes, gates),
    Mutant("failures-at-the-floor", "hidden failures stand in the lowest log", breaks.strangers_at_the_floor, gates),
    Mutant("cursor-counts-classes", "a continuation counts hidden classes", breaks_written.cursor_tells, gates),
    Mutant("deposit-tells", "a deposit's receipt tells of above", breaks_written.deposit_tells, gates),
    Mutant("rung-from-the-whole", "a rung depends on what lies above it", breaks.rung_from_the_whole, rungs),
    Mutant("marks-ignored", "a marked question is answered below its mark", breaks.marks_ignored, marked),
    Mutant("settled-at-the-floor", "a portion rests below its mark", breaks_written.settled_at_the_floor, rested),
    Mutant(
        "settled-below-its-floor",
        "what a program brings at SECRET rests below",
        breaks_written.settled_below_its_floor,
        gates,
    ),
    Mutant("recorded-at-the-rung", "a rung's lend stands in the log below", breaks_written.recorded_at_the_rung, gates),
    Mutant("lent-in-the-log-below", "an answer above adds entries below", breaks_written.recorded_at_the_rung, lends),
    Mutant("written-through-a-rung", "a request writes below its label", breaks_written.written_through_a_rung, gates),
    Mutant("as-another-in-his-own-name", "who asks as Bob is seen by Bob", breaks_written.in_his_own_name, gates),
    Mutant("asked-above-the-acting-label", "SECRET is told as UNCLASSIFIED", breaks_written.asked_above, gates),
    Mutant("proof-above-the-acting-label", "a proof tells SECRET as UNCLASSIFIED", breaks_written.asked_above, doors),
    Mutant(
        "mark-lost-in-a-proof", "a marked question is asked below", breaks_written.mark_lost_at_another_label, marked
    ),
    Mutant("deposit-tries-out", "a deposit says which ids are taken above", breaks_written.deposit_tries_out, gates),
    Mutant(
        "domains-crowded-out",
        "what is asked above makes a question below cold",
        breaks_written.domains_crowded_out,
        doors,
    ),
    Mutant("disk-told-below", "the room on the disk shows hidden documents", breaks_written.disk_told_below, doors),
    Mutant(
        "key-below-its-session", "a program frees itself of its floor", breaks_written.key_below_its_session, writes
    ),
    Mutant("engines-marks-believed", "an engine marks its own words", breaks_written.engines_marks_believed, spoken),
    Mutant(
        "quota-counters-merged",
        "what is used above is missing below",
        breaks_gateway.quota_counters_merged,
        killers_gateway.quotas,
    ),
    Mutant(
        "threads-shared",
        "threads that are busy above are missing below",
        breaks_gateway.threads_shared,
        killers_gateway.beside,
    ),
    Mutant(
        "health-shared", "an engine that fails above rests below", breaks_gateway.health_shared, killers_gateway.chats
    ),
    Mutant(
        "retry-budget-shared",
        "retries above are missing below",
        breaks_gateway.retry_budget_shared,
        killers_gateway.chats,
    ),
    Mutant(
        "failover-below",
        "what fails goes to a model below its label",
        breaks_gateway.failover_below,
        killers_gateway.routed,
    ),
    Mutant("guard-asleep", "a model's words above are told", breaks_gateway.guard_asleep, killers_gateway.held),
    Mutant("nothing-may-mark", "a mark's opening is told", breaks_gateway.nothing_may_mark, killers_gateway.held),
    Mutant("nothing-may-hold", "a marked body is taken", breaks_gateway.nothing_may_hold, killers_gateway.brought),
    Mutant("bedrock-unlooked-at", "one wire takes marks", breaks_gateway.bedrock_unlooked_at, killers_gateway.brought),
    Mutant("salt-shared", "what is asked above is warm below", breaks_gateway.salt_shared, killers_gateway.chats),
    Mutant("salt-of-the-rung", "a rung above warms below", breaks_gateway.salt_of_the_rung, killers_gateway.warmed),
    Mutant(
        "release-not-durable",
        "it answers and has no entry",
        breaks_gateway.release_not_durable,
        killers_gateway.durable,
    ),
    Mutant("lend-not-durable", "it lends and has no entry", breaks_gateway.lend_not_durable, killers_gateway.durable),
    Mutant("fold-without-mark", "entries are folded twice", breaks_gateway.fold_without_mark, killers_gateway.folded),
    Mutant(
        "snapshot-of-any-age", "an old snapshot counts", breaks_gateway.snapshot_of_any_age, killers_gateway.snapshots
    ),
    Mutant(
        "snapshot-of-anybody", "a forged snapshot counts", breaks_gateway.snapshot_of_anybody, killers_gateway.snapshots
    ),
    Mutant("revoked-key-kept", "a revoked key comes in", breaks_gateway.revoked_key_kept, killers_gateway.snapshots),
    Mutant(
        "audience-unchecked", "another's token comes in", breaks_gateway.audience_unchecked, killers_gateway.outsiders
    ),
    Mutant("header-keys-passed", "a token names its key", breaks_gateway.header_keys_passed, killers_gateway.outsiders),
    Mutant(
        "always-current",
        "a revoked certificate comes in",
        breaks_gateway.always_current,
        killers_gateway.certificates,
    ),
    Mutant(
        "authority-without-ceiling",
        "an authority clears above itself",
        breaks_gateway.authority_without_ceiling,
        killers_gateway.outsiders,
    ),
)


def killed(mutant: Mutant) -> bool:
    """Whether the killer saw the leak. That something crashed under the broken rule does not count."""
    killer = mutant.killer
    if isinstance(killer, Tested):
        return killer.kills(mutant.breaks)

    async def attempt() -> None:
        with mutant.breaks():
            await killer()

    try:
        asyncio.run(attempt())
    except AssertionError:
        return True
    except Exception as error:  # noqa: BLE001 - a crash is no kill: the mutant must be seen to leak
        print(f"    ({type(error).__name__}: {str(error)[:160]})")
    return False


def main() -> int:
    """Every mutant, or those that are named; 1 where one survives, or where a test fails without any."""
    dead, named = 0, sys.argv[1:]
    chosen = [mutant for mutant in MUTANTS if not named or mutant.name in named]
    tests = dict.fromkeys(mutant.killer for mutant in chosen if isinstance(mutant.killer, Tested))
    failing = [killer.test for killer in tests if not killer.holds()]
    for test in failing:
        print(f"FAILS     {test} without any mutant, so it kills none", flush=True)
    for mutant in chosen:
        died = killed(mutant)
        dead += died
        print(f"{'killed  ' if died else 'SURVIVED'}  {mutant.name:34} {mutant.leak}", flush=True)
    for law in (doors, gates, lends, rungs, writes, marked, rested, spoken, *killers_gateway.LAWS):
        asyncio.run(law(10))
    print(f"{dead}/{len(chosen)} mutants killed; the laws hold without them")
    return 0 if dead == len(chosen) and not failing else 1


if __name__ == "__main__":
    sys.exit(main())
