"""Mutants of what travels: one line broken, named after what would land in a room that nobody let it into."""

from __future__ import annotations

from tests.laws.breaks_source import Edit
from tests.laws.killers_tests import Tested

PACKAGES = "tests/transfer/test_travels_packages.py"

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
)
