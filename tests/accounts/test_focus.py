"""FOCUS rows: exact, marked in every row, and harmless in a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
from fractions import Fraction
from typing import Any

import pytest

from casemate.accounts import USAGE, Price, Usage, focus_csv, focus_rows
from casemate.accounts.focus import COLUMNS
from casemate.clock import parse_iso
from casemate.labels import Label, Policies
from casemate.objects import Found, Ref

POLICIES = Policies.load(("us",))
LOW, SECRET = POLICIES.parse("us:UNCLASSIFIED"), POLICIES.parse("us:SECRET//NOFORN")
ASKED = (
    "BillingAccountId BillingPeriodStart BillingPeriodEnd ChargePeriodStart ChargePeriodEnd ChargeCategory "
    "ChargeDescription ConsumedQuantity ConsumedUnit PricingQuantity PricingUnit ListUnitPrice BilledCost "
    "EffectiveCost ListCost BillingCurrency ServiceCategory ServiceName ProviderName PublisherName "
    "RegionId SkuId ResourceId ResourceName SubAccountId Tags"
).split()


def record(label: Label = SECRET, at: str = "2026-12-31T23:00:00Z", **more: Any) -> Found[Usage]:
    price = Price(3_000_000, 15_000_001, 300_000, "EUR")
    told: dict[str, Any] = {
        "agency": "NAVY",
        "project": "alpha",
        "principal": "ann",
        "key": "k1",
        "model": "acme/large",
        "vendor": "acme",
        "price": price,
        "requests": 4,
        "prompt": 1000,
        "completion": 77,
        "cached": 300,
        "cost": price.cost(1000, 77, 300),
    }
    return Found(Ref(USAGE.name, "use_1", "c"), 1, label, Usage(parse_iso(at), **(told | more)))


def rows(*found: Found[Usage]) -> list[dict[str, str]]:
    return focus_rows(found, POLICIES, "forge", SECRET)


def test_the_columns_are_those_of_focus_and_our_own() -> None:
    assert set(ASKED) <= set(COLUMNS)
    ours = [column for column in COLUMNS if column.startswith("x_")]
    assert list(COLUMNS) == sorted(set(COLUMNS) - set(ours)) + sorted(ours)
    for row in rows(record()):
        assert set(row) == set(COLUMNS)


def test_quantity_times_price_is_the_cost_to_the_last_digit() -> None:
    told = rows(record())
    assert [(r["SkuMeter"], r["ConsumedQuantity"]) for r in told] == [
        ("Input tokens", "700"),
        ("Cached input tokens", "300"),
        ("Output tokens", "77"),
    ]
    for row in told:
        assert Fraction(row["ListUnitPrice"]) * int(row["PricingQuantity"]) == Fraction(row["ListCost"])
        assert row["ListCost"] == row["BilledCost"] == row["EffectiveCost"] == row["ContractedCost"]
    assert sum(Fraction(r["BilledCost"]) for r in told) == Fraction(record().value.cost, 10**12)
    assert sum(int(r["x_CasemateRequests"]) for r in told) == 4
    assert told[2]["ListUnitPrice"] == "0.000015000001"


def test_periods_labels_and_marking() -> None:
    [row] = rows(record(LOW, prompt=0, cached=0, completion=0, vendor="", estimated=True))
    assert (row["BillingPeriodStart"], row["BillingPeriodEnd"]) == ("2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z")
    assert (row["ChargePeriodStart"], row["ChargePeriodEnd"]) == ("2026-12-31T23:00:00Z", "2027-01-01T00:00:00Z")
    assert (row["ServiceCategory"], row["ChargeCategory"]) == ("AI and Machine Learning", "Usage")
    assert (row["BillingAccountId"], row["SubAccountId"], row["RegionId"]) == ("NAVY", "alpha", "forge")
    assert (row["PublisherName"], row["x_CasemateEstimated"], row["BilledCost"]) == ("Casemate", "true", "0")
    assert (row["x_CasemateLabel"], row["x_CasemateMarking"]) == (LOW.text, POLICIES.banner(SECRET, "en"))
    assert json.loads(row["Tags"]) == {"key": "k1", "principal": "ann"}


def test_a_csv_is_read_back_as_it_was_and_every_row_is_marked() -> None:
    told = rows(record(principal='a "b", c\n'), record(at="2026-01-31T00:00:00Z"))
    back = list(csv.DictReader(io.StringIO(focus_csv(told).decode(), newline="")))
    assert back == told
    assert {row["x_CasemateMarking"] for row in back} == {"SECRET//NOFORN"}
    assert focus_csv([]).decode().strip().split(",") == list(COLUMNS)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_is_a_formula(start: str) -> None:
    back = list(csv.DictReader(io.StringIO(focus_csv(rows(record(model=f"{start}cmd()"))).decode(), newline="")))
    assert {row["ResourceId"] for row in back} == {f"'{start}cmd()"}
