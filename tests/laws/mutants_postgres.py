"""Mutants of the records on PostgreSQL: a line of ours or of the SQL broken, with the test that sees it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from unittest.mock import patch

from casemate.engines import postgres_schema
from tests.laws.breaks_source import Edit
from tests.laws.killers_tests import Tested

ENGINES = "casemate.engines"


def _test(file: str, name: str) -> Tested:
    return Tested(f"tests/{file}.py::{name}")


def _sql(old: str, new: str) -> Callable[[], AbstractContextManager[None]]:
    """The migrations with something else in the place of one text, which stands there once."""

    @contextmanager
    def broken() -> Iterator[None]:
        steps = postgres_schema.MIGRATIONS
        if sum(step.count(old) for step in steps) != 1:
            raise LookupError(old)
        with patch.object(postgres_schema, "MIGRATIONS", tuple(step.replace(old, new) for step in steps)):
            yield

    return broken


SEEN = "engines/test_postgres_seen"
WRITER = "engines/test_postgres_writer"
COMMITTER = "contracts/test_committer"

TABLE = (
    (
        "postgres-unseen-shown",
        "a query that forgets to name classes sees every row",
        _sql("ON rows FOR SELECT USING (class_id", "ON rows FOR SELECT USING (true OR class_id"),
        _test(SEEN, "test_a_query_that_forgets_to_name_classes_sees_nothing"),
    ),
    (
        "postgres-named-for-ever",
        "what one question named is seen by the next one on that connection",
        _sql("named::text, true)", "named::text, false)"),
        _test(SEEN, "test_what_one_question_named_is_not_seen_by_the_next"),
    ),
    (
        "postgres-reader-unbound",
        "a role that no policy binds reads",
        Edit(f"{ENGINES}.postgres_schema:open_reader", 'bound != [("t",)]', "False"),
        _test(SEEN, "test_a_role_that_no_policy_binds_is_no_reader"),
    ),
    (
        "postgres-old-writer-writes",
        "a writer whose lock went to another writes on",
        Edit(f"{ENGINES}.postgres:PostgresWriter._connected", "self._epoch and int(found) != self._epoch", "False"),
        _test(WRITER, "test_a_writer_that_lost_its_lock_to_another_never_writes_again"),
    ),
    (
        "postgres-fence-open",
        "the server takes what an older writer sends",
        _sql("m.value = fence::text", "true"),
        _test(WRITER, "test_a_lock_that_went_unnoticed_does_not_let_an_old_writer_write"),
    ),
    (
        "postgres-unsynced",
        "a server that does not sync acknowledges",
        Edit(f"{ENGINES}.postgres_schema:open_writer", 'found != "on"', "False"),
        _test(WRITER, "test_a_server_without_fsync_is_refused"),
    ),
    (
        "postgres-replay-untold",
        "a batch that is sent again counts as new",
        Edit(f"{ENGINES}.postgres_apply:_outcome", "replayed=True", "replayed=False"),
        _test(COMMITTER, "test_the_same_key_in_the_same_domain_lands_once[postgresql]"),
    ),
    (
        "postgres-damaged-stored",
        "bytes that are not those of their digest are stored",
        Edit(
            f"{ENGINES}.postgres_apply:refused",
            "not same(expected, put.digest)",
            "False",
        ),
        _test(COMMITTER, "test_bytes_that_are_not_those_of_their_digest_are_never_stored[postgresql]"),
    ),
    (
        "postgres-share-counts-all-classes",
        "what lies at one label fills the share of another",
        _sql("used[k] + moved[k] > u_limit[i]", "(SELECT sum(s.used) FROM uses s) + moved[k] > u_limit[i]"),
        _test("contracts/test_shares", "test_a_class_that_is_full_takes_nothing_from_another[postgresql]"),
    ),
    (
        "postgres-use-shown",
        "what a class takes is seen by whoever does not name it",
        _sql("ON uses FOR SELECT USING (class_id", "ON uses FOR SELECT USING (true OR class_id"),
        _test("engines/test_uses", "test_a_query_that_names_no_class_sees_no_use"),
    ),
    (
        "moved-unequal",
        "a region stands on records that did not arrive",
        Edit("casemate.wiring.moving:move", "if differ:", "if False:"),
        _test("wiring/test_moving", "test_what_differs_is_not_moved"),
    ),
    (
        "password-that-others-read",
        "a database's password is used though every user of the machine may read it",
        Edit("casemate.wiring.store:_Password.__call__", "& 0o077", "& 0"),
        _test("wiring/test_store", "test_a_password_that_others_may_read_or_that_is_not_there_is_refused"),
    ),
)
