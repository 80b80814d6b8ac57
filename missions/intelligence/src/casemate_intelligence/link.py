"""Rows of a table of persons that are the same person: splink (Fellegi and Sunter 1969) on DuckDB, nothing fetched.

It is trained on the rows that it is given. A view gives it what the view sees: weights and scores below a label owe
nothing to a row or cell above it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import Any

import duckdb
import pyarrow as pa
import splink.comparison_library as compare
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

from casemate_intelligence.merge import Candidate
from casemate_intelligence.record import Statement

__all__ = ["COLUMNS", "curve", "linked", "linked_statements"]

COLUMNS = {"first_name": "firstName", "surname": "lastName", "dob": "birthDate", "city": "address", "email": "email"}
"""A table's columns, and the properties of a Person that they are."""
LEAST_ROWS = 20
"""Of fewer rows nothing is learnt; names decide there."""
_RULES = (
    ("first_name", "surname"),
    ("surname", "dob"),
    ("first_name", "dob"),
    ("email",),
    ("dob", "city"),
    ("surname", "city"),
    ("first_name", "city"),
)


def linked_statements(statements: Sequence[Statement]) -> list[Candidate]:
    """Pairs of Persons among what can be seen, by the values of COLUMNS; of several values, the first."""
    names = {prop: column for column, prop in COLUMNS.items()}
    rows = dict[str, dict[str, str]]()
    for one in statements:
        if one.schema == "Person":
            row = rows.setdefault(one.entity, {})
            if one.prop in names and one.value < row.get(names[one.prop], "\U0010ffff"):
                row[names[one.prop]] = one.value
    whole = {name: row for name, row in sorted(rows.items()) if {"first_name", "surname", "dob"} & row.keys()}
    return linked(whole) if len(whole) >= LEAST_ROWS else []


def linked(rows: Mapping[str, Mapping[str, str]], least: float = 0.05, seed: int = 1) -> list[Candidate]:
    """Pairs with the probability that they are one, best first; `rows` by id, with some of COLUMNS."""
    ids = sorted(rows)
    data: dict[str, Any] = {"unique_id": ids}
    for column in COLUMNS:
        data[column] = [(rows[each].get(column) or "").strip() or None for each in ids]
    table = pa.table(data, schema=pa.schema([(name, pa.string()) for name in data]))
    logging.getLogger("splink").setLevel(logging.ERROR)
    # one thread: sums in one order, so that a run again gives the same bytes
    connection = duckdb.connect(
        config={"threads": 1, "autoinstall_known_extensions": False, "autoload_known_extensions": False}
    )
    try:
        api = DuckDBAPI(connection=connection)
        linker = Linker(api.register(table), _settings(), log_level=logging.ERROR)
        linker.training.estimate_probability_two_random_records_match(
            [block_on("first_name", "surname", "dob"), block_on("email")], recall=0.7
        )
        linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=seed)
        for rule in (("first_name", "surname"), ("dob",), ("email",)):
            linker.training.estimate_parameters_using_expectation_maximisation(block_on(*rule))
        found = linker.inference.predict(threshold_match_probability=least).as_record_list()
    finally:
        connection.close()
    pairs = list[Candidate]()
    for one in found:
        left, right = sorted((one["unique_id_l"], one["unique_id_r"]))
        pairs.append(Candidate(left, right, round(one["match_probability"], 9)))
    return sorted(pairs, key=lambda one: (-one.score, one.left, one.right))


def curve(
    pairs: Iterable[Candidate], groups: Iterable[Iterable[str]], at: Sequence[float]
) -> list[tuple[float, float, float, float]]:
    """(threshold, precision, recall, F1) against true groups; precision is 1 where nothing is said."""
    truth = {frozenset(pair) for group in groups for pair in combinations(sorted(group), 2)}
    scored = [(one.score, frozenset((one.left, one.right)) in truth) for one in pairs]
    told = []
    for threshold in at:
        kept = [right for score, right in scored if score >= threshold]
        precision = sum(kept) / len(kept) if kept else 1.0
        recall = sum(kept) / len(truth) if truth else 0.0
        told.append((threshold, precision, recall, 2 * precision * recall / ((precision + recall) or 1.0)))
    return told


def _settings() -> SettingsCreator:
    return SettingsCreator(
        link_type="dedupe_only",
        blocking_rules_to_generate_predictions=[block_on(*rule) for rule in _RULES],
        comparisons=[
            compare.NameComparison("first_name"),
            compare.NameComparison("surname"),
            compare.DateOfBirthComparison("dob", input_is_string=True),
            compare.ExactMatch("city").configure(term_frequency_adjustments=True),
            compare.EmailComparison("email"),
        ],
    )
